/**
 * One message on its way out: which octets go into the next chunk, which chunks are unanswered, which octets the peer
 * has reported. It settles once; whatever arrives for it afterwards changes nothing (RFC 4975 §7.1).
 */
import { DeliveryError, describeError } from '../../kernel/errors.js';
import {
  addRun,
  type ByteRange,
  formatLeadingFields,
  formatTrailingFields,
  type OctetRun,
  octetsFromStart,
} from '../../protocols/msrp/index.js';
import type { MsrpContent, MsrpMessageToSend, MsrpOutcome } from './msrp-connections.js';

/** Separate runs of reported octets that are remembered; a peer that reports in more pieces is not believed. */
const MAX_REPORTED_RUNS = 64;
/** Chunks above this size say `*` for their end, since they may have to be cut short (RFC 4975 §7.1.1). */
const MAX_FIXED_CHUNK_BYTES = 2048;

export class OutgoingMessage {
  readonly messageId: string;
  readonly successReport: boolean;
  readonly size: number;
  /** Header lines before and after Byte-Range, the same in every chunk. */
  readonly leadingFields: string;
  readonly trailingFields: string;
  readonly #content: MsrpContent;
  readonly #settle: (outcome: MsrpOutcome) => void;
  /** Octets put into chunks so far. */
  #sent = 0;
  #hasBegun = false;
  #unanswered = 0;
  #outcome: MsrpOutcome | undefined;
  /** The next chunk, read ahead from a source. */
  #readAhead: Uint8Array | undefined;
  #isReading = false;
  readonly #reported: OctetRun[] = [];
  #isReported = false;

  /** Throws RefusedError when a field cannot stand on the wire. `settle` is called once. */
  constructor(message: MsrpMessageToSend, settle: (outcome: MsrpOutcome) => void) {
    this.messageId = message.messageId;
    this.successReport = message.successReport;
    this.size = message.content instanceof Uint8Array ? message.content.length : message.content.size;
    this.leadingFields = formatLeadingFields({
      messageId: message.messageId,
      ...(message.successReport ? { successReport: true } : {}),
    });
    this.trailingFields = formatTrailingFields(message);
    this.#content = message.content;
    this.#settle = settle;
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  get isSentWhole(): boolean {
    return this.#hasBegun && this.#sent === this.size;
  }

  /** Octets not yet put into a chunk. */
  get unsentBytes(): number {
    return this.size - this.#sent;
  }

  /** Every chunk is out and answered with 200, and only the report is missing. */
  get isOnlyUnreported(): boolean {
    return this.isSentWhole && this.#unanswered === 0 && this.#outcome === undefined;
  }

  /**
   * The octets of the next chunk. Undefined while the source is being read; `onReady` is called when they are there,
   * or when the source failed and the message is settled.
   */
  nextChunk(chunkBytes: number, onReady: () => void): Uint8Array | undefined {
    const length = Math.min(chunkBytes, this.size - this.#sent);
    if (this.#content instanceof Uint8Array) return this.#content.subarray(this.#sent, this.#sent + length);
    if (length === 0) return new Uint8Array(0);
    if (this.#readAhead !== undefined) return this.#readAhead;
    if (!this.#isReading) {
      this.#isReading = true;
      void this.#read(this.#content, length).then(onReady);
    }
    return undefined;
  }

  /** Byte-Range of the next chunk with `length` octets. */
  rangeOfNext(length: number): ByteRange {
    const end = length > MAX_FIXED_CHUNK_BYTES ? undefined : this.#sent + length;
    return { start: this.#sent + 1, end, total: this.size };
  }

  /** The next chunk, of `length` octets, has been written. */
  chunkWritten(length: number): void {
    this.#hasBegun = true;
    this.#sent += length;
    this.#unanswered += 1;
    this.#readAhead = undefined;
  }

  /** The response to one of the chunks. */
  chunkAnswered(status: number, comment: string): void {
    this.#unanswered -= 1;
    if (status !== 200) this.settle({ kind: 'refused', status, comment });
    else if (this.isOnlyUnreported && (!this.successReport || this.#isReported))
      this.settle({ kind: 'confirmed' });
  }

  /** A REPORT for this message (RFC 4975 §7.1.2). Without a range it speaks of the whole message. */
  reported(status: number, comment: string, range: ByteRange | undefined): void {
    if (status !== 200) {
      this.settle({ kind: 'refused', status, comment });
      return;
    }
    const run = { start: (range?.start ?? 1) - 1, end: range?.end ?? range?.total ?? this.size };
    if (run.end > this.size) return;
    if (run.end > run.start && this.#reported.length < MAX_REPORTED_RUNS) addRun(this.#reported, run);
    this.#isReported = octetsFromStart(this.#reported) === this.size;
    if (this.#isReported && this.isOnlyUnreported) this.settle({ kind: 'confirmed' });
  }

  settle(outcome: MsrpOutcome): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#settle(outcome);
  }

  async #read(
    source: { read(offset: number, length: number): Promise<Uint8Array> },
    length: number,
  ): Promise<void> {
    try {
      const octets = await source.read(this.#sent, length);
      if (octets.length !== length) throw new Error(`the source gave ${octets.length} octets for ${length}`);
      this.#readAhead = octets;
    } catch (cause) {
      const error = new DeliveryError('internal', `content could not be read: ${describeError(cause)}`, {
        cause,
      });
      this.settle({ kind: 'lost', error });
    }
    this.#isReading = false;
  }
}
