/**
 * The memory twins and the Redis stores, side by side through thousands of random steps: they answer alike and hold alike,
 * and after every step a lane has a due moment exactly when it holds something.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LaneView } from '../../src/lane/lane.js';
import type { Lease } from '../../src/lane/ports.js';
import { laneEntryOf, type Push, type PushStory } from '../../src/push/push-message.js';
import { BlobDirectory } from '../../src/stores/blob-directory.js';
import type { RedisClient } from '../../src/stores/redis-connection.js';
import { RedisLaneStore } from '../../src/stores/redis-lane-store.js';
import { RedisPushStore } from '../../src/stores/redis-push-store.js';
import { FakeClock } from '../support/fake-clock.js';
import { MemoryLaneStore } from '../support/memory-lane-store.js';
import { MemoryPushStore } from '../support/memory-push-store.js';
import { aPush, HELLO, HERE, PC, PDA, PHONE } from '../support/pushes.js';
import { TestRedis } from '../support/redis.js';
import { type SeededRandom, seededRandom } from '../support/seeded-random.js';
import { INLINE_BYTES, LEAST_SIR_INTERVAL_MS, RETENTION_MS, type Stores } from './stores-subject.js';

const TERMINALS = [PHONE, PC, PDA];
const LEASE_MS = 3000;
const STEPS = 700;

let server: TestRedis;
let redis: RedisClient;
beforeAll(async () => {
  server = await TestRedis.start();
  redis = server.client();
});
afterAll(() => server?.stop());

/** Both pairs of stores over one clock. */
async function twins(isCluster: boolean): Promise<readonly [Stores, Stores]> {
  await redis.flushall();
  const clock = new FakeClock();
  const now = () => clock.now();
  const intervals = { now, leastSirIntervalMs: LEAST_SIR_INTERVAL_MS };
  const lanes = new MemoryLaneStore(intervals);
  const blobs = new BlobDirectory(join(server.directory, 'blobs'));
  const options = { now, inlineBytes: INLINE_BYTES, retentionMs: RETENTION_MS, isCluster };
  return [
    { clock, lanes, pushes: new MemoryPushStore(lanes, { now, retentionMs: RETENTION_MS }) },
    { clock, lanes: new RedisLaneStore(redis, intervals), pushes: new RedisPushStore(redis, blobs, options) },
  ];
}

type Step = (stores: Stores) => Promise<unknown>;

/** Draws steps that depend on what was done before, the same for both. */
class Story {
  readonly #random: SeededRandom;
  readonly #clock: FakeClock;
  readonly #pushes: Push[] = [];
  /** Leases that were given out, also those that are over. */
  readonly leases: { readonly lease: Lease; readonly version: number }[] = [];

  constructor(random: SeededRandom, clock: FakeClock) {
    this.#random = random;
    this.#clock = clock;
  }

  #oneOf<T>(some: readonly T[]): T {
    const chosen = some[this.#random.below(some.length)];
    if (chosen === undefined) throw new Error('nothing to choose from');
    return chosen;
  }

