/**
 * SIP over a byte stream (RFC 3261 §18.3): messages framed by Content-Length in octets, and the keep-alive of
 * RFC 5626 §3.5.1 (CRLFCRLF asks, CRLF answers). Octets are held in one growing buffer, so a peer that sends byte by
 * byte costs no more than one that sends whole messages. A message that is framed but broken is reported and skipped;
 * one that cannot be framed ends the stream, for nothing after it can be trusted.
 */
import { DecodeError } from '../../kernel/errors.js';
import { assembleSipMessage, parseSipHead, type SipHead } from './decode.js';
import { DEFAULT_SIP_DECODE_LIMITS, type SipDecodeLimits } from './limits.js';
import type { SipMessage } from './message.js';

export type SipStreamEvent =
  | { readonly kind: 'message'; readonly message: SipMessage }
  /** The peer asked whether we are there: answer CRLF. */
  | { readonly kind: 'ping' }
  /** `head` is what arrived of the message, to answer it with 400 or 413; `fatal`: close, no event follows. */
  | {
      readonly kind: 'malformed';
      readonly error: DecodeError;
      readonly head: Uint8Array;
      readonly fatal: boolean;
    };

const INITIAL_BUFFER_BYTES = 4096;
const EMPTY = Buffer.alloc(0);

export class SipStreamReader {
  readonly #limits: SipDecodeLimits;
  #buffer = EMPTY;
  #start = 0;
  #end = 0;
  /** Where the search for the end of the head goes on, so that no octet is searched twice. */
  #searched = 0;
  #pending: { head: SipHead; bodyStart: number; length: number } | undefined;
  /** Octets of a framed but broken message that are still to be thrown away. */
  #skip = 0;
  #hasEmptyLine = false;
  #dead = false;

  constructor(limits: SipDecodeLimits = DEFAULT_SIP_DECODE_LIMITS) {
    this.#limits = limits;
  }

  /** True while part of a message is held: a peer that stays here too long is stalling. */
  get isMidMessage(): boolean {
    return this.#end > this.#start || this.#skip > 0;
  }

