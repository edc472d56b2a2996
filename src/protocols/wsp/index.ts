/** WSP as push uses it: push and session PDUs, capabilities, header blocks, value types and tables. */
export {
  ABORT,
  ABORT_REASONS,
  type AbortMeaning,
  type AbortReason,
  abortName,
} from './abort-reason-table.js';
export {
  type ContactPoint,
  ipContactPoint,
  ipOfContactPoint,
  readContactPoints,
  writeContactPoints,
} from './address-record.js';
export { APPLICATION_ID_BY_CODE, APPLICATION_ID_CODES } from './application-id-table.js';
export {
  DEFAULT_PUSH_MOR,
  DEFAULT_SDU_BYTES,
  OPTION,
  type WspCapabilities,
} from './capabilities.js';
export {
  decodeHeaders,
  encodeHeaders,
  readApplicationId,
  type WspHeader,
  writeApplicationId,
} from './headers.js';
export { WSP_LIMITS, type WspLimits } from './limits.js';
export { OctetReader, OctetWriter } from './octets.js';
export * from './primitives.js';
export { decodePush, encodePush, type PushContents, type PushPdu } from './push-pdu.js';
export {
  type ConnectPdu,
  decodeWsp,
  encodeWsp,
  type ResumePdu,
  WSP_VERSION,
  type WspPdu,
} from './session-pdu.js';
