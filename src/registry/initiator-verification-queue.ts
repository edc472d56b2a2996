/**
 * Who may use the processor for checking a password. Each check costs tens of milliseconds of one core on purpose, so
 * they run a few at a time, one for each applicant at most, and the others wait in turn; what does not fit is refused
 * `busy`. A flood of guesses at one name therefore holds one place, and costs the others little more than a short wait.
 */
import { RefusedError } from '../kernel/errors.js';

export interface VerificationLimits {
  /** Checks under way at once. */
  readonly maxRunning: number;
  /** Checks that wait, of one applicant and of all together. */
  readonly maxWaitingEach: number;
  readonly maxWaiting: number;
}

export class VerificationQueue {
  readonly #limits: VerificationLimits;
  readonly #running = new Set<string>();
  /** In the order in which the applicants' turns come. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #waitingCount = 0;

  constructor(limits: VerificationLimits) {
    this.#limits = limits;
  }

  /** Runs the check when it is the applicant's turn. Throws RefusedError `busy` when too much waits already. */
  async run<T>(applicant: string, check: () => Promise<T>): Promise<T> {
    if (this.#canStart(applicant)) this.#running.add(applicant);
    else await this.#turn(applicant);
    try {
      return await check();
    } finally {
      this.#running.delete(applicant);
      this.#startNext();
    }
  }

  #canStart(applicant: string): boolean {
    return this.#running.size < this.#limits.maxRunning && !this.#running.has(applicant);
  }

  #turn(applicant: string): Promise<void> {
    const own = this.#waiting.get(applicant) ?? [];
    if (own.length >= this.#limits.maxWaitingEach || this.#waitingCount >= this.#limits.maxWaiting) {
      throw new RefusedError('busy', 'too many passwords are being checked at once', 'later');
    }
    this.#waiting.set(applicant, own);
    this.#waitingCount += 1;
    return new Promise((resolve) => {
      own.push(resolve);
    });
  }

  #startNext(): void {
    for (const [applicant, own] of this.#waiting) {
      if (!this.#canStart(applicant)) continue;
      const start = own.shift();
      this.#waiting.delete(applicant);
      if (own.length > 0) this.#waiting.set(applicant, own); // at the end: the others come first
      if (start === undefined) continue;
      this.#waitingCount -= 1;
      this.#running.add(applicant);
      start();
    }
  }
}
