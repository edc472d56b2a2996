/** WTP, the transactions under WSP sessions (WAP-224): PDUs, transport information items, concatenation, abort reasons. */
export { PROVIDER_ABORT, providerAbortName } from './abort-reason-table.js';
export { decodeWtp } from './decode-wtp.js';
export { encodeConcatenated, encodeWtp } from './encode-wtp.js';
export { WTP_LIMITS, type WtpLimits } from './limits.js';
export * from './pdu.js';
