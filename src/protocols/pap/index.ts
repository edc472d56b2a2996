/** The Push Access Protocol: its document model, decoder, encoder, status codes and the mapping of our errors to them. */

export { formatTimestamp, parseTimestamp } from '../xml/index.js';
export { badMessageFragment, MAX_FRAGMENT_LENGTH } from './bad-message-fragment.js';
export * from './decode-pap.js';
export * from './document.js';
export * from './encode-pap.js';
export * from './pap-error-table.js';
export * from './pap-operation-error.js';
export * from './pap-status-table.js';
export { createPapValidator, type PapValidator } from './pap-validator.js';
export { DEFAULT_PAP_VERSION, DOCTYPE } from './pap-version.js';
