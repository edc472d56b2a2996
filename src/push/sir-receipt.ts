/**
 * Receipt of a SIR: a network says later what became of a session initiation request that it took (SIR-137). One that did not arrive makes the lane
 * try the next activation method of the round at once; one that did is told to people and changes nothing: the terminal shows by coming that
 * it was woken.
 */
import type { Clock } from '../kernel/clock.js';
import type { LaneStore } from '../lane/ports.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { SirStore } from './sir.js';

export interface SirReceiptPorts {
  readonly sirs: Pick<SirStore, 'find'>;
  readonly lanes: Pick<LaneStore, 'noteReceipt'>;
  readonly clock: Pick<Clock, 'now'>;
  /** Runs the lane, and brings forward its alarm when it has one. */
  readonly wakeLane: (terminal: TerminalId, dueAt?: number) => void;
}

export interface SirReceipt {
  /** Id of the SIR. */
  readonly sir: string;
  /** The terminal that it went to. */
  readonly terminal: TerminalId;
  readonly outcome: 'delivered' | 'failed';
  /** In words for the operator. */
  readonly detail: string;
}

/** Resolves when what the receipt says is durable. Safe to repeat. */
export async function takeSirReceipt(
  { sir: id, terminal, outcome, detail }: SirReceipt,
  { sirs, lanes, clock, wakeLane }: SirReceiptPorts,
): Promise<void> {
  const sir = await sirs.find(id);
  // Of one that went to all terminals of the user, what became of it at the others says nothing of the one that is waited for.
  if (!sir || sir.terminal !== terminal) return;
  const isOver = await lanes.noteReceipt(terminal, id, { outcome, at: clock.now(), detail });
  if (isOver) wakeLane(terminal, isOver.dueAt);
}
