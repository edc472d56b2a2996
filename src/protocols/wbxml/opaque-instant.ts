/**
 * Instants as SI and EMN write them (WAP-167, OMA-Push-EMN-V1_0): YYYYMMDDhhmmss in UTC, two decimal digits to an octet,
 * trailing zero octets left out.
 */
import { DecodeError } from '../../kernel/errors.js';
import { formatTimestamp, parseTimestamp } from '../xml/index.js';

const OCTETS = 7;
/** Year, month and day: none of month and day is ever zero, so no writer leaves out more. */
const SHORTEST = 4;

/** The octets of an instant in milliseconds; fractions of a second are dropped. */
export function encodeOpaqueInstant(instant: number): Uint8Array {
  const octets = Buffer.from(formatTimestamp(instant).replace(/[^0-9]/g, ''), 'hex');
  let length = octets.length;
  while (octets[length - 1] === 0) length -= 1;
  return octets.subarray(0, length);
}

/** Milliseconds since the epoch. Throws DecodeError when the octets are no digits or no moment. */
export function decodeOpaqueInstant(octets: Uint8Array): number {
  const digits = Buffer.from(octets)
    .toString('hex')
    .padEnd(OCTETS * 2, '0');
  const text = digits.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6Z');
  const instant = octets.length < SHORTEST ? undefined : parseTimestamp(text);
  if (instant === undefined) throw new DecodeError('opaque octets that are no instant');
  return instant;
}
