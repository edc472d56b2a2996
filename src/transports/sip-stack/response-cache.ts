/**
 * Timer J (RFC 3261 §17.2.2) at low cost. A non-INVITE transaction on UDP has to answer repetitions of its request
 * with the same response for 32 s. Of an answered one only key → response octets is kept, in buckets of time that are
 * thrown away whole: no timer and no scan per request, and a bound on the octets held.
 * Above the bound the oldest bucket goes early: a very late repetition would then reach the application again.
 */
import type { Outlet } from './transactions.js';

export interface CachedResponse {
  readonly byteString: string;
  /** Where the original response went; repetitions go to the same place, whoever sends them. */
  readonly outlet: Outlet;
}

const BUCKETS = 8;
const DEFAULT_MAX_OCTETS = 128 * 1024 * 1024;
/** What an entry costs beside its strings, roughly: map slot, object, outlet. */
const ENTRY_OVERHEAD_OCTETS = 200;

interface Bucket {
  readonly entries: Map<string, CachedResponse>;
  octets: number;
}

export class ResponseCache {
  readonly #bucketMs: number;
  readonly #maxOctets: number;
  /** Newest first. One more than BUCKETS, so that an entry of the oldest has lived the whole life at least. */
  #buckets: Bucket[] = [];
  #octets = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(lifeMs: number, maxOctets = DEFAULT_MAX_OCTETS) {
    this.#bucketMs = Math.max(1, Math.ceil(lifeMs / BUCKETS));
    this.#maxOctets = maxOctets;
  }

  /** Responses held. */
  get size(): number {
    return this.#buckets.reduce((sum, bucket) => sum + bucket.entries.size, 0);
  }

  get(key: string): CachedResponse | undefined {
    for (const bucket of this.#buckets) {
      const entry = bucket.entries.get(key);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  set(key: string, response: CachedResponse): void {
    const bucket = this.#newest();
    const octets = key.length + response.byteString.length + ENTRY_OVERHEAD_OCTETS;
    bucket.entries.set(key, response);
    bucket.octets += octets;
    this.#octets += octets;
    while (this.#octets > this.#maxOctets && this.#buckets.length > 0) this.#dropOldest();
  }

  clear(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#buckets = [];
    this.#octets = 0;
  }

  #newest(): Bucket {
    // The clock runs only while something is held, so an idle stack wakes for nothing.
    this.#timer ??= setInterval(() => this.#rotate(), this.#bucketMs);
    const [newest] = this.#buckets;
    if (newest !== undefined) return newest;
    const bucket: Bucket = { entries: new Map(), octets: 0 };
    this.#buckets.unshift(bucket);
    return bucket;
  }

  #rotate(): void {
    this.#buckets.unshift({ entries: new Map(), octets: 0 });
    while (this.#buckets.length > BUCKETS + 1) this.#dropOldest();
    if (this.#buckets.every((bucket) => bucket.entries.size === 0)) this.clear();
  }

  #dropOldest(): void {
    const oldest = this.#buckets.pop();
    this.#octets -= oldest?.octets ?? 0;
  }
}
