/**
 * The prologue of an XML document (XML 1.0 §2.8): XML declaration, comments, processing instructions and the document type
 * declaration, read up to the root element. Entity, element and attribute-list declarations and parameter entities are
 * refused, so that no later reader ever sees one; an external DTD is never fetched.
 *
 * Leniency: the XML declaration may stand behind white space, where strictly it must be first. Push initiators that assemble
 * a multipart body by hand leave an empty line before it.
 */
import { DecodeError } from '../../kernel/errors.js';

export interface Prologue {
  readonly publicId?: string;
  readonly systemId?: string;
  /** Processing instructions, those of the internal subset too: what stands between `<?` and `?>`, in order. */
  readonly instructions: readonly string[];
  /** Index of the `<` of the root element. */
  readonly rootIndex: number;
}

const CLAUSE = 'XML 1.0 §2.8';
const MAX_MISC = 64;

/**
 * Reads the prologue of a document text. A document type declaration has to name `rootName`; there need be none. Throws
 * DecodeError whose offset counts characters.
 */
export function readPrologue(text: string, rootName: string): Prologue {
  const scan = new PrologueScan(text, rootName);
  scan.run();
  return scan.result();
}

class PrologueScan {
  #at = 0;
  #misc = 0;
  #hasDoctype = false;
  #publicId: string | undefined;
  #systemId: string | undefined;
  readonly #instructions: string[] = [];
  readonly #text: string;
  readonly #rootName: string;

  constructor(text: string, rootName: string) {
    this.#text = text;
    this.#rootName = rootName;
  }

  result(): Prologue {
    return {
      ...(this.#publicId === undefined ? {} : { publicId: this.#publicId }),
      ...(this.#systemId === undefined ? {} : { systemId: this.#systemId }),
      instructions: this.#instructions,
      rootIndex: this.#at,
    };
  }

  run(): void {
    while (true) {
      this.#skipSpace();
      if (this.#text.charAt(this.#at) !== '<') this.#fail('no root element');
      if (this.#startsWith('<!DOCTYPE')) this.#readDoctype();
      else if (!this.#readMisc()) break;
    }
    // Anything else that starts with "<!" or "</" is left to the parser, which refuses it at this very place.
  }

  /** A comment or a processing instruction; false when something else stands here. */
  #readMisc(): boolean {
    const isComment = this.#startsWith('<!--');
    if (!isComment && !this.#startsWith('<?')) return false;
    this.#misc += 1;
    if (this.#misc > MAX_MISC) {
      throw new DecodeError('too many comments and instructions', {
        offset: this.#at,
        code: 'limitExceeded',
      });
    }
    const body = isComment ? this.#take('<!--', '-->') : this.#take('<?', '?>');
    if (!isComment) this.#instructions.push(body);
    return true;
  }

  #readDoctype(): void {
    if (this.#hasDoctype) this.#fail('second document type declaration');
    this.#hasDoctype = true;
    this.#at += '<!DOCTYPE'.length;
    this.#requireSpace();
    const name = this.#readName();
    if (name !== this.#rootName) this.#fail(`the document type is not ${this.#rootName}`);
    this.#skipSpace();
    if (this.#startsWith('PUBLIC')) {
      this.#at += 'PUBLIC'.length;
      this.#requireSpace();
      this.#publicId = this.#readLiteral();
      this.#skipSpace();
      // Leniency: the system identifier may be missing. Some initiators give the public one alone.
      if (/["']/.test(this.#text.charAt(this.#at))) this.#systemId = this.#readLiteral();
    } else if (this.#startsWith('SYSTEM')) {
      this.#at += 'SYSTEM'.length;
      this.#requireSpace();
      this.#systemId = this.#readLiteral();
    }
    this.#skipSpace();
    if (this.#text.charAt(this.#at) === '[') this.#readInternalSubset();
    this.#skipSpace();
    if (this.#text.charAt(this.#at) !== '>') this.#fail('document type declaration without its end');
    this.#at += 1;
  }

  #readInternalSubset(): void {
    this.#at += 1;
    while (true) {
      this.#skipSpace();
      if (this.#text.charAt(this.#at) === ']') {
        this.#at += 1;
        return;
      }
      if (!this.#readMisc()) this.#fail('declaration in the internal subset');
    }
  }

  #readLiteral(): string {
    const quote = this.#text.charAt(this.#at);
    if (quote !== '"' && quote !== "'") this.#fail('expected a quoted identifier');
    return this.#take(quote, quote);
  }

  #readName(): string {
    const start = this.#at;
    while (/[A-Za-z0-9_:.-]/.test(this.#text.charAt(this.#at))) this.#at += 1;
    return this.#text.slice(start, this.#at);
  }

  /** The text between two marks, the first of which stands here. */
  #take(open: string, close: string): string {
    const start = this.#at + open.length;
    const end = this.#text.indexOf(close, start);
    if (end < 0) this.#fail(`no "${close}" to end what begins here`);
    this.#at = end + close.length;
    return this.#text.slice(start, end);
  }

  #requireSpace(): void {
    if (!isSpace(this.#text.charCodeAt(this.#at))) this.#fail('white space is missing');
    this.#skipSpace();
  }

  #skipSpace(): void {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at += 1;
  }

  #startsWith(token: string): boolean {
    return this.#text.startsWith(token, this.#at);
  }

  #fail(detail: string): never {
    throw new DecodeError(detail, { offset: this.#at, clause: CLAUSE });
  }
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
