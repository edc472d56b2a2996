/** A clock that stands still until a test moves it. Timers run in the order of their moments, each with the clock at its moment. */
import type { Clock, Timer } from '../../src/kernel/clock.js';

export const T0 = 1_700_000_000_000;

export class FakeClock implements Clock {
  #now: number;
  #timers: { readonly at: number; readonly task: () => void }[] = [];

  constructor(start = T0) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, task: () => void): Timer {
    const timer = { at: this.#now + Math.max(0, delayMs), task };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  /** Timers that have not run and were not cancelled. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Moves on by `ms`; what the timers set off has come to rest before the next one runs and at the end. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await atRest();
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.task();
      await atRest();
    }
    this.#now = end;
    await atRest();
  }

  /** Somebody set the machine's clock: no timer notices (they count time that passes). */
  step(ms: number): void {
    this.#now += ms;
    this.#timers = this.#timers.map(({ at, task }) => ({ at: at + ms, task }));
  }
}

/** Lets everything run that waits for nothing but its turn. */
export async function atRest(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
