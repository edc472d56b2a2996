/** XML as the gateway's document formats use it: text from octets, prologue, validity, an element tree, and text from a tree. */
export { decodeXmlText, type XmlText } from './charset.js';
export {
  type QualifiedElement,
  type QualifiedName,
  type ReadNamespacedOptions,
  readNamespacedXml,
} from './namespaces.js';
export { type Prologue as XmlPrologue, readPrologue } from './prologue.js';
export { type ReadXmlOptions, readXmlDocument } from './read-document.js';
export { formatTimestamp, parseTimestamp } from './timestamp.js';
export { parseXmlElement, type XmlElement } from './xml-element.js';
export { createXmlValidator, type XmlProblem, type XmlValidator } from './xml-validator.js';
export { escapeXml, formatXmlElement, type XmlAttributes, xmlElement } from './xml-writer.js';
