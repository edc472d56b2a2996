/** How many segments a second a link may carry: evenly, with a burst of what a tenth of a second allows. Unlimited without a rate. */
import type { Clock } from '../../kernel/clock.js';
import { SECOND_MS } from '../../kernel/units.js';

const BURST_MS = 100;

export class Pace {
  readonly #intervalMs: number;
  readonly #clock: Pick<Clock, 'now'>;
  /** When the next one is due, as if all had been sent evenly. */
  #dueAt = 0;

  constructor(perSecond: number | undefined, clock: Pick<Clock, 'now'>) {
    this.#intervalMs = perSecond === undefined ? 0 : SECOND_MS / perSecond;
    this.#clock = clock;
  }

  /** How long to wait before the next may go; 0 when it may now. */
  get delayMs(): number {
    return Math.max(0, this.#dueAt - this.#clock.now());
  }

  /** How long so many need. */
  timeFor(count: number): number {
    return count * this.#intervalMs;
  }

  /** One goes now. */
  take(): void {
    const now = this.#clock.now();
    this.#dueAt = Math.max(this.#dueAt, now - Math.max(0, BURST_MS - this.#intervalMs)) + this.#intervalMs;
  }
}
