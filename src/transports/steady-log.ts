/** A log that peers cannot flood: so many of their lines in a second pass, the rest is counted and told before the next that passes. */
import { SECOND_MS } from '../kernel/units.js';

export interface SteadyLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly reason?: string;
}

const MAX_LINES_PER_SECOND = 20;

export class SteadyLog<Line extends SteadyLine> {
  readonly #log: (line: Line | SteadyLine) => void;
  readonly #now: () => number;
  readonly #suppressedMessage: string;
  #since = 0;
  #lines = 0;
  #suppressed = 0;

  /** `suppressedMessage`: of the line that says how many others were left out. */
  constructor(log: (line: Line | SteadyLine) => void, now: () => number, suppressedMessage: string) {
    this.#log = log;
    this.#now = now;
    this.#suppressedMessage = suppressedMessage;
  }

  /** For lines that a peer can cause. */
  limited(line: Line): void {
    const now = this.#now();
    if (now - this.#since >= SECOND_MS) {
      if (this.#suppressed > 0) {
        const reason = `${this.#suppressed} lines`;
        this.#log({ level: 'warn', message: this.#suppressedMessage, reason });
      }
      this.#since = now;
      this.#lines = 0;
      this.#suppressed = 0;
    }
    this.#lines += 1;
    if (this.#lines > MAX_LINES_PER_SECOND) this.#suppressed += 1;
    else this.#log(line);
  }

  /** For lines that only we cause. */
  always(line: Line): void {
    this.#log(line);
  }
}
