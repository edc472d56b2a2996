/**
 * A terminal registered: what that means for what its lane holds.
 *
 * A registration that announces push content (`+g.oma.pusheventapp`), or that follows a SIR, is profile S2: from now on small
 * content goes to the contact by MESSAGE (SIR-159). Any other new registration only makes the terminal reachable: its lane
 * is looked at again, and if it holds something the terminal is woken. A refresh changes neither.
 */
import type { LaneStore } from '../lane/ports.js';
import type { Binding } from '../registry/binding.js';
import type { TerminalId } from '../registry/terminal-id.js';

export interface ConnectionPorts {
  readonly lanes: Pick<LaneStore, 'connected' | 'view'>;
  readonly wakeLane: (terminal: TerminalId, dueAt?: number) => void;
}

export async function terminalRegistered(
  terminal: TerminalId,
  registration: {
    readonly binding: Pick<Binding, 'features' | 'expiresAt'>;
    readonly isRefresh: boolean;
  },
  ports: ConnectionPorts,
): Promise<void> {
  const { binding, isRefresh } = registration;
  const { wake, connections } = await ports.lanes.view(terminal);
  const followsSir = wake.sirId !== undefined;
  const staysConnected = (connections.messageUntil ?? 0) > 0 && isRefresh;
  const takesMessages = announcesPush(binding) || followsSir || staysConnected;
  if (isRefresh && !takesMessages) return;
  const { held, dueAt } = await ports.lanes.connected(
    terminal,
    takesMessages ? { messageUntil: binding.expiresAt } : {},
  );
  if (held > 0) ports.wakeLane(terminal, dueAt);
}

/** The terminal can be reached anew, somebody outside says: what its lane holds is looked at again. */
export async function terminalReachable(terminal: TerminalId, ports: ConnectionPorts): Promise<void> {
  const { held, dueAt } = await ports.lanes.connected(terminal, {});
  if (held > 0) ports.wakeLane(terminal, dueAt);
}

/** Does the registration say that the terminal takes pushes by SIP? */
export function announcesPush({ features }: Pick<Binding, 'features'>): boolean {
  return PUSH_FEATURE in features;
}

/** Feature tag of a terminal that takes pushes by SIP (OMA SIP Push). */
const PUSH_FEATURE = '+g.oma.pusheventapp';
