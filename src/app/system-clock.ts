/** The real clock and real chance behind the ports of `kernel/clock`. */
import { randomFillSync } from 'node:crypto';
import type { Clock, RandomBytes } from '../kernel/clock.js';

const MAX_TIMEOUT_MS = 0x7fff_ffff; // Node fires at once above this

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, Math.min(Math.max(delayMs, 0), MAX_TIMEOUT_MS));
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Drawn ahead: a draw costs the same for a few octets as for a page of them, and every push needs a few. */
const pool = Buffer.alloc(4096);
let used = pool.length;

export const randomBytes: RandomBytes = (size) => {
  if (size > pool.length) return randomFillSync(Buffer.alloc(size));
  if (used + size > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const drawn = Buffer.from(pool.subarray(used, used + size));
  pool.fill(0, used, used + size); // what has been given away is a secret of others now
  used += size;
  return drawn;
};