  #push(): Push {
    const isNew = this.#pushes.length === 0 || this.#random.below(4) > 0;
    if (!isNew) return this.#oneOf(this.#pushes);
    const now = this.#clock.now();
    const push = aPush({
      acceptedAt: now,
      expiresAt: now + 1 + this.#random.below(60_000),
      priority: this.#oneOf(['high', 'medium', 'low'] as const),
      terminals: TERMINALS.slice(this.#random.below(3)),
      ...(this.#random.below(3) === 0 ? { notBefore: now + this.#random.below(10_000) } : {}),
      ...(this.#random.below(2) === 0 ? { notifyTo: 'http://pi.test/' } : {}),
    });
    this.#pushes.push(push);
    return push;
  }

  next(): readonly [string, Step] {
    const push = this.#push();
    const terminal = this.#oneOf(TERMINALS);
    const now = this.#clock.now();
    const window = { now, leaseMs: LEASE_MS, limit: 1 + this.#random.below(20) };
    const held = this.leases.length > 0 ? this.#oneOf(this.leases.slice(-6)) : undefined;
    const session = { id: `s${this.#random.below(3)}`, node: `n${this.#random.below(2)}` };
    const later = now + this.#random.below(20_000);
    const token = held?.lease.token ?? 0;
    switch (this.#random.below(24)) {
      case 0:
      case 1:
      case 2: {
        const nonce = this.#random.below(5) === 0 ? 'other' : 'own';
        return ['accept', ({ pushes }) => pushes.accept(push, HELLO, nonce)];
      }
      case 3:
      case 4:
        return ['open', ({ lanes }) => lanes.open(terminal, window, HERE)];
      case 19: {
        const runner = { self: this.#oneOf(['here', 'there']), isAlone: true };
        return ['open', ({ lanes }) => lanes.open(terminal, window, runner)];
      }
      case 20:
      case 21:
      case 22:
      case 23: {
        const by = { bearer: this.#oneOf(['sms', 'wsp']), at: now };
        return this.#random.below(2) === 0
          ? ['handOver', ({ pushes }) => pushes.handOver(push.uid, terminal, by)]
          : ['giveUp', ({ pushes }) => pushes.giveUp(push.uid, terminal, by)];
      }
      case 5:
        return ['renew', async ({ lanes }) => held && lanes.renew(held.lease, window)];
      case 6:
      case 7: {
        const version = (held?.version ?? 0) + (this.#random.below(6) === 0 ? 1 : 0);
        return ['release', async ({ lanes }) => held && lanes.release(held.lease, version, later)];
      }
      case 8:
        return ['remove', ({ lanes }) => lanes.remove(terminal, [laneEntryOf(push)])];
      case 9:
        return ['connected', ({ lanes }) => lanes.connected(terminal, { session })];
      case 10:
        return ['reachable', ({ lanes }) => lanes.connected(terminal, { messageUntil: later })];
      case 11:
        return ['disconnected', ({ lanes }) => lanes.disconnected(terminal, session.id)];
      case 12: {
        const wake = { epoch: this.#random.below(3), sent: 1, method: 2, notBefore: later, sirId: 'sir' };
        const outcome = this.#oneOf(['handed', 'failed'] as const);
        const record = { sirId: 'sir', at: now, bearer: 'sip', outcome, detail: '' };
        return ['recordWake', async ({ lanes }) => held && lanes.recordWake(held.lease, wake, record)];
      }
      case 13:
        return [
          'begin',
          async ({ pushes }) => {
            const begun = await pushes.begin(push.uid, terminal, { token, bearer: 'msrp', at: now });
            return begun.kind;
          },
        ];
      case 14: {
        const event = this.#oneOf(['deliver', 'expire', 'cancel'] as const);
        return [
          'settle',
          ({ pushes }) => pushes.settle(push.uid, terminal, { event, at: now, notifyAt: later }),
        ];
      }
      case 15:
        return ['hold', ({ lanes }) => lanes.hold(terminal, { reason: `at ${now}`, since: now })];
      case 16:
        return ['unhold', ({ lanes }) => lanes.unhold(terminal)];
      case 17: {
        const state = this.#oneOf(['owed', 'sent', 'abandoned'] as const);
        const record = { recipient: 0, state, attempts: 1, at: now };
        const next = state === 'owed' ? later : undefined;
        const isAsked = push.notifyTo !== undefined;
        return ['recordResult', async ({ pushes }) => isAsked && pushes.recordResult(push.uid, record, next)];
      }
      default:
        return ['removeEnded', ({ pushes }) => pushes.removeEnded(now, 100)];
    }
  }

  get pushes(): readonly Push[] {
    return this.#pushes;
  }
}

async function everything({ lanes, pushes, clock }: Stores): Promise<unknown> {
  const now = clock.now();
  const due = await lanes.due(now, 100);
  const owed = await pushes.owedResults(now, 1000);
  return {
    lanes: await Promise.all(TERMINALS.map((terminal) => lanes.view(terminal))),
    due: [...due].sort(),
    held: await pushes.totals(),
    owed: owed.map(({ uid, recipient }) => `${uid}:${recipient}`).sort(),
  };
}

/** A story; on a cluster without the attempts, because there an attempt that is fenced off at the last moment is counted. */
function told(story: PushStory, isCluster: boolean): PushStory {
  if (!isCluster) return story;
  const deliveries = story.deliveries.map(({ terminal, state, at }) => ({
    terminal,
    state,
    at,
    attempts: 0,
  }));
  return { ...story, deliveries };
}

describe.each([
  ['on one server', false],
  ['as on a cluster', true],
])('the twins %s', (_where, isCluster) => {
  it.each([1, 2, 3])('do and hold the same through a story of many steps (seed %i)', async (seed) => {
    const [memory, real] = await twins(isCluster);
    const { clock } = memory;
    const random = seededRandom(seed);
    const story = new Story(random, clock);
    const done: string[] = [];
    for (let count = 0; count < STEPS; count += 1) {
      const [name, step] = story.next();
      done.push(name);
      const [expected, actual] = [await step(memory), await step(real)];
      expect([count, name, actual]).toEqual([count, name, expected]);
      if ((name === 'open' || name === 'renew') && expected !== undefined) {
        const { lease, lane } = expected as { lease: Lease; lane: { version: number } };
        story.leases.push({ lease, version: lane.version });
      }
      const [there, here] = [await everything(memory), await everything(real)];
      expect([count, name, here]).toEqual([count, name, there]);
      for (const { held, deferred, parked, dueAt } of (here as { lanes: readonly LaneView[] }).lanes) {
        expect([count, name, dueAt !== undefined]).toEqual([count, name, held + deferred + parked > 0]);
      }
      if (random.below(3) === 0) clock.step(random.below(2500));
    }
    expect(new Set(done).size).toBe(17);
    const all = { limit: 10_000 };
    const [there, here] = [await memory.pushes.list(all), await real.pushes.list(all)];
    expect(here.stories.map((one) => told(one, isCluster))).toEqual(
      there.stories.map((one) => told(one, isCluster)),
    );
  });
});
