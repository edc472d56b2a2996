/** The keys of a Web Push subscription (RFC 8291 §2), checked once when they come in: a key that is no point of the curve would fail at every push. */
import { createPublicKey } from 'node:crypto';
import { DecodeError } from '../kernel/errors.js';
import type { BearerName } from './bearer-name.js';
import type { SubscriptionKeys } from './user.js';

const POINT_OCTETS = 65;
const UNCOMPRESSED = 0x04;
const AUTH_OCTETS = 16;

/** The keys in base64url without padding; undefined when there are none. Throws DecodeError, which does not repeat them. */
export function subscriptionKeys(
  bearer: BearerName,
  { address, keys }: { readonly address?: string | undefined; readonly keys?: SubscriptionKeys | undefined },
): SubscriptionKeys | undefined {
  if (keys === undefined) return undefined;
  if (bearer !== 'web-push') throw new DecodeError(`bearer ${bearer} has no keys`);
  if (address === undefined) throw new DecodeError('keys without the address that they belong to');
  const point = octets(keys.p256dh);
  if (point.length !== POINT_OCTETS || point[0] !== UNCOMPRESSED || !isOnCurve(point))
    throw new DecodeError('p256dh is no uncompressed point of P-256 in base64url', {
      clause: 'RFC 8291 §2.1',
    });
  const auth = octets(keys.auth);
  if (auth.length !== AUTH_OCTETS)
    throw new DecodeError('auth is not 16 octets in base64url', { clause: 'RFC 8291 §2.2' });
  return { p256dh: point.toString('base64url'), auth: auth.toString('base64url') };
}

/** Either alphabet of Base64, with or without padding: libraries of page authors write all of them. */
function octets(text: string): Buffer {
  return /^[A-Za-z0-9+/_-]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : Buffer.alloc(0);
}

function isOnCurve(point: Buffer): boolean {
  const x = point.subarray(1, 33).toString('base64url');
  const y = point.subarray(33).toString('base64url');
  try {
    createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
    return true;
  } catch {
    return false;
  }
}
