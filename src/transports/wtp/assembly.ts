/** A message that comes in segments (WAP-224 §7.14), put together: in any order, each packet once, no larger than it may be. */
export interface Segment {
  readonly sequenceNumber: number;
  readonly isGroupTrailer: boolean;
  readonly isTrailer: boolean;
  readonly payload: Uint8Array;
}

/** What is to be said of a packet; undefined: nothing. */
export type Assembled =
  /** The group is there: acknowledge it up to this packet. */
  | { readonly kind: 'group'; readonly sequenceNumber: number }
  | { readonly kind: 'complete'; readonly message: Uint8Array; readonly sequenceNumber: number }
  | { readonly kind: 'missing'; readonly sequenceNumbers: readonly number[] }
  | { readonly kind: 'tooLarge' };

export class Assembly {
  readonly #pieces = new Map<number, Uint8Array>();
  readonly #maxBytes: number;
  #bytes = 0;
  /** The end of a group that has come before all of its packets. */
  #end: Pick<Segment, 'sequenceNumber' | 'isTrailer'> | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add({ sequenceNumber, isGroupTrailer, isTrailer, payload }: Segment): Assembled | undefined {
    if (!this.#pieces.has(sequenceNumber)) {
      this.#bytes += payload.length;
      if (this.#bytes > this.#maxBytes) return { kind: 'tooLarge' };
      this.#pieces.set(sequenceNumber, payload);
    }
    const asks = isGroupTrailer || isTrailer;
    if (asks) this.#end = { sequenceNumber, isTrailer };
    if (this.#end === undefined) return undefined;
    const { sequenceNumber: last, isTrailer: isWhole } = this.#end;
    const sequenceNumbers = this.#missingBefore(last);
    if (sequenceNumbers.length > 0) return asks ? { kind: 'missing', sequenceNumbers } : undefined;
    this.#end = undefined;
    if (!isWhole) return { kind: 'group', sequenceNumber: last };
    const pieces = Array.from({ length: last + 1 }, (_, index) => this.#pieces.get(index));
    const message = Buffer.concat(pieces.filter((piece) => piece !== undefined));
    return { kind: 'complete', message, sequenceNumber: last };
  }

  #missingBefore(sequenceNumber: number): readonly number[] {
    return Array.from({ length: sequenceNumber }, (_, index) => index).filter(
      (index) => !this.#pieces.has(index),
    );
  }
}
