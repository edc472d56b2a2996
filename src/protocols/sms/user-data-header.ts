/**
 * User data header of a short message (3GPP TS 23.040 §9.2.3.24): which part of a longer message this is, and the ports of the application
 * that it is for. Elements stand in any order, both ways occur; elements that we do not know are passed over. Of one that repeats the last
 * counts, as the specification has it.
 */
import { DecodeError, RefusedError } from '../../kernel/errors.js';

export interface Ports {
  readonly destination: number;
  readonly source: number;
}

/** A part of a message, counted from 1. Parts of one message have the same reference, from the same sender. */
export interface Part {
  readonly reference: number;
  /** Width of the reference on the wire. */
  readonly referenceBits: 8 | 16;
  readonly total: number;
  readonly number: number;
}

export interface UserDataHeader {
  readonly ports?: Ports;
  readonly part?: Part;
}

const CONCATENATED_8 = 0x00;
const CONCATENATED_16 = 0x08;
const PORTS_8 = 0x04;
const PORTS_16 = 0x05;

/** Parts that one message can have. */
export const MAX_PARTS = 255;

/** Splits user data that has a header into that and the rest, which is a view. Throws DecodeError. */
export function decodeUserData(octets: Uint8Array): {
  readonly header: UserDataHeader;
  readonly data: Uint8Array;
} {
  const [length] = octets;
  if (length === undefined) throw new DecodeError('user data without its header', { clause: CLAUSE });
  const end = 1 + length;
  if (end > octets.length)
    throw new DecodeError('the header is longer than the user data', { clause: CLAUSE });
  return { header: decodeElements(octets.subarray(1, end)), data: octets.subarray(end) };
}

/** The header with its length in front: concatenation first, then ports. */
export function encodeHeader({ ports, part }: UserDataHeader): Uint8Array {
  const elements = Buffer.concat([
    ...(part ? [partElement(part)] : []),
    ...(ports ? [portsElement(ports)] : []),
  ]);
  return Buffer.concat([Buffer.of(elements.length), elements]);
}

const CLAUSE = '3GPP TS 23.040 §9.2.3.24';

function decodeElements(octets: Uint8Array): UserDataHeader {
  let ports: Ports | undefined;
  let part: Part | undefined;
  for (let offset = 0; offset < octets.length; ) {
    const [id, length] = [octets[offset], octets[offset + 1]];
    const start = offset + 2;
    if (id === undefined || length === undefined || start + length > octets.length) {
      throw new DecodeError('an element ends behind its header', { offset, clause: CLAUSE });
    }
    const value = octets.subarray(start, start + length);
    ports = portsIn(id, value) ?? ports;
    part = partIn(id, value) ?? part;
    offset = start + length;
  }
  return { ...(ports === undefined ? {} : { ports }), ...(part === undefined ? {} : { part }) };
}

/** §9.2.3.24.3, §9.2.3.24.4. Of a wrong length it is ignored. */
function portsIn(id: number, value: Uint8Array): Ports | undefined {
  const [a = 0, b = 0, c = 0, d = 0] = value;
  if (id === PORTS_16 && value.length === 4) return { destination: a * 256 + b, source: c * 256 + d };
  if (id === PORTS_8 && value.length === 2) return { destination: a, source: b };
  return undefined;
}

/** §9.2.3.24.1, §9.2.3.24.8: a part that cannot be is none, and the message stands alone. */
function partIn(id: number, value: Uint8Array): Part | undefined {
  const [a = 0, b = 0, c = 0, d = 0] = value;
  const part =
    id === CONCATENATED_8 && value.length === 3
      ? ({ reference: a, referenceBits: 8, total: b, number: c } as const)
      : id === CONCATENATED_16 && value.length === 4
        ? ({ reference: a * 256 + b, referenceBits: 16, total: c, number: d } as const)
        : undefined;
  return part && part.number >= 1 && part.number <= part.total ? part : undefined;
}

function partElement({ reference, referenceBits, total, number }: Part): Buffer {
  const isWithin = (value: number, least: number, most: number) =>
    Number.isInteger(value) && value >= least && value <= most;
  if (
    !isWithin(total, 1, MAX_PARTS) ||
    !isWithin(number, 1, total) ||
    !isWithin(reference, 0, 2 ** referenceBits - 1)
  ) {
    throw new RefusedError('malformed', 'a part of a short message that cannot be');
  }
  return referenceBits === 8
    ? Buffer.of(CONCATENATED_8, 3, reference, total, number)
    : Buffer.of(CONCATENATED_16, 4, reference >> 8, reference & 0xff, total, number);
}

function portsElement({ destination, source }: Ports): Buffer {
  const element = Buffer.of(PORTS_16, 4, 0, 0, 0, 0);
  element.writeUInt16BE(destination, 2);
  element.writeUInt16BE(source, 4);
  return element;
}
