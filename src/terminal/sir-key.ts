/** The key that a terminal shares with the gateway: signs what the terminal returns, proves what the gateway sent (SIR-150, C-17). */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** HMAC-SHA-256, base64url. */
export function signWith(key: string, octets: Uint8Array): string {
  return createHmac('sha256', key).update(octets).digest('base64url');
}

/** The `verifySignature` of a safety check. */
export function verifierWith(key: string): (signed: Uint8Array, signature: string) => boolean {
  return (signed, signature) => {
    const [expected, given] = [Buffer.from(signWith(key, signed)), Buffer.from(signature.replace(/=+$/, ''))];
    return expected.length === given.length && timingSafeEqual(expected, given);
  };
}
