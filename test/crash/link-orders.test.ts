/** An operator's word for a link stands on every gateway of one Redis, and when a gateway is killed (SIR-172). */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { E2eGateway, when } from '../support/e2e-gateway.js';
import { TestRedis } from '../support/redis.js';
import { Smsc } from '../support/smsc.js';

let redis: TestRedis;
let smsc: Smsc;
let one: E2eGateway;
let two: E2eGateway;

beforeAll(async () => {
  [redis, smsc] = [await TestRedis.start(), await Smsc.start()];
  const link = { host: '127.0.0.1', port: smsc.port, systemId: 'c', password: 'secret', sender: '+43800123' };
  const environment = {
    CARILLON_REDIS_URL: `unix://${join(redis.directory, 'redis.sock')}`,
    CARILLON_SMPP: JSON.stringify([
      { ...link, name: 'a' },
      { ...link, name: 'b', prefixes: ['+1'] },
    ]),
  };
  one = await E2eGateway.start(environment);
  two = await E2eGateway.start(environment);
});
afterAll(async () => {
  await one?.[Symbol.asyncDispose]();
  await two?.[Symbol.asyncDispose]();
  await smsc?.[Symbol.asyncDispose]();
  await redis?.stop();
});

interface Link {
  readonly name: string;
  readonly state: string;
  readonly mode: string;
  readonly hold?: { readonly reason?: string; readonly since: string };
}

const linkOf = async (gateway: E2eGateway, name: string) =>
  (await gateway.admin('GET', `/links/${name}`)).body as Link;
const becomes = (gateway: E2eGateway, name: string, mode: string) =>
  when(
    () => linkOf(gateway, name),
    (link) => link.mode === mode && link.state === 'bound',
    `link ${name}`,
  );

it('a link that is paused on one gateway is paused on the other, and still is when both were killed', async () => {
  const reason = 'the SMSC is being moved';
  const answer = (await one.admin('PATCH', '/links/a', { mode: 'paused', reason })).body as Link;
  expect(answer).toMatchObject({ mode: 'paused', hold: { reason } });
  expect((await becomes(two, 'a', 'paused')).hold?.reason).toBe(reason);
  expect((await linkOf(two, 'b')).mode).toBe('running');

  await one.crashAndRestart();
  await two.crashAndRestart();
  const [first, second] = [await becomes(one, 'a', 'paused'), await becomes(two, 'a', 'paused')];
  expect(first.hold).toEqual(answer.hold);
  expect(second.hold).toEqual(first.hold);

  await two.admin('PATCH', '/links/b', { mode: 'draining' });
  await becomes(one, 'b', 'draining');

  await one.admin('PATCH', '/links/a', { mode: 'running' });
  expect(await becomes(two, 'a', 'running')).not.toHaveProperty('hold');
});
