/**
 * Passwords of push initiators at rest: scrypt (RFC 7914) with a salt of its own and its parameters beside it, in the
 * field's usual text form `$scrypt$ln=15,r=8,p=1$<salt>$<hash>` (base64 without padding). Work is done off the event loop.
 * Comparing takes the same time whatever differs. How many run at once is bounded by the authenticator, not here.
 */
import { scrypt, timingSafeEqual } from 'node:crypto';
import type { RandomBytes } from '../kernel/clock.js';
import { InvariantError } from '../kernel/errors.js';
import { MIB } from '../kernel/units.js';

/** Cost of a new hash: N = 2^`logN`, 32 MiB and some 70 ms of one core. */
export interface ScryptCost {
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

export const SCRYPT_COST: ScryptCost = { logN: 15, r: 8, p: 1 };

const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** No stored hash may ask for more than this: whoever can write to the store must not be able to stop the gateway. */
const MAX_MEMORY_BYTES = 256 * MIB;
const FORM =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,86})\$([A-Za-z0-9+/]{22,86})$/;

/** The text under which a password is kept. Every call takes a new salt. */
export async function hashPassword(
  password: string,
  random: RandomBytes,
  cost: ScryptCost = SCRYPT_COST,
): Promise<string> {
  const salt = random(SALT_BYTES);
  const hash = await derive(password, salt, HASH_BYTES, cost);
  return `$scrypt$ln=${cost.logN},r=${cost.r},p=${cost.p}$${base64(salt)}$${base64(hash)}`;
}

/** True when the hash was made from this password. Throws InvariantError when it is not a hash of ours. */
export async function verifyPassword(password: string, passwordHash: string): Promise<boolean> {
  const [, logN, r, p, salt, hash] = FORM.exec(passwordHash) ?? [];
  if (salt === undefined || hash === undefined)
    throw new InvariantError('a stored password hash is unreadable');
  const expected = Buffer.from(hash, 'base64');
  const cost = { logN: Number(logN), r: Number(r), p: Number(p) };
  const actual = await derive(password, Buffer.from(salt, 'base64'), expected.length, cost);
  return timingSafeEqual(actual, expected);
}

function derive(password: string, salt: Uint8Array, length: number, cost: ScryptCost): Promise<Buffer> {
  // RFC 8265 §4.2: the same text typed on different systems has to be the same octets.
  const secret = Buffer.from(password.normalize('NFC'), 'utf8');
  const options = { N: 2 ** cost.logN, r: cost.r, p: cost.p, maxmem: MAX_MEMORY_BYTES };
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, length, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}