  /** Takes octets in. They are copied: the caller may reuse its buffer. */
  push(bytes: Uint8Array): void {
    if (this.#dead) return;
    const skipped = Math.min(this.#skip, bytes.length);
    this.#skip -= skipped;
    const size = bytes.length - skipped;
    if (size === 0) return;
    this.#reserve(size);
    this.#buffer.set(skipped === 0 ? bytes : bytes.subarray(skipped), this.#end);
    this.#end += size;
  }

  /** The next event, or undefined when more octets are needed. Call until undefined after every push. */
  next(): SipStreamEvent | undefined {
    if (this.#dead) return undefined;
    if (this.#pending === undefined) {
      const event = this.#readEmptyLines() ?? this.#readHead();
      if (event !== undefined || this.#pending === undefined) return event;
    }
    return this.#readBody(this.#pending);
  }

  /** The stream has ended: an event when it ended inside a message. */
  end(): SipStreamEvent | undefined {
    if (this.#dead || !this.isMidMessage) return undefined;
    return this.#fail(new DecodeError('the stream ended inside a message', { clause: 'RFC 3261 §18.3' }));
  }

  /** Two empty lines in a row are a ping; one alone is a pong, or stray, and says nothing (RFC 5626 §3.5.1, RFC 3261 §7.5). */
  #readEmptyLines(): SipStreamEvent | undefined {
    while (this.#end - this.#start >= 2) {
      if (this.#buffer[this.#start] !== 0x0d || this.#buffer[this.#start + 1] !== 0x0a) {
        this.#hasEmptyLine = false;
        return undefined;
      }
      this.#consume(2);
      this.#hasEmptyLine = !this.#hasEmptyLine;
      if (!this.#hasEmptyLine) return { kind: 'ping' };
    }
    return undefined;
  }

  #readHead(): SipStreamEvent | undefined {
    if (this.#end - this.#start < 4) return undefined;
    const held = this.#buffer.subarray(0, this.#end);
    const headEnd = held.indexOf('\r\n\r\n', Math.max(this.#start, this.#searched - 3), 'latin1');
    if ((headEnd < 0 ? this.#end : headEnd) - this.#start > this.#limits.maxMessageBytes) {
      return this.#fail(new DecodeError('a header without end', { code: 'limitExceeded' }));
    }
    if (headEnd < 0) {
      this.#searched = this.#end;
      return undefined;
    }
    const bodyStart = headEnd + 4;
    const byteString = held.toString('latin1', this.#start, headEnd);
    let head: SipHead;
    try {
      head = parseSipHead(byteString, this.#limits);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return this.#skipBroken(error, bodyStart, statedContentLength(byteString));
    }
    const length = head.contentLength;
    if (length === undefined) {
      return this.#fail(
        new DecodeError('no Content-Length on a stream', { clause: 'RFC 3261 §18.3', offset: headEnd }),
      );
    }
    if (bodyStart - this.#start + length > this.#limits.maxMessageBytes) {
      const error = new DecodeError(`a message with a body of ${length} octets`, { code: 'limitExceeded' });
      return this.#fail(error);
    }
    this.#pending = { head, bodyStart, length };
    return undefined;
  }

  #readBody(pending: { head: SipHead; bodyStart: number; length: number }): SipStreamEvent | undefined {
    const bodyEnd = pending.bodyStart + pending.length;
    if (this.#end < bodyEnd) return undefined;
    const body = Uint8Array.prototype.slice.call(this.#buffer, pending.bodyStart, bodyEnd);
    this.#consume(bodyEnd - this.#start);
    this.#pending = undefined;
    return { kind: 'message', message: assembleSipMessage(pending.head, body) };
  }

  /** A broken head whose Content-Length is legible: the stream stays usable behind it. */
  #skipBroken(error: DecodeError, bodyStart: number, length: number | undefined): SipStreamEvent {
    if (length === undefined || length > this.#limits.maxMessageBytes) return this.#fail(error);
    const head = Uint8Array.prototype.slice.call(this.#buffer, this.#start, bodyStart);
    const whole = bodyStart + length;
    this.#skip = Math.max(0, whole - this.#end);
    this.#consume(Math.min(whole, this.#end) - this.#start);
    return { kind: 'malformed', error, head, fatal: false };
  }

  #fail(error: DecodeError): SipStreamEvent {
    const head = Uint8Array.prototype.slice.call(this.#buffer, this.#start, this.#end);
    this.#dead = true;
    this.#buffer = EMPTY;
    this.#start = 0;
    this.#end = 0;
    this.#skip = 0;
    return { kind: 'malformed', error, head, fatal: true };
  }

  #consume(size: number): void {
    this.#start += size;
    this.#searched = this.#start;
    if (this.#start < this.#end) return;
    this.#start = 0;
    this.#end = 0;
    this.#searched = 0;
    // An idle connection keeps no large buffer.
    if (this.#buffer.length > 4 * INITIAL_BUFFER_BYTES) this.#buffer = EMPTY;
  }

  /** Makes room for `size` octets behind `#end`, moving what is held to the front before growing. */
  #reserve(size: number): void {
    if (this.#end + size <= this.#buffer.length) return;
    const held = this.#end - this.#start;
    let target = this.#buffer;
    if (held + size > target.length || this.#start < held) {
      target = Buffer.allocUnsafeSlow(Math.max(INITIAL_BUFFER_BYTES, 2 * target.length, held + size));
    }
    this.#buffer.copy(target, 0, this.#start, this.#end);
    if (this.#pending !== undefined) this.#pending.bodyStart -= this.#start;
    this.#searched -= this.#start;
    this.#buffer = target;
    this.#start = 0;
    this.#end = held;
  }
}

/** Content-Length of a head that does not parse, read without regard to the rest of it. */
function statedContentLength(head: string): number | undefined {
  const stated = /(?:^|\n)(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*(?=\r|$)/i.exec(head);
  return stated?.[1] === undefined ? undefined : Number(stated[1]);
}
