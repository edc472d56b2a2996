/**
 * Octets to a WBXML tree (WAP-192 §5): header, string table, tags, attributes, text in all its forms. Processing instructions are
 * read and dropped, no push format has any. WBXML 1.0, which has no charset in its header, is refused, as are character sets other
 * than UTF-8, US-ASCII and ISO-8859-1.
 */
import { DecodeError } from '../../kernel/errors.js';
import { OctetReader, readUintvar } from '../wsp/index.js';
import {
  UNKNOWN_PUBLIC_ID,
  WBXML_VERSIONS,
  type WbxmlAttribute,
  type WbxmlDocument,
  type WbxmlElement,
  type WbxmlNode,
  type WbxmlPiece,
} from './document.js';
import {
  overLimit,
  readStringTable,
  type StringTable,
  type TextDecode,
  textDecoder,
} from './document-strings.js';
import {
  FIRST_CODE,
  FIRST_VALUE_CODE,
  GLOBAL,
  HAS_ATTRIBUTES,
  HAS_CONTENT,
  TAG_CODE,
} from './global-token-table.js';
import { WBXML_LIMITS, type WbxmlLimits } from './limits.js';
import type { TokenTable } from './token-table.js';

/**
 * Decodes one document of the table's type, to its last octet. Opaque octets are views into `octets`. Throws DecodeError, with
 * `versionNotSupported` for another version of WBXML and `limitExceeded` over a limit.
 */
export function decodeWbxml(
  octets: Uint8Array,
  table: TokenTable,
  limits: WbxmlLimits = WBXML_LIMITS,
): WbxmlDocument {
  if (octets.length > limits.maxBytes) throw overLimit(`document over ${limits.maxBytes} octets`, 0);
  const reader = new OctetReader(octets);
  const version = readVersion(reader);
  const publicIdNumber = readUintvar(reader);
  // [WAP-192 §5.5] Zero: the identifier is a string, whose place in the table stands before the table itself.
  const publicIdIndex = publicIdNumber === 0 ? readUintvar(reader) : undefined;
  const charset = readUintvar(reader);
  const textOf = textDecoder(charset, reader.offset);
  const strings = readStringTable(reader, textOf, limits);
  const publicId = publicIdIndex === undefined ? publicIdNumber : strings(publicIdIndex);
  requireType(publicId, table);
  const root = new BodyReader(reader, table, strings, textOf, limits).readBody();
  return { version, publicId, charset, root };
}

function readVersion(reader: OctetReader): WbxmlDocument['version'] {
  const octet = reader.octet();
  const version = WBXML_VERSIONS.find((known) => known === octet);
  if (version === undefined) {
    throw new DecodeError(`WBXML version octet ${octet}`, {
      code: 'versionNotSupported',
      offset: 0,
      clause: 'WAP-192 §5.4',
    });
  }
  return version;
}

function requireType(publicId: number | string, table: TokenTable): void {
  if (publicId === table.publicId || publicId === UNKNOWN_PUBLIC_ID) return;
  if (typeof publicId === 'string' && publicId.toUpperCase() === table.formalPublicId.toUpperCase()) return;
  throw new DecodeError(`not a document of ${table.formalPublicId}`, { offset: 1, clause: 'WAP-192 §5.5' });
}

class BodyReader {
  readonly #reader: OctetReader;
  readonly #table: TokenTable;
  readonly #strings: StringTable;
  readonly #textOf: TextDecode;
  readonly #limits: WbxmlLimits;
  #tagPage = 0;
  #attributePage = 0;
  #nodes = 0;
  #textLength = 0;

  constructor(
    reader: OctetReader,
    table: TokenTable,
    strings: StringTable,
    textOf: TextDecode,
    limits: WbxmlLimits,
  ) {
    this.#reader = reader;
    this.#table = table;
    this.#strings = strings;
    this.#textOf = textOf;
    this.#limits = limits;
  }

  /** One element, instructions and page switches around it, nothing behind. */
  readBody(): WbxmlElement {
    let root: WbxmlElement | undefined;
    while (root === undefined || this.#reader.remaining > 0) {
      const token = this.#reader.octet();
      if (token === GLOBAL.SWITCH_PAGE) this.#tagPage = this.#reader.octet();
      else if (token === GLOBAL.PI) this.#skipInstruction();
      else if (root === undefined) root = this.#readElement(token, 1);
      else this.#fail('more behind the end of the document');
    }
    return root;
  }

  #readElement(token: number, depth: number): WbxmlElement {
    if (depth > this.#limits.maxDepth) throw overLimit('elements too deep', this.#reader.offset);
    this.#count();
    const name = this.#tagName(token);
    const attributes = (token & HAS_ATTRIBUTES) === 0 ? [] : this.#readAttributes();
    const content = (token & HAS_CONTENT) === 0 ? [] : this.#readContent(depth);
    return { kind: 'element', name, attributes, content };
  }

