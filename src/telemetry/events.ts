/**
 * The event feed: what happens in this process, each event told once and in one place. Log, metrics and the live stream of the
 * admin API subscribe to it, so the code in which something happens knows none of them. Every event is a log line with a type and
 * fields; nobody may put content or secrets into one. Events are facts about the past: no decision hangs on who listens.
 */
import type { LogEvent } from './log.js';

/** The fields of each type of event. `push` is a uid, `terminal` a terminal id, as everywhere in the log. */
export interface EventFields {
  'push.accepted': Submitted;
  /** `code`: PAP result code, or HTTP status of the JSON API; `none` when nothing was answered. */
  'push.refused': Submitted;
  /** Any other request of a push initiator. */
  'pap.answered': {
    readonly initiator?: string;
    readonly operation: string;
    readonly pushId?: string;
    readonly code?: number;
    readonly detail?: string;
    readonly error?: string;
  };
  /** One attempt to hand content over: the record for billing. The terminal is named by a digest, its user not at all. */
  'delivery.attempted': {
    readonly push: string;
    readonly terminal: string;
    readonly bearer: string;
    readonly outcome: { readonly kind: string };
    readonly bytes: number;
    readonly latencyMs: number;
  };
  /** Something of ours failed; the delivery is tried again. */
  'delivery.interrupted': { readonly push: string; readonly terminal: string; readonly reason: string };
  'delivery.settled': {
    readonly push: string;
    readonly terminal: string;
    readonly state: string;
    readonly reason?: string;
    /** From acceptance to the terminal having it; for `delivered` only. */
    readonly ageMs?: number;
  };
  /** One SIR, or the reason that there was none: the record for billing. */
  'terminal.woken': {
    readonly terminal: string;
    readonly bearer: string;
    /** How it was to find the terminal; absent when nothing was sent. */
    readonly mode?: string;
    readonly outcome: string;
    readonly sirId: string;
    readonly detail: string;
    readonly latencyMs: number;
  };
  /** Its address leads nowhere any more: whoever provisions the terminal has to give it a new one. */
  'terminal.activationRemoved': {
    readonly terminal: string;
    readonly bearer: string;
    readonly reason: string;
  };
  /** One attempt to hand a short message, or a USSD message, to a message centre: the record for billing. Numbers only as digests. */
  'sms.attempted': {
    readonly bearer: string;
    readonly link: string;
    readonly push?: string;
    readonly sirId?: string;
    readonly terminal: string;
    readonly number: string;
    readonly segments: number;
    readonly accepted: number;
    readonly result: string;
    readonly detail: string;
    readonly latencyMs: number;
  };
  /** A message centre says what became of a message; without `push` and `sirId` nobody knows which (yet). */
  'sms.receipt': {
    readonly link: string;
    readonly state: string;
    readonly bearer?: string;
    readonly push?: string;
    readonly sirId?: string;
    readonly terminal?: string;
  };
  /** A message of a subscriber. */
  'sms.received': {
    readonly link: string;
    readonly number: string;
    readonly result: string;
    readonly detail: string;
    readonly terminal?: string;
  };
  /** A link to a message centre: `bound`, `waiting`, `closed`; `throttled` by the centre, `broken` by failures. */
  'link.changed': { readonly link: string; readonly state: string; readonly reason: string };
  'session.opened': { readonly terminal: string; readonly session: string };
  'session.closed': { readonly terminal: string; readonly session: string; readonly reason: string };
  'result.sent': ResultAttempted;
  /** The initiator did not acknowledge; the report is tried again. */
  'result.delayed': ResultAttempted;
  'result.abandoned': ResultAttempted;
  'admin.change': {
    readonly who: string;
    readonly what: string;
    readonly path: string;
    readonly result: string;
  };
}

interface Submitted {
  readonly api: 'pap' | 'json';
  readonly initiator?: string;
  readonly pushId?: string;
  readonly code: number | 'none';
  readonly detail?: string;
  readonly error?: string;
  /** From the request being read to its answer. */
  readonly elapsedMs?: number;
}

interface ResultAttempted {
  readonly push: string;
  readonly recipient: number;
  readonly attempts: number;
  readonly reason?: string;
}

export type EventType = keyof EventFields;

export type GatewayEvent = {
  [Type in EventType]: LogEvent & { readonly type: Type } & EventFields[Type];
}[EventType];

/** Every type; the keys of `EventFields` as a value. */
export const EVENT_TYPES = Object.keys({
  'push.accepted': true,
  'push.refused': true,
  'pap.answered': true,
  'delivery.attempted': true,
  'delivery.interrupted': true,
  'delivery.settled': true,
  'terminal.woken': true,
  'terminal.activationRemoved': true,
  'sms.attempted': true,
  'sms.receipt': true,
  'sms.received': true,
  'link.changed': true,
  'session.opened': true,
  'session.closed': true,
  'result.sent': true,
  'result.delayed': true,
  'result.abandoned': true,
  'admin.change': true,
} satisfies Record<EventType, true>) as readonly EventType[];

export type EventListener = (event: GatewayEvent) => void;

export class EventFeed {
  readonly #listeners = new Set<EventListener>();

  /** Tells every listener, in the order in which they subscribed, before it returns. */
  publish(event: GatewayEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** `listener` must not throw and must be quick: whoever publishes waits for it. Returns how to unsubscribe. */
  subscribe(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}
