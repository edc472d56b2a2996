/**
 * Octets to PDU (SMPP 3.4 §3.2, §4). The reader of the stream has cut them by their own length. A response that says no may leave its body
 * out (§4.1.2), and many an SMSC leaves it out of others too: fields that are not there are empty.
 */
import { DecodeError } from '../../kernel/errors.js';
import { COMMAND_BY_ID, COMMANDS, type Field, RESPONSE_BIT } from './command-table.js';
import { SMPP_LIMITS, type SmppLimits } from './limits.js';
import type { Pdu } from './pdu.js';

export const HEADER_OCTETS = 16;

export interface PduHeader {
  readonly length: number;
  readonly commandId: number;
  readonly status: number;
  readonly sequence: number;
}

/** The header of a PDU; at least 16 octets are there. */
export function decodeHeader(octets: Uint8Array): PduHeader {
  const view = viewOf(octets);
  return {
    length: view.getUint32(0),
    commandId: view.getUint32(4),
    status: view.getUint32(8),
    sequence: view.getUint32(12),
  };
}

/** Decodes one whole PDU. Octet strings of it are views. Throws DecodeError; `versionNotSupported` for a command that we do not know. */
export function decodePdu(octets: Uint8Array, limits: SmppLimits = SMPP_LIMITS): Pdu {
  if (octets.length < HEADER_OCTETS) throw new DecodeError('a PDU has 16 octets and more');
  const { commandId, status, sequence } = decodeHeader(octets);
  const command = COMMAND_BY_ID.get(commandId);
  if (command === undefined) {
    throw new DecodeError(`unknown command 0x${commandId.toString(16)}`, { code: 'versionNotSupported' });
  }
  const reader = new FieldReader(octets, limits);
  const mayEndEarly = (commandId & RESPONSE_BIT) !== 0;
  const fields: readonly Field[] = COMMANDS[command].fields;
  const body = Object.fromEntries(
    fields.map(([name, form]) => [name, reader.field(name, form, mayEndEarly)]),
  );
  return { command, status, sequence, body, parameters: reader.parameters() } as unknown as Pdu;
}

class FieldReader {
  readonly #octets: Buffer;
  readonly #limits: SmppLimits;
  #offset = HEADER_OCTETS;

  constructor(octets: Uint8Array, limits: SmppLimits) {
    this.#octets = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
    this.#limits = limits;
  }

  field(name: string, form: Field[1], mayBeMissing: boolean): number | string | Uint8Array {
    if (this.#offset >= this.#octets.length && mayBeMissing) return missing(form);
    switch (form) {
      case 'octet':
        return this.#octet(name);
      case 'text':
        return this.#text(name, mayBeMissing);
      case 'octets':
        return this.#take(name, this.#octet(name));
    }
  }

  /** The first of several with the same tag counts. */
  parameters(): Pdu['parameters'] {
    const found = new Map<number, Uint8Array>();
    // [lenient] Fewer octets behind the last field than a parameter has are padding of some SMSC.
    while (this.#octets.length - this.#offset >= 4) {
      if (found.size >= this.#limits.maxParameters) {
        throw new DecodeError('too many optional parameters', { code: 'limitExceeded' });
      }
      const tag = this.#octets.readUInt16BE(this.#offset);
      const length = this.#octets.readUInt16BE(this.#offset + 2);
      this.#offset += 4;
      const value = this.#take(`parameter 0x${tag.toString(16)}`, length);
      if (!found.has(tag)) found.set(tag, value);
    }
    return found;
  }

  #octet(name: string): number {
    const octet = this.#octets[this.#offset];
    if (octet === undefined) throw this.#tooShort(name);
    this.#offset += 1;
    return octet;
  }

  /** [lenient] The text that ends a response may lack its closing zero: message ids of some SMSCs do. */
  #text(name: string, mayBeOpen: boolean): string {
    const zero = this.#octets.indexOf(0, this.#offset);
    const end = zero < 0 && mayBeOpen ? this.#octets.length : zero;
    if (end < 0) throw this.#tooShort(name);
    if (end - this.#offset > this.#limits.maxTextBytes) {
      throw new DecodeError(`${name} is too long`, { offset: this.#offset, code: 'limitExceeded' });
    }
    const text = this.#octets.toString('latin1', this.#offset, end);
    this.#offset = end + 1;
    return text;
  }

  #take(name: string, length: number): Uint8Array {
    const end = this.#offset + length;
    if (end > this.#octets.length) throw this.#tooShort(name);
    const value = this.#octets.subarray(this.#offset, end);
    this.#offset = end;
    return value;
  }

  #tooShort(name: string): DecodeError {
    return new DecodeError(`ends before ${name} does`, { offset: this.#offset, clause: 'SMPP 3.4 §4' });
  }
}

function missing(form: Field[1]): number | string | Uint8Array {
  switch (form) {
    case 'octet':
      return 0;
    case 'text':
      return '';
    case 'octets':
      return new Uint8Array();
  }
}

function viewOf(octets: Uint8Array): DataView {
  return new DataView(octets.buffer, octets.byteOffset, octets.length);
}
