/**
 * Octets → SIP message (RFC 3261 §7, §18.3). One pass over the head; the body is cut by octets and never looked at.
 * Lenient where the RFC asks for it (folding, blanks around the colon, empty lines before the start line, compact
 * forms); strict about what frames a message: CRLF line ends, header names, Content-Length.
 * Whether the headers make a valid request is the stack's business, not this file's.
 */
import { DecodeError } from '../../kernel/errors.js';
import { isBlank, isToken, parseDecimal } from './grammar.js';
import { canonicalHeaderName } from './headers.js';
import { DEFAULT_SIP_DECODE_LIMITS, type SipDecodeLimits } from './limits.js';
import type { SipHeader, SipMessage, SipRequest } from './message.js';
import { textOfByteString } from './text.js';

/** Start line and headers of a message whose body has not been read. */
export interface SipHead {
  readonly start:
    | { readonly kind: 'request'; readonly method: string; readonly uri: string }
    | { readonly kind: 'response'; readonly status: number; readonly reason: string };
  readonly headers: readonly SipHeader[];
  /** Undefined when the header is missing. */
  readonly contentLength: number | undefined;
}

const EMPTY_BODY = new Uint8Array(0);

/**
 * Decodes one whole message, as a datagram carries it. Without Content-Length the body runs to the end; octets behind
 * a given length are ignored; a body shorter than its length is an error (RFC 3261 §18.3).
 */
export function decodeSipMessage(
  bytes: Uint8Array,
  limits: SipDecodeLimits = DEFAULT_SIP_DECODE_LIMITS,
): SipMessage {
  if (bytes.length > limits.maxMessageBytes) {
    throw new DecodeError(`a message of ${bytes.length} octets`, { code: 'limitExceeded' });
  }
  const octets = viewOf(bytes);
  const start = skipEmptyLines(octets);
  const end = octets.indexOf('\r\n\r\n', start, 'latin1');
  if (end < 0) throw new DecodeError('the header never ends', { clause: 'RFC 3261 §7' });
  const head = parseSipHead(octets.toString('latin1', start, end), limits);
  const bodyStart = end + 4;
  const available = octets.length - bodyStart;
  const length = head.contentLength ?? available;
  if (length > available) {
    throw new DecodeError(`Content-Length ${length}, but ${available} octets of body`, {
      offset: bodyStart,
      clause: 'RFC 3261 §18.3',
    });
  }
  return assembleSipMessage(head, length === 0 ? EMPTY_BODY : octets.subarray(bodyStart, bodyStart + length));
}

/** The message that a head and a body make. */
export function assembleSipMessage(head: SipHead, body: Uint8Array): SipMessage {
  const { start, headers } = head;
  return start.kind === 'request'
    ? { kind: 'request', method: start.method, uri: start.uri, headers, body }
    : { kind: 'response', status: start.status, reason: start.reason, headers, body };
}

/** Parses a head given as a byte string without its final empty line. */
export function parseSipHead(byteString: string, limits: SipDecodeLimits): SipHead {
  const text = textOfByteString(byteString);
  const firstEnd = lineEnd(text, 0);
  const start = parseStartLine(text.slice(0, firstEnd));
  const headers: SipHeader[] = [];
  let contentLength: number | undefined;
  let position = firstEnd + 2;
  while (position < text.length) {
    if (headers.length >= limits.maxHeaderCount) {
      throw new DecodeError(`more than ${limits.maxHeaderCount} header fields`, {
        offset: position,
        code: 'limitExceeded',
      });
    }
    let end = lineEnd(text, position);
    const field = { end, folded: false };
    while (isBlank(text.charCodeAt(field.end + 2))) {
      field.end = lineEnd(text, field.end + 2);
      field.folded = true;
    }
    end = field.end;
    if (end - position > limits.maxHeaderBytes) {
      throw new DecodeError(`a header field over ${limits.maxHeaderBytes} octets`, {
        offset: position,
        code: 'limitExceeded',
      });
    }
    const header = parseHeaderField(text, position, end, field.folded);
    headers.push(header);
    if (isContentLength(header.name))
      contentLength = mergeContentLength(contentLength, header.value, position);
    position = end + 2;
  }
  return { start, headers, contentLength };
}

/**
 * As much of a broken request as is needed to answer it with 400, 413 or 505, or undefined when not even that is there.
 * Lines that are no header fields are left out; the body is empty.
 */
export function salvageSipRequest(
  bytes: Uint8Array,
  limits: SipDecodeLimits = DEFAULT_SIP_DECODE_LIMITS,
): SipRequest | undefined {
  const octets = viewOf(bytes);
  const start = skipEmptyLines(octets);
  const headEnd = octets.indexOf('\r\n\r\n', start, 'latin1');
  const end = Math.min(headEnd < 0 ? octets.length : headEnd, start + limits.maxMessageBytes);
  const [startLine = '', ...lines] = octets
    .toString('latin1', start, end)
    .split('\r\n', limits.maxHeaderCount + 1);
  const words = startLine.split(' ');
  const method = words[0] ?? '';
  const version = words.findLast((word) => word !== '') ?? '';
  if (!isToken(method) || words.length < 3 || !/^SIP\/\d/i.test(version)) return undefined;
  const headers: SipHeader[] = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trimEnd();
    if (isToken(name) && line.length <= limits.maxHeaderBytes && !/[\r\n]/.test(line)) {
      headers.push({ name, value: textOfByteString(line.slice(colon + 1).trim()) });
    }
  }
  return { kind: 'request', method, uri: words[1] ?? '', headers, body: EMPTY_BODY };
}

