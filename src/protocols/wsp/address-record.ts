/**
 * Address records of WSP redirects (WAP-230 §8.2.2.3) and of SIA bodies (WAP-235 §8.2): a flags octet with the address length, then
 * bearer type, port and address as flagged. Addresses are octets; IP addresses have helpers of their own.
 */
import { DecodeError, InvariantError } from '../../kernel/errors.js';
import { type OctetReader, OctetWriter } from './octets.js';

export interface ContactPoint {
  /** Bearer type of WDP (0x03 GSM SMS, 0x0B GSM GPRS …); absent when the record does not say. */
  readonly bearer?: number;
  readonly port?: number;
  /** At most 63 octets. */
  readonly address: Uint8Array;
}

/** WDP bearer type of an IP address reached over packet data (WAP-259 appendix C). */
const BEARER_GPRS = 0x0b;

const HAS_BEARER = 0x80;
const HAS_PORT = 0x40;
const LENGTH_MASK = 0x3f;

/** Reads records up to the end of the reader. */
export function readContactPoints(
  reader: OctetReader,
  limits: { readonly maxEntries: number },
): readonly ContactPoint[] {
  const points: ContactPoint[] = [];
  while (reader.remaining > 0) {
    if (points.length >= limits.maxEntries) {
      throw new DecodeError('too many contact points', { offset: reader.offset, code: 'limitExceeded' });
    }
    const flags = reader.octet();
    const bearer = (flags & HAS_BEARER) === 0 ? undefined : reader.octet();
    const port = (flags & HAS_PORT) === 0 ? undefined : reader.octet() * 256 + reader.octet();
    const address = reader.take(flags & LENGTH_MASK);
    points.push({
      ...(bearer === undefined ? {} : { bearer }),
      ...(port === undefined ? {} : { port }),
      address,
    });
  }
  return points;
}

export function writeContactPoints(points: readonly ContactPoint[]): Uint8Array {
  const writer = new OctetWriter();
  for (const { bearer, port, address } of points) {
    if (address.length > LENGTH_MASK) throw new InvariantError('a contact address has at most 63 octets');
    const flags = (bearer === undefined ? 0 : HAS_BEARER) | (port === undefined ? 0 : HAS_PORT);
    writer.octet(flags | address.length);
    if (bearer !== undefined) writer.octet(bearer);
    if (port !== undefined) writer.octet(port >> 8).octet(port & 0xff);
    writer.append(address);
  }
  return writer.written();
}

/** A contact point of an IPv4 or IPv6 address; undefined when the text is neither (a host name has no record here). */
export function ipContactPoint(
  address: string,
  port: number,
  bearer = BEARER_GPRS,
): ContactPoint | undefined {
  const octets = ipv4Octets(address) ?? ipv6Octets(address.replace(/^\[(.*)\]$/, '$1'));
  return octets === undefined ? undefined : { bearer, port, address: octets };
}

/** The IP address of a contact point as text; undefined when its address is not 4 or 16 octets long. */
export function ipOfContactPoint({ address }: ContactPoint): string | undefined {
  if (address.length === 4) return address.join('.');
  if (address.length !== 16) return undefined;
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((address[index * 2] ?? 0) << 8) | (address[index * 2 + 1] ?? 0)).toString(16),
  );
  return groups.join(':');
}

function ipv4Octets(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (
    parts.length !== 4 ||
    !parts.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255)
  ) {
    return undefined;
  }
  return Uint8Array.from(parts, Number);
}

function ipv6Octets(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...tail];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return Uint8Array.from(
    groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]),
  );
}
