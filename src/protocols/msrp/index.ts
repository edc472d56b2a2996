/** The MSRP codec (RFC 4975): values, URIs, encoder, stream reader, assembly of chunks to messages. */
export {
  encodeRequest,
  encodeResponse,
  formatByteRange,
  formatEndLine,
  formatLeadingFields,
  formatPaths,
  formatRequestLine,
  formatResponse,
  formatTrailingFields,
  hasEndLine,
} from './encode.js';
export { isIdent } from './grammar.js';
export type {
  ByteRange,
  ContinuationFlag,
  FailureReport,
  MsrpEvent,
  MsrpHeader,
  MsrpRequest,
  MsrpResponse,
  MsrpStatus,
  ReceivedMsrpRequest,
  ReceivedMsrpResponse,
} from './message.js';
export {
  type AssembledMessage,
  type AssemblyResult,
  type MsrpAssemblyLimits,
  MsrpMessageAssembler,
  OpenMessageBudget,
} from './message-assembly.js';
export { addRun, type OctetRun, octetsFromStart } from './octet-runs.js';
export { type MsrpStatusCode, STATUS_COMMENTS } from './status-table.js';
export { type MsrpReaderLimits, MsrpStreamReader } from './stream-reader.js';
export {
  DEFAULT_MSRP_PORT,
  formatMsrpUri,
  type MsrpUri,
  parseMsrpUri,
  sameMsrpSession,
} from './uri.js';
