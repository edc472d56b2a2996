/** What only the Redis stores can get wrong: lost scripts, restarts, acceptances cut in two, large content, the cost of the hot path. */

import { mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { finishAcceptances } from '../../src/push/replacement.js';
import { BlobDirectory } from '../../src/stores/blob-directory.js';
import * as keys from '../../src/stores/keys.js';
import type { RedisClient } from '../../src/stores/redis-connection.js';
import { RedisLaneStore } from '../../src/stores/redis-lane-store.js';
import { RedisPushStore } from '../../src/stores/redis-push-store.js';
import { octetsOf } from '../contracts/push-store-contract.js';
import { FakeClock } from '../support/fake-clock.js';
import { instead } from '../support/instead.js';
import { runOne } from '../support/one-delivery.js';
import { aPush, HELLO, HERE, HOUR, PC, PHONE, type PushOptions } from '../support/pushes.js';
import { TestRedis } from '../support/redis.js';

const INLINE_BYTES = 1000;
const RETENTION_MS = 60_000;
const LEASE_MS = 30_000;
const LARGE = Buffer.alloc(INLINE_BYTES + 1, 'large');

let server: TestRedis;
let redis: RedisClient;
let blobs: string;
let clock: FakeClock;
let lanes: RedisLaneStore;
let pushes: RedisPushStore;

beforeAll(async () => {
  server = await TestRedis.start();
  redis = server.client();
});
afterAll(() => server?.stop());

beforeEach(async () => {
  await redis.flushall();
  blobs = join(server.directory, 'blobs');
  rmSync(blobs, { recursive: true, force: true });
  mkdirSync(blobs);
  clock = new FakeClock();
  lanes = new RedisLaneStore(redis, { now: () => clock.now(), leastSirIntervalMs: 0 });
  pushes = storeOn(redis);
});

function storeOn(client: RedisClient, { isCluster = false } = {}): RedisPushStore {
  return new RedisPushStore(client, new BlobDirectory(blobs), {
    now: () => clock.now(),
    inlineBytes: INLINE_BYTES,
    retentionMs: RETENTION_MS,
    isCluster,
  });
}

const fresh = (options: PushOptions = {}) => aPush({ acceptedAt: clock.now(), ...options });
const window = () => ({ now: clock.now(), leaseMs: LEASE_MS, limit: 100 });
const heldIds = async (terminal = PHONE) =>
  (await lanes.entries(terminal, 100)).map(({ id }) => id as string);

/** Names of all blob files, whatever folder they are in. */
function files(): string[] {
  return readdirSync(blobs).flatMap((folder) => readdirSync(join(blobs, folder)));
}

describe('a Redis that does not know the scripts', () => {
  it('is given them, for every step of the journey', async () => {
    const push = fresh({ notifyTo: 'http://pi.test/', size: 5 });
    const forget = () => redis.script('FLUSH');
    await forget();
    expect((await pushes.accept(push, HELLO, 'once')).kind).toBe('accepted');
    await forget();
    const held = await lanes.open(PHONE, window(), HERE);
    if (!held) throw new Error('the lease was not to be had');
    await forget();
    const begun = await pushes.begin(push.uid, PHONE, { token: held.lease.token, bearer: 'msrp', at: 1 });
    expect(await octetsOf(begun)).toEqual(HELLO);
    await forget();
    const wake = { epoch: 0, sent: 1, method: 0, notBefore: 0 };
    await lanes.recordWake(held.lease, wake, {
      sirId: 's',
      at: 1,
      bearer: 'sip',
      outcome: 'handed',
      detail: '',
    });
    await forget();
    await lanes.connected(PHONE, { session: { id: 's', node: 'n' } });
    await forget();
    await lanes.disconnected(PHONE, 's');
    await forget();
    const settlement = { event: 'deliver', at: clock.now(), notifyAt: clock.now() } as const;
    expect(await pushes.settle(push.uid, PHONE, settlement)).toEqual({
      moved: true,
      state: 'delivered',
      takenBack: [],
      owed: [0],
    });
    await forget();
    await lanes.remove(PHONE, [{ id: push.uid, rank: 1 }]);
    await forget();
    await pushes.recordResult(push.uid, { recipient: 0, state: 'sent', attempts: 1, at: 1 });
    await forget();
    const now = await lanes.renew(held.lease, window());
    expect(await lanes.release(held.lease, now?.lane.version ?? -1, 1)).toBe('empty');
  });

  it('accepts many at once without storing any of them twice', async () => {
    await redis.script('FLUSH');
    const many = Array.from({ length: 50 }, () => fresh());
    const outcomes = await Promise.all(many.map((push) => pushes.accept(push, HELLO, push.pushId)));
    expect(outcomes.every(({ kind }) => kind === 'accepted')).toBe(true);
    expect((await heldIds()).sort()).toEqual(many.map(({ uid }) => uid as string).sort());
  });
});

describe('a Redis that was killed and started again', () => {
  it('has every push that was accepted, in its lane, and goes on', async () => {
    const many = Array.from({ length: 20 }, () => fresh({ terminals: [PHONE, PC] }));
    for (const push of many) await pushes.accept(push, HELLO, push.pushId);
    await server.restart();
    expect(await heldIds()).toHaveLength(20);
    expect(await heldIds(PC)).toHaveLength(20);
    expect((await pushes.accept(fresh(), HELLO, 'after')).kind).toBe('accepted');
    expect((await lanes.view(PHONE)).held).toBe(21);
  });

  it('refuses what is asked of it while it is away, and a repeat with the same nonce is accepted once', async () => {
    const push = fresh();
    await server.kill();
    await expect(pushes.accept(push, HELLO, 'once')).rejects.toThrow();
    await server.restart();
    expect((await pushes.accept(push, HELLO, 'once')).kind).toBe('accepted');
    expect((await pushes.accept(push, HELLO, 'once')).kind).toBe('accepted');
    expect(await heldIds()).toEqual([push.uid]);
  });
});

describe('an acceptance cut in two, where a push is placed lane by lane', () => {
  const repair = (olderThan: number) =>
    finishAcceptances(
      { olderThan, limit: 10 },
      { store: pushes, alarms: { resultDue: async () => {} }, clock },
    );

  /** A client whose connection breaks after so many scripts. */
  function breakingAfter(scripts: number): RedisClient {
    let left = scripts;
    const run = redis.evalsha.bind(redis) as (...args: unknown[]) => Promise<unknown>;
    const evalsha = async (...args: unknown[]) => {
      left -= 1;
      if (left < 0) throw new Error('Connection is closed.');
      return run(...args);
    };
    return instead(redis, { evalsha: evalsha as typeof redis.evalsha });
  }

  beforeEach(async () => {
    await storeOn(redis, { isCluster: true }).accept(fresh({ terminals: [PC] }), HELLO, 'warm-up');
  });

  it.each([1, 2, 3])('after %i scripts is finished by the repair', async (scripts) => {
    const push = fresh({ terminals: ['a', 'b', 'c'].map((name) => name as typeof PHONE) });
    const store = storeOn(breakingAfter(scripts), { isCluster: true });
    await expect(store.accept(push, HELLO, 'once')).rejects.toThrow('closed');
    expect(await repair(clock.now() - 1)).toEqual([]); // it may be under way still
    const touched = await repair(clock.now());
    expect(touched).toEqual(['a', 'b', 'c']);
    for (const terminal of touched) expect(await heldIds(terminal)).toEqual([push.uid]);
    expect(await repair(clock.now())).toEqual([]);
  });

  it('is not placed again for a terminal that has it already', async () => {
    const push = fresh({ terminals: [PHONE, PC] });
    const store = storeOn(breakingAfter(2), { isCluster: true });
    await expect(store.accept(push, HELLO, 'once')).rejects.toThrow('closed');
    await pushes.settle(push.uid, PHONE, { event: 'deliver', at: 1, notifyAt: 1 });
    await lanes.remove(PHONE, [{ id: push.uid, rank: 1 }]);
    expect(await repair(clock.now())).toEqual([PC]);
    expect(await heldIds(PHONE)).toEqual([]);
  });

  it('of a push that is gone is forgotten', async () => {
    await redis.zadd(keys.placingKey('a'), 1, 'abcdef');
    expect(await repair(clock.now())).toEqual([]);
    expect(await redis.zcard(keys.placingKey('a'))).toBe(0);
  });
});

it('no lane shows anything of a push that could not be stored', async () => {
  const push = fresh();
  const failing = instead(redis, {
    evalsha: (async () => {
      throw new Error('Connection is closed.');
    }) as typeof redis.evalsha,
  });
  await expect(storeOn(failing).accept(push, HELLO, 'once')).rejects.toThrow('closed');
  expect(await heldIds()).toEqual([]);
  expect(await pushes.story(push.uid)).toBeUndefined();
});

describe('large content', () => {
  it('lies in the blob directory and not in Redis', async () => {
    const push = fresh({ size: LARGE.length });
    await pushes.accept(push, LARGE, 'once');
    expect(files()).toHaveLength(1);
    expect(await redis.exists(keys.bodyKey(push.uid))).toBe(0);
    expect((await pushes.story(push.uid))?.push.content).toMatchObject({ size: LARGE.length });
  });

  it('can be read in pieces of any size', async () => {
    const content = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251));
    const push = fresh({ size: content.length });
    await pushes.accept(push, content, 'once');
    const held = await lanes.open(PHONE, window(), HERE);
    const token = held?.lease.token ?? 0;
    const begun = await pushes.begin(push.uid, PHONE, { token, bearer: 'msrp', at: 1 });
    const source = begun.kind === 'begun' ? await begun.content() : undefined;
    if (!source || source instanceof Uint8Array) throw new Error('not kept outside');
    expect(Buffer.from(await source.read(4990, 100))).toEqual(content.subarray(4990));
    expect(Buffer.from(await source.read(7, 13))).toEqual(content.subarray(7, 20));
  });

  it('goes when the push has ended', async () => {
    const push = fresh({ size: LARGE.length, terminals: [PHONE, PC] });
    await pushes.accept(push, LARGE, 'once');
    await pushes.settle(push.uid, PHONE, { event: 'deliver', at: 1, notifyAt: 1 });
    expect(files()).toHaveLength(1);
    await pushes.settle(push.uid, PC, { event: 'expire', at: 1, notifyAt: 1 });
    expect(files()).toEqual([]);
  });

  it('that a crash left after the end goes with the push', async () => {
    const push = fresh({ size: LARGE.length });
    await pushes.accept(push, LARGE, 'once');
    const [name = ''] = files();
    await pushes.settle(push.uid, PHONE, { event: 'deliver', at: clock.now(), notifyAt: 1 });
    writeFileSync(join(blobs, name.slice(0, 2), name), LARGE); // as if it had not been removed
    await clock.advance(RETENTION_MS);
    await pushes.removeEnded(clock.now(), 10);
    expect(files()).toEqual([]);
  });

  it('that is lost is known to be lost', async () => {
    const push = fresh({ size: LARGE.length });
    await pushes.accept(push, LARGE, 'once');
    rmSync(blobs, { recursive: true });
    const held = await lanes.open(PHONE, window(), HERE);
    const token = held?.lease.token ?? 0;
    const begun = await pushes.begin(push.uid, PHONE, { token, bearer: 'msrp', at: 1 });
    expect(begun.kind === 'begun' && (await begun.content())).toBeUndefined();
  });

  it('of one push-id submitted many times at once is accepted once and whole', async () => {
    const content = Buffer.alloc(300_000, 'the same content');
    const push = fresh({ size: content.length });
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, (_, index) => pushes.accept(push, content, `nonce-${index}`)),
    );
    expect(outcomes.filter(({ kind }) => kind === 'accepted')).toHaveLength(1);
    expect(files()).toHaveLength(1);
    const held = await lanes.open(PHONE, window(), HERE);
    const token = held?.lease.token ?? 0;
    const begun = await pushes.begin(push.uid, PHONE, { token, bearer: 'msrp', at: 1 });
    expect(Buffer.compare(await octetsOf(begun), content)).toBe(0);
  });

  it('of submissions that came second does not stay', async () => {
    const push = fresh({ size: LARGE.length });
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        pushes.accept(push, Buffer.alloc(2000, String(index)), `nonce-${index}`),
      ),
    );
    expect(outcomes.filter(({ kind }) => kind === 'accepted')).toHaveLength(1);
    expect(files()).toHaveLength(1);
  });
});

