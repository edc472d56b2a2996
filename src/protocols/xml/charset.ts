/**
 * Octets of an XML document to text (XML 1.0 §4.3.3 and appendix F, RFC 7303 §3): byte order mark first, then the charset
 * parameter of the entity, then the XML declaration, else UTF-8. UTF-8, UTF-16, ISO-8859-1 and US-ASCII are read; nothing
 * is replaced or guessed.
 */
import { isAscii } from 'node:buffer';
import { DecodeError } from '../../kernel/errors.js';

type Charset = 'utf-8' | 'utf-16le' | 'utf-16be' | 'iso-8859-1' | 'us-ascii';

export interface XmlText {
  readonly text: string;
  /** The octet of the document at which the character of that index begins. */
  octetOffset(index: number): number;
}

const CLAUSE = 'XML 1.0 §4.3.3';

const NAMES: ReadonlyMap<string, Charset | 'utf-16'> = new Map([
  ['utf-8', 'utf-8'],
  ['utf8', 'utf-8'],
  ['utf-16', 'utf-16'],
  ['utf-16le', 'utf-16le'],
  ['utf-16be', 'utf-16be'],
  ['iso-8859-1', 'iso-8859-1'],
  ['iso_8859-1', 'iso-8859-1'],
  ['latin1', 'iso-8859-1'],
  ['us-ascii', 'us-ascii'],
  ['ascii', 'us-ascii'],
]);

/** The text of a document. `charset` is the parameter of the entity's Content-Type. Throws DecodeError. */
export function decodeXmlText(bytes: Uint8Array, charset: string | undefined): XmlText {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const mark = byteOrderMark(buffer);
  const detected = mark?.charset ?? declaredCharset(buffer, charset);
  const skipped = mark?.length ?? 0;
  const text = decode(buffer.subarray(skipped), detected);
  return {
    text,
    octetOffset: (index) => skipped + encodedLength(text.slice(0, index), detected),
  };
}

function byteOrderMark(buffer: Buffer): { charset: Charset; length: number } | undefined {
  const [first, second, third] = buffer;
  if (first === 0xef && second === 0xbb && third === 0xbf) return { charset: 'utf-8', length: 3 };
  if (first === 0xff && second === 0xfe) return { charset: 'utf-16le', length: 2 };
  if (first === 0xfe && second === 0xff) return { charset: 'utf-16be', length: 2 };
  return undefined;
}

function declaredCharset(buffer: Buffer, charset: string | undefined): Charset {
  // Without a mark the first character, "<", still shows the width and order of the units.
  if (buffer[0] === 0x3c && buffer[1] === 0) return 'utf-16le';
  if (buffer[0] === 0 && buffer[1] === 0x3c) return 'utf-16be';
  const name =
    charset ??
    /^<\?xml\s[^>]*?\sencoding\s*=\s*["']([^"']{1,40})["']/.exec(buffer.toString('latin1', 0, 256))?.[1];
  if (name === undefined) return 'utf-8';
  const known = NAMES.get(name.trim().toLowerCase());
  if (known === undefined)
    throw new DecodeError('unsupported character encoding', { offset: 0, clause: CLAUSE });
  // [RFC 7303 §3.2] UTF-16 without a mark is big-endian; but those octets would have begun 00 3C.
  if (known === 'utf-16') throw new DecodeError('not UTF-16, as declared', { offset: 0, clause: CLAUSE });
  return known;
}

/** TextDecoder's own table turns ISO-8859-1 and US-ASCII into windows-1252, so both are read here. */
function decode(octets: Buffer, charset: Charset): string {
  if (charset === 'iso-8859-1') return octets.toString('latin1');
  if (charset === 'us-ascii') {
    if (!isAscii(octets)) throw new DecodeError('octet over 7F in a US-ASCII document', { clause: CLAUSE });
    return octets.toString('latin1');
  }
  try {
    return new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(octets);
  } catch (cause) {
    throw new DecodeError(`the document is not ${charset.toUpperCase()}`, { clause: CLAUSE, cause });
  }
}

function encodedLength(text: string, charset: Charset): number {
  if (charset === 'utf-16le' || charset === 'utf-16be') return text.length * 2;
  return charset === 'utf-8' ? Buffer.byteLength(text, 'utf8') : text.length;
}
