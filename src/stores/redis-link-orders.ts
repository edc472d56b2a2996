/** What operators have told links to message centres, for all gateway processes and for as long as this Redis lasts: one small hash. */
import type { LinkOrder } from '../transports/smpp/link-options.js';
import * as keys from './keys.js';
import type { RedisClient } from './redis-connection.js';

export class RedisLinkOrders {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** By the name of the link. A link that is not among them runs; one that is may be unknown to this process. */
  async all(): Promise<ReadonlyMap<string, LinkOrder>> {
    const orders = await this.#redis.hgetall(keys.linkOrdersKey);
    return new Map(Object.entries(orders).map(([link, order]) => [link, JSON.parse(order) as LinkOrder]));
  }

  /** Durable when it resolves. Undefined: the link is to run. Safe to repeat. */
  async give(link: string, order: LinkOrder | undefined): Promise<void> {
    if (order === undefined) await this.#redis.hdel(keys.linkOrdersKey, link);
    else await this.#redis.hset(keys.linkOrdersKey, link, JSON.stringify(order));
  }
}
