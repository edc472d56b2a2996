/**
 * Lanes in Redis. A member of the sorted sets is the rank digit followed by the entry's id, so that an entry which
 * waited for its start can be put in order by what it carries in its name.
 */
import type {
  LaneConnections,
  LaneEntry,
  LaneHold,
  LaneRank,
  LaneView,
  WakeReceipt,
  WakeRecord,
  WakeState,
} from '../lane/lane.js';
import { laneState, type NamedReceipt, withReceipts } from '../lane/lane.js';
import type { LaneSnapshot, LaneStore, LaneWindow, Lease, Nodes, Released } from '../lane/ports.js';
import type { TerminalId } from '../registry/terminal-id.js';
import { dueMembers } from './due-members.js';
import * as keys from './keys.js';
import { connectLane, disconnectLane, unholdLane } from './lua/connect-lane.js';
import { holdLane } from './lua/hold-lane.js';
import { openLane } from './lua/open-lane.js';
import { noteReceipt, postponeWake, recordWake } from './lua/record-wake.js';
import { releaseLane } from './lua/release-lane.js';
import { removeFromLane } from './lua/remove-from-lane.js';
import type { RedisClient } from './redis-connection.js';

const WAKES_KEPT = 50;
const WAKES_LIFE_SECONDS = 7 * 24 * 3600;

export const memberOf = (entry: LaneEntry): string => `${entry.rank}${entry.id}`;

const entryOf = (member: string): LaneEntry => ({ rank: Number(member[0]) as LaneRank, id: member.slice(1) });

export class RedisLaneStore implements LaneStore {
  readonly #redis: RedisClient;
  readonly #now: () => number;
  readonly #leastSirIntervalMs: number;

  constructor(redis: RedisClient, options: { now: () => number; leastSirIntervalMs: number }) {
    this.#redis = redis;
    this.#now = options.now;
    this.#leastSirIntervalMs = options.leastSirIntervalMs;
  }

  open(terminal: TerminalId, window: LaneWindow, { self, isAlone }: Pick<Nodes, 'self' | 'isAlone'>) {
    return this.#read(terminal, ['', self, isAlone ? 1 : 0], window);
  }

  renew(lease: Lease, window: LaneWindow) {
    return this.#read(lease.terminal, [String(lease.token), '', 0], window);
  }

