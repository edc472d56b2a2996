/**
 * The safety net under the alarm clock: finds lanes whose due moment passed without anybody looking, after a crash
 * for instance, and runs them. Bounded work for each sweep; what is left waits for the next one.
 */

import type { Clock } from '../kernel/clock.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { LaneStore } from './ports.js';

/** Returns how many lanes it kicked. */
export async function sweepLanes(
  store: LaneStore,
  kick: (terminal: TerminalId) => void,
  options: { now: number; limit: number },
): Promise<number> {
  const overdue = await store.due(options.now, options.limit);
  for (const terminal of overdue) kick(terminal);
  return overdue.length;
}

/** Time for the lanes of one batch to be opened. */
const BETWEEN_BATCHES_MS = 250;

/**
 * Sweeps batch by batch while there is a full one, for `forMs` at most. Far deadlines have no alarm, and those of many lanes may pass at the same
 * moment: one batch for each sweep would end them hours late. A lane that is kicked and waits for its turn may be kicked again.
 */
export async function sweepAll(
  store: LaneStore,
  kick: (terminal: TerminalId) => void,
  options: { clock: Clock; limit: number; forMs: number; isStopping: () => boolean },
): Promise<void> {
  const { clock, limit, forMs, isStopping } = options;
  const until = clock.now() + forMs;
  while ((await sweepLanes(store, kick, { now: clock.now(), limit })) === limit) {
    if (isStopping() || clock.now() + BETWEEN_BATCHES_MS > until) return; // the next sweep goes on
    await new Promise<void>((resolve) => clock.after(BETWEEN_BATCHES_MS, resolve));
  }
}
