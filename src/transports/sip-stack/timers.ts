/** The timers of RFC 3261 table 4, all of them functions of T1, T2 and T4 in milliseconds. */
export interface SipTimers {
  readonly t1: number;
  readonly t2: number;
  readonly t4: number;
}

export const RFC_TIMERS: SipTimers = { t1: 500, t2: 4000, t4: 5000 };

/** Timers B, F, H, J, L, M: how long one side waits for the other (32 s by default). */
export function transactionLifeMs(timers: SipTimers): number {
  return 64 * timers.t1;
}

/**
 * Sends something again and again until stopped: after `firstMs`, then at doubling intervals up to `maxMs`.
 * Timers A, E and G, and the 2xx of RFC 3261 §13.3.1.4, are all this.
 */
export class Retransmission {
  readonly #send: () => void;
  readonly #maxMs: number;
  #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(firstMs: number, maxMs: number, send: () => void) {
    this.#send = send;
    this.#maxMs = maxMs;
    this.#intervalMs = firstMs;
    this.#arm();
  }

  /** From now on at the longest interval only (Timer E in "Proceeding"). */
  slowDown(): void {
    this.#intervalMs = this.#maxMs;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer = setTimeout(() => {
      this.#intervalMs = Math.min(2 * this.#intervalMs, this.#maxMs);
      this.#arm();
      this.#send();
    }, this.#intervalMs);
  }
}