/** A Buffer over the same octets, without a copy. */
export function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Index of the first octet that belongs to no empty line (RFC 3261 §7.5: they SHOULD be ignored). */
function skipEmptyLines(octets: Buffer): number {
  let index = 0;
  while (octets[index] === 0x0d && octets[index + 1] === 0x0a) index += 2;
  return index;
}

/** Index of the CR that ends the line starting at `start`; a bare LF is refused so that no value can carry one. */
function lineEnd(text: string, start: number): number {
  const feed = text.indexOf('\n', start);
  if (feed < 0) return text.length;
  if (text.charCodeAt(feed - 1) !== 0x0d || feed - 1 < start) {
    throw new DecodeError('a line ends without CR', { offset: feed, clause: 'RFC 3261 §7' });
  }
  return feed - 1;
}

function parseStartLine(line: string): SipHead['start'] {
  if (/^SIP\//i.test(line)) return parseStatusLine(line);
  const first = line.indexOf(' ');
  const last = line.lastIndexOf(' ');
  if (first <= 0 || last <= first + 1 || last !== line.indexOf(' ', first + 1) || line.includes('\r')) {
    throw new DecodeError('no Request-Line', { offset: 0, clause: 'RFC 3261 §7.1' });
  }
  const method = line.slice(0, first);
  if (!isToken(method)) throw new DecodeError('no method', { offset: 0, clause: 'RFC 3261 §7.1' });
  checkVersion(line.slice(last + 1));
  const uri = line.slice(first + 1, last);
  if (/[\x00-\x20\x7f]/.test(uri)) {
    throw new DecodeError('a control character in the Request-URI', { offset: 0, clause: 'RFC 3261 §7.1' });
  }
  return { kind: 'request', method, uri };
}

function parseStatusLine(line: string): SipHead['start'] {
  const first = line.indexOf(' ');
  checkVersion(first < 0 ? line : line.slice(0, first));
  const status = parseDecimal(line.slice(first + 1, first + 4), 699);
  const separator = line.charCodeAt(first + 4);
  if (status === undefined || status < 100 || !(Number.isNaN(separator) || separator === 0x20)) {
    throw new DecodeError('no Status-Line', { offset: 0, clause: 'RFC 3261 §7.2' });
  }
  if (line.includes('\r')) throw new DecodeError('a bare CR in the Status-Line', { clause: 'RFC 3261 §7.2' });
  return { kind: 'response', status, reason: line.slice(first + 5) };
}

function checkVersion(version: string): void {
  if (version === 'SIP/2.0' || version.toUpperCase() === 'SIP/2.0') return;
  if (/^SIP\/\d+\.\d+$/i.test(version)) {
    throw new DecodeError(`SIP version ${version}`, { code: 'versionNotSupported', clause: 'RFC 3261 §7.1' });
  }
  throw new DecodeError('no SIP-Version', { offset: 0, clause: 'RFC 3261 §7.1' });
}

function parseHeaderField(text: string, start: number, end: number, folded: boolean): SipHeader {
  const colon = text.indexOf(':', start);
  let nameEnd = colon;
  while (nameEnd > start && isBlank(text.charCodeAt(nameEnd - 1))) nameEnd -= 1;
  if (colon < 0 || colon >= end || !isToken(text, start, nameEnd)) {
    throw new DecodeError('a header line without a name', { offset: start, clause: 'RFC 3261 §7.3.1' });
  }
  let valueStart = colon + 1;
  while (valueStart < end && isBlank(text.charCodeAt(valueStart))) valueStart += 1;
  let valueEnd = end;
  while (valueEnd > valueStart && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd -= 1;
  const raw = text.slice(valueStart, valueEnd);
  const value = folded ? unfold(raw) : raw;
  if (value.includes('\r')) {
    throw new DecodeError('a bare CR in a header field', { offset: start, clause: 'RFC 3261 §7.3.1' });
  }
  return { name: text.slice(start, nameEnd), value };
}

/** A fold and the blanks around it become one space (RFC 3261 §7.3.1). */
function unfold(raw: string): string {
  return raw
    .split('\r\n')
    .map((line) => line.trim())
    .join(' ')
    .trim();
}

function isContentLength(name: string): boolean {
  return (name.length === 14 || name.length === 1) && canonicalHeaderName(name) === 'content-length';
}

function mergeContentLength(known: number | undefined, value: string, offset: number): number {
  const length = parseDecimal(value, 0x7fffffff);
  if (length === undefined || (known !== undefined && known !== length)) {
    throw new DecodeError('Content-Length is no number, or two that differ', {
      offset,
      clause: 'RFC 3261 §20.14',
    });
  }
  return length;
}
