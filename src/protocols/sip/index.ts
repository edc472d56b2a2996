/** The SIP codec: messages, their framing on streams, and the header grammars that the gateway reads and writes. */
export * from './auth-header.js';
export * from './cseq.js';
export { decodeSipMessage, salvageSipRequest } from './decode.js';
export * from './digest.js';
export { encodeSipMessage, sipMessageByteString } from './encode.js';
export * from './event.js';
export * from './feature-parameters.js';
export { quote, unquote } from './grammar.js';
export * from './headers.js';
export * from './limits.js';
export * from './message.js';
export * from './name-addr.js';
export * from './parameters.js';
export * from './reason.js';
export * from './status-table.js';
export * from './stream.js';
export * from './uri.js';
export * from './via.js';
