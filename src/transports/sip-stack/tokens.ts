/** Unguessable identifiers of the SIP layer: branches, tags, Call-IDs (RFC 3261 §8.1.1.7, §19.3). */
import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 8192;
const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
let used = POOL_BYTES;

/** `size` random octets in hexadecimal; drawn from a pool, because one system call per token would cost more than parsing. */
export function randomToken(size: number): string {
  if (used + size > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const token = pool.toString('hex', used, used + size);
  pool.fill(0, used, used + size);
  used += size;
  return token;
}

/** A Via branch: the magic cookie of RFC 3261 and 128 random bits. */
export function newBranch(): string {
  return `z9hG4bK${randomToken(16)}`;
}

/** A From or To tag of 64 random bits. */
export function newTag(): string {
  return randomToken(8);
}
