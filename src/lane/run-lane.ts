/**
 * `runLane` is the only code that delivers to a terminal. It takes the lane's lease, drops what has expired, and then
 *
 *   on hold                 → does nothing until something expires
 *   a session here          → drains it in order, a window at a time
 *   a session on a live node → gives the lease back and kicks that node
 *   small content by MESSAGE → sends what fits
 *   otherwise               → wakes the terminal, unless a wake-up is pending, and leaves an alarm
 *
 * It never waits for a terminal. Whatever happens while it runs raises the lane's version, and `release` refuses to
 * let go of a lane whose version moved: nothing placed at the last moment is overlooked.
 */
import { MINUTE_MS } from '../kernel/units.js';
import type { TerminalId } from '../registry/terminal-id.js';
import { type Drained, drain } from './drain.js';
import { Kicks } from './kicks.js';
import type { WakeState } from './lane.js';
import type { TerminalConnection, WakeOutcome } from './ports.js';
import { type Held, type LaneOptions, type LanePorts, LaneRun } from './under-lease.js';
import { afterWake, hasNextMethod } from './wake-schedule.js';

const NEVER = Number.MAX_SAFE_INTEGER;
const LOOK_AGAIN_MS = 1000;
/** Of a wake-up that decides nothing any more. */
const NO_EPOCH = -1;
const FAR_MS = MINUTE_MS;

/** Runs one lane until nothing can be done now. Errors of the store reach the caller; the due moment then brings us back. */
export async function runLane(
  terminal: TerminalId,
  ports: LanePorts,
  options: LaneOptions,
  kicks: Kicks = new Kicks(),
): Promise<void> {
  const run = new LaneRun(terminal, ports, options, kicks);
  let held = await run.open();
  while (held) {
    const step = await workOn(run, held);
    if (!step) return; // the lease was lost: its new holder carries on
    const { lease, lane } = step.held;
    const released = await ports.store.release(lease, lane.version, step.dueAt);
    if (released === 'again') {
      held = await run.look(lease);
      continue;
    }
    if (released !== 'due') return;
    // NOTE: a kick that goes astray is made good by the sweeper; an alarm for each push to another node would cost more.
    if (step.kickNode !== undefined) await ports.nodes.kick(step.kickNode, terminal);
    else if (step.dueAt < NEVER && !isFarDeadline(step, ports.clock.now())) {
      await ports.laneDue(terminal, step.dueAt);
    }
    return;
  }
}

/** What a pass over the lane came to: when somebody has to look again, and which node has to do it. */
interface Step {
  readonly held: Held;
  readonly dueAt: number;
  readonly kickNode?: string;
}

/**
 * Most deliveries end long before their deadline, and an alarm for it would be left behind. The sweeper finds those that do not: seconds
 * late at most, after a wait of more than a minute.
 */
function isFarDeadline({ held, dueAt }: Step, now: number): boolean {
  return dueAt === held.lane.nextDeadline && dueAt - now > FAR_MS;
}

async function workOn(run: LaneRun, start: Held): Promise<Step | undefined> {
  const { terminal, ports, options } = run;
  const { connections, nodes, clock, store } = ports;
  if (start.lane.entries.length === 0 || start.lane.isOnHold) {
    return { held: start, dueAt: nextMoment(start) };
  }
  if (options.isStopping()) return { held: start, dueAt: clock.now() + options.leaseMs }; // another node looks soon

  const session = connections.session(terminal);
  if (session?.isOpen) {
    return drainOr(run, start, session, async (held) =>
      session.isOpen ? { held, dueAt: clock.now() + LOOK_AGAIN_MS } : workOn(run, held),
    );
  }

  const elsewhere = start.lane.connections.session;
  if (elsewhere && elsewhere.node !== nodes.self && (await nodes.isAlive(elsewhere.node))) {
    return { held: start, dueAt: clock.now() + options.leaseMs, kickNode: elsewhere.node };
  }
  if (elsewhere) await store.disconnected(terminal, elsewhere.id); // left behind by a node that died

  const message = await connections.message(terminal, start.lane.connections);
  if (!message) return wake(run, start);
  return drainOr(
    run,
    start,
    message,
    (held) => (held.lane.wake.epoch !== start.lane.wake.epoch ? workOn(run, held) : wake(run, held)), // it connected, or moved
  );
}

/** Drains the lane into a connection; `otherwise` decides about what the connection could not take. */
async function drainOr(
  run: LaneRun,
  start: Held,
  connection: TerminalConnection,
  otherwise: (held: Held) => Promise<Step | undefined>,
): Promise<Step | undefined> {
  const drained = await drain(run, start, connection);
  if (!drained) return undefined;
  const { held, left } = drained;
  return left.length === 0 || held.lane.isOnHold ? { held, dueAt: nextMoment(held) } : otherwise(held);
}

