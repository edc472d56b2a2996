/** Lanes in memory: the twin of RedisLaneStore. The contract suite runs on both, so tests may take this for the other. */
import {
  type LaneConnections,
  type LaneEntry,
  type LaneHold,
  type LaneView,
  lanePlace,
  laneState,
  type NamedReceipt,
  type WakeReceipt,
  type WakeRecord,
  type WakeState,
  withReceipts,
} from '../../src/lane/lane.js';
import type { LaneSnapshot, LaneStore, LaneWindow, Lease, Nodes, Released } from '../../src/lane/ports.js';
import type { Placement } from '../../src/push/ports.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';

const EXPIRED_AT_ONCE = 100;

interface Place {
  readonly entry: LaneEntry;
  readonly deadline: number;
  /** Waits for this instant; then it gets its order. */
  startsAt?: number;
  order: number;
  isParked?: true;
}

interface Lane {
  readonly places: Map<string, Place>;
  token: number;
  leasedUntil: number;
  leaseNode?: string;
  version: number;
  lastOrder: number;
  session?: { readonly id: string; readonly node: string };
  messageUntil?: number;
  hold?: LaneHold;
  wake: WakeState;
  wokenAt: number;
  wakes: WakeRecord[];
  /** The round of the last SIR has further methods. */
  hasNext: boolean;
  failedSir?: string;
  postponedUntil?: number;
  receipts: NamedReceipt[];
  dueAt?: number;
}

export class MemoryLaneStore implements LaneStore {
  readonly #lanes = new Map<TerminalId, Lane>();
  readonly #now: () => number;
  readonly #leastSirIntervalMs: number;

  constructor(options: { now: () => number; leastSirIntervalMs: number }) {
    this.#now = options.now;
    this.#leastSirIntervalMs = options.leastSirIntervalMs;
  }

  /** The token of the newest lease; undefined while there has been none. */
  newestToken(terminal: TerminalId): number | undefined {
    return this.#lane(terminal).token || undefined;
  }

  isOnHold(terminal: TerminalId): boolean {
    return this.#lane(terminal).hold !== undefined;
  }

  place(
    terminal: TerminalId,
    entry: LaneEntry,
    { now, notBefore = 0, deadline }: { now: number; notBefore?: number; deadline: number },
  ): Placement {
    const lane = this.#lane(terminal);
    if (!lane.places.has(keyOf(entry))) {
      const waits = notBefore > now;
      if (!waits) lane.lastOrder += 1;
      lane.places.set(keyOf(entry), {
        entry,
        deadline,
        order: waits ? 0 : lane.lastOrder,
        ...(waits ? { startsAt: notBefore } : {}),
      });
      lane.version += 1;
    }
    if (lane.leasedUntil > now) {
      dueBy(lane, lane.leasedUntil);
      return { terminal, kick: true };
    }
    const isReachable =
      lane.session !== undefined || (lane.messageUntil ?? 0) > now || lane.wake.notBefore <= now;
    const isOnHold = lane.hold !== undefined;
    const start = notBefore > now ? notBefore : isOnHold ? deadline : lane.wake.notBefore;
    const at = notBefore <= now && isReachable && !isOnHold ? now : Math.min(deadline, start);
    const hasMoved = dueBy(lane, at);
    return { terminal, kick: at <= now, ...(at > now && hasMoved ? { alarmAt: at } : {}) };
  }

  async open(terminal: TerminalId, window: LaneWindow, { self, isAlone }: Pick<Nodes, 'self' | 'isAlone'>) {
    const lane = this.#lane(terminal);
    const isLeftOver = isAlone && lane.leaseNode !== self;
    if (lane.leasedUntil > window.now && !isLeftOver) return undefined;
    lane.token += 1;
    lane.leaseNode = self;
    return this.#look(terminal, lane, window);
  }

  async renew(lease: Lease, window: LaneWindow) {
    const lane = this.#lane(lease.terminal);
    return lane.token === lease.token ? this.#look(lease.terminal, lane, window) : undefined;
  }