describe('large content left by a crash before the push was stored', () => {
  async function crashBetween(): Promise<void> {
    const failing = instead(redis, {
      evalsha: (async () => {
        throw new Error('Connection is closed.');
      }) as typeof redis.evalsha,
    });
    const push = fresh({ size: LARGE.length });
    await expect(storeOn(failing).accept(push, LARGE, 'once')).rejects.toThrow('closed');
  }

  /** Makes every file as old as `at`. */
  function age(at: number): void {
    for (const name of files()) utimesSync(join(blobs, name.slice(0, 2), name), at / 1000, at / 1000);
  }

  it('is removed once it is old; content of pushes stays', async () => {
    const push = fresh({ size: LARGE.length });
    await pushes.accept(push, LARGE, 'once');
    await crashBetween();
    expect(files()).toHaveLength(2);
    age(1_000_000);
    expect(await pushes.removeOrphanContent(1_000_001)).toBe(1);
    expect(files()).toHaveLength(1);
    expect(files()[0]).toContain(push.uid);
  });

  it('stays while it is young: its push may be about to be stored', async () => {
    await crashBetween();
    age(1_000_000);
    expect(await pushes.removeOrphanContent(1_000_000)).toBe(0);
    expect(files()).toHaveLength(1);
  });

  it('is removed although its push is stored, when it is not the content of that push', async () => {
    const push = fresh({ size: LARGE.length });
    await pushes.accept(push, LARGE, 'once');
    await new BlobDirectory(blobs).write(push.uid, Buffer.from('another submission of the same push-id'));
    age(1_000_000);
    expect(await pushes.removeOrphanContent(2_000_000)).toBe(1);
    expect(files()).toHaveLength(1);
  });

  it('is removed although its push is stored, when that has ended', async () => {
    const push = fresh({ size: LARGE.length });
    await pushes.accept(push, LARGE, 'once');
    await pushes.settle(push.uid, PHONE, { event: 'deliver', at: clock.now(), notifyAt: clock.now() });
    await new BlobDirectory(blobs).write(push.uid, LARGE); // as if a crash had kept it from being removed
    age(1_000_000);
    expect(await pushes.removeOrphanContent(2_000_000)).toBe(1);
  });

  it('is removed also when it was written in part', async () => {
    mkdirSync(join(blobs, 'ab'));
    writeFileSync(join(blobs, 'ab', 'abcdef.uid.random.part'), 'half');
    age(1_000_000);
    expect(await pushes.removeOrphanContent(2_000_000)).toBe(1);
  });

  it('is readable by nobody else', async () => {
    await pushes.accept(fresh({ size: LARGE.length }), LARGE, 'once');
    const [name = ''] = files();
    expect(statSync(join(blobs, name.slice(0, 2), name)).mode & 0o777).toBe(0o600);
  });
});

