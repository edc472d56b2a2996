/** SMPP 3.4: PDUs between octets and values, on the side of an ESME; receipts, message ids, times. */
export { COMMANDS, type CommandName, RESPONSE_BIT } from './command-table.js';
export { decodePdu } from './decode.js';
export { encodePdu } from './encode.js';
export { SMPP_LIMITS, type SmppLimits } from './limits.js';
export { canonicalId, ID_RELATIONS, type IdRelation, receiptIds, submittedIds } from './message-id.js';
export { ESM_CLASS, NUMBERING_PLAN, PARAMETER, TYPE_OF_NUMBER, USSD_OPERATION } from './parameter-table.js';
export {
  type BodyOf,
  NO_PARAMETERS,
  type Parameters,
  type Pdu,
  type PduOf,
  type ShortMessage,
} from './pdu.js';
export { decodeReceipt, isReceipt, type Receipt, type ReceiptState } from './receipt.js';
export { formatInstant, formatSpan } from './smpp-time.js';
export { type Refusal, refusalOf, STATUS, statusText } from './status-table.js';
export { SmppStreamReader, type UnreadablePdu } from './stream-reader.js';
