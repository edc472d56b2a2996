/**
 * Message Encryption for Web Push (RFC 8291): content for one subscription, which its push service cannot read, as one record of
 * `aes128gcm` (RFC 8188). Decrypting is the browser's part and is not here. Chance is given.
 */
import { createCipheriv, hkdfSync } from 'node:crypto';
import type { RandomBytes } from '../../kernel/clock.js';
import { DecodeError, InvariantError } from '../../kernel/errors.js';
import { newKeyPair } from './p256.js';

const RECORD_OCTETS = 4096;
const SALT_OCTETS = 16;
const POINT_OCTETS = 65;
const TAG_OCTETS = 16;
const HEADER_OCTETS = SALT_OCTETS + 4 + 1 + POINT_OCTETS;
/** Of the only record. */
const LAST_RECORD = 0x02;

/** Largest content: push services need not take more than 4,096 octets altogether (RFC 8291 §4). */
export const MAX_PLAINTEXT_OCTETS = RECORD_OCTETS - HEADER_OCTETS - TAG_OCTETS - 1;

export interface Subscription {
  /** The user agent's public key and authentication secret, base64url. */
  readonly p256dh: string;
  readonly auth: string;
}

/** The body of the request to the push service. Throws DecodeError for a key that is no point of the curve. */
export function encryptMessage(
  plaintext: Uint8Array,
  { p256dh, auth }: Subscription,
  randomBytes: RandomBytes,
): Uint8Array {
  if (plaintext.length > MAX_PLAINTEXT_OCTETS) throw new InvariantError('too much for one push message');
  const own = newKeyPair(randomBytes);
  const ownPublic = own.getPublicKey();
  const theirPublic = Buffer.from(p256dh, 'base64url');
  const secret = sharedSecret(own, theirPublic);
  const keyInfo = Buffer.concat([Buffer.from('WebPush: info\0'), theirPublic, ownPublic]);
  const key = hkdfSync('sha256', secret, Buffer.from(auth, 'base64url'), keyInfo, 32);
  const salt = randomBytes(SALT_OCTETS);
  const derive = (info: string, length: number) =>
    Buffer.from(hkdfSync('sha256', Buffer.from(key), salt, Buffer.from(`${info}\0`), length));
  const contentKey = derive('Content-Encoding: aes128gcm', 16);
  const cipher = createCipheriv('aes-128-gcm', contentKey, derive('Content-Encoding: nonce', 12));
  const sealed = [cipher.update(plaintext), cipher.update(Buffer.from([LAST_RECORD])), cipher.final()];
  const head = Buffer.alloc(5);
  head.writeUInt32BE(RECORD_OCTETS);
  head[4] = POINT_OCTETS;
  return Buffer.concat([salt, head, ownPublic, ...sealed, cipher.getAuthTag()]);
}

function sharedSecret(own: ReturnType<typeof newKeyPair>, theirs: Buffer): Buffer {
  try {
    return own.computeSecret(theirs);
  } catch (cause) {
    throw new DecodeError('the public key of the subscription is no point of P-256', {
      clause: 'RFC 8291 §2.1',
      cause,
    });
  }
}
