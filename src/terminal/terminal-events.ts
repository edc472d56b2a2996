/** What a terminal reports to whoever runs it, in the order in which it happened. `at` is milliseconds since the epoch. */
import type { Clock } from '../kernel/clock.js';
import { DeliveryError } from '../kernel/errors.js';
import type { ReceivedContent } from './content.js';
import type { Judgement } from './judgement.js';
import type { Returned } from './returning.js';
import type { ShortMessage } from './short-message.js';
import type { ReceivedSir } from './sir.js';

export type TerminalFact =
  | {
      readonly kind: 'registered';
      readonly contact: string;
      readonly expiresSeconds: number;
      readonly publicGruu?: string;
    }
  | { readonly kind: 'unregistered' }
  /**
   * A carrier besides SIP: `url` says the address of the activation method, `wsp://host:port` and `sms:+43…` that behind the scheme; `keys` are those of a
   * Web Push subscription.
   */
  | {
      readonly kind: 'listening';
      readonly url: string;
      readonly keys?: { readonly p256dh: string; readonly auth: string };
    }
  | { readonly kind: 'sir'; readonly sir: ReceivedSir; readonly judgement: Judgement }
  /** The user is asked whether to follow it. */
  | { readonly kind: 'asking'; readonly sir: ReceivedSir }
  | { readonly kind: 'activated'; readonly application: string }
  | { readonly kind: 'connected'; readonly gateway: string; readonly sirId?: string }
  | { readonly kind: 'content'; readonly content: ReceivedContent; readonly isDuplicate: boolean }
  /** Information, a message, or a `rejection` without a session. */
  | ({ readonly kind: 'returned'; readonly information: string } & Returned)
  /** A short message that the terminal wants sent. */
  | ({ readonly kind: 'sms' } & ShortMessage)
  | { readonly kind: 'closed'; readonly gateway: string; readonly reason: string }
  | { readonly kind: 'error'; readonly doing: string; readonly reason: string };

export type TerminalEvent = TerminalFact & { readonly at: number };
export type TerminalEventKind = TerminalEvent['kind'];
export type TerminalEventOf<Kind extends TerminalEventKind> = Extract<TerminalEvent, { readonly kind: Kind }>;

export type TerminalEventListener = (event: TerminalEvent) => void;

/** Hands every event to every listener, in order. A listener that throws disturbs nobody else. */
export class TerminalEventFeed {
  readonly #clock: Clock;
  readonly #listeners = new Set<TerminalEventListener>();
  readonly #onListenerFailure: (error: unknown) => void;

  constructor(clock: Clock, onListenerFailure: (error: unknown) => void) {
    this.#clock = clock;
    this.#onListenerFailure = onListenerFailure;
  }

  emit(fact: TerminalFact): void {
    const event = { ...fact, at: this.#clock.now() };
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#onListenerFailure(error);
      }
    }
  }

  /** Returns the function that ends the listening. */
  listen(listener: TerminalEventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The next event of a kind (that matches). Rejects with DeliveryError('timeout') when none comes in time. */
  next<Kind extends TerminalEventKind>(
    kind: Kind,
    options: {
      readonly matches?: (event: TerminalEventOf<Kind>) => boolean;
      readonly timeoutMs: number;
    },
  ): Promise<TerminalEventOf<Kind>> {
    const { matches, timeoutMs } = options;
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(timeoutMs, () => {
        stop();
        reject(new DeliveryError('timeout', `no event "${kind}" within ${timeoutMs} ms`));
      });
      const stop = this.listen((event) => {
        if (!isOfKind(event, kind) || matches?.(event) === false) return;
        timer.cancel();
        stop();
        resolve(event);
      });
    });
  }
}

function isOfKind<Kind extends TerminalEventKind>(
  event: TerminalEvent,
  kind: Kind,
): event is TerminalEvent & TerminalEventOf<Kind> {
  return event.kind === kind;
}
