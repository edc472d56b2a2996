/**
 * Voluntary Application Server Identification (RFC 8292): the token by which a push service knows who sends to its subscriptions, and whom
 * to write to. A subscription belongs to the key under which it was made, so the key has to stay.
 */
import { sign } from 'node:crypto';
import { DecodeError } from '../../kernel/errors.js';
import { keyPair, signingKey } from './p256.js';

/** A token must not be good for more than a day (RFC 8292 §2). */
export const VAPID_LIFE_MS = 12 * 3_600_000;

export class VapidKey {
  readonly #key: ReturnType<typeof signingKey>;
  /** `applicationServerKey` of the Push API: the uncompressed point, base64url. */
  readonly publicKey: string;

  /** Throws DecodeError, which does not repeat the key, when the octets are no private key of P-256. */
  constructor(privateKey: Uint8Array) {
    const pair = keyPair(privateKey);
    if (!pair) throw new DecodeError('not a private key of P-256', { clause: 'RFC 8292 §2' });
    this.#key = signingKey(pair);
    this.publicKey = pair.getPublicKey().toString('base64url');
  }

  /** Value of `Authorization` for the push service at `origin`. `subject`: mailto: or https:; `expiresAt` in milliseconds since the epoch. */
  authorization(origin: string, subject: string, expiresAt: number): string {
    const claims = { aud: origin, exp: Math.floor(expiresAt / 1000), sub: subject };
    const signed = [{ typ: 'JWT', alg: 'ES256' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const signature = sign('sha256', Buffer.from(signed), { key: this.#key, dsaEncoding: 'ieee-p1363' });
    return `vapid t=${signed}.${signature.toString('base64url')}, k=${this.publicKey}`;
  }
}
