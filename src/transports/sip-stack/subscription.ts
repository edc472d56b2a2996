/**
 * One subscription, kept alive until it is ended (RFC 6665 §4.1.2): refreshed in time, made anew when the notifier has lost or ended it, with
 * growing pauses while it is away. What it is notified of goes to its owner; so does every change of its standing.
 */
import type { Clock, Timer } from '../../kernel/clock.js';
import { DecodeError, DeliveryError } from '../../kernel/errors.js';
import { SECOND_MS } from '../../kernel/units.js';
import { headerValue, type SipResponse, type SubscriptionState } from '../../protocols/sip/index.js';
import type { Refusal } from './request-checks.js';
import type { SipLogEvent, SipStack } from './sip-stack.js';
import { type Notification, SubscriptionDialog, type SubscriptionTarget } from './subscription-dialog.js';
import {
  afterResponse,
  afterTermination,
  pauseMs,
  refreshAfterMs,
  type SubscriptionFailure,
} from './subscription-retry.js';

export type SubscriptionStatus =
  /** The first NOTIFY is not there yet. */
  | { readonly kind: 'subscribing' }
  /** `isPending`: the notifier waits for somebody's permission and tells nothing meanwhile. */
  | { readonly kind: 'active'; readonly isPending: boolean }
  /** There is no subscription now; one is made again by itself. */
  | { readonly kind: 'waiting'; readonly why: SubscriptionFailure; readonly detail: string }
  | { readonly kind: 'ended' };

export interface SubscriptionOptions extends SubscriptionTarget {
  /** Asked for; what is granted counts. */
  readonly expiresSeconds: number;
  /** Every NOTIFY, in order, before it is answered. A DecodeError that it throws is answered 400 and changes nothing else. */
  readonly onNotify: (notification: Notification) => void;
  /** Called when `status` was set, to the same value perhaps; not by `end`. */
  readonly onStatus: (status: SubscriptionStatus) => void;
}

export interface SubscriptionPorts {
  readonly stack: Pick<SipStack, 'request'>;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly chance: () => number;
  readonly log: (event: SipLogEvent) => void;
  /** From now on the NOTIFYs of this dialog are ours. */
  readonly open: (dialog: SubscriptionDialog) => void;
  readonly close: (dialog: SubscriptionDialog) => void;
  /** Nothing more will happen with this subscription. */
  readonly onGone: (subscription: Subscription) => void;
}

/** [RFC 6665 §4.1.2.4] Timer N: how long the first NOTIFY may take after the 2xx. */
export const NOTIFY_WAIT_MS = 32 * SECOND_MS;
/** A notifier that ends a subscription sooner than this counts as failing, however friendly its reason. */
const SHORT_LIFE_MS = 5 * SECOND_MS;
const MAX_EXPIRES_SECONDS = 604_800;

export class Subscription {
  readonly #options: SubscriptionOptions;
  readonly #ports: SubscriptionPorts;
  #status: SubscriptionStatus = { kind: 'subscribing' };
  #dialog: SubscriptionDialog | undefined;
  /** Of a subscription that was ended: its last NOTIFY may still come. */
  #ending: SubscriptionDialog | undefined;
  #expiresSeconds: number;
  #expiresAt = 0;
  #bornAt = 0;
  #failures = 0;
  #isSending = false;
  /** A refresh was asked for while a SUBSCRIBE was under way. */
  #isRefreshWanted = false;
  #timer: Timer | undefined;

  constructor(options: SubscriptionOptions, ports: SubscriptionPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#expiresSeconds = options.expiresSeconds;
    this.#begin();
  }

  get status(): SubscriptionStatus {
    return this.#status;
  }

