/** What every memory of sources must do: the memory twin, and Redis of the tests' own. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deviceIdentity } from '../../src/registry/device-identity.js';
import { publicUserIdentity } from '../../src/registry/public-user-identity.js';
import type { SourceMemory, SourceState } from '../../src/registry/terminal-source.js';
import * as keys from '../../src/stores/keys.js';
import type { RedisClient } from '../../src/stores/redis-connection.js';
import { RedisRegistry } from '../../src/stores/redis-registry.js';
import { RedisSourceMemory } from '../../src/stores/redis-source-memory.js';
import { MemoryRegistry } from '../support/memory-registry.js';
import { MemorySourceMemory } from '../support/memory-source-memory.js';
import { TestRedis } from '../support/redis.js';

const ALICE = publicUserIdentity('sip:alice@example.test');
const STRANGER = publicUserIdentity('sip:nobody@example.test');
const NOW = 1_700_000_000_000;
const phone = deviceIdentity('uuid', 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6');
const state: SourceState = {
  at: NOW,
  devices: [
    {
      identities: [phone],
      isAvailable: true,
      since: NOW - 5,
      gruu: 'sip:alice@example.test;gr=x',
      features: { audio: '' },
    },
  ],
};

let server: TestRedis;
let redis: RedisClient;
beforeAll(async () => {
  server = await TestRedis.start();
  redis = server.client();
});
afterAll(() => server?.stop());

describe.each([
  [
    'MemorySourceMemory',
    async () => {
      const registry = new MemoryRegistry({ now: () => NOW });
      const knows = async (user: string) => (await registry.findUser(user)) !== undefined;
      return { registry, memory: new MemorySourceMemory(knows) as SourceMemory };
    },
  ],
  [
    'RedisSourceMemory',
    async () => {
      await redis.flushall();
      return {
        registry: new RedisRegistry(redis, { now: () => NOW }),
        memory: new RedisSourceMemory(redis) as SourceMemory,
      };
    },
  ],
] as const)('%s', (_, make) => {
  let memory: SourceMemory;
  beforeEach(async () => {
    const made = await make();
    ({ memory } = made);
    await made.registry.putUser({ id: ALICE, aliases: [], policy: { target: 'all-subscribed' } });
  });

  it('gives back what a source said last', async () => {
    await memory.save(ALICE, 'presence', { at: NOW - 1, devices: [] });
    await memory.save(ALICE, 'presence', state);
    expect(await memory.load(ALICE, 'presence')).toEqual(state);
  });

  it('keeps the sources of a user apart', async () => {
    await memory.save(ALICE, 'presence', state);
    expect(await memory.load(ALICE, 'reg-event')).toBeUndefined();
  });

  it('keeps nothing about somebody who is no user', async () => {
    await memory.save(STRANGER, 'presence', state);
    expect(await memory.load(STRANGER, 'presence')).toBeUndefined();
  });
});

describe('RedisSourceMemory', () => {
  it('forgets a user that is removed, and everybody after a day of silence', async () => {
    await redis.flushall();
    const registry = new RedisRegistry(redis, { now: () => NOW });
    const memory = new RedisSourceMemory(redis);
    await registry.putUser({ id: ALICE, aliases: [], policy: { target: 'all-subscribed' } });
    await memory.save(ALICE, 'reg-event', state);
    expect(await redis.ttl(keys.sourcesKey(ALICE))).toBeGreaterThan(86_000);
    await registry.deleteUser(ALICE);
    expect(await memory.load(ALICE, 'reg-event')).toBeUndefined();
  });
});
