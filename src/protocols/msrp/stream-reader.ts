/**
 * Octet framing of an MSRP connection (RFC 4975 §7.1): start line, header fields, body, end-line. The end of a body is
 * found by searching for CRLF, seven hyphens and the transaction id, never by Byte-Range, which is only a claim.
 * However the stream is cut, the events are the same. Chunks are not joined to messages here.
 *
 * Memory: at most one head or one chunk within the limits is held, plus one push. Every octet is looked at once.
 */
import { DecodeError } from '../../kernel/errors.js';
import { decodeHead, type MsrpHead } from './decode-head.js';
import { asBuffer } from './encode.js';
import type { ContinuationFlag, MsrpEvent, ReceivedMsrpRequest } from './message.js';

export interface MsrpReaderLimits {
  /** Start line and header fields together. Default 8 KiB. */
  readonly maxHeaderBytes: number;
  /** Default 64. */
  readonly maxHeaders: number;
  /** Body of one chunk; a larger one gives an event with `isOversize`. Default 1 MiB. */
  readonly maxChunkBytes: number;
}

const DEFAULT_LIMITS: MsrpReaderLimits = { maxHeaderBytes: 8192, maxHeaders: 64, maxChunkBytes: 1_048_576 };

const EMPTY = Buffer.alloc(0);
const LF = 0x0a;
const CR = 0x0d;
const TAB = 0x09;
const HYPHEN = 0x2d;
const START = 'MSRP ';
/** What follows the transaction id in an end-line: flag, CR, LF. */
const END_LINE_TAIL = 3;

export class MsrpStreamReader {
  /** Body of one chunk; may be changed at any time, and counts from the next look at a body on. */
  maxChunkBytes: number;
  readonly #limits: MsrpReaderLimits;
  /** Octets in hand; those before `#start` are done with. Bodies of events are views of it, so it is never overwritten. */
  #octets: Buffer = EMPTY;
  /** The larger allocation that `#octets` is the front of, when there is one: pushes append to it. */
  #storage: Buffer = EMPTY;
  #start = 0;
  /** Octets from `#start` that have been looked at. */
  #scanned = 0;
  /** Where the current header line begins, from `#start`. */
  #line = 0;
  /** The head whose body is being read. `#start` is then the CRLF of the empty line before the body. */
  #head: MsrpHead | undefined;
  #endMark = '';
  /** The rest of an oversize chunk is passed over. */
  #isSkipping = false;
  #failure: DecodeError | undefined;

  constructor(limits: Partial<MsrpReaderLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.maxChunkBytes = this.#limits.maxChunkBytes;
  }

  /** True between the first octet of a chunk and its end-line. */
  get isMidChunk(): boolean {
    return this.#head !== undefined || this.#start < this.#octets.length;
  }

  /** Adds octets. The reader keeps the memory; the caller must not change it afterwards. */
  push(bytes: Uint8Array): void {
    const kept = this.#octets.length - this.#start;
    if (kept === 0) {
      this.#octets = asBuffer(bytes);
      this.#storage = EMPTY;
      this.#start = 0;
      return;
    }
    const end = this.#octets.length;
    if (end + bytes.length <= this.#storage.length) {
      this.#storage.set(bytes, end);
      this.#octets = this.#storage.subarray(0, end + bytes.length);
      return;
    }
    const storage = Buffer.allocUnsafeSlow(Math.max(512, 2 * (kept + bytes.length)));
    this.#octets.copy(storage, 0, this.#start);
    storage.set(bytes, kept);
    this.#storage = storage;
    this.#octets = storage.subarray(0, kept + bytes.length);
    this.#start = 0;
  }

