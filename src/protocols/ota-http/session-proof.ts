/**
 * How a terminal that opened a connection by itself shows who it is (TO-TCP): an HMAC over a nonce of the gateway, under a key of that
 * terminal alone. All keys derive from one secret of the operator, so that none has to be kept, and none can be made from another.
 * What is sent cannot be used again; against somebody in the middle of the connection only TLS helps.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

const SCHEME = 'HMAC-SHA256';

/** The key of one terminal: what it is provisioned with. `terminal` is its id as the admin API shows it. */
export function terminalKey(secret: string, terminal: string): Uint8Array {
  return createHmac('sha256', secret).update(terminal, 'utf8').digest();
}

/** Value of `X-Push-Authorization`. */
export function sessionProof(key: Uint8Array, nonce: string): string {
  return `${SCHEME} ${createHmac('sha256', key).update(nonce, 'utf8').digest('base64url')}`;
}

export function isSessionProof(given: string, key: Uint8Array, nonce: string): boolean {
  const [expected, presented] = [Buffer.from(sessionProof(key, nonce)), Buffer.from(given.trim())];
  return expected.length === presented.length && timingSafeEqual(expected, presented);
}
