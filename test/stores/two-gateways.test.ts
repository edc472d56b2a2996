/**
 * Two gateways on one Redis, hundreds of pushes, and everything late: commands stall at random, beyond the lease too. What
 * must hold whatever happens: every push is delivered, no attempt begins under a lease that was lost, what was settled
 * is not sent again, without stalls nothing is sent twice at all, and no lane is left that nobody will look at.
 */

import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Lanes } from '../../src/lane/lanes.js';
import type {
  ConnectionItem,
  ConnectionOutcome,
  LaneStore,
  TerminalConnection,
} from '../../src/lane/ports.js';
import { sweepLanes } from '../../src/lane/sweeper.js';
import { PushDelivery } from '../../src/push/delivery.js';
import type { PushStore } from '../../src/push/ports.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import { BlobDirectory } from '../../src/stores/blob-directory.js';
import type { RedisClient } from '../../src/stores/redis-connection.js';
import { RedisLaneStore } from '../../src/stores/redis-lane-store.js';
import { RedisPushStore } from '../../src/stores/redis-push-store.js';
import { contentValidator } from '../support/content.js';
import { FakeClock } from '../support/fake-clock.js';
import { instead } from '../support/instead.js';
import { aPush, HELLO, HOUR } from '../support/pushes.js';
import { TestRedis } from '../support/redis.js';
import { type SeededRandom, seededRandom } from '../support/seeded-random.js';

const LEASE_MS = 30_000;
const TERMINALS = ['alpha', 'Beta', '0mega', '_under', '-dash'] as TerminalId[];

let server: TestRedis;
let redis: RedisClient;
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
  clock = new FakeClock();
  const now = () => clock.now();
  lanes = new RedisLaneStore(redis, { now, leastSirIntervalMs: 0 });
  pushes = new RedisPushStore(redis, new BlobDirectory(join(server.directory, 'blobs')), {
    now,
    inlineBytes: 1000,
    retentionMs: HOUR,
    isCluster: false,
  });
});

/**
 * A terminal that remembers what it was sent and what it confirmed, and what must not have happened. That is judged by what
 * was known when an attempt was asked for: the store orders attempts and settlements, and how soon each gateway
 * hears the answer is chance.
 */
class Terminal {
  readonly sent: string[] = [];
  readonly begun: string[] = [];
  readonly confirmed = new Set<string>();
  readonly settled = new Set<string>();
  readonly faults: string[] = [];
  newestToken = 0;

  /** Takes an item in; `confirm` says whether its answer gets back. */
  async take({ id }: ConnectionItem, confirm: boolean): Promise<ConnectionOutcome> {
    this.sent.push(id);
    const attempts = (ids: readonly string[]) => ids.filter((other) => other === id).length;
    if (attempts(this.sent) > attempts(this.begun)) this.faults.push(`${id} was sent without an attempt`);
    await turn();
    if (!confirm) return { kind: 'lost', detail: 'no answer' };
    this.confirmed.add(id);
    return { kind: 'confirmed' };
  }
}

interface Gateway {
  readonly lanes: Lanes;
  readonly name: string;
}

type Stall = () => Promise<void>;

/** A gateway that reaches every terminal by MESSAGE, as both may; `stall` comes before each command. */
function gateway(
  name: string,
  terminals: ReadonlyMap<TerminalId, Terminal>,
  { stall, random, losesOneIn }: { stall: Stall; random: SeededRandom; losesOneIn: number },
): Gateway {
  const far = (id: TerminalId): Terminal => {
    const terminal = terminals.get(id);
    if (!terminal) throw new Error('no such terminal');
    return terminal;
  };
  const laneStore = instead<LaneStore>(lanes, {
    open: async (terminal, ...args) => {
      await stall();
      const held = await lanes.open(terminal, ...args);
      if (held) far(terminal).newestToken = Math.max(far(terminal).newestToken, held.lease.token);
      return held;
    },
    renew: async (...args) => {
      await stall();
      return lanes.renew(...args);
    },
    release: async (...args) => {
      await stall();
      return lanes.release(...args);
    },
    remove: async (...args) => {
      await stall();
      return lanes.remove(...args);
    },
  });
  const pushStore = instead<PushStore>(pushes, {
    begin: async (uid, terminal, attempt) => {
      await stall();
      const { newestToken, begun, settled, faults } = far(terminal);
      const wasSettled = settled.has(uid);
      const answer = await pushes.begin(uid, terminal, attempt);
      if (answer.kind !== 'begun') return answer;
      begun.push(uid);
      if (attempt.token < newestToken) faults.push(`${uid} begun under an old lease`);
      if (wasSettled) faults.push(`${uid} begun after it had been settled`);
      return answer;
    },
    settle: async (uid, terminal, settlement) => {
      const settled = await pushes.settle(uid, terminal, settlement);
      far(terminal).settled.add(uid);
      return settled;
    },
  });
  const cargo = new PushDelivery({
    store: pushStore,
    contentValidator,
    clock,
    alarms: { resultDue: async () => {} },
    observe: () => {},
    ways: async () => [],
  });
  const connection = (terminal: TerminalId): TerminalConnection => ({
    bearer: 'sip-message',
    window: 3,
    isOpen: true,
    deliver: (item) => far(terminal).take(item, losesOneIn === 0 || random.below(losesOneIn) !== 0),
  });
  const running = new Lanes(
    {
      store: laneStore,
      cargo,
      connections: {
        session: () => undefined,
        message: async (terminal) => connection(terminal),
        direct: async () => undefined,
      },
      waker: {
        wake: async (_terminal, { now }) => ({
          methods: 1,
          record: { sirId: 's', at: now, bearer: 'sip', outcome: 'handed', detail: '' },
        }),
      },
      nodes: {
        self: name,
        isAlone: false,
        isAlive: async () => true,
        kick: async () => {},
        kickAll: async () => {},
      },
      clock,
      laneDue: async () => {},
    },
    {
      leaseMs: LEASE_MS,
      readAhead: 8,
      schedule: { retryMs: [1000] },
      maxRunning: 10,
      onError: (_terminal, error) => {
        throw error;
      },
    },
  );
  return { lanes: running, name };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function acceptMany(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const terminal = TERMINALS[index % TERMINALS.length];
    const push = aPush({ acceptedAt: clock.now(), terminals: terminal ? [terminal] : [] });
    await pushes.accept(push, HELLO, push.pushId);
    ids.push(push.uid);
  }
  return ids;
}

