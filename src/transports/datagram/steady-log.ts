/** A log that peers cannot flood: so many lines in a second pass, the rest is counted and told with the next that passes. */
import type { Clock } from '../../kernel/clock.js';
import { SECOND_MS } from '../../kernel/units.js';

export interface LogLine {
  readonly level: 'info' | 'warn';
  readonly message: string;
  readonly reason: string;
  readonly peer?: string;
}

const MAX_LINES_PER_SECOND = 20;

export class SteadyLog {
  readonly #log: (line: LogLine) => void;
  readonly #clock: Pick<Clock, 'now'>;
  #since = 0;
  #lines = 0;
  #suppressed = 0;

  constructor(log: (line: LogLine) => void, clock: Pick<Clock, 'now'>) {
    this.#log = log;
    this.#clock = clock;
  }

  write(line: LogLine): void {
    const now = this.#clock.now();
    if (now - this.#since >= SECOND_MS) {
      if (this.#suppressed > 0)
        this.#log({
          level: 'warn',
          message: 'log lines were suppressed',
          reason: `${this.#suppressed} lines`,
        });
      this.#since = now;
      this.#lines = 0;
      this.#suppressed = 0;
    }
    this.#lines += 1;
    if (this.#lines > MAX_LINES_PER_SECOND) this.#suppressed += 1;
    else this.#log(line);
  }
}
