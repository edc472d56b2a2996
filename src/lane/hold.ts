/**
 * Holding a lane, by an operator's word: pushes for the terminal are accepted and expire, but nothing is delivered and
 * nobody is woken until the lane is released. The store ends what could begin; the kick makes whoever runs the lane, on
 * whichever node, let go of it. What is under way ends: content that a terminal has half of is not taken from it.
 */
import type { Clock } from '../kernel/clock.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { LaneStore, Nodes } from './ports.js';

export interface HoldPorts {
  readonly store: Pick<LaneStore, 'hold' | 'unhold'>;
  readonly nodes: Pick<Nodes, 'kickAll'>;
  readonly clock: Clock;
  /** Runs the lane, and brings forward its alarm when it has one. */
  readonly wakeLane: (terminal: TerminalId, dueAt?: number) => void;
}

/** Says whether the lane was put on hold now; a lane that was before has a new reason. */
export async function holdLane(terminal: TerminalId, reason: string, ports: HoldPorts): Promise<boolean> {
  const isNew = await ports.store.hold(terminal, { reason, since: ports.clock.now() });
  await ports.nodes.kickAll(terminal);
  return isNew;
}

/** Ends a hold and runs the lane at once. Says whether there was one. */
export async function releaseLane(terminal: TerminalId, ports: HoldPorts): Promise<boolean> {
  const released = await ports.store.unhold(terminal);
  if (released === undefined) return false;
  ports.wakeLane(terminal, released.dueAt);
  return true;
}
