/**
 * PDUs out of a TCP stream (SMPP 3.4 §3.2): each begins with its own length. One that cannot be read is told as such, because its sender
 * gets a generic_nack and the next one is where its length says; a length that cannot be is the end of the stream.
 *
 * Memory: at most one PDU within the limits is held, plus one push.
 */
import { DecodeError } from '../../kernel/errors.js';
import { decodeHeader, decodePdu, HEADER_OCTETS } from './decode.js';
import { SMPP_LIMITS, type SmppLimits } from './limits.js';
import type { Pdu } from './pdu.js';
import { STATUS } from './status-table.js';

/** `status`: what its sender is told, if it was a request. */
export interface UnreadablePdu {
  readonly command: 'unreadable';
  readonly commandId: number;
  readonly sequence: number;
  readonly status: number;
  readonly error: DecodeError;
}

export class SmppStreamReader {
  readonly #limits: SmppLimits;
  /** What came and is not read yet; joined when there is enough of it. */
  #pieces: Buffer[] = [];
  #length = 0;
  /** Below this there is nothing to be read: a header, or the PDU whose header has been seen. */
  #needed = HEADER_OCTETS;

  constructor(limits: SmppLimits = SMPP_LIMITS) {
    this.#limits = limits;
  }

  /** Adds octets. The reader keeps the memory; the caller must not change it afterwards. */
  push(octets: Uint8Array): void {
    this.#pieces.push(Buffer.from(octets.buffer, octets.byteOffset, octets.length));
    this.#length += octets.length;
  }

  /** The next PDU; undefined when more octets are needed. Throws DecodeError when the framing is lost: nothing can be read after that. */
  next(): Pdu | UnreadablePdu | undefined {
    if (this.#length < this.#needed) return undefined;
    const octets = this.#joined();
    const { length, commandId, sequence } = decodeHeader(octets);
    if (length < HEADER_OCTETS || length > this.#limits.maxPduBytes) {
      throw new DecodeError(`a PDU of ${length} octets`, { clause: 'SMPP 3.4 §5.1.1' });
    }
    this.#needed = length;
    if (octets.length < length) return undefined;
    this.#keep(octets.subarray(length));
    try {
      return decodePdu(octets.subarray(0, length), this.#limits);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      const status = error.code === 'versionNotSupported' ? STATUS.invalidCommand : STATUS.invalidLength;
      return { command: 'unreadable', commandId, sequence, status, error };
    }
  }

  #joined(): Buffer {
    const [first] = this.#pieces;
    const octets = this.#pieces.length === 1 && first ? first : Buffer.concat(this.#pieces, this.#length);
    this.#pieces = [octets];
    return octets;
  }

  #keep(rest: Buffer): void {
    this.#pieces = rest.length === 0 ? [] : [rest];
    this.#length = rest.length;
    this.#needed = HEADER_OCTETS;
  }
}
