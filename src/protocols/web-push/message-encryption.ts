/**
 * Message Encryption for Web Push (RFC 8291): content for one subscription, which its push service cannot read, as one record of
 * `aes128gcm` (RFC 8188); and the browser's part, which makes the keys of a subscription and decrypts. Chance is given.
 */
import { createCipheriv, createDecipheriv, type ECDH, hkdfSync } from 'node:crypto';
import type { RandomBytes } from '../../kernel/clock.js';
import { DecodeError, InvariantError } from '../../kernel/errors.js';
import { newKeyPair } from './p256.js';

const RECORD_OCTETS = 4096;
const SALT_OCTETS = 16;
const POINT_OCTETS = 65;
const TAG_OCTETS = 16;
const AUTH_OCTETS = 16;
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
  const salt = randomBytes(SALT_OCTETS);
  const { key, nonce } = recordKeys(secret, auth, { browser: theirPublic, sender: ownPublic }, salt);
  const cipher = createCipheriv('aes-128-gcm', key, nonce);
  const sealed = [cipher.update(plaintext), cipher.update(Buffer.from([LAST_RECORD])), cipher.final()];
  const head = Buffer.alloc(5);
  head.writeUInt32BE(RECORD_OCTETS);
  head[4] = POINT_OCTETS;
  return Buffer.concat([salt, head, ownPublic, ...sealed, cipher.getAuthTag()]);
}

/** A subscription as its browser has it: what it shows, and what only it can do. */
export interface OwnSubscription {
  readonly keys: Subscription;
  /** Throws DecodeError for a body that was not made for these keys, or has several records. */
  decrypt(body: Uint8Array): Uint8Array;
}

export function newSubscription(randomBytes: RandomBytes): OwnSubscription {
  const own = newKeyPair(randomBytes);
  const p256dh = own.getPublicKey('base64url');
  const auth = Buffer.from(randomBytes(AUTH_OCTETS)).toString('base64url');
  return { keys: { p256dh, auth }, decrypt: (body) => decryptMessage(body, own, auth) };
}

function decryptMessage(body: Uint8Array, own: ECDH, auth: string): Uint8Array {
  const octets = Buffer.from(body);
  const isSound =
    octets.length > HEADER_OCTETS + TAG_OCTETS &&
    octets[SALT_OCTETS + 4] === POINT_OCTETS &&
    // [RFC 8291 §4] One record: it has to hold all that there is.
    octets.readUInt32BE(SALT_OCTETS) >= octets.length - HEADER_OCTETS;
  if (!isSound) throw notForUs();
  const salt = octets.subarray(0, SALT_OCTETS);
  const sender = octets.subarray(HEADER_OCTETS - POINT_OCTETS, HEADER_OCTETS);
  const points = { browser: own.getPublicKey(), sender };
  const { key, nonce } = recordKeys(sharedSecret(own, sender), auth, points, salt);
  const decipher = createDecipheriv('aes-128-gcm', key, nonce);
  decipher.setAuthTag(octets.subarray(-TAG_OCTETS));
  let padded: Buffer;
  try {
    padded = Buffer.concat([decipher.update(octets.subarray(HEADER_OCTETS, -TAG_OCTETS)), decipher.final()]);
  } catch (cause) {
    throw notForUs(cause);
  }
  const end = padded.findLastIndex((octet) => octet !== 0);
  if (padded[end] !== LAST_RECORD) throw notForUs();
  return padded.subarray(0, end);
}

function notForUs(cause?: unknown): DecodeError {
  return new DecodeError('not a message for this subscription', { clause: 'RFC 8291 §4', cause });
}

function recordKeys(
  secret: Uint8Array,
  auth: string,
  { browser, sender }: { readonly browser: Uint8Array; readonly sender: Uint8Array },
  salt: Uint8Array,
): { readonly key: Buffer; readonly nonce: Buffer } {
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), browser, sender]);
  const key = Buffer.from(hkdfSync('sha256', secret, Buffer.from(auth, 'base64url'), info, 32));
  const derive = (what: string, length: number) =>
    Buffer.from(hkdfSync('sha256', key, salt, Buffer.from(`Content-Encoding: ${what}\0`), length));
  return { key: derive('aes128gcm', 16), nonce: derive('nonce', 12) };
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
