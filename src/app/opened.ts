/** What was opened, in order; closed in reverse, each part once, also when another one fails to close. */
export class Opened implements AsyncDisposable {
  readonly #closers: (() => unknown)[] = [];

  /** Takes over a part: it is closed with the others. */
  use<Part extends AsyncDisposable | Disposable>(part: Part): Part {
    this.defer(() => (Symbol.asyncDispose in part ? part[Symbol.asyncDispose]() : part[Symbol.dispose]()));
    return part;
  }

  /** For what is closed in another way. */
  defer(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** Throws the first failure after everything has been closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.#closers.pop(); close; close = this.#closers.pop()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
