/**
 * Multipart bodies (RFC 2046 §5.1), whole documents in memory, exact to the octet: a part's content is a view of the body
 * between its header block and the line break that belongs to the next delimiter. Nested multiparts stay what they are,
 * content. The related kind, with its root, is in `multipart-related.ts`.
 */
import { DecodeError, InvariantError, unlessBroken } from '../../kernel/errors.js';
import { decodeHeaderBlock, encodeHeaderBlock, type HeaderField, type HeaderLimits } from './header-field.js';

export interface MimePart {
  readonly headers: readonly HeaderField[];
  /** A view of the body it was read from. */
  readonly content: Uint8Array;
}

export interface Multipart {
  readonly preamble: Uint8Array;
  /** At least one. */
  readonly parts: readonly MimePart[];
  readonly epilogue: Uint8Array;
}

export interface MultipartLimits extends HeaderLimits {
  /** Octets of the whole body. */
  readonly maxBytes: number;
  readonly maxParts: number;
}

const CLAUSE = 'RFC 2046 §5.1.1';
const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;

/** True for a boundary of 1 to 70 characters of the set that RFC 2046 §5.1.1 allows, not ending in a space. */
export function isBoundary(text: string): boolean {
  return /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/.test(text);
}

/**
 * Splits a body at its boundary. Throws DecodeError for a boundary outside the grammar, a body without the delimiter or
 * without the closing one, a broken header block, or over a limit.
 */
export function decodeMultipart(bytes: Uint8Array, boundary: string, limits: MultipartLimits): Multipart {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (body.length > limits.maxBytes) {
    throw new DecodeError(`multipart body over ${limits.maxBytes} octets`, { code: 'limitExceeded' });
  }
  const marker = markerOf(boundary);
  let delimiter = findDelimiter(body, marker, 0);
  if (delimiter === undefined)
    throw new DecodeError('the boundary does not occur in the body', { offset: 0, clause: CLAUSE });
  const preamble = body.subarray(0, delimiter.start);
  const isBareLf = endsInBareLf(body, delimiter);
  const parts: MimePart[] = [];
  while (!delimiter.isClosing) {
    if (parts.length >= limits.maxParts) {
      throw new DecodeError(`more than ${limits.maxParts} parts`, {
        offset: delimiter.start,
        code: 'limitExceeded',
      });
    }
    const next = findDelimiter(body, marker, delimiter.end, isBareLf);
    if (next === undefined) {
      throw new DecodeError('the closing delimiter is missing', { offset: body.length, clause: CLAUSE });
    }
    parts.push(readPart(body, delimiter.end, next.start, limits));
    delimiter = next;
  }
  if (parts.length === 0)
    throw new DecodeError('multipart body without a part', { offset: delimiter.start, clause: CLAUSE });
  return { preamble, parts, epilogue: body.subarray(delimiter.end) };
}

/**
 * The first part of a body of which only the beginning is at hand, when that part is complete. Lets a receiver that stopped
 * reading at a limit still say which message it refuses. Never throws.
 */
export function decodeFirstPart(
  prefix: Uint8Array,
  boundary: string,
  limits: HeaderLimits,
): MimePart | undefined {
  const body = Buffer.from(prefix.buffer, prefix.byteOffset, prefix.byteLength);
  return unlessBroken(() => {
    const marker = markerOf(boundary);
    const opening = findDelimiter(body, marker, 0);
    if (opening === undefined || opening.isClosing) return undefined;
    const next = findDelimiter(body, marker, opening.end, endsInBareLf(body, opening));
    return next === undefined ? undefined : readPart(body, opening.end, next.start, limits);
  });
}

function markerOf(boundary: string): Buffer {
  if (!isBoundary(boundary)) throw new DecodeError('boundary outside the grammar', { clause: CLAUSE });
  return Buffer.from(`--${boundary}`, 'latin1');
}

interface Delimiter {
  /** Where the delimiter begins: its leading line break, which is not content. */
  readonly start: number;
  /** The octet after the delimiter line. */
  readonly end: number;
  readonly isClosing: boolean;
}

