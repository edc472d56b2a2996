/** SIRs that are kept while terminals may cite them: over Redis of the tests' own. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SirRecord } from '../../src/push/sir.js';
import * as keys from '../../src/stores/keys.js';
import type { RedisClient } from '../../src/stores/redis-connection.js';
import { RedisSirs } from '../../src/stores/redis-sirs.js';
import { ALICE, PC, PHONE } from '../support/pushes.js';
import { TestRedis } from '../support/redis.js';

const NOW = 1_700_000_000_000;
const record: SirRecord = {
  id: `${PHONE}.abc`,
  user: ALICE,
  mode: 'open',
  bearer: 'sip',
  terminal: PHONE,
  mayOpen: [PHONE, PC],
  applicationId: 'x-wap-application:mms.ua',
  return: ['preference'],
  send: [],
  createdAt: NOW,
  expiresAt: NOW + 60_000,
};

let server: TestRedis;
let redis: RedisClient;
let sirs: RedisSirs;
beforeAll(async () => {
  server = await TestRedis.start();
  redis = server.client();
  sirs = new RedisSirs(redis, { now: () => NOW, keptMs: 30_000 });
});
beforeEach(() => redis.flushall());
afterAll(() => server?.stop());

describe('a SIR', () => {
  it('is found as it was kept', async () => {
    await sirs.keep(record);
    expect(await sirs.find(record.id)).toEqual(record);
  });

  it('is known for a while after it has expired, and then no more', async () => {
    await sirs.keep(record);
    const life = await redis.pttl(keys.sirKey(record.id));
    expect(life).toBeGreaterThan(60_000);
    expect(life).toBeLessThanOrEqual(90_000);
  });

  it('that has expired already is kept for that while', async () => {
    await sirs.keep({ ...record, expiresAt: NOW - 5000 });
    expect(await redis.pttl(keys.sirKey(record.id))).toBeGreaterThan(20_000);
  });

  it.each(['', 'nothing', 'x'.repeat(100_000)])('is not found under an id that nobody gave', async (id) => {
    expect(await sirs.find(id)).toBeUndefined();
  });
});
