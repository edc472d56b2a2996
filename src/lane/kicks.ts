/**
 * The kicks that reach a lane while it runs. Whoever kicks has changed the store first, so a look at the lane that
 * starts after the kick answers it; a kick that no look has answered makes the lane run once more.
 */
export class Kicks {
  #isPending = false;
  #listener: (() => void) | undefined;

  /** Somebody asked for the lane and no look at it has begun since. */
  get isPending(): boolean {
    return this.#isPending;
  }

  kick(): void {
    this.#isPending = true;
    this.#listener?.();
  }

  /** A look at the lane begins: it will see whatever was kicked for. */
  answer(): void {
    this.#isPending = false;
  }

  /** Calls `listener` at the next kick, at once when one is pending; one listener at a time. Returns how to stop listening. */
  listen(listener: () => void): () => void {
    if (this.#isPending) listener();
    else this.#listener = listener;
    return () => {
      if (this.#listener === listener) this.#listener = undefined;
    };
  }
}