/**
 * The next delimiter line from `from` on. The marker counts only at the start of a line and alone on it; anywhere else it
 * is content that happens to look alike (a nested boundary that begins with ours, for instance).
 */
function findDelimiter(body: Buffer, marker: Buffer, from: number, isBareLf = false): Delimiter | undefined {
  for (let at = body.indexOf(marker, from); at >= 0; at = body.indexOf(marker, at + 1)) {
    const start = lineBreakBefore(body, at, from, isBareLf);
    if (start === undefined) continue;
    const tail = readTail(body, at + marker.length);
    if (tail !== undefined) return { start, ...tail };
  }
  return undefined;
}

/**
 * Leniency: a body written by hand or in a shell script has line feeds alone. Its opening delimiter line tells, and then a line
 * feed alone begins the other delimiters too. In every other body a line feed alone is content.
 */
function endsInBareLf(body: Buffer, opening: Delimiter): boolean {
  return body[opening.end - 1] === LF && body[opening.end - 2] !== CR;
}

/** Where the line break before `at` begins; `at` itself at the very start of the searched range, which follows a line break. */
function lineBreakBefore(body: Buffer, at: number, from: number, isBareLf: boolean): number | undefined {
  if (at === from) return at;
  if (body[at - 1] !== LF) return undefined;
  if (at - from >= 2 && body[at - 2] === CR) return at - 2;
  return isBareLf ? at - 1 : undefined;
}

/** What follows the marker: `--` for the closing one, white space that transports may have added, then the end of line. */
function readTail(body: Buffer, afterMarker: number): { end: number; isClosing: boolean } | undefined {
  const isClosing = body[afterMarker] === DASH && body[afterMarker + 1] === DASH;
  let at = isClosing ? afterMarker + 2 : afterMarker;
  while (body[at] === 0x20 || body[at] === 0x09) at += 1;
  if (at >= body.length) return isClosing ? { end: body.length, isClosing } : undefined;
  if (body[at] === CR && body[at + 1] === LF) return { end: at + 2, isClosing };
  // The delimiter line opens a header block and shares its leniency for bare line feeds (see header-field.ts).
  return body[at] === LF ? { end: at + 1, isClosing } : undefined;
}

function readPart(body: Buffer, start: number, end: number, limits: HeaderLimits): MimePart {
  const { fields, end: contentStart } = decodeHeaderBlock(body.subarray(0, end), start, limits);
  return { headers: fields, content: body.subarray(contentStart, end) };
}

/** The body as octets. Refuses, as a defect of the caller, a boundary that occurs in a part; see `chooseBoundary`. */
export function encodeMultipart(parts: readonly MimePart[], boundary: string): Uint8Array {
  if (!isBoundary(boundary) || !parts.every((part) => isAbsent(part.content, boundary))) {
    throw new InvariantError(`boundary ${JSON.stringify(boundary)} cannot separate these parts`);
  }
  if (parts.length === 0) throw new InvariantError('a multipart body needs a part');
  const pieces: Uint8Array[] = [];
  parts.forEach((part, index) => {
    pieces.push(Buffer.from(`${index === 0 ? '' : '\r\n'}--${boundary}\r\n`, 'latin1'));
    pieces.push(encodeHeaderBlock(part.headers), part.content);
  });
  pieces.push(Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1'));
  return Buffer.concat(pieces);
}

/** The first boundary of a fixed series that occurs in none of the parts. */
export function chooseBoundary(parts: readonly MimePart[], prefix = 'carillon-part'): string {
  for (let number = 1; ; number += 1) {
    const boundary = `${prefix}-${number}`;
    if (parts.every((part) => isAbsent(part.content, boundary))) return boundary;
  }
}

function isAbsent(content: Uint8Array, boundary: string): boolean {
  return !Buffer.from(content.buffer, content.byteOffset, content.byteLength).includes(
    `--${boundary}`,
    0,
    'latin1',
  );
}
