/**
 * The safety net under the alarm clock: finds lanes whose due moment passed without anybody looking, after a crash
 * for instance, and runs them. Bounded work for each sweep; what is left waits for the next one.
 */
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
