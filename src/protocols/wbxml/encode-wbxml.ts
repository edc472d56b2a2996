/**
 * A WBXML tree to octets: UTF-8, no string table, the fewest octets among the tokens that fit. A name that the document type has no
 * token for is refused. Literals would be legal, but terminals skip what they do not know, and nobody would learn of it.
 */
import { RefusedError } from '../../kernel/errors.js';
import { OctetWriter, writeUintvar } from '../wsp/index.js';
import type { WbxmlAttribute, WbxmlElement, WbxmlExtension, WbxmlPiece } from './document.js';
import { GLOBAL, HAS_ATTRIBUTES, HAS_CONTENT } from './global-token-table.js';
import { WBXML_LIMITS } from './limits.js';
import type { AttributeToken, TokenTable } from './token-table.js';

const UTF_8 = 106;

/** Encodes one document. Throws RefusedError (`transformationFailed`) when the tree has no encoding by this table. */
export function encodeWbxml(root: WbxmlElement, table: TokenTable): Uint8Array {
  const writer = new OctetWriter().octet(table.version);
  writeUintvar(writer, table.publicId);
  writeUintvar(writer, UTF_8);
  writeUintvar(writer, 0);
  new BodyWriter(writer, table).writeElement(root, 1);
  return writer.written();
}

class BodyWriter {
  readonly #writer: OctetWriter;
  readonly #table: TokenTable;
  #tagPage = 0;
  #attributePage = 0;

  constructor(writer: OctetWriter, table: TokenTable) {
    this.#writer = writer;
    this.#table = table;
  }

  writeElement({ name, attributes, content }: WbxmlElement, depth: number): void {
    if (depth > WBXML_LIMITS.maxDepth) throw refused('elements too deep');
    const tags = this.#table.tagsNamed(name);
    const tag = tags.find(({ page }) => page === this.#tagPage) ?? tags[0];
    if (tag === undefined) throw refused(`no token for the element ${name}`);
    if (tag.page !== this.#tagPage) {
      this.#writer.octet(GLOBAL.SWITCH_PAGE).octet(tag.page);
      this.#tagPage = tag.page;
    }
    const bits = (attributes.length > 0 ? HAS_ATTRIBUTES : 0) | (content.length > 0 ? HAS_CONTENT : 0);
    this.#writer.octet(tag.code | bits);
    if (attributes.length > 0) {
      for (const attribute of attributes) this.#writeAttribute(attribute);
      this.#writer.octet(GLOBAL.END);
    }
    if (content.length > 0) {
      for (const node of content) {
        if (node.kind === 'element') this.writeElement(node, depth + 1);
        else if (node.kind === 'text') this.#writeString(node.text);
        else this.#writeOther(node);
      }
      this.#writer.octet(GLOBAL.END);
    }
  }

  #writeAttribute({ name, value }: WbxmlAttribute): void {
    const [first, ...others] = value;
    const text = first?.kind === 'text' ? first.text : '';
    const { token, length } = this.#attributeStart(name, text, value.length > 0);
    this.#switchAttributePage(token.page);
    this.#writer.octet(token.code);
    this.#writeValue(text.slice(length));
    for (const piece of first?.kind === 'text' ? others : value) {
      if (piece.kind === 'text') this.#writeValue(piece.text);
      else this.#writeOther(piece);
    }
  }

  /** The start token that makes the value shortest, and how many characters of it the token stands for. */
  #attributeStart(name: string, text: string, hasValue: boolean): { token: AttributeToken; length: number } {
    let best: { token: AttributeToken; length: number; cost: number } | undefined;
    for (const token of this.#table.attributesNamed(name)) {
      if (token.whole !== undefined && !(hasValue && token.whole === text)) continue;
      if (token.prefix !== undefined && !text.startsWith(token.prefix)) continue;
      const length = (token.whole ?? token.prefix ?? '').length;
      const cost =
        (token.page === this.#attributePage ? 0 : 2) + this.#valueCost(text.slice(length), token.page);
      if (best === undefined || cost < best.cost) best = { token, length, cost };
    }
    if (best === undefined) throw refused(`no token for the attribute ${name} with this value`);
    return best;
  }

  /** About how many octets a value takes on this page. */
  #valueCost(text: string, page: number): number {
    if (text === '') return 0;
    const tokens = this.#table.valuesOf(text);
    if (tokens.length === 0) return text.length + 2;
    // One more than the switch takes: a page is switched before the attribute rather than inside it.
    return tokens.some((token) => token.page === page) ? 1 : 4;
  }

  #switchAttributePage(page: number): void {
    if (page === this.#attributePage) return;
    this.#writer.octet(GLOBAL.SWITCH_PAGE).octet(page);
    this.#attributePage = page;
  }

  #writeValue(text: string): void {
    if (text === '') return;
    if (this.#table.valuesStand === 'alone') {
      if (!this.#writeWholeValue(text)) this.#writeString(text);
      return;
    }
    const pieces = this.#table.valueTexts === undefined ? [text] : text.split(this.#table.valueTexts);
    for (const piece of pieces) {
      if (piece !== '' && !this.#writeWholeValue(piece)) this.#writeString(piece);
    }
  }

  /** A token for exactly this text; false when there is none. */
  #writeWholeValue(text: string): boolean {
    const tokens = this.#table.valuesOf(text);
    const token = tokens.find(({ page }) => page === this.#attributePage) ?? tokens[0];
    if (token === undefined) return false;
    this.#switchAttributePage(token.page);
    this.#writer.octet(token.code);
    return true;
  }

  #writeString(text: string): void {
    // A zero octet ends the string wherever it stands: what follows would be read as tokens.
    if (text.includes('\0')) throw refused('character U+0000 in a text');
    this.#writer.octet(GLOBAL.STR_I).append(Buffer.from(text, 'utf8')).octet(0);
  }

  #writeOther(piece: Exclude<WbxmlPiece, { kind: 'text' }>): void {
    if (piece.kind === 'extension') {
      this.#writeExtension(piece);
      return;
    }
    this.#writer.octet(GLOBAL.OPAQUE);
    writeUintvar(this.#writer, piece.octets.length);
    this.#writer.append(piece.octets);
  }

  #writeExtension({ number, value }: WbxmlExtension): void {
    if (![0, 1, 2].includes(number)) throw refused(`no extension ${number}`);
    if (typeof value === 'string') {
      if (value.includes('\0')) throw refused('character U+0000 in an extension');
      this.#writer
        .octet(GLOBAL.EXT_I_0 + number)
        .append(Buffer.from(value, 'utf8'))
        .octet(0);
    } else if (value === undefined) {
      this.#writer.octet(GLOBAL.EXT_0 + number);
    } else {
      this.#writer.octet(GLOBAL.EXT_T_0 + number);
      writeUintvar(this.#writer, value);
    }
  }
}

function refused(detail: string): RefusedError {
  return new RefusedError('transformationFailed', detail);
}
