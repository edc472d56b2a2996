/**
 * Puts the chunks of messages together (RFC 4975 §7.3.1): any order, duplicates, overlaps (the later octets count),
 * interrupted and abandoned messages, unknown totals. One assembler serves one session, since Message-IDs mean
 * something only inside one. It answers nothing and knows no time but the instants that it is given.
 */
import type { MsrpHeader, ReceivedMsrpRequest } from './message.js';
import { addRun, type OctetRun, octetsFromStart } from './octet-runs.js';

export interface MsrpAssemblyLimits {
  /** Octets of one message. Default 2 MiB. */
  readonly maxMessageBytes: number;
  /** Messages of which a part is there. Default 16. */
  readonly maxOpenMessages: number;
  /** Memory for all of them. Default 8 MiB. */
  readonly maxOpenBytes: number;
  /** Separate runs of octets in one message: how far chunks may come out of order. Default 64. */
  readonly maxRuns: number;
}

/** Memory that several assemblers share: many sessions, each within its own limits, could still be too much together. */
export class OpenMessageBudget {
  #left: number;

  constructor(maxBytes: number) {
    this.#left = maxBytes;
  }

  /** Sets `bytes` aside; false, and nothing changes, when there are not so many left. A negative number gives back. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }
}

/** A message whose octets are all there. */
export interface AssembledMessage {
  readonly messageId: string;
  readonly contentType: string;
  readonly headers: readonly MsrpHeader[];
  readonly content: Uint8Array;
}

export type AssemblyResult =
  | { readonly kind: 'open' }
  | { readonly kind: 'complete'; readonly message: AssembledMessage }
  | { readonly kind: 'abandoned' } // the sender gave it up; what was there is forgotten
  | { readonly kind: 'refused'; readonly status: 400 | 413; readonly detail: string }; // what was there is forgotten

interface OpenMessage {
  readonly contentType: string;
  readonly headers: readonly MsrpHeader[];
  octets: Buffer;
  /** Undefined until a chunk names it, or the one with `$` shows it. */
  total: number | undefined;
  /** Octets that are there: disjoint, ascending, never touching. */
  readonly runs: OctetRun[];
  lastChunkAt: number;
}

const DEFAULT_LIMITS: MsrpAssemblyLimits = {
  maxMessageBytes: 2_097_152,
  maxOpenMessages: 16,
  maxOpenBytes: 8_388_608,
  maxRuns: 64,
};
const OPEN: AssemblyResult = { kind: 'open' };
const ABANDONED: AssemblyResult = { kind: 'abandoned' };
const NO_HEADERS: readonly MsrpHeader[] = [];
const NO_OCTETS = Buffer.alloc(0);

export class MsrpMessageAssembler {
  readonly #limits: MsrpAssemblyLimits;
  readonly #budget: OpenMessageBudget | undefined;
  readonly #open = new Map<string, OpenMessage>();
  #openBytes = 0;

  /** `budget`: memory shared with other assemblers, besides the limit of this one. */
  constructor(limits: Partial<MsrpAssemblyLimits> = {}, budget?: OpenMessageBudget) {
    this.#budget = budget;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** Messages of which a part is there. */
  get openCount(): number {
    return this.#open.size;
  }

  has(messageId: string): boolean {
    return this.#open.has(messageId);
  }

  /** Takes one SEND chunk that arrived at instant `now` (any scale). The octets are copied; the result owns its own. */
  add(chunk: ReceivedMsrpRequest, now: number): AssemblyResult {
    const { messageId } = chunk;
    if (messageId === undefined) return refused(400, 'a SEND with a body needs a Message-ID');
    if (chunk.isOversize) return this.#refuse(messageId, 413, 'chunk too large');
    if (chunk.continuation === '#') {
      this.#forget(messageId);
      return ABANDONED;
    }
    const body = chunk.body ?? NO_OCTETS;
    const start = (chunk.byteRange?.start ?? 1) - 1;
    const end = start + body.length;
    const isLast = chunk.continuation === '$';
    const total = chunk.byteRange?.total ?? (isLast ? end : undefined);
    if (Math.max(end, total ?? 0) > this.#limits.maxMessageBytes) {
      return this.#refuse(messageId, 413, 'message too large');
    }
    if (total !== undefined && (end > total || (isLast && end !== total))) {
      return this.#refuse(messageId, 400, 'Byte-Range contradicts the octets sent');
    }
    const open = this.#open.get(messageId);
    if (open === undefined && start === 0 && end === total) return complete(messageId, chunk, body);
    return this.#addTo(
      open ?? this.#openMessage(messageId, chunk, now),
      messageId,
      { start, end },
      total,
      body,
      now,
    );
  }

