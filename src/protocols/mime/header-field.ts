/**
 * Header fields of a MIME entity (RFC 5322 §2.2, RFC 2045 §3): octets to an ordered list of names and values, and back.
 * Values are unfolded and trimmed; nothing inside them is interpreted here. Text is UTF-8 (RFC 6532).
 */
import { DecodeError, InvariantError } from '../../kernel/errors.js';

export interface HeaderField {
  /** As spelled by the sender; compare without case. */
  readonly name: string;
  /** Unfolded, without the surrounding white space. */
  readonly value: string;
}

export interface HeaderLimits {
  /** Octets of one header block, its closing empty line included. */
  readonly maxHeaderBytes: number;
  readonly maxHeaders: number;
}

export interface HeaderBlock {
  readonly fields: readonly HeaderField[];
  /** Index of the first octet after the empty line. */
  readonly end: number;
}

const CR = 0x0d;
const LF = 0x0a;
const COLON = 0x3a;

/**
 * Reads the header block that starts at `start`, up to and including its empty line. A block that ends exactly where `bytes`
 * end needs none: a body part may have header fields only (RFC 2046 §5.1.1). Throws DecodeError when a line is not a header
 * field or is cut off, or over a limit.
 */
export function decodeHeaderBlock(bytes: Uint8Array, start: number, limits: HeaderLimits): HeaderBlock {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stop = Math.min(buffer.length, start + limits.maxHeaderBytes);
  const fields: { name: string; value: string }[] = [];
  let at = start;
  while (at < buffer.length) {
    const lineFeed = buffer.subarray(0, stop).indexOf(LF, at);
    if (lineFeed < 0) throw unfinished(buffer.length > stop, stop);
    const lineEnd = endOfLine(buffer, at, lineFeed);
    if (lineEnd === at) return { fields, end: lineFeed + 1 };
    const first = buffer[at];
    if (first === 0x20 || first === 0x09) {
      unfold(fields, buffer, at, lineEnd);
    } else {
      if (fields.length >= limits.maxHeaders) {
        throw new DecodeError(`more than ${limits.maxHeaders} header fields`, {
          offset: at,
          code: 'limitExceeded',
        });
      }
      fields.push(readField(buffer, at, lineEnd));
    }
    at = lineFeed + 1;
  }
  return { fields, end: at };
}

function unfinished(isOverLimit: boolean, offset: number): DecodeError {
  return isOverLimit
    ? new DecodeError('header block over its limit', { offset, code: 'limitExceeded' })
    : new DecodeError('header line without its end', { offset, clause: 'RFC 2046 §5.1' });
}

/**
 * Leniency: a header line may end in a bare line feed. Push initiators that build the multipart body from a text template on
 * Unix send such lines; content octets and delimiters get no such treatment.
 */
function endOfLine(buffer: Buffer, start: number, lineFeed: number): number {
  return lineFeed > start && buffer[lineFeed - 1] === CR ? lineFeed - 1 : lineFeed;
}

/** A folded line continues the field before it (RFC 5322 §2.2.3): the line break goes, one space stays. */
function unfold(fields: { name: string; value: string }[], buffer: Buffer, start: number, end: number): void {
  const last = fields.at(-1);
  if (last === undefined) throw new DecodeError('header block starts with a folded line', { offset: start });
  const continuation = decodeText(buffer, start, end);
  last.value += last.value === '' || continuation === '' ? continuation : ` ${continuation}`;
}

function readField(buffer: Buffer, start: number, end: number): { name: string; value: string } {
  let nameEnd = start;
  while (nameEnd < end && isFieldNameOctet(buffer[nameEnd])) nameEnd += 1;
  let colon = nameEnd;
  // Obsolete syntax (RFC 5322 §4.5) allows white space before the colon; it carries no meaning and is dropped.
  while (colon < end && (buffer[colon] === 0x20 || buffer[colon] === 0x09)) colon += 1;
  if (nameEnd === start || colon >= end || buffer[colon] !== COLON) {
    throw new DecodeError('not a header field', { offset: start, clause: 'RFC 5322 §2.2' });
  }
  return { name: buffer.toString('latin1', start, nameEnd), value: decodeText(buffer, colon + 1, end) };
}

/** Printable ASCII except the colon. */
function isFieldNameOctet(octet: number | undefined): boolean {
  return octet !== undefined && octet > 0x20 && octet < 0x7f && octet !== COLON;
}

/**
 * Leniency: octets that are not UTF-8 are read as ISO-8859-1. Older mail and web clients put such octets into
 * Content-Disposition file names; refusing the whole message for that would help nobody.
 */
function decodeText(buffer: Buffer, start: number, end: number): string {
  let isAscii = true;
  for (let index = start; index < end; index += 1) {
    const octet = buffer[index] ?? 0;
    if (octet === 0 || octet === CR) {
      throw new DecodeError('NUL or bare CR in a header field', { offset: index, clause: 'RFC 5322 §2.2' });
    }
    if (octet > 0x7f) isAscii = false;
  }
  if (isAscii) return buffer.toString('latin1', start, end).trim();
  const text = buffer.toString('utf8', start, end);
  return (text.includes('\ufffd') ? buffer.toString('latin1', start, end) : text).trim();
}

/** The value of the first field of that name, whatever its case. */
export function headerValue(fields: readonly HeaderField[], name: string): string | undefined {
  const wanted = name.toLowerCase();
  for (const field of fields) {
    if (field.name.length === wanted.length && field.name.toLowerCase() === wanted) return field.value;
  }
  return undefined;
}

/** Header lines and the empty line that ends them. A name or value that would break the block is a defect of the caller. */
export function encodeHeaderBlock(fields: readonly HeaderField[]): Uint8Array {
  let text = '';
  for (const { name, value } of fields) {
    if (!/^[\x21-\x39\x3b-\x7e]+$/.test(name) || /[\r\n\0]/.test(value)) {
      throw new InvariantError(`header field ${JSON.stringify(name)} cannot be written`);
    }
    text += `${name}: ${value}\r\n`;
  }
  return Buffer.from(`${text}\r\n`, 'utf8');
}