async function nothingIsLeft(): Promise<void> {
  for (const terminal of TERMINALS) {
    const { held, dueAt } = await lanes.view(terminal);
    expect([terminal, held, dueAt]).toEqual([terminal, 0, undefined]);
  }
}

const deliveredIds = (terminals: ReadonlyMap<TerminalId, Terminal>) =>
  [...terminals.values()].flatMap(({ confirmed }) => [...confirmed]).sort();

describe('two gateways that race for the same lanes', () => {
  it('without stalls send every push exactly once', async () => {
    const terminals = new Map(TERMINALS.map((id) => [id, new Terminal()]));
    const random = seededRandom(1);
    const stall = async () => {
      for (let turns = random.below(3); turns > 0; turns -= 1) await turn();
    };
    const gateways = ['a', 'b'].map((name) => gateway(name, terminals, { stall, random, losesOneIn: 0 }));
    const ids = await acceptMany(300);
    for (let round = 0; round < 30; round += 1) {
      for (const { lanes } of gateways) for (const terminal of TERMINALS) lanes.kick(terminal);
      await turn();
    }
    const runs = gateways.flatMap(({ lanes }) => TERMINALS.map((terminal) => lanes.run(terminal)));
    await Promise.all(runs);
    expect(deliveredIds(terminals)).toEqual(ids.sort());
    expect([...terminals.values()].flatMap(({ sent }) => sent)).toHaveLength(300);
    await nothingIsLeft();
  });

  it.each([11, 12, 13, 14])(
    'with stalls beyond the lease (seed %i) lose nothing and repeat nothing settled',
    async (seed) => {
      const terminals = new Map(TERMINALS.map((id) => [id, new Terminal()]));
      const random = seededRandom(seed);
      const stall = async () => {
        for (let turns = random.below(4); turns > 0; turns -= 1) await turn();
        // Now and then this command takes longer than the lease lives: the other gateway gets its chance meanwhile.
        if (random.below(25) !== 0) return;
        clock.step(LEASE_MS + 1);
        for (let turns = 0; turns < 20; turns += 1) await turn();
      };
      const gateways = ['a', 'b'].map((name) => gateway(name, terminals, { stall, random, losesOneIn: 20 }));
      const ids = await acceptMany(250);
      for (let round = 0; deliveredIds(terminals).length < ids.length; round += 1) {
        if (round > 2000) throw new Error('the lanes do not come to an end');
        clock.step(1000);
        for (const { lanes: own } of gateways) {
          await sweepLanes(lanes, (terminal) => own.kick(terminal), { now: clock.now(), limit: 100 });
        }
        await turn();
      }
      for (const { lanes: own } of gateways) await own.stop();
      expect(deliveredIds(terminals)).toEqual(ids.sort());
      expect([...terminals.values()].flatMap(({ faults }) => faults)).toEqual([]);
    },
  );
});

it('a gateway that dies in the middle leaves its lanes to the other one', async () => {
  const terminals = new Map(TERMINALS.map((id) => [id, new Terminal()]));
  const random = seededRandom(5);
  let isDead = false;
  const stall = async () => {
    if (isDead) await new Promise<never>(() => {});
  };
  const dying = gateway('dying', terminals, { stall, random, losesOneIn: 0 });
  const ids = await acceptMany(100);
  for (const terminal of TERMINALS) dying.lanes.kick(terminal);
  while (deliveredIds(terminals).length < 20) await turn();
  isDead = true;
  for (let turns = 0; turns < 50; turns += 1) await turn();
  const survivor = gateway('survivor', terminals, { stall: async () => {}, random, losesOneIn: 0 });
  clock.step(LEASE_MS + 1);
  await sweepLanes(lanes, (terminal) => survivor.lanes.kick(terminal), { now: clock.now(), limit: 100 });
  await survivor.lanes.stop().then(() => undefined);
  const last = gateway('last', terminals, { stall: async () => {}, random, losesOneIn: 0 });
  await Promise.all(TERMINALS.map((terminal) => last.lanes.run(terminal)));
  expect(deliveredIds(terminals)).toEqual(ids.sort());
  await nothingIsLeft();
});
