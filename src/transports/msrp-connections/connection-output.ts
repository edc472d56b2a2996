/**
 * What is to be written to a connection next, gathered over one turn of the event loop so that a hundred answers cost
 * one system call. Text is kept as byte strings (one character per octet); bodies are copied once, when it is taken.
 */
export class ConnectionOutput {
  readonly #parts: (string | Uint8Array)[] = [];
  /** Text since the last body. */
  #text = '';
  #size = 0;

  /** Octets gathered. */
  get size(): number {
    return this.#size;
  }

  addText(byteString: string): void {
    this.#text += byteString;
    this.#size += byteString.length;
  }

  addBytes(bytes: Uint8Array): void {
    if (this.#text !== '') this.#parts.push(this.#text);
    this.#text = '';
    this.#parts.push(bytes);
    this.#size += bytes.length;
  }

  /** Everything gathered, and begins anew: a byte string when there was only text, else octets. */
  take(): string | Buffer {
    const text = this.#text;
    const size = this.#size;
    this.#text = '';
    this.#size = 0;
    if (this.#parts.length === 0) return text;

    const octets = Buffer.allocUnsafe(size);
    let at = 0;
    for (const part of this.#parts) {
      if (typeof part === 'string') octets.write(part, at, 'latin1');
      else octets.set(part, at);
      at += part.length;
    }
    octets.write(text, at, 'latin1');
    this.#parts.length = 0;
    return octets;
  }
}
