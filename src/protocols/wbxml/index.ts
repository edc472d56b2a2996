/** WAP Binary XML: trees and octets, token tables, and document types that have both an XML and a binary form. */
export { decodeWbxml } from './decode-wbxml.js';
export * from './document.js';
export * from './document-type.js';
export { encodeWbxml } from './encode-wbxml.js';
export { WBXML_LIMITS, type WbxmlLimits } from './limits.js';
export { decodeOpaqueInstant, encodeOpaqueInstant } from './opaque-instant.js';
export {
  type AttributeToken,
  type TagToken,
  type TokenTable,
  type TokenTableRows,
  tokenTable,
  type ValueToken,
} from './token-table.js';
export { wbxmlOfXml, xmlOfWbxml } from './xml-form.js';
