/** What became of one SIR that went out in several copies. Pure. */
import type { BearerOutcome } from './ports.js';

/** One outcome of several: handed when any of them was, else deferred when any was, refused when all were. `names` says who is meant, in the same order. */
export function together(outcomes: readonly BearerOutcome[], names: readonly string[]): BearerOutcome {
  const told = outcomes.map(({ detail }, index) => `${names[index] ?? ''}: ${detail}`).join('; ');
  const kind = kindOf(outcomes);
  const soonest = Math.min(...outcomes.map(({ retryAt = Number.POSITIVE_INFINITY }) => retryAt));
  return {
    kind,
    detail: told || 'nobody to send it to',
    ...(kind === 'deferred' ? { retryAt: soonest } : {}),
  };
}

function kindOf(outcomes: readonly BearerOutcome[]): BearerOutcome['kind'] {
  if (outcomes.some(({ kind }) => kind === 'handed')) return 'handed';
  if (outcomes.some(({ kind }) => kind === 'deferred')) return 'deferred';
  return outcomes.length > 0 && outcomes.every(({ kind }) => kind === 'refused') ? 'refused' : 'failed';
}
