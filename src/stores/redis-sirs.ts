/** SIRs in Redis while terminals may follow them, answer them, and return what they asked for: one record under the id, which lapses. */
import type { SirRecord, SirStore } from '../push/sir.js';
import * as keys from './keys.js';
import type { RedisClient } from './redis-connection.js';

export interface RedisSirsOptions {
  readonly now: () => number;
  /** How long a SIR is known after it has expired: returns come by SMS, or when a phone is charged again. */
  readonly keptMs: number;
}

export class RedisSirs implements SirStore {
  readonly #redis: RedisClient;
  readonly #options: RedisSirsOptions;

  constructor(redis: RedisClient, options: RedisSirsOptions) {
    this.#redis = redis;
    this.#options = options;
  }

  async keep(record: SirRecord): Promise<void> {
    const { now, keptMs } = this.#options;
    const lifeMs = Math.max(1, record.expiresAt - now()) + keptMs;
    await this.#redis.set(keys.sirKey(record.id), JSON.stringify(record), 'PX', Math.ceil(lifeMs));
  }

  async find(id: string): Promise<SirRecord | undefined> {
    if (id.length > keys.MAX_SIR_ID_LENGTH) return undefined;
    const text = await this.#redis.get(keys.sirKey(id));
    return text === null ? undefined : (JSON.parse(text) as SirRecord);
  }
}
