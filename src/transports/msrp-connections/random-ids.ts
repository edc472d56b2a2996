/**
 * Identifiers that nobody can guess. Transaction ids carry 71 random bits (RFC 4975 §7.1 asks for 64, so that end-lines
 * do not occur in content by chance), session-ids 128 (§14.1: whoever knows one can take the session).
 */
import { randomBytes, randomFillSync } from 'node:crypto';
import { hasEndLine } from '../../protocols/msrp/index.js';

/** `ident` characters (RFC 4975 §9). The first of an id must be a letter or digit: one of the first 32. */
const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.+', 'latin1');
const ID_LENGTH = 12;
const pool = Buffer.allocUnsafeSlow(ID_LENGTH * 1024);
let used = pool.length;

/** A fresh transaction id, also fit as a Message-ID. Cut from a pool, since every chunk and report needs one. */
export function newTransactionId(): string {
  if (used === pool.length) refill();
  used += ID_LENGTH;
  return pool.toString('latin1', used - ID_LENGTH, used);
}

/**
 * A fresh transaction id whose end-line does not occur in `content` (RFC 4975 §7.1). A content provider that has seen ids of ours
 * cannot foresee the next one, but nothing is left to chance.
 */
export function transactionIdFor(content: Uint8Array, newId: () => string = newTransactionId): string {
  let id = newId();
  while (hasEndLine(content, id)) id = newId();
  return id;
}

export function newSessionId(): string {
  return randomBytes(16).toString('base64url');
}

function refill(): void {
  randomFillSync(pool);
  for (let i = 0; i < pool.length; i += 1) {
    const random = (pool[i] ?? 0) & (i % ID_LENGTH === 0 ? 31 : 63);
    pool[i] = ALPHABET[random] ?? 0;
  }
  used = 0;
}