  #tagName(token: number): string {
    const code = token & TAG_CODE;
    if (code === GLOBAL.LITERAL) return this.#literalName();
    const tag = code < FIRST_CODE ? undefined : this.#table.tagAt(this.#tagPage, code);
    return tag?.name ?? this.#fail(`no tag ${code} on page ${this.#tagPage}`);
  }

  #readContent(depth: number): WbxmlNode[] {
    const content: WbxmlNode[] = [];
    while (true) {
      const token = this.#reader.octet();
      if (token === GLOBAL.END) return content;
      if (token === GLOBAL.SWITCH_PAGE) this.#tagPage = this.#reader.octet();
      else if (token === GLOBAL.PI) this.#skipInstruction();
      else if (!this.#readPiece(token, content)) content.push(this.#readElement(token, depth + 1));
    }
  }

  #readAttributes(): WbxmlAttribute[] {
    const attributes: { name: string; value: WbxmlPiece[] }[] = [];
    const names = new Set<string>();
    while (true) {
      const token = this.#reader.octet();
      if (token === GLOBAL.END) return attributes;
      if (token === GLOBAL.SWITCH_PAGE) {
        this.#attributePage = this.#reader.octet();
        continue;
      }
      const value = attributes.at(-1)?.value;
      if (value !== undefined && this.#readPiece(token, value)) continue;
      if (token >= FIRST_VALUE_CODE) {
        if (value === undefined) this.#fail('attribute value without an attribute');
        this.#appendText(value, this.#valueText(token));
        continue;
      }
      const attribute = this.#startAttribute(token);
      // Two values for one name could be read differently by two readers; neither reading is safe.
      if (names.has(attribute.name)) this.#fail(`attribute ${attribute.name} given twice`);
      names.add(attribute.name);
      attributes.push(attribute);
    }
  }

  #startAttribute(token: number): { name: string; value: WbxmlPiece[] } {
    this.#count();
    if (token === GLOBAL.LITERAL) return { name: this.#literalName(), value: [] };
    const start = token < FIRST_CODE ? undefined : this.#table.attributeAt(this.#attributePage, token);
    if (start === undefined) this.#fail(`no attribute ${token} on page ${this.#attributePage}`);
    const value: WbxmlPiece[] = [];
    this.#appendText(value, start.prefix ?? start.whole ?? '');
    return { name: start.name, value };
  }

  #valueText(token: number): string {
    const value = this.#table.valueAt(this.#attributePage, token);
    return value?.text ?? this.#fail(`no attribute value ${token} on page ${this.#attributePage}`);
  }

  /** Appends what a global token brings; false when the token is no piece. */
  #readPiece(token: number, pieces: WbxmlNode[]): boolean {
    switch (token) {
      case GLOBAL.STR_I:
        this.#appendText(pieces, this.#textOf(this.#reader.untilZero()));
        return true;
      case GLOBAL.STR_T:
        this.#appendText(pieces, this.#strings(readUintvar(this.#reader)));
        return true;
      case GLOBAL.ENTITY:
        this.#appendText(pieces, this.#character(readUintvar(this.#reader)));
        return true;
      case GLOBAL.OPAQUE:
        this.#count();
        pieces.push({ kind: 'opaque', octets: this.#reader.take(readUintvar(this.#reader)) });
        return true;
      default:
        return this.#readExtension(token, pieces);
    }
  }

  #readExtension(token: number, pieces: WbxmlNode[]): boolean {
    const number = token & TAG_CODE;
    if (number > 2 || token < GLOBAL.EXT_I_0) return false;
    this.#count();
    const form = token - number;
    if (form === GLOBAL.EXT_I_0) {
      const value = this.#textOf(this.#reader.untilZero());
      this.#countText(value);
      pieces.push({ kind: 'extension', number, value });
    } else if (form === GLOBAL.EXT_T_0) {
      pieces.push({ kind: 'extension', number, value: readUintvar(this.#reader) });
    } else {
      pieces.push({ kind: 'extension', number });
    }
    return true;
  }

  /** An attribute with its value, and END. [WAP-192 §5.8.4.4] */
  #skipInstruction(): void {
    if (this.#readAttributes().length !== 1) this.#fail('processing instruction that is none');
  }

  #literalName(): string {
    const name = this.#strings(readUintvar(this.#reader));
    if (!/^[A-Za-z_][A-Za-z0-9._-]{0,63}$/.test(name)) this.#fail('literal that is no name');
    return name;
  }

  #character(code: number): string {
    if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) this.#fail('no such character');
    return String.fromCodePoint(code);
  }

  #appendText(pieces: WbxmlNode[], text: string): void {
    if (text === '') return;
    this.#countText(text);
    const last = pieces.at(-1);
    if (last?.kind === 'text') {
      pieces[pieces.length - 1] = { kind: 'text', text: last.text + text };
      return;
    }
    this.#count();
    pieces.push({ kind: 'text', text });
  }

  #count(): void {
    this.#nodes += 1;
    if (this.#nodes > this.#limits.maxNodes) throw overLimit('too many nodes', this.#reader.offset);
  }

  #countText(text: string): void {
    this.#textLength += text.length;
    if (this.#textLength > this.#limits.maxTextLength) throw overLimit('too much text', this.#reader.offset);
  }

  #fail(detail: string): never {
    throw new DecodeError(detail, { offset: this.#reader.offset - 1, clause: 'WAP-192 §5.8' });
  }
}
