/** What operators have told links, in Redis. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RedisLinkOrders } from '../../src/stores/redis-link-orders.js';
import { TestRedis } from '../support/redis.js';

let server: TestRedis;
beforeAll(async () => {
  server = await TestRedis.start();
});
afterAll(() => server?.stop());

it('is kept until a link is to run again, and seen by whoever looks', async () => {
  const [one, two] = [new RedisLinkOrders(server.client()), new RedisLinkOrders(server.client())];
  expect(await one.all()).toEqual(new Map());
  const [paused, draining] = [
    { mode: 'paused', since: 5, reason: 'work "on" it' },
    { mode: 'draining', since: 6 },
  ] as const;
  await one.give('a', paused);
  await one.give('b', draining);
  expect(await two.all()).toEqual(
    new Map<string, object>([
      ['a', paused],
      ['b', draining],
    ]),
  );
  await two.give('a', undefined);
  await two.give('a', undefined);
  expect([...(await one.all()).keys()]).toEqual(['b']);
});
