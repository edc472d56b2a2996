/**
 * A stage for one terminal's lane: everything around `runLane` scripted, nothing waits for real time. The lane itself is the
 * memory twin, which the contract suite holds to what Redis does.
 */
import type { LaneEntry, LaneRank } from '../../src/lane/lane.js';
import { Lanes } from '../../src/lane/lanes.js';
import type {
  ConnectionBearer,
  Delivery,
  DirectWay,
  LaneCargo,
  Nodes,
  TerminalConnection,
  TerminalConnections,
  WakeOutcome,
  WakeRequest,
  Waker,
} from '../../src/lane/ports.js';
import { runLane } from '../../src/lane/run-lane.js';
import type { LaneOptions, LanePorts } from '../../src/lane/under-lease.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import { FakeClock } from './fake-clock.js';
import { MemoryLaneStore } from './memory-lane-store.js';
import { HOUR, PHONE } from './pushes.js';

export const LEASE_MS = 30_000;
export const LEAST_SIR_INTERVAL_MS = 10_000;

/** What a scripted hand-over comes to: an outcome, or one that the test decides later. */
export type Scripted = Delivery | Promise<Delivery>;

export const DONE: Delivery = { kind: 'done' };
export const LOST: Delivery = { kind: 'stop', reason: 'the connection broke' };
export const UNFIT: Delivery = { kind: 'unfit', reason: 'too large for a MESSAGE' };

/** Hands over by script, keeps the lane as a cargo does, and remembers what happened. */
export class ScriptedCargo implements LaneCargo {
  /** Ids in the order in which their delivery was started. */
  readonly started: string[] = [];
  readonly done: string[] = [];
  readonly expired: string[] = [];
  readonly tokens: number[] = [];
  underWay = 0;
  mostUnderWay = 0;
  /** Decides every hand-over that is not decided by name. */
  otherwise: (id: string, connection: TerminalConnection) => Scripted = () => DONE;
  readonly #byName = new Map<string, Scripted[]>();
  readonly #lanes: MemoryLaneStore;

  constructor(lanes: MemoryLaneStore) {
    this.#lanes = lanes;
  }

  /** The next hand-overs of `id` come to these, in turn. */
  script(id: string, ...outcomes: Scripted[]): void {
    this.#byName.set(id, outcomes);
  }

