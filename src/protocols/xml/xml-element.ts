/**
 * XML text to a small element tree: names, attribute values and character data with their references resolved, children.
 * fast-xml-parser finds the tags; it is no validity gate, so its input has passed `xml-validator.ts`, and whatever is left to
 * chance there (entities, numbers, types) is switched off here.
 */
import { XMLParser } from 'fast-xml-parser';
import { DecodeError } from '../../kernel/errors.js';

export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** The character data that stands directly in the element, in one piece: none of our formats mixes it with elements. */
  readonly text: string;
}

const ATTRIBUTES = ':@';
const TEXT = '#text';
const CDATA = '#cdata';

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  ignoreDeclaration: true,
  ignorePiTags: true,
  processEntities: false,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  cdataPropName: CDATA,
});

/** The root element of a well-formed document that has no prologue. */
export function parseXmlElement(document: string): XmlElement {
  let nodes: unknown;
  try {
    nodes = parser.parse(document);
  } catch (cause) {
    throw new DecodeError('XML that cannot be mapped', { cause });
  }
  const [root] = contentOf(nodes).children;
  if (root === undefined) throw new DecodeError('document without a root element');
  return root;
}

/** fast-xml-parser's ordered form: an array of objects with one key for the tag and one for its attributes. */
function contentOf(nodes: unknown): Pick<XmlElement, 'children' | 'text'> {
  const children: XmlElement[] = [];
  let text = '';
  for (const node of Array.isArray(nodes) ? (nodes as Record<string, unknown>[]) : []) {
    for (const name of Object.keys(node)) {
      if (name === ATTRIBUTES) continue;
      if (name === TEXT) text += resolved(String(node[TEXT]));
      else if (name === CDATA) text += verbatim(node[CDATA]);
      else children.push({ name, attributes: attributesOf(node[ATTRIBUTES]), ...contentOf(node[name]) });
    }
  }
  return { children, text };
}

/** What a CDATA section holds: nothing in it is a reference. */
function verbatim(nodes: unknown): string {
  const pieces = Array.isArray(nodes) ? (nodes as Record<string, unknown>[]) : [];
  return pieces.map((piece) => String(piece[TEXT] ?? '')).join('');
}

function attributesOf(raw: unknown): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  if (typeof raw !== 'object' || raw === null) return attributes;
  for (const [name, value] of Object.entries(raw)) attributes.set(name, attributeValue(String(value)));
  return attributes;
}

const PREDEFINED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

/** [XML 1.0 §3.3.3] Literal white space becomes a space; references become what they stand for, white space included. */
function attributeValue(raw: string): string {
  return resolved(/[\t\r\n]/.test(raw) ? raw.replace(/\r\n|[\t\r\n]/g, ' ') : raw);
}

function resolved(raw: string): string {
  if (!raw.includes('&')) return raw;
  return raw.replace(
    /&(?:#x([0-9A-Fa-f]{1,8})|#([0-9]{1,8})|([a-z]{1,8}));/g,
    (_, hexadecimal, decimal, name) => {
      if (name !== undefined) return PREDEFINED.get(name) ?? unresolved();
      return character(
        hexadecimal === undefined ? Number.parseInt(decimal, 10) : Number.parseInt(hexadecimal, 16),
      );
    },
  );
}

function character(codePoint: number): string {
  if (codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff)) return unresolved();
  return String.fromCodePoint(codePoint);
}

function unresolved(): never {
  throw new DecodeError('reference to an unknown entity or character', { clause: 'XML 1.0 §4.1' });
}
