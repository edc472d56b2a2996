/**
 * Octets for an application on a handset as the user data of short messages: one, or as many parts as it takes, each with the ports
 * (WDP over SMS, WAP-259 §6; 3GPP TS 23.040 §9.2.3.24). A part is cut wherever it is full: what stands in the octets may straddle.
 */
import { RefusedError } from '../../kernel/errors.js';
import { encodeHeader, MAX_PARTS, type Part, type Ports } from './user-data-header.js';

/** Octets of user data in one short message, header included (§9.2.3.16). */
export const USER_DATA_OCTETS = 140;

/** The client side of connectionless WAP push, and where it comes from (IANA). */
export const WAP_PUSH_PORTS: Ports = { destination: 2948, source: 9200 };

export type Reference = Pick<Part, 'reference' | 'referenceBits'>;

/** How many parts so many octets take. May be more than one message can have. */
export function partCount(octets: number, ports: Ports, referenceBits: 8 | 16): number {
  if (octets <= USER_DATA_OCTETS - encodeHeader({ ports }).length) return 1;
  return Math.ceil(octets / partOctets(ports, referenceBits));
}

/** User data with its header, one for each part. Throws RefusedError `limitExceeded` beyond 255 parts. */
export function segment(octets: Uint8Array, ports: Ports, reference: Reference): readonly Uint8Array[] {
  const total = partCount(octets.length, ports, reference.referenceBits);
  if (total === 1) return [Buffer.concat([encodeHeader({ ports }), octets])];
  if (total > MAX_PARTS)
    throw new RefusedError('limitExceeded', `${total} parts are too many for a short message`);
  const size = partOctets(ports, reference.referenceBits);
  return Array.from({ length: total }, (_, index) => {
    const header = encodeHeader({ ports, part: { ...reference, total, number: index + 1 } });
    return Buffer.concat([header, octets.subarray(index * size, (index + 1) * size)]);
  });
}

function partOctets(ports: Ports, referenceBits: 8 | 16): number {
  const part: Part = { reference: 0, referenceBits, total: 2, number: 1 };
  return USER_DATA_OCTETS - encodeHeader({ ports, part }).length;
}
