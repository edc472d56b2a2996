/**
 * HTTP/1.1 messages as octets (RFC 9112), as far as pushing needs them: where the client is the one who was called, and where a
 * message lies inside another one (`application/http`). Heads are read and written here; how much body follows is for
 * `response-reader.ts`. Ordinary clients and servers are Node's.
 */
import { DecodeError, InvariantError } from '../../kernel/errors.js';
import { decodeHeaderBlock, encodeHeaderBlock, type HeaderField } from '../mime/index.js';
import { HTTP_LIMITS, type HttpLimits } from './limits.js';

export interface HttpRequestHead {
  readonly kind: 'request';
  readonly method: string;
  readonly target: string;
  readonly headers: readonly HeaderField[];
}

export interface HttpResponseHead {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly HeaderField[];
}

export type HttpHead = HttpRequestHead | HttpResponseHead;

const CLAUSE = 'RFC 9112 §3';
const TOKEN = /^[!#$%&'*+\-.^_`{|}~0-9A-Za-z]+$/;

/** The head that begins at `start`, and where its body begins. Throws DecodeError when it is none, or not whole. */
export function decodeHttpHead(
  bytes: Uint8Array,
  start = 0,
  limits: HttpLimits = HTTP_LIMITS,
): { readonly head: HttpHead; readonly end: number } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lineFeed = buffer.subarray(0, start + limits.maxHeadBytes).indexOf(0x0a, start);
  if (lineFeed < 0) {
    const isOverLimit = buffer.length > start + limits.maxHeadBytes;
    throw new DecodeError('no start line', {
      offset: start,
      clause: CLAUSE,
      code: isOverLimit ? 'limitExceeded' : 'malformed',
    });
  }
  const line = buffer.toString('latin1', start, lineFeed).replace(/\r$/, '');
  const maxHeaderBytes = limits.maxHeadBytes - (lineFeed + 1 - start);
  const { fields, end } = decodeHeaderBlock(bytes, lineFeed + 1, {
    maxHeaderBytes,
    maxHeaders: limits.maxHeaders,
  });
  return { head: { ...startLine(line, start), headers: fields }, end };
}

type StartLine = Omit<HttpRequestHead, 'headers'> | Omit<HttpResponseHead, 'headers'>;

function startLine(line: string, offset: number): StartLine {
  const status = /^HTTP\/1\.[01] ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?$/.exec(line);
  if (status) return { kind: 'response', status: Number(status[1]), reason: status[2] ?? '' };
  const request = /^(\S+) ([\x21-\x7e]+) HTTP\/1\.[01]$/.exec(line);
  if (request?.[1] === undefined || !TOKEN.test(request[1]))
    throw new DecodeError('neither a request nor a status line', { offset, clause: CLAUSE });
  return { kind: 'request', method: request[1], target: request[2] ?? '' };
}

/**
 * A head whose body of `size` octets follows. `Content-Length` is added; a length that is among the headers is a defect of the
 * caller, and so is a body where none may be.
 */
export function encodeHttpHead(head: HttpHead, size: number): Uint8Array {
  if (head.headers.some(({ name }) => /^(?:content-length|transfer-encoding)$/i.test(name)))
    throw new InvariantError('the length of a message is written by its encoder');
  const mayHaveBody = head.kind === 'request' || hasBody(head.status);
  if (!mayHaveBody && size > 0) throw new InvariantError(`a response ${head.status} has no body`);
  const isTold = mayHaveBody && (head.kind === 'response' || size > 0 || head.method === 'POST');
  const length = isTold ? [{ name: 'Content-Length', value: String(size) }] : [];
  return Buffer.concat([
    Buffer.from(lineOf(head), 'latin1'),
    encodeHeaderBlock([...head.headers, ...length]),
  ]);
}

export function encodeHttpMessage(head: HttpHead, body: Uint8Array = new Uint8Array()): Uint8Array {
  return Buffer.concat([encodeHttpHead(head, body.length), body]);
}

function lineOf(head: HttpHead): string {
  const line =
    head.kind === 'request'
      ? `${head.method} ${head.target} HTTP/1.1`
      : `HTTP/1.1 ${head.status} ${head.reason}`;
  if (/[\r\n\0]/.test(line)) throw new InvariantError('a start line cannot be written');
  return `${line}\r\n`;
}

/** May a response have a body at all [RFC 9110 §6.4.1]? */
export function hasBody(status: number): boolean {
  return status >= 200 && status !== 204 && status !== 304;
}
