/**
 * Circuit breaker of one link: after several failures in a row nothing is sent for a while, then a single message tries whether the link works
 * again. Each failed trial doubles the pause. A refusal of one message or number is no failure of the link.
 */
import type { Clock } from '../../kernel/clock.js';

export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly failures: number;
  readonly pauseMs: number;
  readonly maxPauseMs: number;
}

export class Breaker {
  readonly #options: BreakerOptions;
  readonly #clock: Pick<Clock, 'now'>;
  #failures = 0;
  #pauses = 0;
  #openUntil = 0;
  #isTrying = false;

  constructor(options: BreakerOptions, clock: Pick<Clock, 'now'>) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Until when nothing may be sent; undefined when something may. */
  get openUntil(): number | undefined {
    return this.#openUntil > this.#clock.now() ? this.#openUntil : undefined;
  }

  /** `closed`: works. `open`: nothing is sent. `trying`: one message at a time shows whether it works again. */
  get state(): 'closed' | 'open' | 'trying' {
    if (this.openUntil !== undefined) return 'open';
    return this.#openUntil > 0 ? 'trying' : 'closed';
  }

  /** May one more message be sent now? The first after a pause has the link to itself. */
  admits(): boolean {
    if (this.state === 'trying') return !this.#isTrying;
    return this.state === 'closed';
  }

  sent(): void {
    if (this.state === 'trying') this.#isTrying = true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#pauses = 0;
    this.#openUntil = 0;
    this.#isTrying = false;
  }

  /** Says whether this failure opened it. */
  failed(): boolean {
    this.#failures += 1;
    const failedTrial = this.#isTrying;
    this.#isTrying = false;
    if (!failedTrial && (this.state !== 'closed' || this.#failures < this.#options.failures)) return false;
    const { pauseMs, maxPauseMs } = this.#options;
    this.#openUntil = this.#clock.now() + Math.min(pauseMs * 2 ** Math.min(this.#pauses, 20), maxPauseMs);
    this.#pauses += 1;
    return true;
  }
}
