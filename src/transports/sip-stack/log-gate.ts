/**
 * A log that a peer cannot flood: lines about what peers do wrong pass up to a number per second, the rest is counted
 * and told in one line when the second is over.
 */
import type { SipLogEvent } from './sip-stack.js';

const MAX_LINES_PER_SECOND = 20;

export class LogGate {
  readonly #log: (event: SipLogEvent) => void;
  #second = 0;
  #lines = 0;
  #suppressed = 0;

  constructor(log: (event: SipLogEvent) => void) {
    this.#log = log;
  }

  /** For lines that a peer can cause. */
  limited(event: SipLogEvent): void {
    const second = Math.floor(Date.now() / 1000);
    if (second !== this.#second) {
      if (this.#suppressed > 0) {
        this.#log({
          level: 'warn',
          message: 'SIP log lines were suppressed',
          reason: `${this.#suppressed} lines`,
        });
      }
      this.#second = second;
      this.#lines = 0;
      this.#suppressed = 0;
    }
    this.#lines += 1;
    if (this.#lines > MAX_LINES_PER_SECOND) this.#suppressed += 1;
    else this.#log(event);
  }

  /** For lines that only we cause. */
  always(event: SipLogEvent): void {
    this.#log(event);
  }
}
