/** The quotas of push initiators in memory and in Redis, and what Redis alone has to do: outlive crashes without drifting (SIR-168). */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CountedPush } from '../../src/push/initiator-quota.js';
import type { Push } from '../../src/push/push-message.js';
import { BlobDirectory } from '../../src/stores/blob-directory.js';
import type { RedisClient } from '../../src/stores/redis-connection.js';
import { RedisInitiatorQuotas } from '../../src/stores/redis-initiator-quotas.js';
import { RedisPushStore } from '../../src/stores/redis-push-store.js';
import { FakeClock } from '../support/fake-clock.js';
import { MemoryInitiatorQuotas } from '../support/memory-initiator-quotas.js';
import { aPush, HELLO, HOUR, PC, PHONE } from '../support/pushes.js';
import { TestRedis } from '../support/redis.js';
import { initiatorQuotasContract } from './initiator-quotas-contract.js';

let server: TestRedis;
let redis: RedisClient;
const clock = new FakeClock();
const now = () => clock.now();

beforeAll(async () => {
  server = await TestRedis.start();
  redis = server.client();
  mkdirSync(join(server.directory, 'blobs'));
});
afterAll(() => server?.stop());

initiatorQuotasContract('memory', () => new MemoryInitiatorQuotas({ now }));
initiatorQuotasContract('Redis', async () => {
  await redis.flushall();
  return new RedisInitiatorQuotas(redis, { now });
});

describe('pushes that are counted in Redis', () => {
  const LIMITS = { pendingPushes: 1000 };
  const AGE_MS = 60_000;
  let quotas: RedisInitiatorQuotas;
  let store: RedisPushStore;

  beforeEach(async () => {
    await redis.flushall();
    quotas = new RedisInitiatorQuotas(redis, { now });
    store = new RedisPushStore(redis, new BlobDirectory(join(server.directory, 'blobs')), {
      now,
      inlineBytes: 1000,
      retentionMs: HOUR,
      isCluster: false,
      uncount: (push) => quotas.release(push),
    });
  });

  async function counted(pushId: string): Promise<CountedPush> {
    const { initiator, uid } = aPush({ pushId });
    const push = { initiator, uid, acceptance: `of ${pushId}`.replace(' ', '-'), bytes: HELLO.length };
    await quotas.admit(push, LIMITS);
    return push;
  }

  async function held(pushId: string): Promise<Push> {
    const { acceptance } = await counted(pushId);
    const expiresAt = now() + HOUR;
    const push: Push = {
      ...aPush({ pushId, terminals: [PHONE, PC], acceptedAt: now(), expiresAt, size: HELLO.length }),
      isCounted: true,
    };
    await store.accept(push, HELLO, acceptance);
    return push;
  }

  const settle = (push: Push, terminal = PHONE) =>
    store.settle(push.uid, terminal, { event: 'deliver', at: now(), notifyAt: now() });
  const usage = async () => (await quotas.usage('pi')).pendingPushes;

  it('give their place back with the last delivery, not before', async () => {
    const push = await held('1');
    await settle(push, PHONE);
    expect(await usage()).toBe(1);
    await settle(push, PC);
    expect(await usage()).toBe(0);
    await settle(push, PC);
    expect(await quotas.usage('pi')).toEqual({ pendingPushes: 0, pendingBytes: 0 });
  });

  it('leave nothing behind when the last of an initiator is over', async () => {
    const push = await held('1');
    await settle(push, PHONE);
    await settle(push, PC);
    expect(await redis.keys('*{i:*')).toEqual([]);
  });

  it('are given back by verifying when they were never stored', async () => {
    await counted('lost');
    await held('kept');
    await clock.advance(2 * AGE_MS);
    expect(await quotas.verify(now() - AGE_MS, 100)).toBe(1);
    expect(await quotas.usage('pi')).toEqual({ pendingPushes: 1, pendingBytes: HELLO.length });
  });

  it('are given back by verifying when a crash came after their end', async () => {
    const push = await held('1');
    const crashing = new RedisPushStore(redis, new BlobDirectory(join(server.directory, 'blobs')), {
      now,
      inlineBytes: 1000,
      retentionMs: HOUR,
      isCluster: false,
    });
    for (const terminal of [PHONE, PC]) {
      await crashing.settle(push.uid, terminal, { event: 'deliver', at: now(), notifyAt: now() });
    }
    expect(await usage()).toBe(1);
    await clock.advance(2 * AGE_MS);
    expect(await quotas.verify(now() - AGE_MS, 100)).toBe(1);
    expect(await usage()).toBe(0);
  });

  it('are left alone by verifying while they may still be on their way into the store', async () => {
    await counted('young');
    expect(await quotas.verify(now() - AGE_MS, 100)).toBe(0);
    expect(await usage()).toBe(1);
  });

  it('are all seen by verifying a few at a time, whoever they belong to', async () => {
    for (let count = 0; count < 10; count += 1) await counted(`lost ${count}`);
    for (let count = 0; count < 5; count += 1) await held(`kept ${count}`);
    await quotas.admit({ ...(await counted('x')), initiator: 'another' }, LIMITS);
    await clock.advance(2 * AGE_MS);
    let released = 0;
    for (let round = 0; round < 20; round += 1) released += await quotas.verify(now() - AGE_MS, 3);
    expect(released).toBe(12);
    expect(await usage()).toBe(5);
    expect((await quotas.usage('another')).pendingPushes).toBe(0);
  });

  it('are still counted after Redis was killed and came back', async () => {
    await held('1');
    await counted('2');
    await server.restart();
    expect(await usage()).toBe(2);
  });
});
