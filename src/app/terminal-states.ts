/** What the gateway itself knows of a user's terminals now: connected by its lane, registered by its bindings. */
import type { OwnState } from '../registry/merge-sources.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { User } from '../registry/user.js';
import type { Stores } from './stores.js';

export async function ownStates(
  user: User,
  stores: Pick<Stores, 'registry' | 'lanes'>,
): Promise<ReadonlyMap<TerminalId, OwnState>> {
  const [bindings, views] = await Promise.all([
    stores.registry.bindings(user.id),
    Promise.all(user.terminals.map((terminal) => stores.lanes.view(terminal.id))),
  ]);
  return new Map(
    views.map(({ terminal, state }) => [
      terminal,
      {
        isConnected: state === 'connected',
        bindings: bindings.filter((binding) => binding.terminal === terminal),
      },
    ]),
  );
}
