/**
 * How many requests may be under way to one terminal: each waits for its turn, in order. When one fails, those that wait fail with it, so
 * that a terminal which is away is found out once and not once for each push.
 */
import { DeliveryError } from '../../kernel/errors.js';

interface Waiting {
  go(): void;
  fail(error: DeliveryError): void;
}

interface Place {
  underWay: number;
  readonly waiting: Waiting[];
}

export class Turns {
  readonly #places = new Map<string, Place>();

  /** Runs the task when fewer than `most` are under way for `key`. Rejects as the task does, or as one before it that failed. */
  async take<T>(key: string, most: number, task: () => Promise<T>): Promise<T> {
    const place = this.#places.get(key) ?? { underWay: 0, waiting: [] };
    this.#places.set(key, place);
    if (place.underWay >= most)
      await new Promise<void>((resolve, reject) => place.waiting.push({ go: resolve, fail: reject }));
    else place.underWay += 1;
    try {
      return await task();
    } catch (error) {
      if (error instanceof DeliveryError) for (const waiting of place.waiting.splice(0)) waiting.fail(error);
      throw error;
    } finally {
      this.#leave(key, place);
    }
  }

  /** Whoever leaves gives the turn to the next one. */
  #leave(key: string, place: Place): void {
    const next = place.waiting.shift();
    if (next) next.go();
    else place.underWay -= 1;
    if (place.underWay === 0) this.#places.delete(key);
  }
}
