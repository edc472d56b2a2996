/** The lane and push contracts over the memory twins and over Redis, on one server and as on a cluster. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { BlobDirectory } from '../../src/stores/blob-directory.js';
import type { RedisClient } from '../../src/stores/redis-connection.js';
import { RedisLaneStore } from '../../src/stores/redis-lane-store.js';
import { RedisPushStore } from '../../src/stores/redis-push-store.js';
import { FakeClock } from '../support/fake-clock.js';
import { TestRedis } from '../support/redis.js';
import { laneStoreContract } from './lane-store-contract.js';
import { pushStoreContract } from './push-store-contract.js';
import {
  INLINE_BYTES,
  LEAST_SIR_INTERVAL_MS,
  memoryStores,
  RETENTION_MS,
  type Stores,
} from './stores-subject.js';

let server: TestRedis;
let redis: RedisClient;

beforeAll(async () => {
  server = await TestRedis.start();
  redis = server.client();
});

afterAll(() => server?.stop());

function redisStores({ isCluster }: { isCluster: boolean }): () => Promise<Stores> {
  return async () => {
    await redis.flushall();
    const blobs = join(server.directory, 'blobs');
    rmSync(blobs, { recursive: true, force: true });
    mkdirSync(blobs);
    const clock = new FakeClock();
    const now = () => clock.now();
    const options = { now, inlineBytes: INLINE_BYTES, retentionMs: RETENTION_MS, isCluster };
    return {
      clock,
      lanes: new RedisLaneStore(redis, { now, leastSirIntervalMs: LEAST_SIR_INTERVAL_MS }),
      pushes: new RedisPushStore(redis, new BlobDirectory(blobs), options),
    };
  };
}

laneStoreContract('memory', memoryStores);
pushStoreContract('memory', memoryStores);

laneStoreContract('Redis', redisStores({ isCluster: false }));
pushStoreContract('Redis', redisStores({ isCluster: false }));

laneStoreContract('Redis Cluster', redisStores({ isCluster: true }));
pushStoreContract('Redis Cluster', redisStores({ isCluster: true }));
