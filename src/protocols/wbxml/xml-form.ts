/**
 * A WBXML tree as the XML element that it stands for, and back. The difference is in the attributes that hold instants: text in XML,
 * opaque octets in WBXML. A push document has no other opaque octets and no extensions, so these are refused.
 */
import { DecodeError, RefusedError } from '../../kernel/errors.js';
import { formatTimestamp, parseTimestamp, type XmlElement } from '../xml/index.js';
import type { WbxmlAttribute, WbxmlElement, WbxmlNode, WbxmlPiece } from './document.js';
import { decodeOpaqueInstant, encodeOpaqueInstant } from './opaque-instant.js';
import type { TokenTable } from './token-table.js';

/** Throws DecodeError for octets or extensions that the document type gives no meaning. */
export function xmlOfWbxml(element: WbxmlElement, table: TokenTable): XmlElement {
  const attributes = element.attributes.map(
    ({ name, value }) => [name, attributeText(name, value, table)] as const,
  );
  const children: XmlElement[] = [];
  let text = '';
  for (const node of element.content) {
    if (node.kind === 'element') children.push(xmlOfWbxml(node, table));
    else text += textOf(node, `in ${element.name}`);
  }
  return { name: element.name, attributes: new Map(attributes), children, text };
}

/** Leniency: an instant may come as text. Gateways that compile without knowing the document type write it so. */
function attributeText(name: string, value: readonly WbxmlPiece[], table: TokenTable): string {
  const [only, ...others] = value;
  if (only?.kind === 'opaque' && others.length === 0 && table.instants.includes(name)) {
    return formatTimestamp(decodeOpaqueInstant(only.octets));
  }
  return value.map((piece) => textOf(piece, `in attribute ${name}`)).join('');
}

function textOf(piece: WbxmlPiece, where: string): string {
  if (piece.kind === 'text') return piece.text;
  throw new DecodeError(`${piece.kind} without a meaning ${where}`, { clause: 'WAP-192 §5.8.4' });
}

/** Throws RefusedError (`transformationFailed`) for an instant that is none. */
export function wbxmlOfXml(element: XmlElement, table: TokenTable): WbxmlElement {
  const content: WbxmlNode[] = element.children.map((child) => wbxmlOfXml(child, table));
  if (element.text !== '') content.unshift({ kind: 'text', text: element.text });
  return {
    kind: 'element',
    name: element.name,
    attributes: [...element.attributes].map(([name, value]) => attributeOf(name, value, table)),
    content,
  };
}

function attributeOf(name: string, value: string, table: TokenTable): WbxmlAttribute {
  if (value === '') return { name, value: [] };
  if (!table.instants.includes(name)) return { name, value: [{ kind: 'text', text: value }] };
  const instant = parseTimestamp(value);
  if (instant === undefined) throw new RefusedError('transformationFailed', `${name} is no instant`);
  return { name, value: [{ kind: 'opaque', octets: encodeOpaqueInstant(instant) }] };
}
