/**
 * Things that wait for an answer, each for the same time: chunks for their response, messages for their report.
 * Since all wait equally long, they expire in the order in which they came, and one timer serves them all.
 */
interface Waiting<Value> {
  readonly value: Value;
  readonly expiresAt: number;
}

export class DeadlineQueue<Value> {
  readonly #timeoutMs: number;
  readonly #onExpired: (value: Value) => void;
  readonly #waiting = new Map<string, Waiting<Value>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number, onExpired: (value: Value) => void) {
    this.#timeoutMs = timeoutMs;
    this.#onExpired = onExpired;
  }

  add(key: string, value: Value): void {
    this.#waiting.set(key, { value, expiresAt: performance.now() + this.#timeoutMs });
    if (this.#timer === undefined) this.#arm(this.#timeoutMs);
  }

  /** Removes and returns what waits under `key`. */
  take(key: string): Value | undefined {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(key);
    return waiting.value;
  }

  /** Forgets everything without expiring it. */
  clear(): void {
    this.#waiting.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** The timer is left running when its cause is answered; it looks again when it fires. */
  #arm(delayMs: number): void {
    this.#timer = setTimeout(() => this.#expire(), delayMs).unref();
  }

  #expire(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const [key, waiting] of this.#waiting) {
      if (waiting.expiresAt > now) {
        if (this.#timer === undefined) this.#arm(Math.max(1, waiting.expiresAt - now));
        return;
      }
      this.#waiting.delete(key);
      this.#onExpired(waiting.value);
    }
  }
}
