/**
 * Addresses that asked to be left alone for a while (`Retry-After`), and until when. A bearer looks here before it calls, so that whatever
 * wakes a lane early makes nobody call early.
 */
import type { Clock } from '../kernel/clock.js';

/** Beyond it the oldest are forgotten: then somebody is called too early, and says so again. */
const MAX_PAUSES = 10_000;

export class Pauses {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #until = new Map<string, number>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** `until` in milliseconds since the epoch; undefined when the peer did not ask. */
  add(key: string, until: number | undefined): void {
    if (until === undefined) return;
    this.#until.delete(key);
    this.#until.set(key, until);
    const [oldest] = this.#until.keys();
    if (this.#until.size > MAX_PAUSES && oldest !== undefined) this.#until.delete(oldest);
  }

  /** Until when the address is not to be called; undefined when it may be. */
  of(key: string): number | undefined {
    const until = this.#until.get(key);
    if (until === undefined || until > this.#clock.now()) return until;
    this.#until.delete(key);
    return undefined;
  }
}