  async #read(
    terminal: TerminalId,
    by: readonly [prolonged: string, node: string, isAlone: number],
    { now, leaseMs, limit }: LaneWindow,
  ): Promise<{ lease: Lease; lane: LaneSnapshot } | undefined> {
    const reply = (await openLane.run(this.#redis, keys.laneKeys(terminal), [
      terminal,
      now,
      leaseMs,
      limit,
      ...by,
    ])) as (string | number)[] | null;
    if (!reply) return undefined;
    const [
      held,
      version,
      deadline,
      start,
      session,
      node,
      messageUntil,
      sent,
      method,
      notBefore,
      sirId,
      epoch,
      holdSince,
      expiredCount,
    ] = reply;
    const members = reply.slice(14).map((member) => entryOf(String(member)));
    const expired = Number(expiredCount);
    const [nextDeadline, nextStart] = [Number(deadline), Number(start)];
    return {
      lease: { terminal, token: Number(held), until: now + leaseMs },
      lane: {
        version: Number(version),
        expired: members.slice(0, expired),
        entries: members.slice(expired),
        ...(nextDeadline > 0 ? { nextDeadline } : {}),
        ...(nextStart > 0 ? { nextStart } : {}),
        connections: connections(String(session), String(node), Number(messageUntil)),
        wake: {
          epoch: Number(epoch),
          sent: Number(sent),
          method: Number(method),
          notBefore: Number(notBefore),
          ...(sirId ? { sirId: String(sirId) } : {}),
        },
        isOnHold: Number(holdSince) > 0,
      },
    };
  }

  async remove(terminal: TerminalId, entries: readonly LaneEntry[]): Promise<void> {
    if (entries.length === 0) return;
    await removeFromLane.run(
      this.#redis,
      [
        keys.queueKey(terminal),
        keys.deferredKey(terminal),
        keys.deadlinesKey(terminal),
        keys.dueKey(keys.laneBucket(terminal)),
      ],
      [terminal, ...entries.map(memberOf)],
    );
  }

  async release(lease: Lease, version: number, dueAt: number): Promise<Released> {
    const { terminal, token } = lease;
    return (await releaseLane.run(
      this.#redis,
      [keys.laneKey(terminal), keys.deadlinesKey(terminal), keys.dueKey(keys.laneBucket(terminal))],
      [terminal, token, version, dueAt],
    )) as Released;
  }

  async recordWake(
    lease: Lease,
    wake: WakeState,
    record: WakeRecord,
    { hasNext } = { hasNext: false },
  ): Promise<number | undefined> {
    const { terminal, token } = lease;
    const notBefore = (await recordWake.run(
      this.#redis,
      [keys.laneKey(terminal), keys.wakesKey(terminal)],
      [
        token,
        wake.epoch,
        wake.sent,
        wake.method,
        wake.notBefore,
        wake.sirId ?? '',
        record.outcome === 'handed' ? record.at : 0,
        JSON.stringify(record),
        WAKES_KEPT,
        WAKES_LIFE_SECONDS,
        hasNext && record.outcome === 'handed' ? 1 : 0,
      ],
    )) as string | null;
    return notBefore === null ? undefined : Number(notBefore);
  }

  async noteReceipt(
    terminal: TerminalId,
    sirId: string,
    receipt: WakeReceipt,
  ): Promise<{ readonly dueAt?: number } | undefined> {
    const before = (await noteReceipt.run(
      this.#redis,
      [
        keys.laneKey(terminal),
        keys.wakeReceiptsKey(terminal),
        keys.deadlinesKey(terminal),
        keys.dueKey(keys.laneBucket(terminal)),
      ],
      [
        terminal,
        sirId,
        receipt.outcome,
        JSON.stringify({ sirId, ...receipt }),
        this.#now(),
        WAKES_KEPT,
        WAKES_LIFE_SECONDS,
      ],
    )) as string | null;
    if (before === null) return undefined;
    const dueAt = Number(before);
    return dueAt > 0 ? { dueAt } : {};
  }

  async postpone(terminal: TerminalId, until: number, record: WakeRecord): Promise<void> {
    await postponeWake.run(
      this.#redis,
      [keys.laneKey(terminal), keys.wakesKey(terminal)],
      [until, JSON.stringify(record), WAKES_KEPT, WAKES_LIFE_SECONDS],
    );
  }

  async connected(
    terminal: TerminalId,
    connection: LaneConnections,
  ): Promise<{ held: number; dueAt?: number }> {
    const { session, messageUntil } = connection;
    const [held, due] = (await connectLane.run(
      this.#redis,
      [keys.laneKey(terminal), keys.deadlinesKey(terminal), keys.dueKey(keys.laneBucket(terminal))],
      [
        terminal,
        this.#now(),
        session?.id ?? '',
        session?.node ?? '',
        messageUntil ?? 0,
        this.#leastSirIntervalMs,
      ],
    )) as [number, string];
    const dueAt = Number(due);
    return { held, ...(dueAt > 0 ? { dueAt } : {}) };
  }

  async disconnected(terminal: TerminalId, session: string): Promise<void> {
    await disconnectLane.run(
      this.#redis,
      [keys.laneKey(terminal), keys.deadlinesKey(terminal), keys.dueKey(keys.laneBucket(terminal))],
      [terminal, this.#now(), session],
    );
  }

  async hold(terminal: TerminalId, { reason, since }: LaneHold): Promise<boolean> {
    return (await holdLane.run(this.#redis, [keys.laneKey(terminal)], [since, reason])) === 1;
  }

  async unhold(terminal: TerminalId): Promise<{ dueAt?: number } | undefined> {
    const reply = (await unholdLane.run(
      this.#redis,
      [keys.laneKey(terminal), keys.deadlinesKey(terminal), keys.dueKey(keys.laneBucket(terminal))],
      [terminal, this.#now(), this.#leastSirIntervalMs],
    )) as [number, string] | null;
    if (!reply) return undefined;
    const dueAt = Number(reply[1]);
    return dueAt > 0 ? { dueAt } : {};
  }

  async view(terminal: TerminalId): Promise<LaneView> {
    const [lane, held, deferred, all, due, wakes, receipts] = await Promise.all([
      this.#redis.hgetall(keys.laneKey(terminal)),
      this.#redis.zcard(keys.queueKey(terminal)),
      this.#redis.zcard(keys.deferredKey(terminal)),
      this.#redis.zcard(keys.deadlinesKey(terminal)),
      this.#redis.zscore(keys.dueKey(keys.laneBucket(terminal)), terminal),
      this.#redis.lrange(keys.wakesKey(terminal), 0, -1),
      this.#redis.lrange(keys.wakeReceiptsKey(terminal), 0, -1),
    ]);
    const wake: WakeState = {
      epoch: Number(lane['epoch'] ?? 0),
      sent: Number(lane['wakeSent'] ?? 0),
      method: Number(lane['wakeMethod'] ?? 0),
      notBefore: Number(lane['wakeNotBefore'] ?? 0),
      ...(lane['sirId'] ? { sirId: lane['sirId'] } : {}),
    };
    const found = {
      held,
      deferred,
      parked: Math.max(0, all - held - deferred),
      connections: connections(
        lane['session'] ?? '',
        lane['sessionNode'] ?? '',
        Number(lane['messageUntil'] ?? 0),
      ),
      wake,
      ...(lane['holdSince'] === undefined
        ? {}
        : { hold: { reason: lane['holdReason'] ?? '', since: Number(lane['holdSince']) } }),
    };
    return {
      terminal,
      state: laneState(found, this.#now()),
      ...found,
      ...(due === null ? {} : { dueAt: Number(due) }),
      wakes: withReceipts(
        wakes.map((text) => JSON.parse(text) as WakeRecord),
        receipts.map((text) => JSON.parse(text) as NamedReceipt),
      ),
    };
  }

  async entries(terminal: TerminalId, limit: number): Promise<readonly LaneEntry[]> {
    const members = await this.#redis.zrange(keys.deadlinesKey(terminal), '0', String(limit - 1));
    return members.map(entryOf);
  }

  /** The longest due first, so that lanes which fail again and again do not hide the others. */
  async due(now: number, limit: number): Promise<readonly TerminalId[]> {
    const found = await dueMembers(this.#redis, keys.LANE_BUCKETS.map(keys.dueKey), now, limit);
    return found as TerminalId[];
  }

  async totals(): Promise<{ lanes: number; oldestDueAt?: number }> {
    const buckets = keys.LANE_BUCKETS.map((bucket) => keys.dueKey(bucket));
    const [sizes, heads] = await Promise.all([
      Promise.all(buckets.map((key) => this.#redis.zcard(key))),
      Promise.all(
        buckets.map((key) => this.#redis.zrangebyscore(key, '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, 1)),
      ),
    ]);
    const lanes = sizes.reduce((sum, size) => sum + size, 0);
    const oldest = heads.flatMap(([, due]) => (due === undefined ? [] : [Number(due)]));
    return { lanes, ...(oldest.length > 0 ? { oldestDueAt: Math.min(...oldest) } : {}) };
  }
}

function connections(session: string, node: string, messageUntil: number): LaneConnections {
  return {
    ...(session ? { session: { id: session, node } } : {}),
    ...(messageUntil > 0 ? { messageUntil } : {}),
  };
}
