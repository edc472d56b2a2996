/** What was opened, in order; closed in reverse, each part once, also when another one fails to close. */
export class Opened implements AsyncDisposable {
  readonly #parts: { readonly name: string; readonly close: () => unknown }[] = [];

  /** Remembers how to close a part. */
  add<Part>(name: string, part: Part, close: (part: Part) => unknown): Part {
    this.#parts.push({ name, close: () => close(part) });
    return part;
  }

  /** Throws the first failure after everything has been closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    for (let part = this.#parts.pop(); part; part = this.#parts.pop()) {
      try {
        await part.close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