it('a forgotten push leaves no key behind', async () => {
  const push = fresh({ notifyTo: 'http://pi.test/' });
  await pushes.accept(push, HELLO, 'once');
  await pushes.settle(push.uid, PHONE, { event: 'deliver', at: clock.now(), notifyAt: clock.now() });
  await lanes.remove(PHONE, [{ id: push.uid, rank: 1 }]);
  await pushes.recordResult(push.uid, { recipient: 0, state: 'sent', attempts: 1, at: clock.now() });
  await clock.advance(RETENTION_MS);
  await pushes.removeEnded(clock.now(), 10);
  await pushes.recordResult(push.uid, { recipient: 0, state: 'sent', attempts: 1, at: 1 }, clock.now());
  expect(await redis.keys('*')).toEqual([keys.laneKey(PHONE)]);
});

describe('what the hot path costs', () => {
  /** The commands that Redis is sent for `task`, by name; those inside scripts are not counted. */
  async function commandsOf(task: () => Promise<unknown>): Promise<readonly string[]> {
    const monitor = await (redis as Redis).monitor();
    const seen: string[] = [];
    const end = new Promise<void>((resolve) => {
      monitor.on('monitor', (_time: string, [name = '']: string[], source: string) => {
        if (name === 'echo') resolve();
        else if (source !== 'lua') seen.push(name);
      });
    });
    await task();
    await redis.echo('end');
    await end;
    monitor.disconnect();
    return seen;
  }

  async function deliverOne(): Promise<void> {
    const push = fresh();
    await pushes.accept(push, HELLO, push.pushId);
    await runOne({ clock, lanes, pushes });
    expect(await heldIds()).toEqual([]);
  }

  beforeEach(async () => {
    await deliverOne(); // Redis knows the scripts now
  });

  it('accepting a push is one command, whatever the number of its terminals', async () => {
    expect(await commandsOf(() => pushes.accept(fresh(), HELLO, 'a'))).toEqual(['evalsha']);
    const three = fresh({ terminals: [PHONE, PC, 'third' as typeof PHONE] });
    expect(await commandsOf(() => pushes.accept(three, HELLO, 'b'))).toEqual(['evalsha']);
  });

  it('delivering one to a connected terminal is four: open, begin, settle, release', async () => {
    const push = fresh();
    await pushes.accept(push, HELLO, push.pushId);
    const commands = await commandsOf(() => runOne({ clock, lanes, pushes }));
    expect(commands).toEqual(['evalsha', 'evalsha', 'evalsha', 'evalsha']);
  });

  it('delivering a hundred to it is three each, and a look now and then', async () => {
    for (let count = 0; count < 100; count += 1) {
      const push = fresh();
      await pushes.accept(push, HELLO, push.pushId);
    }
    const commands = await commandsOf(() => runOne({ clock, lanes, pushes }));
    expect(await heldIds()).toEqual([]);
    expect(commands.length).toBeLessThanOrEqual(330);
  });
});

it('a push of a thousand addresses is listed, found and settled', async () => {
  const recipients = Array.from({ length: 1000 }, (_, index) => ({
    address: `WAPPUSH=+43664${index}/TYPE=PLMN@ppg.test`,
    terminals: [`t${index}` as typeof PHONE],
  }));
  const push = fresh({ recipients, notifyTo: 'http://pi.test/', expiresAt: clock.now() + HOUR });
  expect((await pushes.accept(push, HELLO, 'once')).kind).toBe('accepted');
  const settled = await pushes.settle(push.uid, 't999' as typeof PHONE, {
    event: 'deliver',
    at: clock.now(),
    notifyAt: clock.now(),
  });
  expect(settled).toEqual({ moved: true, state: 'delivered', takenBack: [], owed: [999] });
  expect((await pushes.story(push.uid))?.push.recipients).toHaveLength(1000);
});
