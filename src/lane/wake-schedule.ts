/**
 * When a terminal that does not come is woken again, and by which method: pure arithmetic over the wake state.
 * A method that failed at once gives way to the next one at once; a SIR that was handed over is given time to work.
 * When every method has had its turn the round ends and the next one waits longer.
 */
import { MINUTE_MS, SECOND_MS } from '../kernel/units.js';
import type { WakeState } from './lane.js';
import type { WakeOutcome } from './ports.js';

export interface WakeSchedule {
  /** Waiting times after the first, second, … SIR in milliseconds; the last one repeats. Never empty. */
  readonly retryMs: readonly number[];
}

/** How soon a terminal that nothing can wake is looked at again; connecting or a changed record brings it forward. */
const NO_METHOD_MS = 5 * MINUTE_MS;

/** No schedule makes the gateway send SIRs without a pause. */
const LEAST_PAUSE_MS = SECOND_MS;

export const FRESH_WAKE: WakeState = { epoch: 0, sent: 0, method: 0, notBefore: 0 };

/** The state after an attempt. `notBefore` equals `now` when another method can be tried at once. */
export function afterWake(
  before: WakeState,
  outcome: WakeOutcome,
  schedule: WakeSchedule,
  now: number,
): WakeState {
  const { record, methods, retryAt = 0 } = outcome;
  if (record.outcome === 'deferred') return { ...before, notBefore: retryAt };
  if (methods === 0) return { ...before, notBefore: now + NO_METHOD_MS };
  const tried = before.method + 1;
  const roundIsOver = tried % methods === 0;
  if (record.outcome === 'failed' && !roundIsOver) {
    return { ...before, method: tried, notBefore: now };
  }
  const waits = schedule.retryMs;
  const wait = Math.max(LEAST_PAUSE_MS, waits[Math.min(before.sent, waits.length - 1)] ?? 0);
  return {
    epoch: before.epoch,
    sent: before.sent + 1,
    method: tried,
    notBefore: Math.max(now + wait, retryAt),
    ...(record.outcome === 'failed' ? {} : { sirId: record.sirId }),
  };
}

/** Has the round of this attempt further methods? */
export function hasNextMethod(after: WakeState, { methods }: Pick<WakeOutcome, 'methods'>): boolean {
  return methods > 0 && after.method % methods !== 0;
}