  /**
   * The next chunk or response, undefined when more octets are needed. Throws DecodeError when the framing is lost;
   * nothing can be read from this stream after that. A body stays valid, but holds on to the memory around it.
   */
  next(): MsrpEvent | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      if (this.#isSkipping && !this.#skip()) return undefined;
      return this.#head === undefined ? this.#readHead() : this.#readBody(this.#head);
    } catch (error) {
      if (error instanceof DecodeError) this.#failure = error;
      throw error;
    }
  }

  /** The stream ended. Throws DecodeError when that was in the middle of a chunk. */
  end(): void {
    if (this.isMidChunk)
      throw new DecodeError('the stream ended inside a chunk', { clause: 'RFC 4975 §7.1' });
  }

  #readHead(): MsrpEvent | undefined {
    this.#skipKeepAlive();
    const octets = this.#octets;
    const start = this.#start;
    let at = start + this.#scanned;
    if (this.#scanned < START.length) this.#checkStart();
    for (; at < octets.length; at += 1) {
      const octet = octets[at] ?? 0;
      if (octet >= 0x20) continue;
      if (octet === CR) {
        if (at + 1 === octets.length) break;
        if (octets[at + 1] === LF) continue;
      }
      if (octet === LF && octets[at - 1] === CR) {
        const line = start + this.#line;
        const isLast = at - 1 === line || octets[line] === HYPHEN;
        if (isLast) return this.#finishHead(at + 1);
        this.#line = at + 1 - start;
      } else if (octet !== TAB) {
        throw new DecodeError('control character in a header', { offset: at - start, clause: 'RFC 4975 §9' });
      }
    }
    this.#scanned = at - start;
    if (this.#scanned > this.#limits.maxHeaderBytes) throw this.#headTooLong();
    return undefined;
  }

  /** CR LF between chunks keeps NAT bindings open (as RFC 5626 §4.4.1 does for SIP); clients that share code do it here too. */
  #skipKeepAlive(): void {
    if (this.#scanned !== 0) return;
    const octets = this.#octets;
    while (octets[this.#start] === CR && octets[this.#start + 1] === LF) this.#start += 2;
  }

  /** Another protocol on this port shows in its first octets; it is not listened to any longer. */
  #checkStart(): void {
    const octets = this.#octets;
    const start = this.#start;
    const length = Math.min(START.length, octets.length - start);
    if (length === 1 && octets[start] === CR) return;
    for (let i = 0; i < length; i += 1) {
      if (octets[start + i] !== START.charCodeAt(i)) {
        throw new DecodeError('not an MSRP start line', { offset: i, clause: 'RFC 4975 §9 pMSRP' });
      }
    }
  }

  #finishHead(end: number): MsrpEvent | undefined {
    const start = this.#start;
    if (end - start > this.#limits.maxHeaderBytes) throw this.#headTooLong();
    const head = decodeHead(this.#octets.toString('latin1', start, end), this.#limits.maxHeaders);
    if (head.continuation !== undefined) {
      this.#consumeTo(end);
      return head.method === undefined
        ? responseOf(head)
        : requestOf(head, undefined, head.continuation, false);
    }
    if (head.method === undefined) throw new DecodeError('a response with a body', { clause: 'RFC 4975 §9' });
    // The CRLF of the empty line stays in view: a sender may put the end-line of an empty body directly behind it.
    this.#start = end - 2;
    this.#scanned = 0;
    this.#head = head;
    this.#endMark = `\r\n-------${head.transactionId}`;
    return this.#readBody(head);
  }

  #readBody(head: MsrpHead): MsrpEvent | undefined {
    const end = this.#findEndLine();
    const bodyStart = this.#start + 2;
    const size = Math.max(0, this.#start + this.#scanned - bodyStart);
    if (size > this.maxChunkBytes) {
      this.#isSkipping = true;
      const event = requestOf(head, EMPTY, '#', true);
      this.#skip();
      return event;
    }
    if (end === undefined) return undefined;
    const body = this.#octets.subarray(bodyStart, bodyStart + size);
    const flag = String.fromCharCode(this.#octets[end - END_LINE_TAIL] ?? 0) as ContinuationFlag;
    this.#head = undefined;
    this.#consumeTo(end);
    return requestOf(head, body, flag, false);
  }

  /** Passes over the rest of an oversize chunk, letting go of its octets. True when its end-line was found. */
  #skip(): boolean {
    const end = this.#findEndLine();
    if (end === undefined) {
      this.#start += this.#scanned;
      this.#scanned = 0;
      return false;
    }
    this.#isSkipping = false;
    this.#head = undefined;
    this.#consumeTo(end);
    return true;
  }

  /**
   * Searches on from `#scanned` and leaves it where the end-line begins, or where the search must go on. Gives the
   * offset behind the end-line once it is there whole.
   */
  #findEndLine(): number | undefined {
    const octets = this.#octets;
    const mark = this.#endMark;
    for (let from = this.#start + this.#scanned; ; from += 1) {
      const found = octets.indexOf(mark, from, 'latin1');
      if (found < 0) {
        // The mark may have begun in the last octets; everything before them is done with.
        this.#scanned = Math.max(this.#scanned, octets.length - mark.length + 1 - this.#start);
        return undefined;
      }
      this.#scanned = found - this.#start;
      const tail = found + mark.length;
      if (tail + END_LINE_TAIL > octets.length) {
        if (couldBeTail(octets, tail)) return undefined;
      } else if (couldBeTail(octets, tail)) return tail + END_LINE_TAIL;
      from = found;
    }
  }

  #consumeTo(end: number): void {
    this.#start = end;
    this.#scanned = 0;
    this.#line = 0;
    if (end === this.#octets.length) {
      this.#octets = EMPTY;
      this.#storage = EMPTY;
      this.#start = 0;
    }
  }

  #headTooLong(): DecodeError {
    return new DecodeError('start line and header fields are too long', {
      code: 'limitExceeded',
      clause: 'RFC 4975 §9',
    });
  }
}

/** True when the octets from `at`, as many as there are, are continuation flag, CR and LF. */
function couldBeTail(octets: Buffer, at: number): boolean {
  const flag = octets[at];
  if (flag === undefined) return true;
  if (flag !== 0x24 && flag !== 0x2b && flag !== 0x23) return false;
  const cr = octets[at + 1];
  if (cr === undefined) return true;
  return cr === CR && (octets[at + 2] ?? LF) === LF;
}

function requestOf(
  head: MsrpHead,
  body: Uint8Array | undefined,
  continuation: ContinuationFlag,
  isOversize: boolean,
): ReceivedMsrpRequest {
  return {
    kind: 'request',
    transactionId: head.transactionId,
    method: head.method ?? '',
    toPath: head.toPath,
    fromPath: head.fromPath,
    messageId: head.messageId,
    byteRange: head.byteRange,
    successReport: head.successReport,
    failureReport: head.failureReport,
    status: head.status,
    headers: head.headers,
    contentType: head.contentType,
    body,
    continuation,
    problem: head.problem,
    isOversize,
  };
}

function responseOf(head: MsrpHead): MsrpEvent {
  return {
    kind: 'response',
    transactionId: head.transactionId,
    status: head.statusCode,
    comment: head.comment,
    toPath: head.toPath,
    fromPath: head.fromPath,
    headers: head.headers,
    problem: head.problem,
  };
}
