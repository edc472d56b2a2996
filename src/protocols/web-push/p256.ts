/** Keys of the curve P-256 from the raw octets in which Web Push passes them around. */
import { createECDH, createPrivateKey, type ECDH, type KeyObject } from 'node:crypto';
import type { RandomBytes } from '../../kernel/clock.js';
import { InvariantError } from '../../kernel/errors.js';

export const PRIVATE_KEY_OCTETS = 32;

/** Undefined when the octets are no private key: zero, or not below the order of the curve. */
export function keyPair(privateKey: Uint8Array): ECDH | undefined {
  const pair = createECDH('prime256v1');
  try {
    pair.setPrivateKey(privateKey);
    return pair;
  } catch {
    return undefined;
  }
}

/** One set of octets in four thousand million is no key. */
const MOST_TRIES = 4;

export function newKeyPair(randomBytes: RandomBytes): ECDH {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const pair = keyPair(randomBytes(PRIVATE_KEY_OCTETS));
    if (pair) return pair;
  }
  throw new InvariantError('chance gives no keys');
}

/** The private key as Node signs with it. */
export function signingKey(pair: ECDH): KeyObject {
  const point = pair.getPublicKey();
  const x = point.subarray(1, 33).toString('base64url');
  const y = point.subarray(33).toString('base64url');
  // Leading zero octets belong to the key, and Node gives it without them.
  const d = pair.getPrivateKey('hex').padStart(2 * PRIVATE_KEY_OCTETS, '0');
  const jwk = { kty: 'EC', crv: 'P-256', x, y, d: Buffer.from(d, 'hex').toString('base64url') };
  return createPrivateKey({ key: jwk, format: 'jwk' });
}
