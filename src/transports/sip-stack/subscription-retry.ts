/**
 * When a subscription that failed or was ended is made anew (RFC 6665 §4.1.2, §4.1.3, RFC 5057): pure decisions over status codes and
 * reasons. Two kinds of failure: the notifier will not have us, which only time or an operator mends, and it is not there now.
 */
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../kernel/units.js';
import type { SubscriptionState } from '../../protocols/sip/index.js';

/** `refused`: the notifier will not have the subscription. `timeout`: it is away, or busy. */
export type SubscriptionFailure = 'refused' | 'timeout';

export type AfterResponse =
  | { readonly kind: 'accepted' }
  /** The dialog is gone at the other side: a new one at once. */
  | { readonly kind: 'anew' }
  | { readonly kind: 'tooBrief' }
  | { readonly kind: 'failed'; readonly why: SubscriptionFailure };

/** What a final response to SUBSCRIBE means. */
export function afterResponse(status: number, isRefresh: boolean): AfterResponse {
  if (status < 300) return { kind: 'accepted' };
  if (status === 423) return { kind: 'tooBrief' };
  if (status === 481 && isRefresh) return { kind: 'anew' };
  const isAway = status === 408 || status === 480 || status === 481 || status === 491;
  return { kind: 'failed', why: isAway || (status >= 500 && status < 600) ? 'timeout' : 'refused' };
}

export type AfterTermination =
  /** Subscribe again after this time. */
  | { readonly kind: 'again'; readonly afterMs: number }
  /** Subscribe again when the usual pause is over. */
  | { readonly kind: 'failed'; readonly why: SubscriptionFailure }
  /** What was notified holds for good. */
  | { readonly kind: 'settled' };

/** What `Subscription-State: terminated` asks for, by its reason (RFC 6665 §4.1.3). */
export function afterTermination({ reason, retryAfterSeconds }: SubscriptionState): AfterTermination {
  switch (reason) {
    case 'deactivated':
    case 'timeout':
      return { kind: 'again', afterMs: 0 }; // retry-after has no meaning for these two
    case 'rejected':
    case 'noresource':
      return { kind: 'failed', why: 'refused' };
    case 'invariant':
      return { kind: 'settled' };
    default:
      // probation, giveup, a reason that is new, or none
      return retryAfterSeconds === undefined
        ? { kind: 'failed', why: 'timeout' }
        : { kind: 'again', afterMs: retryAfterSeconds * SECOND_MS };
  }
}

const FIRST_PAUSE_MS: Readonly<Record<SubscriptionFailure, number>> = {
  timeout: 2 * SECOND_MS,
  refused: 5 * MINUTE_MS,
};
const LONGEST_PAUSE_MS: Readonly<Record<SubscriptionFailure, number>> = {
  timeout: 5 * MINUTE_MS,
  refused: HOUR_MS,
};

/**
 * The pause after so many failures in a row (at least one): doubling, spread over half of itself, because after an outage all
 * subscriptions come back at once. `chance` is from 0 to 1.
 */
export function pauseMs(why: SubscriptionFailure, failures: number, chance: number): number {
  const doubled = FIRST_PAUSE_MS[why] * 2 ** Math.min(Math.max(failures - 1, 0), 16);
  return Math.round(Math.min(doubled, LONGEST_PAUSE_MS[why]) * (0.5 + chance / 2));
}

/** When to refresh what was granted for so long: well before the end, and never so often that it hurts the notifier. */
export function refreshAfterMs(expiresSeconds: number): number {
  const beforeEnd = expiresSeconds > 120 ? expiresSeconds - 60 : expiresSeconds / 2;
  return Math.max(beforeEnd, 1) * SECOND_MS;
}
