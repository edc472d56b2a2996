/**
 * How many pushes an initiator may submit in a second, and how much of its may be held at the same time. The port over the
 * shared count, and what is told when there is no room. Every process counts together; an initiator without such
 * limits is not counted at all, and costs nothing.
 *
 * A push is counted before it is stored and given back when its last delivery is settled, so a quota is never exceeded. After a
 * crash in between too much may be counted for a while, never too little: `RedisInitiatorQuotas.verify` finds it.
 */
import { RefusedError } from '../kernel/errors.js';
import type { InitiatorLimits } from '../registry/initiator.js';
import type { PushUid } from './push-message.js';

/** A push as it is counted. `acceptance` tells apart two submissions of one push-id that come together. */
export interface CountedPush {
  readonly initiator: string;
  readonly uid: PushUid;
  readonly acceptance: string;
  /** Octets of its content. */
  readonly bytes: number;
}

export interface InitiatorUsage {
  readonly pendingPushes: number;
  readonly pendingBytes: number;
}

export type Admission =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'rate'; readonly retryAfterMs: number }
  | { readonly kind: 'pendingPushes' | 'pendingBytes' };

export interface InitiatorQuotas {
  /**
   * Takes a place within the rate and the quotas that are given, in one step, or says which of them has none left. Safe to
   * repeat for the quotas; the rate counts a repetition again.
   */
  admit(push: CountedPush, limits: CountedLimits): Promise<Admission>;
  /** Gives the place back: the push was refused after all, or is over. Safe to repeat. */
  release(push: CountedPush): Promise<void>;
  /** What is counted for the initiator now. */
  usage(initiator: string): Promise<InitiatorUsage>;
}

export type CountedLimits = Pick<
  InitiatorLimits,
  'pushesPerSecond' | 'burst' | 'pendingPushes' | 'pendingBytes'
>;

/** Pushes of this initiator are counted while they are held. */
export function hasQuota(limits: InitiatorLimits | undefined): boolean {
  return limits?.pendingPushes !== undefined || limits?.pendingBytes !== undefined;
}

export function isCounted(limits: InitiatorLimits | undefined): boolean {
  return hasQuota(limits) || limits?.pushesPerSecond !== undefined;
}

/** The refusal for an admission that was not given; it names the limit, because the initiator can act on it. */
export function refusalFor(
  admission: Exclude<Admission, { kind: 'admitted' }>,
  limits: CountedLimits,
): RefusedError {
  const again = 'try again later';
  switch (admission.kind) {
    case 'rate': {
      const { retryAfterMs } = admission;
      const seconds = Math.ceil(retryAfterMs / 1000);
      const text = `rate limit of ${limits.pushesPerSecond} pushes/s reached, try again in ${seconds} s`;
      return new RefusedError('quotaExceeded', text, 'later', { publicDetail: text, retryAfterMs });
    }
    case 'pendingPushes':
      return full(`quota of ${limits.pendingPushes} pending pushes is used up, ${again}`);
    case 'pendingBytes':
      return full(
        `quota of ${limits.pendingBytes} octets in pending pushes has no room for this one, ${again}`,
      );
  }
}

function full(text: string): RefusedError {
  return RefusedError.telling('quotaExceeded', text, 'later');
}
