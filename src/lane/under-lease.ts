/**
 * One run of a lane under its lease: looking at the lane, prolonging the lease while something takes long, dropping what
 * has expired. Keeping the lease alive is what keeps a second process from delivering the same entries.
 */
import type { Clock } from '../kernel/clock.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { Kicks } from './kicks.js';
import type { LaneEntry } from './lane.js';
import type {
  LaneCargo,
  LaneSnapshot,
  LaneStore,
  LaneWindow,
  Lease,
  Nodes,
  TerminalConnections,
  Waker,
} from './ports.js';
import type { WakeSchedule } from './wake-schedule.js';

export interface LanePorts {
  readonly store: LaneStore;
  readonly cargo: LaneCargo;
  readonly connections: TerminalConnections;
  readonly waker: Waker;
  readonly nodes: Nodes;
  readonly clock: Clock;
  /** Sets the alarm for the lane's due moment. */
  laneDue(terminal: TerminalId, at: number): Promise<void>;
}

export interface LaneOptions {
  readonly leaseMs: number;
  /** Entries read at once; at least twice the largest window. */
  readonly readAhead: number;
  readonly schedule: WakeSchedule;
  /** True once the process is shutting down: nothing new is started. */
  isStopping(): boolean;
}

/** The lease, and the lane as it was at the last look. */
export interface Held {
  readonly lease: Lease;
  readonly lane: LaneSnapshot;
}

/** What a wait came to. `over`: the wait was ended, and this is the lane now. `lost`: the lease was. */
export type Waited<T> =
  | { readonly kind: 'done'; readonly held: Held; readonly result: T }
  | { readonly kind: 'over'; readonly held: Held }
  | { readonly kind: 'lost' };

export class LaneRun {
  readonly terminal: TerminalId;
  readonly ports: LanePorts;
  readonly options: LaneOptions;
  readonly kicks: Kicks;

  constructor(terminal: TerminalId, ports: LanePorts, options: LaneOptions, kicks: Kicks) {
    this.terminal = terminal;
    this.ports = ports;
    this.options = options;
    this.kicks = kicks;
  }

  /** Takes the lease. Undefined when another runner has it: that one will see the lane's version move. */
  async open(): Promise<Held | undefined> {
    const { store, nodes } = this.ports;
    this.kicks.answer();
    return this.#withoutExpired(await store.open(this.terminal, this.#window(), nodes));
  }

  /** Prolongs the lease and looks again. Undefined when it was lost. */
  async look(lease: Lease): Promise<Held | undefined> {
    this.kicks.answer();
    return this.#withoutExpired(await this.ports.store.renew(lease, this.#window()));
  }

  /** Expired entries come a number at a time, so the lane is looked at until none is left. */
  async #withoutExpired(found: Held | undefined): Promise<Held | undefined> {
    let held = found;
    while (held && held.lane.expired.length > 0) {
      await this.#expire(held.lane.expired);
      held = await this.ports.store.renew(held.lease, this.#window());
    }
    return held;
  }

  async #expire(entries: readonly LaneEntry[]): Promise<void> {
    const { cargo, store } = this.ports;
    await Promise.all(entries.map((entry) => cargo.expire(this.terminal, entry.id)));
    await store.remove(this.terminal, entries);
  }

  /** Has the lease more than a third of its life left? Otherwise it is prolonged before anything is started. */
  isFresh(lease: Lease): boolean {
    return this.ports.clock.now() < lease.until - this.options.leaseMs / 3;
  }

  /**
   * Waits for a task, prolongs the lease meanwhile, and looks at the lane at every kick. `isOver` may end the wait on what a
   * look shows; the task then goes on by itself. Otherwise what the lane says is passed over: the version that the caller has
   * seen stays, so that `release` notices a change.
   */
  async underLease<T>(
    start: Held,
    task: Promise<T>,
    isOver: (lane: LaneSnapshot) => boolean,
  ): Promise<Waited<T>> {
    let held = start;
    let outcome: { result: T } | undefined;
    const done = task.then((result) => {
      outcome = { result };
    });
    for (;;) {
      await this.firstOf([done], { untilKicked: true });
      if (outcome) return { kind: 'done', held, result: outcome.result };
      const seen = await this.look(held.lease);
      if (!seen) return { kind: 'lost' };
      if (isOver(seen.lane) || this.options.isStopping()) return { kind: 'over', held: seen };
      held = { lease: seen.lease, lane: held.lane };
    }
  }

  /** Resolves with the first of the tasks, when the lease should be prolonged, or (if asked to listen) at a kick. */
  async firstOf(
    tasks: Iterable<Promise<void>>,
    { untilKicked = false }: { untilKicked?: boolean } = {},
  ): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      let stopListening: (() => void) | undefined;
      const stop = () => {
        timer.cancel();
        stopListening?.();
      };
      const end = () => {
        stop();
        resolve();
      };
      const timer = this.ports.clock.after(this.options.leaseMs / 3, end);
      if (untilKicked) stopListening = this.kicks.listen(end);
      Promise.race(tasks).then(end, (error) => {
        stop();
        reject(error);
      });
    });
  }

  #window(): LaneWindow {
    const { clock } = this.ports;
    return { now: clock.now(), leaseMs: this.options.leaseMs, limit: this.options.readAhead };
  }
}