  /** Asks for the whole state again: by a refresh, or at once by a new subscription when there is none now. */
  refresh(): void {
    if (this.#status.kind === 'ended') return;
    if (this.#isSending) this.#isRefreshWanted = true;
    else if (this.#dialog === undefined) this.#begin();
    else if (this.#dialog.isEstablished) void this.#send(this.#dialog);
  }

  /** Ends the subscription, here at once and at the notifier when it can be told. Never throws; safe to repeat. */
  async end(): Promise<void> {
    const dialog = this.#dialog;
    if (this.#status.kind === 'ended') return;
    this.#status = { kind: 'ended' };
    this.#timer?.cancel();
    this.#dialog = undefined;
    if (dialog === undefined) {
      this.abandon();
      return;
    }
    // The last NOTIFY, which the notifier sends now, is still answered.
    this.#ending = dialog;
    this.#schedule(NOTIFY_WAIT_MS, () => this.abandon());
    if (!dialog.isEstablished) return;
    await this.#ports.stack.request(dialog.subscribe(0)).catch(() => undefined);
  }

  /** Forgets the subscription and tells nobody: whatever still comes for it is answered 481. */
  abandon(): void {
    this.#status = { kind: 'ended' };
    this.#timer?.cancel();
    for (const dialog of [this.#dialog, this.#ending]) if (dialog !== undefined) this.#ports.close(dialog);
    this.#dialog = undefined;
    this.#ending = undefined;
    this.#ports.onGone(this);
  }

  /** Takes a NOTIFY of one of its dialogs; the refusal that it is to be answered with, or undefined for 200. */
  receive(dialog: SubscriptionDialog, notification: Notification): Refusal | undefined {
    if (dialog !== this.#dialog) return undefined; // the last one of a dialog that we ended
    try {
      this.#options.onNotify(notification);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return { status: 400, detail: `the body: ${error.detail}` };
    }
    const { state } = notification;
    if (state.state === 'terminated') this.#terminated(dialog, state);
    else this.#active(state);
    return undefined;
  }

  #begin(): void {
    this.#timer?.cancel();
    const dialog = new SubscriptionDialog(this.#options);
    this.#dialog = dialog;
    this.#bornAt = this.#ports.clock.now();
    this.#ports.open(dialog);
    void this.#send(dialog);
  }

  async #send(dialog: SubscriptionDialog): Promise<void> {
    this.#isSending = true;
    this.#isRefreshWanted = false;
    const isRefresh = dialog.isEstablished;
    let outcome: SipResponse | DeliveryError;
    try {
      outcome = await this.#ports.stack.request(dialog.subscribe(this.#expiresSeconds));
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      outcome = error;
    }
    if (this.#dialog !== dialog) return; // ended, or made anew, meanwhile
    this.#isSending = false;
    if (outcome instanceof DeliveryError) this.#failed(dialog, 'timeout', outcome.detail);
    else this.#answered(dialog, outcome, isRefresh);
    if (this.#isRefreshWanted) this.refresh();
  }

  #answered(dialog: SubscriptionDialog, response: SipResponse, isRefresh: boolean): void {
    const detail = `${response.status} ${response.reason}`;
    const next = afterResponse(response.status, isRefresh);
    switch (next.kind) {
      case 'accepted':
        dialog.accepted(response);
        this.#granted(dialog, secondsIn(response, 'expires') ?? this.#expiresSeconds);
        return;
      case 'tooBrief': {
        const least = secondsIn(response, 'min-expires');
        const isMore = least !== undefined && least > this.#expiresSeconds && least <= MAX_EXPIRES_SECONDS;
        if (isMore) {
          this.#expiresSeconds = least;
          void this.#send(dialog);
        } else this.#failed(dialog, 'refused', detail);
        return;
      }
      case 'anew':
        this.#drop(dialog);
        this.#begin();
        return;
      case 'failed':
        this.#failed(dialog, next.why, detail, secondsIn(response, 'retry-after'));
    }
  }

  /** A 2xx. Without a NOTIFY it is only a promise. */
  #granted(dialog: SubscriptionDialog, seconds: number): void {
    if (dialog.isEstablished) this.#refreshBefore(seconds);
    else {
      this.#expiresAt = this.#ports.clock.now() + seconds * SECOND_MS;
      this.#schedule(NOTIFY_WAIT_MS, () => this.#failed(dialog, 'timeout', 'accepted, and no NOTIFY came'));
    }
  }

  #active({ state, expiresSeconds }: SubscriptionState): void {
    this.#failures = 0;
    this.#become({ kind: 'active', isPending: state === 'pending' });
    const left = Math.max(1, (this.#expiresAt - this.#ports.clock.now()) / SECOND_MS);
    // Before the 2xx only the NOTIFY knows what was granted.
    this.#refreshBefore(expiresSeconds ?? (this.#expiresAt === 0 ? this.#expiresSeconds : left));
  }

  #refreshBefore(seconds: number): void {
    this.#expiresAt = this.#ports.clock.now() + seconds * SECOND_MS;
    this.#schedule(refreshAfterMs(seconds), () => this.refresh());
  }

  #terminated(dialog: SubscriptionDialog, state: SubscriptionState): void {
    this.#drop(dialog);
    const next = afterTermination(state);
    const detail = `the notifier ended the subscription (${state.reason ?? 'no reason given'})`;
    const isShort = this.#ports.clock.now() - this.#bornAt < SHORT_LIFE_MS;
    if (next.kind === 'settled') {
      this.#become({ kind: 'active', isPending: false });
      this.#schedule(MAX_EXPIRES_SECONDS * SECOND_MS, () => this.#begin());
    } else if (next.kind === 'again' && (next.afterMs > 0 || !isShort)) {
      if (next.afterMs > 0) this.#become({ kind: 'waiting', why: 'timeout', detail });
      this.#schedule(next.afterMs, () => this.#begin());
    } else this.#pause(next.kind === 'failed' ? next.why : 'timeout', detail);
  }

  /** A SUBSCRIBE came to nothing. A subscription that still has time left is refreshed again within it. */
  #failed(dialog: SubscriptionDialog, why: SubscriptionFailure, detail: string, retryAfter?: number): void {
    const now = this.#ports.clock.now();
    const leastMs = Math.min(retryAfter ?? 0, MAX_EXPIRES_SECONDS) * SECOND_MS;
    if (why === 'timeout' && dialog.isEstablished && this.#expiresAt > now) {
      this.#failures += 1;
      const retryMs = Math.max(leastMs, pauseMs(why, this.#failures, this.#ports.chance()));
      this.#schedule(Math.min(retryMs, this.#expiresAt - now), () => this.#retryRefresh(dialog, detail));
      return;
    }
    this.#drop(dialog);
    this.#pause(why, detail, leastMs);
  }

  #retryRefresh(dialog: SubscriptionDialog, detail: string): void {
    if (this.#expiresAt > this.#ports.clock.now()) this.refresh();
    else this.#failed(dialog, 'timeout', detail); // it has lapsed at the notifier
  }

  #pause(why: SubscriptionFailure, detail: string, leastMs = 0): void {
    this.#failures += 1;
    const { event, uri } = this.#options;
    this.#ports.log({ level: 'warn', message: 'no subscription', reason: `${event} of ${uri}: ${detail}` });
    this.#become({ kind: 'waiting', why, detail });
    const waitMs = Math.max(leastMs, pauseMs(why, this.#failures, this.#ports.chance()));
    this.#schedule(waitMs, () => this.#begin());
  }

  #drop(dialog: SubscriptionDialog): void {
    this.#ports.close(dialog);
    this.#dialog = undefined;
    this.#isSending = false;
    this.#expiresAt = 0;
  }

  #become(status: SubscriptionStatus): void {
    this.#status = status;
    this.#options.onStatus(status);
  }

  #schedule(delayMs: number, task: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#ports.clock.after(delayMs, task);
  }
}

function secondsIn(response: SipResponse, name: string): number | undefined {
  const [text = ''] = /^\s*\d{1,9}/.exec(headerValue(response, name) ?? '') ?? [];
  return text === '' ? undefined : Number(text);
}