/**
 * Reaches out to a terminal that is not connected, when that may be done, by one activation method after the other: what a method
 * carries without a session goes out by it, for the rest it sends a SIR. When it fails the next one is tried at once. A bearer may
 * wait long for its next hop to answer; when the terminal is reached anew meanwhile, the lane is put on hold, or nothing is left
 * in it, the answer no longer matters and the lane is worked on afresh.
 */
async function wake(run: LaneRun, start: Held): Promise<Step | undefined> {
  const { terminal, ports, options } = run;
  const { waker, nodes, clock } = ports;
  let held = start;
  let state = held.lane.wake;
  while (state.notBefore <= clock.now() && !options.isStopping()) {
    const { epoch, method } = state;
    const sent = await sendDirectly(run, held, method);
    if (!sent) return undefined;
    held = sent.held;
    const { left, stopped, failure } = sent;
    if (left.length === 0 || held.lane.isOnHold) return { held, dueAt: nextMoment(held) };
    if (held.lane.wake.epoch !== epoch) return workOn(run, held);
    if (stopped?.retryAt !== undefined) return { held, dueAt: Math.min(stopped.retryAt, nextMoment(held)) };
    if (failure !== undefined) {
      state = afterWake(state, failure, options.schedule, clock.now());
      state = await recorded(run, held, state, failure);
      continue;
    }
    const waking = waker.wake(terminal, { method, entries: left, now: clock.now() });
    const waited = await run.underLease<WakeOutcome>(
      held,
      waking,
      (lane) => lane.wake.epoch !== epoch || lane.entries.length === 0 || lane.isOnHold,
    );
    if (waited.kind === 'lost') return undefined;
    held = waited.held;
    if (waited.kind === 'over') {
      keepRecord(run, held, state, waking);
      return workOn(run, held);
    }
    const outcome = waited.result;
    if (outcome.elsewhere !== undefined && (await nodes.isAlive(outcome.elsewhere))) {
      return { held, dueAt: clock.now() + options.leaseMs, kickNode: outcome.elsewhere };
    }
    state = afterWake(state, outcome, options.schedule, clock.now());
    state = await recorded(run, held, state, outcome);
    if (run.kicks.isPending) {
      const seen = await run.look(held.lease); // somebody changed the lane: not another SIR before a look at it
      return seen && workOn(run, seen);
    }
  }
  return { held, dueAt: Math.min(state.notBefore, nextMoment(held)) };
}

/**
 * A terminal may come before the network has answered that it has the request: the story shows what woke it all the same. It is for people, so
 * that nobody waits for it, or minds when the store is away.
 */
function keepRecord(
  { ports: { store } }: LaneRun,
  { lease }: Held,
  state: WakeState,
  waking: Promise<WakeOutcome>,
): void {
  void waking
    .then(({ record, elsewhere }) =>
      elsewhere === undefined ? store.recordWake(lease, { ...state, epoch: NO_EPOCH }, record) : undefined,
    )
    .catch(() => {});
}

/** Keeps the wake-up. The state may be another one then, by what the terminal or a network has said meanwhile. */
async function recorded(
  { ports: { store } }: LaneRun,
  { lease }: Held,
  state: WakeState,
  outcome: WakeOutcome,
): Promise<WakeState> {
  const hasNext = hasNextMethod(state, outcome);
  const notBefore = await store.recordWake(lease, state, outcome.record, { hasNext });
  return notBefore === undefined ? state : { ...state, notBefore };
}

interface SentDirectly extends Drained {
  /** The method failed: what the lane still holds is for another one. */
  readonly failure?: WakeOutcome;
}

/** Hands over what the activation method carries without a session, which may be nothing. Undefined when the lease was lost. */
async function sendDirectly(run: LaneRun, start: Held, method: number): Promise<SentDirectly | undefined> {
  const { terminal, ports } = run;
  const { entries } = start.lane;
  const at = ports.clock.now();
  const way = await ports.connections.direct(terminal, { method, entries, now: at });
  if (!way) return { held: start, left: entries };
  const { connection, methods } = way;
  const drained = await drain(run, start, connection);
  const detail = drained?.stopped?.reason ?? drained?.givenUp;
  if (!drained || detail === undefined) return drained;
  const { bearer } = connection;
  const record = { sirId: '', at, bearer, outcome: 'failed', detail } as const;
  return { ...drained, failure: { methods, record } };
}

function nextMoment({ lane: { nextDeadline = NEVER, nextStart = NEVER } }: Held): number {
  return Math.min(nextDeadline, nextStart);
}