  async deliver(
    terminal: TerminalId,
    id: string,
    connection: TerminalConnection,
    token: number,
  ): Promise<Delivery> {
    this.started.push(id);
    this.tokens.push(token);
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    const delivery = await (this.#byName.get(id)?.shift() ?? this.otherwise(id, connection));
    this.underWay -= 1;
    const entry = (await this.#lanes.entries(terminal, Number.MAX_SAFE_INTEGER)).find((one) => one.id === id);
    if (entry && delivery.kind === 'done') await this.#lanes.remove(terminal, [entry]);
    if (entry && delivery.kind === 'parked') this.#lanes.park(terminal, entry);
    if (delivery.kind === 'done') this.done.push(id);
    return delivery;
  }

  async expire(_terminal: TerminalId, id: string): Promise<void> {
    this.expired.push(id);
  }
}

export class ScriptedConnection implements TerminalConnection {
  readonly bearer: ConnectionBearer;
  readonly window: number;
  isOpen = true;

  constructor(bearer: ConnectionBearer = 'msrp', window = 4) {
    this.bearer = bearer;
    this.window = window;
  }

  /** The lane's cargo is scripted, so nothing gets as far as the connection. */
  deliver(): Promise<never> {
    throw new Error('nothing is delivered here');
  }
}

export class ScriptedConnections implements TerminalConnections {
  here: TerminalConnection | undefined;
  byMessage: TerminalConnection | undefined;
  /** For each activation method, the connection by which it carries content itself. */
  byMethod: readonly (TerminalConnection | undefined)[] = [];

  session(): TerminalConnection | undefined {
    return this.here;
  }

  async message(): Promise<TerminalConnection | undefined> {
    return this.byMessage;
  }

  async direct(_terminal: TerminalId, { method }: WakeRequest): Promise<DirectWay | undefined> {
    const connection = this.byMethod[method % Math.max(1, this.byMethod.length)];
    return connection && { connection, methods: this.byMethod.length };
  }
}

type SirOutcome = WakeOutcome['record']['outcome'];

/** Activation methods by name; each says what its next SIRs come to. */
export class ScriptedWaker implements Waker {
  readonly sent: { readonly bearer: string; readonly at: number; readonly held: number }[] = [];
  methods: readonly string[] = ['sip'];
  outcome: (bearer: string) => SirOutcome | Promise<SirOutcome> = () => 'handed';
  elsewhere: string | undefined;

  async wake(_terminal: TerminalId, { method, entries, now }: WakeRequest): Promise<WakeOutcome> {
    const bearer = this.methods[method % Math.max(1, this.methods.length)] ?? 'none';
    this.sent.push({ bearer, at: now, held: entries.length });
    const outcome = bearer === 'none' ? 'failed' : await this.outcome(bearer);
    return {
      methods: this.methods.length,
      record: { sirId: `sir-${this.sent.length}`, at: now, bearer, outcome, detail: 'scripted' },
      ...(this.elsewhere === undefined ? {} : { elsewhere: this.elsewhere }),
    };
  }
}

export class ScriptedNodes implements Nodes {
  readonly self: string;
  isAlone = false;
  readonly alive: Set<string>;
  readonly kicked: string[] = [];

  constructor(self = 'here') {
    this.self = self;
    this.alive = new Set([self]);
  }

  async isAlive(node: string): Promise<boolean> {
    return this.alive.has(node);
  }

  async kick(node: string): Promise<void> {
    this.kicked.push(node);
  }

  async kickAll(): Promise<void> {
    this.kicked.push('all');
  }
}

export class LaneStage {
  readonly clock = new FakeClock();
  readonly store = new MemoryLaneStore({
    now: () => this.clock.now(),
    leastSirIntervalMs: LEAST_SIR_INTERVAL_MS,
  });
  readonly cargo = new ScriptedCargo(this.store);
  readonly connections = new ScriptedConnections();
  readonly waker = new ScriptedWaker();
  readonly nodes = new ScriptedNodes();
  /** Moments of alarms that were set, in order. */
  readonly alarms: number[] = [];
  readonly errors: unknown[] = [];
  isStopping = false;
  readonly ports: LanePorts = {
    store: this.store,
    cargo: this.cargo,
    connections: this.connections,
    waker: this.waker,
    nodes: this.nodes,
    clock: this.clock,
    laneDue: async (_terminal, at) => {
      this.alarms.push(at);
    },
  };
  readonly options: LaneOptions = {
    leaseMs: LEASE_MS,
    readAhead: 16,
    schedule: { retryMs: [60_000, 120_000, 300_000] },
    isStopping: () => this.isStopping,
  };

  /** Places entries named by `ids` in the phone's lane. */
  hold(
    ids: readonly string[],
    options: { rank?: LaneRank; startsAt?: number; expiresAt?: number } = {},
  ): void {
    const { rank = 1, startsAt, expiresAt } = options;
    const now = this.clock.now();
    for (const id of ids) {
      const entry: LaneEntry = { id, rank };
      this.store.place(PHONE, entry, {
        now,
        deadline: expiresAt ?? now + HOUR,
        ...(startsAt === undefined ? {} : { notBefore: startsAt }),
      });
    }
  }

  /** The terminal opens a session on this node. */
  async connect(connection: TerminalConnection = new ScriptedConnection()): Promise<TerminalConnection> {
    this.connections.here = connection;
    await this.store.connected(PHONE, { session: { id: 'session', node: this.nodes.self } });
    return connection;
  }

  async disconnect(): Promise<void> {
    this.connections.here = undefined;
    await this.store.disconnected(PHONE, 'session');
  }

  run(ports: Partial<LanePorts> = {}): Promise<void> {
    return runLane(PHONE, { ...this.ports, ...ports }, this.options);
  }

  lanes({ maxRunning = 10, ports = {} }: { maxRunning?: number; ports?: Partial<LanePorts> } = {}): Lanes {
    const { isStopping: _, ...options } = this.options;
    return new Lanes(
      { ...this.ports, ...ports },
      { ...options, maxRunning, onError: (_terminal, error) => this.errors.push(error) },
    );
  }

  async held(): Promise<readonly string[]> {
    const lane = await this.store.view(PHONE);
    const all = await this.store.entries(PHONE, lane.held + lane.deferred);
    return all.map(({ id }) => id).sort();
  }
}

/** An outcome that the test decides when it wants. */
export function undecided(): { readonly outcome: Promise<Delivery>; decide(delivery: Delivery): void } {
  let decide: (delivery: Delivery) => void = () => undefined;
  const outcome = new Promise<Delivery>((resolve) => {
    decide = resolve;
  });
  return { outcome, decide: (delivery) => decide(delivery) };
}

export function numbered(count: number, prefix = 'e'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
}
