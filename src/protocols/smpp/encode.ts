/** PDU to octets (SMPP 3.4 §3.2, §4). Strict: what does not fit into its field is refused, never cut. */
import { RefusedError } from '../../kernel/errors.js';
import { COMMANDS, type CommandName, type Field } from './command-table.js';
import { HEADER_OCTETS } from './decode.js';
import type { Pdu, PduOf } from './pdu.js';

/** Throws RefusedError `malformed` for a value that its field cannot hold. */
export function encodePdu<Name extends CommandName>(pdu: PduOf<Name>): Buffer {
  const { command, status, sequence, parameters } = pdu as Pdu;
  const { id, fields } = COMMANDS[command];
  const body = pdu.body as Readonly<Record<string, unknown>>;
  // A response that says no has no body (§4.1.2 and its like).
  const isBare = status !== 0;
  const written = isBare
    ? []
    : (fields as readonly Field[]).map((field) => fieldOctets(field, body[field[0]]));
  const options = [...parameters].map(([tag, value]) => parameterOctets(tag, value));
  const header = Buffer.alloc(HEADER_OCTETS);
  const octets = Buffer.concat([header, ...written, ...options]);
  octets.writeUInt32BE(octets.length, 0);
  octets.writeUInt32BE(id, 4);
  octets.writeUInt32BE(status, 8);
  octets.writeUInt32BE(sequence, 12);
  return octets;
}

function fieldOctets([name, form, size]: Field, value: unknown): Buffer {
  if (form === 'octet' && isOctet(value)) return Buffer.of(value);
  if (form === 'text' && typeof value === 'string') {
    if (value.length >= size || !/^[\x01-\x7f]*$/.test(value)) {
      throw new RefusedError('malformed', `${name} takes at most ${size - 1} ASCII characters`);
    }
    return Buffer.from(`${value}\0`, 'latin1');
  }
  if (form === 'octets' && value instanceof Uint8Array && value.length <= size) {
    return Buffer.concat([Buffer.of(value.length), value]);
  }
  throw new RefusedError('malformed', `${name} does not fit into its field`);
}

function parameterOctets(tag: number, value: Uint8Array): Buffer {
  if (value.length > 0xffff) throw new RefusedError('malformed', 'an optional parameter is too long');
  const head = Buffer.alloc(4);
  head.writeUInt16BE(tag, 0);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value]);
}

function isOctet(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xff;
}
