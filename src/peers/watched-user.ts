/**
 * One user that a source is subscribed for: what was notified last, who waits for the first answer, and when nobody has asked for long
 * enough that it can end.
 */
import type { Clock, Timer } from '../kernel/clock.js';
import type { PublicUserIdentity } from '../registry/public-user-identity.js';
import type { DeviceReport, SourceAnswer, SourceState } from '../registry/terminal-source.js';
import type { Subscriber } from '../transports/sip-stack/subscriber.js';
import type { Subscription, SubscriptionStatus } from '../transports/sip-stack/subscription.js';
import type { Notification } from '../transports/sip-stack/subscription-dialog.js';
import { documentIn, type EventPackage, targetOf } from './event-package.js';

export interface WatchedUserPorts {
  readonly subscriber: Pick<Subscriber, 'subscribe'>;
  readonly clock: Clock;
  /** The source has said something new of a user; `before` is what it said last. Failures are the listener's own. */
  readonly onChange: (user: PublicUserIdentity, state: SourceState, before: readonly DeviceReport[]) => void;
}

export interface WatchedUserOptions {
  /** From of the SUBSCRIBEs: the gateway's own address, a full header value. */
  readonly from: string;
  /** Where they go, topmost first; absent: where the user's own domain says. */
  readonly route?: readonly string[];
  /** How long a subscription is kept after the last question, milliseconds. */
  readonly lifeMs: number;
}

/** Asked for; the notifier grants what it likes. */
const EXPIRES_SECONDS = 3600;

export class WatchedUser<View> {
  readonly #user: PublicUserIdentity;
  readonly #package: EventPackage<View>;
  readonly #ports: WatchedUserPorts;
  readonly #lifeMs: number;
  readonly #subscription: Subscription;
  readonly #onEnd: () => void;
  #view: View | undefined;
  #state: SourceState | undefined;
  #askedAt: number;
  #idle: Timer;
  /** For those who asked before there was an answer. */
  #next: { readonly answer: Promise<SourceAnswer>; give(answer: SourceAnswer): void } | undefined;

  /** Throws DeliveryError('busy') when there are too many subscriptions. */
  constructor(
    user: PublicUserIdentity,
    eventPackage: EventPackage<View>,
    ports: WatchedUserPorts,
    options: WatchedUserOptions,
    onEnd: () => void,
  ) {
    this.#user = user;
    this.#package = eventPackage;
    this.#ports = ports;
    this.#lifeMs = options.lifeMs;
    this.#onEnd = onEnd;
    this.#askedAt = ports.clock.now();
    this.#idle = this.#lookAfter(this.#lifeMs);
    try {
      this.#subscription = ports.subscriber.subscribe({
        ...targetOf(user, eventPackage, options),
        expiresSeconds: EXPIRES_SECONDS,
        onNotify: (notification) => this.#notified(notification),
        onStatus: (status) => this.#settle(this.#answerIn(status)),
      });
    } catch (error) {
      this.#idle.cancel();
      throw error;
    }
  }

  answer(): SourceAnswer | Promise<SourceAnswer> {
    this.#askedAt = this.#ports.clock.now();
    const now = this.#answerIn(this.#subscription.status);
    if (now !== undefined) return now;
    this.#next ??= deferred();
    return this.#next.answer;
  }

  refresh(): void {
    this.#askedAt = this.#ports.clock.now();
    this.#subscription.refresh();
  }

  end(): void {
    this.close();
    void this.#subscription.end();
  }

  close(): void {
    this.#idle.cancel();
    this.#settle({ kind: 'missing', why: 'timeout', detail: 'not watched any more' });
  }

  /** Undefined while the first NOTIFY is on its way. */
  #answerIn(status: SubscriptionStatus): SourceAnswer | undefined {
    switch (status.kind) {
      case 'subscribing':
        return undefined;
      case 'active':
        if (status.isPending) return { kind: 'missing', why: 'refused', detail: 'waits for permission' };
        return this.#state && { kind: 'found', ...this.#state };
      case 'waiting':
        return { kind: 'missing', why: status.why, detail: status.detail };
      case 'ended':
        return { kind: 'missing', why: 'timeout', detail: 'not watched any more' };
    }
  }

  #settle(answer: SourceAnswer | undefined): void {
    if (answer === undefined) return;
    this.#next?.give(answer);
    this.#next = undefined;
  }

  #notified(notification: Notification): void {
    const document = documentIn(notification, this.#package);
    // What waits for permission or has ended tells nothing by having no body.
    if (document === undefined && notification.state.state !== 'active') return;
    const at = this.#ports.clock.now();
    const { view, needsRefresh } = this.#package.apply(this.#view, document, at);
    if (needsRefresh) this.#subscription.refresh();
    this.#view = view;
    if (view === undefined) return;
    const before = this.#state?.devices ?? [];
    this.#state = { at, devices: this.#package.devices(view) };
    this.#ports.onChange(this.#user, this.#state, before);
  }

  #lookAfter(delayMs: number): Timer {
    return this.#ports.clock.after(delayMs, () => {
      const leftMs = this.#askedAt + this.#lifeMs - this.#ports.clock.now();
      if (leftMs > 0) {
        this.#idle = this.#lookAfter(leftMs);
        return;
      }
      this.#onEnd();
      this.end();
    });
  }
}

function deferred() {
  let give: (answer: SourceAnswer) => void = () => {};
  const answer = new Promise<SourceAnswer>((resolve) => {
    give = resolve;
  });
  return { answer, give: (given: SourceAnswer) => give(given) };
}
