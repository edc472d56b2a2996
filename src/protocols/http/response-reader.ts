/**
 * The responses on a connection on which we send the requests, out of its octets (RFC 9112 §6): by Content-Length, in chunks, or up to
 * the end of the connection. Interim responses are passed over. What cannot be told apart for sure is refused, and the
 * connection is then of no more use.
 */
import { DecodeError } from '../../kernel/errors.js';
import type { HeaderField } from '../mime/index.js';
import { HTTP_LIMITS, type HttpLimits } from './limits.js';
import { decodeHttpHead, type HttpResponseHead, hasBody } from './message.js';

export interface HttpResponse extends Omit<HttpResponseHead, 'kind'> {
  readonly body: Uint8Array;
  /** Nothing comes after it. */
  readonly isLast: boolean;
}

const CLAUSE = 'RFC 9112 §6';
const EMPTY = Buffer.alloc(0);
const END_OF_HEAD = /\r?\n\r?\n/;

export class HttpResponseReader {
  readonly #limits: HttpLimits;
  #octets: Buffer = EMPTY;
  #hasEnded = false;

  constructor(limits: HttpLimits = HTTP_LIMITS) {
    this.#limits = limits;
  }

  push(octets: Uint8Array): void {
    this.#octets = this.#octets.length === 0 ? Buffer.from(octets) : Buffer.concat([this.#octets, octets]);
  }

  /** The connection has ended: a response without a length is whole now. */
  end(): void {
    this.#hasEnded = true;
  }

  /** The next response; undefined when more octets are needed. Throws DecodeError, and then always. */
  next(): HttpResponse | undefined {
    for (;;) {
      const found = this.#readOne();
      if (found === undefined) return undefined;
      this.#octets = this.#octets.subarray(found.end);
      if (found.response.status >= 200) return found.response;
    }
  }

  #readOne(): { readonly response: HttpResponse; readonly end: number } | undefined {
    if (this.#octets.length === 0) return undefined;
    const { maxHeadBytes, maxBodyBytes } = this.#limits;
    const start = this.#octets.subarray(0, maxHeadBytes).toString('latin1');
    if (!END_OF_HEAD.test(start)) {
      if (this.#octets.length >= maxHeadBytes)
        throw new DecodeError('the head of a response is too long', {
          code: 'limitExceeded',
          clause: CLAUSE,
        });
      if (this.#hasEnded) throw new DecodeError('the connection ended inside a response', { clause: CLAUSE });
      return undefined;
    }
    const { head, end } = decodeHttpHead(this.#octets, 0, this.#limits);
    if (head.kind !== 'response') throw new DecodeError('a request where a response was due', { offset: 0 });
    const framing = framingOf(head);
    const body = this.#body(framing, end);
    if (body === undefined) {
      if (this.#octets.length - end > maxBodyBytes + maxHeadBytes) throw tooLong();
      if (this.#hasEnded) throw new DecodeError('the connection ended inside a response', { clause: CLAUSE });
      return undefined;
    }
    if (body.octets.length > maxBodyBytes) throw tooLong();
    const { status, reason, headers } = head;
    const isLast = framing === 'untilEnd' || connectionCloses(headers);
    return { response: { status, reason, headers, body: body.octets, isLast }, end: body.end };
  }

  #body(framing: Framing, start: number): Body | undefined {
    if (framing === 'chunked') return chunkedBody(this.#octets, start, this.#limits);
    if (framing === 'untilEnd') {
      const octets = this.#octets.subarray(start);
      if (octets.length > this.#limits.maxBodyBytes) throw tooLong();
      return this.#hasEnded ? { octets, end: this.#octets.length } : undefined;
    }
    if (framing > this.#limits.maxBodyBytes) throw tooLong();
    const end = start + framing;
    return end <= this.#octets.length ? { octets: this.#octets.subarray(start, end), end } : undefined;
  }
}

interface Body {
  readonly octets: Uint8Array;
  readonly end: number;
}

/** A number of octets, or how else the end is told. */
type Framing = number | 'chunked' | 'untilEnd';

/** [RFC 9112 §6.3] Two lengths that differ, or a length beside a transfer coding, are how one message is made to look like two. */
function framingOf({ status, headers }: HttpResponseHead): Framing {
  const values = (name: string) =>
    headers.filter((field) => field.name.toLowerCase() === name).map(({ value }) => value);
  const codings = values('transfer-encoding');
  const lengths = new Set(
    values('content-length').flatMap((value) => value.split(',').map((one) => one.trim())),
  );
  if (!hasBody(status)) return 0;
  if (codings.length > 0) {
    if (lengths.size > 0 || codings.join().toLowerCase() !== 'chunked')
      throw new DecodeError('a transfer coding that cannot be undone', { clause: CLAUSE });
    return 'chunked';
  }
  if (lengths.size === 0) return 'untilEnd';
  const [length = ''] = lengths;
  if (lengths.size > 1 || !/^[0-9]{1,15}$/.test(length))
    throw new DecodeError('bad Content-Length', { clause: CLAUSE });
  return Number(length);
}

/** The chunks that begin at `start`; undefined while the last one is not there. Trailer fields are dropped. */
function chunkedBody(
  octets: Buffer,
  start: number,
  { maxBodyBytes, maxHeadBytes }: HttpLimits,
): Body | undefined {
  const pieces: Buffer[] = [];
  let size = 0;
  for (let at = start; ; ) {
    const lineEnd = octets.indexOf('\r\n', at, 'latin1');
    if (lineEnd < 0) {
      if (octets.length - at > maxHeadBytes) throw tooLong();
      return undefined;
    }
    const [, digits] =
      /^([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?$/.exec(octets.toString('latin1', at, lineEnd)) ?? [];
    if (digits === undefined) throw new DecodeError('bad chunk', { offset: at, clause: 'RFC 9112 §7.1' });
    const length = Number.parseInt(digits, 16);
    if (length === 0) return trailer(octets, lineEnd + 2, maxHeadBytes, Buffer.concat(pieces));
    size += length;
    // A chunk costs six octets at least: their number is bounded by the octets that are there.
    if (size > maxBodyBytes) throw tooLong();
    const end = lineEnd + 2 + length;
    if (octets.length < end + 2) return undefined;
    if (octets.toString('latin1', end, end + 2) !== '\r\n')
      throw new DecodeError('a chunk without its end', { offset: end, clause: 'RFC 9112 §7.1' });
    pieces.push(octets.subarray(lineEnd + 2, end));
    at = end + 2;
  }
}

function trailer(octets: Buffer, start: number, maxBytes: number, body: Buffer): Body | undefined {
  if (octets.toString('latin1', start, start + 2) === '\r\n') return { octets: body, end: start + 2 };
  const end = octets.indexOf('\r\n\r\n', start, 'latin1');
  if ((end < 0 ? octets.length : end) - start > maxBytes) throw tooLong();
  return end < 0 ? undefined : { octets: body, end: end + 4 };
}

function connectionCloses(headers: readonly HeaderField[]): boolean {
  return headers.some(
    ({ name, value }) => /^connection$/i.test(name) && /(?:^|[,\s])close(?:$|[,\s])/i.test(value),
  );
}

function tooLong(): DecodeError {
  return new DecodeError('a response is too long', { code: 'limitExceeded', clause: CLAUSE });
}
