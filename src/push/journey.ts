/**
 * The life of a push, and the map of this folder.
 *
 *   submission          check, resolve every address, store, place in the lanes; then the initiator is answered
 *   target-resolution   address → the user's terminals, each chosen or not, with reasons
 *   session-initiation  the SIR that wakes one terminal for everything its lane holds
 *   direct-delivery     hand the content to a bearer that carries it without a session
 *   delivery            hand the content over, settle what became of it
 *   giving-up           a bearer has failed with it for good: the next one, or the end
 *   receipt             what the network said later of content that was handed to it
 *   result-notification tell the initiator, retried on its own until acknowledged
 *   status-query · cancellation · story
 *
 * Waiting, waking, order and pacing belong to the lane. Two machines run side by side because each can fail alone:
 * the delivery to a terminal, and the report to the initiator.
 */
import { isFinal, type TransitionTable } from '../kernel/transition-table.js';
import type { MessageState } from '../protocols/pap/index.js';

export type DeliveryState =
  | 'held'
  | 'handed'
  | 'delivered'
  | 'expired'
  | 'timedOut'
  | 'cancelled'
  | 'undeliverable'
  | 'aborted';
export type DeliveryEvent = 'handOver' | 'takeBack' | 'deliver' | 'expire' | 'cancel' | 'fail' | 'abort';
/** Events after which nothing more happens to a delivery. */
export type SettlingEvent = Exclude<DeliveryEvent, 'handOver' | 'takeBack'>;

/** A delivery to one terminal. `held` covers waiting, woken and under way: the lane knows which. */
export const DELIVERY = {
  held: {
    handOver: 'handed', // a network has the content and will say what becomes of it
    deliver: 'delivered', // the terminal confirmed the content
    expire: 'expired', // the deadline passed first
    cancel: 'cancelled', // the initiator or the operator took it back
    fail: 'undeliverable', // no way is left: the terminal cannot take this content
    abort: 'aborted', // the terminal refused it
  },
  handed: {
    takeBack: 'held', // the network gave it up, and another way is left
    deliver: 'delivered', // the receipt is there
    expire: 'timedOut', // the deadline passed without a receipt: nobody knows
    fail: 'undeliverable',
    abort: 'aborted',
  },
  delivered: {},
  expired: {},
  timedOut: {},
  cancelled: {},
  undeliverable: {},
  aborted: {},
} as const satisfies TransitionTable<DeliveryState, DeliveryEvent>;

/** Where a settling event leads from a state; undefined when it is too late, or too early, for that event. */
export function settledState(event: SettlingEvent, from: DeliveryState): DeliveryState | undefined {
  const moves: Partial<Record<DeliveryEvent, DeliveryState>> = DELIVERY[from];
  return moves[event];
}

export function isSettled(state: DeliveryState): boolean {
  return isFinal<DeliveryState, DeliveryEvent>(DELIVERY, state);
}

export type ResultState = 'owed' | 'sent' | 'abandoned';
export type ResultEvent = 'acknowledge' | 'giveUp';

export const RESULT = {
  owed: { acknowledge: 'sent', giveUp: 'abandoned' },
  sent: {},
  abandoned: {},
} as const satisfies TransitionTable<ResultState, ResultEvent>;

/** What the initiator is told for each state of ours, and the code when the delivery recorded none. */
export const PAP_STATE = {
  held: { messageState: 'pending', code: 1001 },
  handed: { messageState: 'pending', code: 1001 },
  delivered: { messageState: 'delivered', code: 1000 },
  expired: { messageState: 'expired', code: 4000 },
  timedOut: { messageState: 'timeout', code: 4000 },
  cancelled: { messageState: 'cancelled', code: 1000 },
  undeliverable: { messageState: 'undeliverable', code: 2006 },
  aborted: { messageState: 'aborted', code: 5000 },
} as const satisfies Record<DeliveryState, { messageState: MessageState; code: number }>;
