/**
 * Parts of messages of subscribers in Redis, until all of a message are there, on whichever connection and node they come. A message whose parts do not
 * come is forgotten, and one sender cannot fill the memory with such.
 */
import { createHash } from 'node:crypto';
import * as keys from './keys.js';
import { addIncomingPart, forgetIncomingParts } from './lua/incoming-parts.js';
import type { RedisClient } from './redis-connection.js';

export interface RedisIncomingPartsOptions {
  readonly now: () => number;
  /** How long the parts of a message may be apart. */
  readonly lifeMs: number;
  /** Incomplete messages of one sender. */
  readonly maxIncomplete: number;
}

interface Part {
  readonly from: string;
  readonly to: string;
  readonly reference: number;
  readonly total: number;
  readonly number: number;
  readonly octets: Uint8Array;
  readonly dataCoding: number;
}

export class RedisIncomingParts {
  readonly #redis: RedisClient;
  readonly #options: RedisIncomingPartsOptions;

  constructor(redis: RedisClient, options: RedisIncomingPartsOptions) {
    this.#redis = redis;
    this.#options = options;
  }

  /** The first that came under a number counts. */
  async add(part: Part): Promise<readonly Pick<Part, 'octets' | 'dataCoding'>[] | undefined> {
    const { now, lifeMs, maxIncomplete } = this.#options;
    const { number, total, octets, dataCoding } = part;
    const written = `${dataCoding} ${Buffer.from(octets).toString('base64')}`;
    const all = await addIncomingPart.run(this.#redis, keysOf(part), [
      number,
      total,
      written,
      now(),
      lifeMs,
      maxIncomplete,
    ]);
    return Array.isArray(all) ? all.map((one) => readPart(String(one))) : undefined;
  }

  async done(part: Part): Promise<void> {
    await forgetIncomingParts.run(this.#redis, keysOf(part), []);
  }
}

function readPart(text: string): Pick<Part, 'octets' | 'dataCoding'> {
  const [coding = '0', octets = ''] = text.split(' ');
  return { dataCoding: Number(coding), octets: Buffer.from(octets, 'base64') };
}

/** Numbers are what somebody wrote; their digest is not. */
function keysOf({ from, to, reference, total }: Part): readonly string[] {
  const sender = createHash('sha256').update(from).digest('hex').slice(0, 32);
  const message = createHash('sha256')
    .update(JSON.stringify([from, to, reference, total]))
    .digest('hex')
    .slice(0, 32);
  return [keys.incomingPartsKey(sender, message), keys.incompleteKey(sender)];
}
