/**
 * What outside sources last said of each user's devices, in Redis: shared by all nodes and there after a restart. It lapses by itself a while
 * after the last of them spoke, for by then it says nothing about now.
 */
import type { PublicUserIdentity } from '../registry/public-user-identity.js';
import type { OutsideSourceName, SourceMemory, SourceState } from '../registry/terminal-source.js';
import * as keys from './keys.js';
import { saveSource } from './lua/save-source.js';
import type { RedisClient } from './redis-connection.js';

const KEPT_SECONDS = 86_400;

export class RedisSourceMemory implements SourceMemory {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  async save(user: PublicUserIdentity, source: OutsideSourceName, state: SourceState): Promise<void> {
    const record = JSON.stringify(state);
    await saveSource.run(
      this.#redis,
      [keys.userKey(user), keys.sourcesKey(user)],
      [source, record, KEPT_SECONDS],
    );
  }

  async load(user: PublicUserIdentity, source: OutsideSourceName): Promise<SourceState | undefined> {
    const record = await this.#redis.hget(keys.sourcesKey(user), source);
    return record === null ? undefined : (JSON.parse(record) as SourceState);
  }
}
