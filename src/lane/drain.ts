/**
 * Draining: hands the entries of a lane over to one connection, in order, a bounded number under way at a time. Does not
 * decide what happens when the connection cannot take them; that is `run-lane.ts`.
 */
import type { LaneEntry } from './lane.js';
import type { Delivery, TerminalConnection } from './ports.js';
import type { Held, LaneRun } from './under-lease.js';

/** The lane when nothing more could be done on the connection, and what it still holds for another way or time. */
export interface Drained {
  readonly held: Held;
  readonly left: readonly LaneEntry[];
  /** The connection is of no more use, for the reason given, or until `retryAt` (ms epoch). */
  readonly stopped?: Stopped;
  /** Why the bearer has given up all that is left. */
  readonly givenUp?: string;
}

type Stopped = Omit<Extract<Delivery, { readonly kind: 'stop' }>, 'kind'>;

/** Undefined when the lease was lost. In every case, and when the store fails, nothing is under way any more at the end. */
export async function drain(
  run: LaneRun,
  start: Held,
  connection: TerminalConnection,
): Promise<Drained | undefined> {
  const drainage = new Drainage(run, start, connection);
  try {
    return await drainage.run();
  } finally {
    await drainage.ended();
  }
}

class Drainage {
  readonly #run: LaneRun;
  readonly #connection: TerminalConnection;
  readonly #window: number;
  readonly #underWay = new Map<string, Promise<void>>();
  /** Ended since the last look at the lane began: what that look shows may be older than these. */
  readonly #finished = new Set<string>();
  /** The connection cannot carry these. */
  readonly #unfit = new Set<string>();
  /** Those of them that its bearer has given up, and why. */
  readonly #givenUp = new Map<string, string>();
  #held: Held;
  #waiting: LaneEntry[];
  #stopped: Stopped | undefined;
  /** The store would not begin anything: the lane is on hold, or was a moment ago. */
  #mustLook = false;

  constructor(run: LaneRun, start: Held, connection: TerminalConnection) {
    this.#run = run;
    this.#connection = connection;
    this.#window = Math.max(1, connection.window);
    this.#held = start;
    this.#waiting = [...start.lane.entries];
  }

  async run(): Promise<Drained | undefined> {
    const { kicks } = this.#run;
    for (;;) {
      this.#startNext();
      if (this.#underWay.size > 0 && !this.#mustLook) {
        const untilKicked = !this.#isOver() && this.#waiting.length === 0 && this.#hasRoom();
        await this.#run.firstOf(this.#underWay.values(), { untilKicked });
      }
      const isOver = this.#isOver();
      if (isOver && this.#underWay.size === 0) {
        if (!(await this.#look())) return undefined;
        if (this.#isOver()) return this.#ending(this.#held.lane.entries);
        continue; // the hold is over
      }
      const isDry = !isOver && this.#waiting.length === 0;
      if (isDry && !kicks.isPending && this.#underWay.size === 0 && this.#isWhole()) return this.#drained();
      const wantsMore = isDry && (kicks.isPending ? this.#hasRoom() : !this.#isWhole() && this.#runsLow());
      if (!wantsMore && !this.#mustLook && this.#run.isFresh(this.#held.lease)) continue;
      if (!(await this.#look())) return undefined;
    }
  }

  /** Resolves when nothing is under way; never rejects. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#underWay.values());
  }

  #startNext(): void {
    while (!this.#isOver() && !this.#mustLook && this.#hasRoom() && this.#run.isFresh(this.#held.lease)) {
      const entry = this.#waiting.shift();
      if (!entry) return;
      this.#underWay.set(entry.id, this.#handOver(entry));
    }
  }

  async #handOver(entry: LaneEntry): Promise<void> {
    const { terminal, ports } = this.#run;
    const delivery = await ports.cargo.deliver(terminal, entry.id, this.#connection, this.#held.lease.token);
    if (delivery.kind === 'leftOver') await ports.store.remove(terminal, [entry]);
    if (delivery.kind === 'stop') this.#stopped ??= delivery;
    if (delivery.kind === 'onHold') this.#mustLook = true;
    if (delivery.kind === 'unfit' || delivery.kind === 'givenUp') this.#unfit.add(entry.id);
    if (delivery.kind === 'givenUp') this.#givenUp.set(entry.id, delivery.reason);
    this.#finished.add(entry.id);
    this.#underWay.delete(entry.id);
  }

  /** Prolongs the lease and reads on. False when the lease was lost. */
  async #look(): Promise<boolean> {
    this.#finished.clear();
    this.#mustLook = false;
    const held = await this.#run.look(this.#held.lease);
    if (!held) return false;
    this.#held = held;
    this.#waiting = held.lane.entries.filter(
      ({ id }) => !this.#underWay.has(id) && !this.#finished.has(id) && !this.#unfit.has(id),
    );
    return true;
  }

  #drained(): Drained {
    const left = this.#held.lane.entries.filter(({ id }) => this.#unfit.has(id));
    const [why] = left.map(({ id }) => this.#givenUp.get(id));
    const isGivenUp = why !== undefined && left.every(({ id }) => this.#givenUp.has(id));
    return { ...this.#ending(left), ...(isGivenUp ? { givenUp: why } : {}) };
  }

  #ending(left: readonly LaneEntry[]): Drained {
    return { held: this.#held, left, ...(this.#stopped === undefined ? {} : { stopped: this.#stopped }) };
  }

  /** The connection is of no more use, or nothing may be started: what is under way ends. */
  #isOver(): boolean {
    const { lane } = this.#held;
    return (
      this.#stopped !== undefined ||
      lane.isOnHold ||
      !this.#connection.isOpen ||
      this.#run.options.isStopping()
    );
  }

  #hasRoom(): boolean {
    return this.#underWay.size < this.#window;
  }

  #runsLow(): boolean {
    return this.#underWay.size <= this.#window / 2;
  }

  /** Did the last look show all that can be handed over here? What came later moves the version or kicks. */
  #isWhole(): boolean {
    const { entries } = this.#held.lane;
    return entries.length < this.#run.options.readAhead || entries.every(({ id }) => this.#unfit.has(id));
  }
}
