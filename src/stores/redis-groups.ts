/** Groups in Redis: one string for each, and their addresses in order for the list. */
import type { Group, GroupDirectory } from '../registry/group.js';
import type { PublicUserIdentity } from '../registry/public-user-identity.js';
import * as keys from './keys.js';
import type { RedisClient } from './redis-connection.js';

export class RedisGroupDirectory implements GroupDirectory {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  async findGroup(address: string): Promise<Group | undefined> {
    const text = await this.#redis.get(keys.groupKey(address as PublicUserIdentity));
    return text === null ? undefined : (JSON.parse(text) as Group);
  }

  /** The list comes first: a group that is listed and not there is passed over, one that is there and not listed would stay unseen. */
  async putGroup(group: Group): Promise<boolean> {
    await this.#redis.zadd(keys.groupsKey, 0, group.id);
    const before = await this.#redis.set(keys.groupKey(group.id), JSON.stringify(group), 'GET');
    return before === null;
  }

  async deleteGroup(id: PublicUserIdentity): Promise<boolean> {
    const removed = await this.#redis.del(keys.groupKey(id));
    await this.#redis.zrem(keys.groupsKey, id);
    return removed === 1;
  }

  async listGroups(options: {
    readonly cursor?: string;
    readonly limit: number;
  }): Promise<{ readonly groups: readonly Group[]; readonly cursor?: string }> {
    const after = options.cursor === undefined ? '-' : `(${options.cursor}`;
    const ids = await this.#redis.zrangebylex(keys.groupsKey, after, '+', 'LIMIT', 0, options.limit);
    const found = await Promise.all(ids.map((id) => this.findGroup(id)));
    const last = ids.at(-1);
    return {
      groups: found.filter((group) => group !== undefined),
      ...(ids.length === options.limit && last !== undefined ? { cursor: last } : {}),
    };
  }
}
