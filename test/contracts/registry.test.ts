/** The registry contract over its two adapters: the memory twin, and Redis of the tests' own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type EmbeddedRedisProvision, openEmbeddedRedis } from '../../src/stores/embedded-redis.js';
import { createRedis, type RedisClient } from '../../src/stores/redis-connection.js';
import { RedisRegistry } from '../../src/stores/redis-registry.js';
import { noLog } from '../../src/telemetry/log.js';
import { MemoryRegistry } from '../support/memory-registry.js';
import { registryContract } from './registry-contract.js';

let home: string;
let provision: EmbeddedRedisProvision;
let redis: RedisClient;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'carillon-registry-'));
  const settings = { dataDir: home, redis: { durability: 'everysec', allowVolatile: false } } as const;
  provision = await openEmbeddedRedis(settings, noLog);
  redis = createRedis(provision, { role: 'store' });
});

afterAll(async () => {
  redis?.disconnect();
  await provision?.close();
  rmSync(home, { recursive: true });
});

registryContract('MemoryRegistry', (clock) => new MemoryRegistry(clock));

registryContract('RedisRegistry', async (clock) => {
  await redis.flushall();
  return new RedisRegistry(redis, clock);
});
