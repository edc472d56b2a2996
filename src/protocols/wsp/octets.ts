/**
 * A cursor over octets and a growing list of them: what every decoder and encoder of the binary push formats walks on.
 * Reading past the end throws, so that no decoder has to check before each octet.
 */
import { DecodeError } from '../../kernel/errors.js';

export class OctetReader {
  readonly #octets: Uint8Array;
  readonly #end: number;
  #offset: number;

  /** Reads `octets` from `start` up to, not including, `end`. Offsets in errors count from the start of `octets`. */
  constructor(octets: Uint8Array, start = 0, end = octets.length) {
    this.#octets = octets;
    this.#offset = start;
    this.#end = end;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  /** The next octet, which stays unread. Throws at the end. */
  peek(): number {
    const octet = this.#offset < this.#end ? this.#octets[this.#offset] : undefined;
    if (octet === undefined) throw new DecodeError('ends too early', { offset: this.#offset });
    return octet;
  }

  octet(): number {
    const octet = this.peek();
    this.#offset += 1;
    return octet;
  }

  /** The next `size` octets, as a view. */
  take(size: number): Uint8Array {
    const from = this.#advance(size);
    return this.#octets.subarray(from, from + size);
  }

  /** A reader of the next `size` octets, which count as read here. */
  nested(size: number): OctetReader {
    const from = this.#advance(size);
    return new OctetReader(this.#octets, from, from + size);
  }

  /** The octets from `start` up to the cursor, as a view. */
  since(start: number): Uint8Array {
    return this.#octets.subarray(start, this.#offset);
  }

  /** Everything up to the next zero octet, which is read too. Throws when there is none. */
  untilZero(): Uint8Array {
    const zero = this.#octets.indexOf(0, this.#offset);
    if (zero < 0 || zero >= this.#end) {
      throw new DecodeError('text without its closing zero octet', { offset: this.#offset });
    }
    const text = this.#octets.subarray(this.#offset, zero);
    this.#offset = zero + 1;
    return text;
  }

  #advance(size: number): number {
    const from = this.#offset;
    if (size > this.remaining) {
      throw new DecodeError(`${size} octets announced, ${this.remaining} left`, { offset: from });
    }
    this.#offset += size;
    return from;
  }
}

export class OctetWriter {
  #octets = new Uint8Array(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Appends one octet. */
  octet(value: number): this {
    this.#reserve(1);
    this.#octets[this.#length] = value;
    this.#length += 1;
    return this;
  }

  append(octets: Uint8Array): this {
    this.#reserve(octets.length);
    this.#octets.set(octets, this.#length);
    this.#length += octets.length;
    return this;
  }

  /** What was written so far, as a view. */
  written(): Uint8Array {
    return this.#octets.subarray(0, this.#length);
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#octets.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#octets.length * 2));
    larger.set(this.written());
    this.#octets = larger;
  }
}