  #look(
    terminal: TerminalId,
    lane: Lane,
    { now, leaseMs, limit }: LaneWindow,
  ): { lease: Lease; lane: LaneSnapshot } {
    lane.leasedUntil = now + leaseMs;
    this.#startDeferred(lane, now);
    const places = [...lane.places.values()];
    const expired = places
      .filter(({ deadline }) => deadline <= now)
      .sort((a, b) => a.deadline - b.deadline)
      .slice(0, EXPIRED_AT_ONCE);
    const queue = places
      .filter(({ startsAt, isParked }) => startsAt === undefined && !isParked)
      .sort(byPlace);
    const entries = expired.length < EXPIRED_AT_ONCE ? queue.slice(0, limit) : [];
    const deadlines = places.map(({ deadline }) => deadline).filter((deadline) => deadline > now);
    const starts = places.flatMap(({ startsAt = [] }) => startsAt);
    if (places.length > 0) lane.dueAt = lane.leasedUntil;
    else delete lane.dueAt;
    return {
      lease: { terminal, token: lane.token, until: lane.leasedUntil },
      lane: {
        version: lane.version,
        entries: entries.filter((place) => !expired.includes(place)).map(({ entry }) => entry),
        expired: expired.map(({ entry }) => entry),
        connections: connectionsOf(lane),
        wake: lane.wake,
        isOnHold: lane.hold !== undefined,
        ...(deadlines.length > 0 ? { nextDeadline: Math.min(...deadlines) } : {}),
        ...(starts.length > 0 ? { nextStart: Math.min(...starts) } : {}),
      },
    };
  }

  #startDeferred(lane: Lane, now: number): void {
    const starting = [...lane.places.values()]
      .filter(({ startsAt }) => startsAt !== undefined && startsAt <= now)
      .sort((a, b) => (a.startsAt ?? 0) - (b.startsAt ?? 0));
    for (const place of starting) {
      delete place.startsAt;
      lane.lastOrder += 1;
      place.order = lane.lastOrder;
    }
  }

  async remove(terminal: TerminalId, entries: readonly LaneEntry[]): Promise<void> {
    for (const entry of entries) this.leave(terminal, entry);
  }

  /** Takes one entry out, as the push store does when its delivery is settled. */
  leave(terminal: TerminalId, entry: LaneEntry): void {
    const lane = this.#lane(terminal);
    lane.places.delete(keyOf(entry));
    if (lane.places.size === 0) delete lane.dueAt;
  }

  /** Keeps an entry out of draining, as the push store does when its delivery is handed over. */
  park(terminal: TerminalId, entry: LaneEntry): void {
    const place = this.#lane(terminal).places.get(keyOf(entry));
    if (!place) return;
    place.isParked = true;
    delete place.startsAt;
  }

  /** Puts it back in line, behind those that wait, as the push store does when its delivery is handed back. */
  resume(terminal: TerminalId, entry: LaneEntry, now: number): void {
    const lane = this.#lane(terminal);
    const place = lane.places.get(keyOf(entry));
    if (!place?.isParked) return;
    delete place.isParked;
    lane.lastOrder += 1;
    place.order = lane.lastOrder;
    lane.version += 1;
    dueBy(lane, now);
  }

  async release(lease: Lease, version: number, dueAt: number): Promise<Released> {
    const lane = this.#lane(lease.terminal);
    if (lane.token !== lease.token) return 'lost';
    if (lane.version !== version) return 'again';
    lane.leasedUntil = 0;
    if (lane.places.size === 0) {
      delete lane.dueAt;
      return 'empty';
    }
    lane.dueAt = dueAt;
    return 'due';
  }

  async recordWake(
    lease: Lease,
    wake: WakeState,
    record: WakeRecord,
    { hasNext } = { hasNext: false },
  ): Promise<number | undefined> {
    const lane = this.#lane(lease.terminal);
    if (lane.token !== lease.token) return undefined;
    const isHanded = record.outcome === 'handed';
    const isOver = isHanded && hasNext && wake.sirId !== undefined && lane.failedSir === wake.sirId;
    const notBefore = Math.max(isOver ? record.at : wake.notBefore, lane.postponedUntil ?? 0);
    if (wake.epoch === lane.wake.epoch) {
      lane.wake = { ...wake, notBefore };
      lane.hasNext = isHanded && hasNext;
    }
    if (isHanded) lane.wokenAt = record.at;
    lane.wakes = [record, ...lane.wakes].slice(0, 50);
    return notBefore;
  }

  async noteReceipt(
    terminal: TerminalId,
    sirId: string,
    receipt: WakeReceipt,
  ): Promise<{ readonly dueAt?: number } | undefined> {
    const lane = this.#lane(terminal);
    const isKnown = lane.receipts.some(
      (known) =>
        known.sirId === sirId && (known.outcome === receipt.outcome || known.outcome === 'delivered'),
    );
    if (isKnown) return undefined;
    lane.receipts = [{ sirId, ...receipt }, ...lane.receipts].slice(0, 50);
    if (receipt.outcome !== 'failed') return undefined;
    lane.failedSir = sirId;
    lane.version += 1;
    const notBefore = Math.max(this.#now(), lane.postponedUntil ?? 0);
    if (lane.wake.sirId !== sirId || !lane.hasNext || lane.wake.notBefore <= notBefore) return undefined;
    lane.wake = { ...lane.wake, notBefore };
    if (lane.places.size === 0) return undefined;
    const { dueAt } = lane;
    dueBy(lane, notBefore);
    return dueAt === undefined ? {} : { dueAt };
  }

  async postpone(terminal: TerminalId, until: number, record: WakeRecord): Promise<void> {
    const lane = this.#lane(terminal);
    lane.postponedUntil = until;
    lane.wake = { ...lane.wake, notBefore: Math.max(lane.wake.notBefore, until) };
    lane.version += 1;
    lane.wakes = [record, ...lane.wakes].slice(0, 50);
  }

  async connected(
    terminal: TerminalId,
    connection: LaneConnections,
  ): Promise<{ held: number; dueAt?: number }> {
    const lane = this.#lane(terminal);
    if (connection.session) {
      lane.session = connection.session;
      delete lane.postponedUntil;
    }
    if (connection.messageUntil !== undefined) lane.messageUntil = connection.messageUntil;
    const dueAt = this.#reachedAnew(lane);
    return { held: lane.places.size, ...dueAt };
  }

  /** Returns the due moment there was. */
  #reachedAnew(lane: Lane): { dueAt?: number } {
    lane.wake = {
      epoch: lane.wake.epoch + 1,
      sent: 0,
      method: 0,
      notBefore: Math.max(lane.wokenAt + this.#leastSirIntervalMs, lane.postponedUntil ?? 0),
    };
    delete lane.failedSir;
    lane.hasNext = false;
    lane.version += 1;
    const { dueAt } = lane;
    if (lane.places.size > 0) dueBy(lane, this.#now());
    return dueAt === undefined ? {} : { dueAt };
  }

  async disconnected(terminal: TerminalId, session: string): Promise<void> {
    const lane = this.#lane(terminal);
    if (lane.session?.id !== session) return;
    delete lane.session;
    lane.version += 1;
    if (lane.places.size > 0) dueBy(lane, this.#now());
  }

  async hold(terminal: TerminalId, { reason, since }: LaneHold): Promise<boolean> {
    const lane = this.#lane(terminal);
    const before = lane.hold;
    lane.hold = { reason, since: before?.since ?? since };
    if (before === undefined) lane.version += 1;
    return before === undefined;
  }

  async unhold(terminal: TerminalId): Promise<{ dueAt?: number } | undefined> {
    const lane = this.#lane(terminal);
    if (lane.hold === undefined) return undefined;
    delete lane.hold;
    delete lane.postponedUntil;
    return this.#reachedAnew(lane);
  }

  async view(terminal: TerminalId): Promise<LaneView> {
    const lane = this.#lane(terminal);
    const places = [...lane.places.values()];
    const deferred = places.filter(({ startsAt }) => startsAt !== undefined).length;
    const parked = places.filter(({ isParked }) => isParked).length;
    const found = {
      held: places.length - deferred - parked,
      deferred,
      parked,
      connections: connectionsOf(lane),
      wake: lane.wake,
      ...(lane.hold === undefined ? {} : { hold: lane.hold }),
    };
    return {
      terminal,
      state: laneState(found, this.#now()),
      ...found,
      ...(lane.dueAt === undefined ? {} : { dueAt: lane.dueAt }),
      wakes: withReceipts(lane.wakes, lane.receipts),
    };
  }

  async entries(terminal: TerminalId, limit: number): Promise<readonly LaneEntry[]> {
    const places = [...this.#lane(terminal).places.values()].sort((a, b) => a.deadline - b.deadline);
    return places.slice(0, limit).map(({ entry }) => entry);
  }

  async due(now: number, limit: number): Promise<readonly TerminalId[]> {
    return this.#withDue()
      .filter(({ dueAt }) => dueAt <= now)
      .slice(0, limit)
      .map(({ terminal }) => terminal);
  }

  async totals(): Promise<{ lanes: number; oldestDueAt?: number }> {
    const due = this.#withDue();
    const [oldest] = due;
    return { lanes: due.length, ...(oldest ? { oldestDueAt: oldest.dueAt } : {}) };
  }

  #withDue(): { terminal: TerminalId; dueAt: number }[] {
    return [...this.#lanes]
      .flatMap(([terminal, { dueAt }]) => (dueAt === undefined ? [] : [{ terminal, dueAt }]))
      .sort((a, b) => a.dueAt - b.dueAt);
  }

  #lane(terminal: TerminalId): Lane {
    let lane = this.#lanes.get(terminal);
    if (!lane) {
      const wake = { epoch: 0, sent: 0, method: 0, notBefore: 0 };
      lane = {
        places: new Map(),
        token: 0,
        leasedUntil: 0,
        version: 0,
        lastOrder: 0,
        wake,
        wokenAt: 0,
        wakes: [],
        hasNext: false,
        receipts: [],
      };
      this.#lanes.set(terminal, lane);
    }
    return lane;
  }
}

const keyOf = ({ rank, id }: LaneEntry): string => `${rank}${id}`;

function byPlace(a: Place, b: Place): number {
  return lanePlace(a.entry.rank, a.order) - lanePlace(b.entry.rank, b.order) || a.entry.rank - b.entry.rank;
}

function dueBy(lane: Lane, at: number): boolean {
  if (lane.dueAt !== undefined && lane.dueAt <= at) return false;
  lane.dueAt = at;
  return true;
}

function connectionsOf({ session, messageUntil }: Lane): LaneConnections {
  return {
    ...(session === undefined ? {} : { session }),
    ...(messageUntil === undefined ? {} : { messageUntil }),
  };
}
