/**
 * An activation method whose address leads nowhere any more: a subscription that has ended, a device that a wake-up service does not know. It
 * is taken out of the terminal's record, so that nobody is asked about it again; whoever provisions the terminal puts a new one in.
 */
import type { Registry } from './ports.js';
import type { TerminalId } from './terminal-id.js';
import type { ActivationMethod } from './user.js';

/** True when the method was there. A method that was replaced meanwhile stays. */
export async function removeActivation(
  id: TerminalId,
  gone: Pick<ActivationMethod, 'bearer' | 'address'>,
  registry: Pick<Registry, 'findTerminal' | 'changeTerminal'>,
): Promise<boolean> {
  const terminal = await registry.findTerminal(id);
  if (!terminal) return false;
  const { before, terminal: after } = await registry.changeTerminal(
    terminal.user,
    id,
    (known = terminal) => ({
      ...known,
      activation: known.activation.filter(
        ({ bearer, address }) => bearer !== gone.bearer || address !== gone.address,
      ),
    }),
  );
  return after.activation.length < (before ?? terminal).activation.length;
}