  /** Forgets messages that got no chunk since `instant`. */
  forgetIdle(instant: number): void {
    for (const [messageId, open] of this.#open) {
      if (open.lastChunkAt < instant) this.#forget(messageId);
    }
  }

  #addTo(
    open: OpenMessage | undefined,
    messageId: string,
    run: OctetRun,
    total: number | undefined,
    body: Uint8Array,
    now: number,
  ): AssemblyResult {
    if (open === undefined) return refused(413, 'too many partly received messages');
    open.lastChunkAt = now;
    if (total !== undefined && open.total !== undefined && open.total !== total) {
      return this.#refuse(messageId, 400, 'total changed between chunks');
    }
    open.total ??= total;
    const last = open.runs.at(-1);
    if (open.total !== undefined && Math.max(run.end, last?.end ?? 0) > open.total) {
      return this.#refuse(messageId, 400, 'octets beyond the total');
    }
    if (!this.#reserve(open, run.end))
      return this.#refuse(messageId, 413, 'too much in partly received messages');
    open.octets.set(body, run.start);
    if (run.end > run.start) addRun(open.runs, run);
    if (open.runs.length > this.#limits.maxRuns) return this.#refuse(messageId, 413, 'too many gaps');

    const received = octetsFromStart(open.runs);
    if (open.total === undefined || received !== open.total) return OPEN;
    this.#forget(messageId);
    const { contentType, headers, octets } = open;
    return {
      kind: 'complete',
      message: { messageId, contentType, headers, content: octets.subarray(0, received) },
    };
  }

  #openMessage(messageId: string, chunk: ReceivedMsrpRequest, now: number): OpenMessage | undefined {
    if (this.#open.size >= this.#limits.maxOpenMessages) return undefined;
    const open: OpenMessage = {
      contentType: chunk.contentType ?? '',
      headers: chunk.headers ?? NO_HEADERS,
      octets: NO_OCTETS,
      total: undefined,
      runs: [],
      lastChunkAt: now,
    };
    this.#open.set(messageId, open);
    return open;
  }

  /** Makes room up to `end`. Grows by doubling: a total is only a claim, and pages that nobody wrote cost nothing. */
  #reserve(open: OpenMessage, end: number): boolean {
    const capacity = open.octets.length;
    if (end <= capacity) return true;
    const wanted = Math.min(Math.max(end, 2 * capacity), open.total ?? this.#limits.maxMessageBytes);
    if (this.#openBytes - capacity + wanted > this.#limits.maxOpenBytes) return false;
    if (this.#budget?.take(wanted - capacity) === false) return false;
    const grown = Buffer.allocUnsafeSlow(wanted);
    open.octets.copy(grown);
    open.octets = grown;
    this.#openBytes += wanted - capacity;
    return true;
  }

  #refuse(messageId: string, status: 400 | 413, detail: string): AssemblyResult {
    this.#forget(messageId);
    return refused(status, detail);
  }

  #forget(messageId: string): void {
    const held = this.#open.get(messageId)?.octets.length ?? 0;
    this.#openBytes -= held;
    this.#budget?.take(-held);
    this.#open.delete(messageId);
  }
}

function complete(messageId: string, chunk: ReceivedMsrpRequest, body: Uint8Array): AssemblyResult {
  const content = Buffer.from(body);
  const headers = chunk.headers ?? NO_HEADERS;
  return { kind: 'complete', message: { messageId, contentType: chunk.contentType ?? '', headers, content } };
}

function refused(status: 400 | 413, detail: string): AssemblyResult {
  return { kind: 'refused', status, detail };
}
