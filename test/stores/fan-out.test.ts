/** One push for a thousand users, on Redis: one acceptance, a place in every lane, a state and a result for every address. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressResult } from '../../src/push/address-result.js';
import { pushUid } from '../../src/push/push-message.js';
import { type SubmissionPorts, submit } from '../../src/push/submission.js';
import { publicUserIdentity } from '../../src/registry/public-user-identity.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import { BlobDirectory } from '../../src/stores/blob-directory.js';
import type { RedisClient } from '../../src/stores/redis-connection.js';
import { RedisLaneStore } from '../../src/stores/redis-lane-store.js';
import { RedisPushStore } from '../../src/stores/redis-push-store.js';
import { RedisRegistry } from '../../src/stores/redis-registry.js';
import { PushStage } from '../support/push-stage.js';
import { HERE } from '../support/pushes.js';
import { TestRedis } from '../support/redis.js';

const USERS = Array.from({ length: 1000 }, (_, index) => publicUserIdentity(`sip:user${index}@example.test`));
const TERMINALS = USERS.map((user) => terminalId(user, 'phone'));

let server: TestRedis;
let redis: RedisClient;
let lanes: RedisLaneStore;
let pushes: RedisPushStore;
let ports: SubmissionPorts;
const stage = new PushStage();
const now = () => stage.clock.now();

beforeAll(async () => {
  server = await TestRedis.start();
  redis = server.client();
  const blobs = join(server.directory, 'blobs');
  mkdirSync(blobs);
  lanes = new RedisLaneStore(redis, { now, leastSirIntervalMs: 0 });
  pushes = new RedisPushStore(redis, new BlobDirectory(blobs), {
    now,
    inlineBytes: 1000,
    retentionMs: 60_000,
    isCluster: false,
  });
  const registry = new RedisRegistry(redis, { now });
  await Promise.all(
    USERS.map(async (user) => {
      await registry.putUser({ id: user, aliases: [], policy: { target: 'all-subscribed' } });
      await registry.putTerminal({
        id: terminalId(user, 'phone'),
        user,
        name: 'phone',
        identities: [],
        activation: [{ bearer: 'sip' }],
        preferences: {},
        capabilities: {},
        origin: 'provisioned',
      });
    }),
  );
  ports = { ...stage.submissionPorts, store: pushes, findUser: (identity) => registry.findUser(identity) };
});
afterAll(() => server?.stop());

const toAll = (pushId: string) =>
  submit(stage.submission({ pushId, addresses: USERS, notifyTo: 'http://pi.test/' }), ports, {
    ...stage.options,
    maxAddresses: 1000,
  });

describe('a push for a thousand addresses', () => {
  it('has a place in every lane, and they are kicked', async () => {
    stage.kicked.length = 0;
    await toAll('all@pi');
    const held = await Promise.all(TERMINALS.map((terminal) => lanes.entries(terminal, 10)));
    expect(held.every((entries) => entries.length === 1)).toBe(true);
    expect(new Set(stage.kicked).size).toBe(1000);
  });

  it('has a state and a result of its own for every address', async () => {
    const { uid } = await toAll('each@pi');
    const settled = await pushes.settle(
      uid,
      terminalId('sip:user7@example.test' as (typeof USERS)[number], 'phone'),
      { event: 'deliver', at: now(), notifyAt: now() },
    );
    expect(settled.owed).toEqual([7]);
    const story = await pushes.story(uid);
    const states = story?.push.recipients.map(
      (recipient) => addressResult(recipient, story.deliveries, now(), () => 0).messageState,
    );
    expect(
      states?.map((state, index) => (state === 'delivered' ? index : -1)).filter((index) => index >= 0),
    ).toEqual([7]);
    expect(states?.filter((state) => state === 'pending')).toHaveLength(999);
  });

  it('stays behind an earlier one at every terminal', async () => {
    await toAll('first@pi');
    await toAll('second@pi');
    const [first, second] = [pushUid('pi', 'first@pi'), pushUid('pi', 'second@pi')];
    const orders = await Promise.all(
      TERMINALS.map(async (terminal) => {
        const work = await lanes.open(terminal, { now: now(), leaseMs: 1000, limit: 10 }, HERE);
        return (work?.lane.entries ?? []).map(({ id }): string => id);
      }),
    );
    expect(
      orders.filter((ids) => ids.includes(first) && ids.indexOf(first) < ids.indexOf(second)),
    ).toHaveLength(1000);
  });
});
