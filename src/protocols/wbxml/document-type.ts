/**
 * A type of push document (SI, SL, CO, EMN, connectivity) in its two forms, XML text and WBXML, around one typed value. The type
 * brings its token table and says how its value reads from and writes to an XML element; both forms pass through that element.
 */
import { DecodeError } from '../../kernel/errors.js';
import {
  formatXmlElement,
  parseTimestamp,
  readXmlDocument,
  type XmlElement,
  type XmlValidator,
} from '../xml/index.js';
import { decodeWbxml } from './decode-wbxml.js';
import { encodeWbxml } from './encode-wbxml.js';
import { WBXML_LIMITS, type WbxmlLimits } from './limits.js';
import type { TokenTable } from './token-table.js';
import { wbxmlOfXml, xmlOfWbxml } from './xml-form.js';

export interface DocumentTypeRules<Value, Grammar extends string> {
  /** The name under which the validator knows the DTD. */
  readonly grammar: Grammar;
  readonly rootName: string;
  readonly table: TokenTable;
  /** The root comes from XML that the DTD has accepted, or from WBXML that nothing has. Throws DecodeError. */
  read(root: XmlElement): Value;
  write(value: Value): XmlElement;
}

export interface DecodeXmlOptions<Grammar extends string> {
  readonly validator: XmlValidator<Grammar>;
  /** The `charset` parameter of the entity's Content-Type. */
  readonly charset?: string;
}

export interface DocumentType<Value, Grammar extends string> {
  readonly grammar: Grammar;
  /** WBXML to value. Throws DecodeError. */
  decode(octets: Uint8Array, limits?: WbxmlLimits): Value;
  /** Value to WBXML. Throws RefusedError (`transformationFailed`) for what has no encoding. */
  encode(value: Value): Uint8Array;
  /** XML text, valid by our DTD and without entity declarations, to value. Throws DecodeError. */
  decodeXml(octets: Uint8Array, options: DecodeXmlOptions<Grammar>): Value;
  /** Value to XML text in UTF-8, with its document type declaration. */
  encodeXml(value: Value): Uint8Array;
  /** XML text to WBXML: `decodeXml`, then `encode`. */
  compile(octets: Uint8Array, options: DecodeXmlOptions<Grammar>): Uint8Array;
}

export function documentType<Value, Grammar extends string>(
  rules: DocumentTypeRules<Value, Grammar>,
): DocumentType<Value, Grammar> {
  const { grammar, rootName, table } = rules;
  const decode = (octets: Uint8Array, limits: WbxmlLimits = WBXML_LIMITS): Value => {
    const root = xmlOfWbxml(decodeWbxml(octets, table, limits).root, table);
    if (root.name !== rootName) throw new DecodeError(`the root element is not ${rootName}`);
    return rules.read(root);
  };
  const encode = (value: Value) => encodeWbxml(wbxmlOfXml(rules.write(value), table), table);
  const decodeXml = (octets: Uint8Array, options: DecodeXmlOptions<Grammar>): Value =>
    rules.read(readXmlDocument(octets, { ...options, grammar, rootName, maxBytes: WBXML_LIMITS.maxBytes }));
  const encodeXml = (value: Value): Uint8Array => {
    const doctype = `<!DOCTYPE ${rootName} PUBLIC "${table.formalPublicId}" "${table.systemId}">`;
    return Buffer.from(`<?xml version="1.0"?>\n${doctype}\n${formatXmlElement(rules.write(value))}\n`);
  };
  const compile = (octets: Uint8Array, options: DecodeXmlOptions<Grammar>) =>
    encode(decodeXml(octets, options));
  return { grammar, decode, encode, decodeXml, encodeXml, compile };
}

/** An element with these attributes, without those that are undefined. */
export function elementOf(
  name: string,
  attributes: Readonly<Record<string, string | undefined>>,
  content: Partial<Pick<XmlElement, 'children' | 'text'>> = {},
): XmlElement {
  const given = Object.entries(attributes).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return { name, attributes: new Map(given), children: [], text: '', ...content };
}

export function requiredAttribute(element: XmlElement, name: string): string {
  const value = element.attributes.get(name);
  if (value === undefined) throw new DecodeError(`${element.name} without ${name}`);
  return value;
}

/** A value out of a closed list; `fallback`, the DTD's default, when the attribute is absent. */
export function oneOf<Value extends string>(
  element: XmlElement,
  name: string,
  values: readonly Value[],
  fallback: Value,
): Value {
  const text = element.attributes.get(name);
  if (text === undefined) return fallback;
  const value = values.find((known) => known === text);
  if (value === undefined) throw new DecodeError(`${name} is none of ${values.join(', ')}`);
  return value;
}

/**
 * Milliseconds since the epoch. Leniency: an empty value counts as absent. Initiators that fill a template leave `si-expires=""` when
 * they have nothing to say.
 */
export function instantAttribute(element: XmlElement, name: string): number | undefined {
  const value = element.attributes.get(name);
  if (value === undefined || value === '') return undefined;
  const instant = parseTimestamp(value);
  if (instant === undefined) throw new DecodeError(`${name} is not of the form YYYY-MM-DDThh:mm:ssZ`);
  return instant;
}

/** The only child of that name, or undefined. Throws DecodeError when there are several. */
export function onlyChild(element: XmlElement, name: string): XmlElement | undefined {
  const [child, ...others] = element.children.filter((candidate) => candidate.name === name);
  if (others.length > 0) throw new DecodeError(`more than one ${name}`);
  return child;
}

/** Character data without the white space around it, which belongs to the layout of the document. */
export function trimmedText(element: XmlElement): string {
  const { text } = element;
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start += 1;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
