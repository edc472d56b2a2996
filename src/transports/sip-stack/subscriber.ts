/**
 * The subscriber's side of SIP event notification (RFC 6665 §4.1) on top of a stack: hands out subscriptions and single fetches, and takes
 * every NOTIFY that reaches the stack. Limits: subscriptions, octets of a body, NOTIFYs of one subscription in a time.
 */
import type { Clock, Timer } from '../../kernel/clock.js';
import { DeliveryError } from '../../kernel/errors.js';
import { KIB, SECOND_MS } from '../../kernel/units.js';
import { headerValue, type SipHeader, type SipResponse, tagOf } from '../../protocols/sip/index.js';
import type { Refusal } from './request-checks.js';
import { type SipLog, steadySipLog } from './sip-log.js';
import type { ServerRequest, SipLogEvent, SipStack } from './sip-stack.js';
import {
  NOTIFY_WAIT_MS,
  Subscription,
  type SubscriptionOptions,
  type SubscriptionPorts,
} from './subscription.js';
import { type Notification, SubscriptionDialog, type SubscriptionTarget } from './subscription-dialog.js';
import { afterResponse } from './subscription-retry.js';

export interface SubscriberLimits {
  readonly maxSubscriptions: number;
  /** Octets of the body of one NOTIFY. */
  readonly maxBodyBytes: number;
  /** NOTIFYs of one subscription that may come at once, and in every second after that. */
  readonly notifyBurst: number;
  readonly notifiesPerSecond: number;
}

const SUBSCRIBER_LIMITS: SubscriberLimits = {
  maxSubscriptions: 100_000,
  maxBodyBytes: 64 * KIB,
  notifyBurst: 20,
  notifiesPerSecond: 5,
};

export interface SubscriberOptions {
  readonly stack: Pick<SipStack, 'request' | 'onRequest'>;
  readonly clock: Clock;
  readonly log?: (event: SipLogEvent) => void;
  readonly limits?: Partial<SubscriberLimits>;
  /** From 0 to 1: spreads what would otherwise happen all at once. */
  readonly chance?: () => number;
}

/** A dialog that NOTIFYs are expected in. */
interface Open {
  readonly dialog: SubscriptionDialog;
  readonly receive: (notification: Notification) => Refusal | undefined;
  readonly allowance: Allowance;
}

const COME_BACK: SipHeader = { name: 'Retry-After', value: '2' };

export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #limits: SubscriberLimits;
  readonly #log: SipLog;
  readonly #open = new Map<string, Open>();
  readonly #subscriptions = new Set<Subscription>();

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#limits = { ...SUBSCRIBER_LIMITS, ...options.limits };
    this.#log = steadySipLog(options.log);
    options.stack.onRequest('NOTIFY', (request) => this.#receive(request));
  }

  /** Dialogs that NOTIFYs are expected in, those that are ending included. */
  get size(): number {
    return this.#open.size;
  }

  /** Subscribes, and keeps it up until `end`. Throws DeliveryError('busy') when there are too many already. */
  subscribe(options: SubscriptionOptions): Subscription {
    this.#checkRoom();
    const { stack, clock, chance = Math.random } = this.#options;
    // The subscription opens its first dialog while it is being made.
    const holder: { subscription?: Subscription } = {};
    const ports: SubscriptionPorts = {
      stack,
      clock,
      chance,
      log: (event) => this.#log.limited(event),
      open: (dialog) =>
        this.#watch(dialog, (notification) => holder.subscription?.receive(dialog, notification)),
      close: (dialog) => this.#forget(dialog),
      onGone: (subscription) => this.#subscriptions.delete(subscription),
    };
    const subscription = new Subscription(options, ports);
    holder.subscription = subscription;
    this.#subscriptions.add(subscription);
    return subscription;
  }

  /** Forgets every subscription without a word to the notifiers. */
  close(): void {
    for (const subscription of [...this.#subscriptions]) subscription.abandon();
  }

  /**
   * The state now, without a subscription (RFC 6665 §4.4.3: Expires 0). Rejects with DeliveryError: `forbidden` when the notifier
   * refuses, `timeout` or `unreachable` when it is away, `busy` when there are too many subscriptions already.
   */
  async fetch(target: SubscriptionTarget): Promise<Notification> {
    this.#checkRoom();
    const { stack, clock } = this.#options;
    const dialog = new SubscriptionDialog(target);
    let timer: Timer | undefined;
    try {
      return await new Promise<Notification>((resolve, reject) => {
        this.#watch(dialog, (notification) => {
          resolve(notification);
          return undefined;
        });
        const accepted = () => {
          const silence = new DeliveryError('timeout', 'accepted, and no NOTIFY came');
          timer = clock.after(NOTIFY_WAIT_MS, () => reject(silence));
        };
        stack
          .request(dialog.subscribe(0))
          .then((response) => (isAccepted(response) ? accepted() : reject(refusalOf(response))), reject);
      });
    } finally {
      timer?.cancel();
      this.#forget(dialog);
    }
  }

  #checkRoom(): void {
    const { maxSubscriptions } = this.#limits;
    if (this.#open.size < maxSubscriptions) return;
    throw new DeliveryError('busy', `more than ${maxSubscriptions} subscriptions`);
  }

  #watch(dialog: SubscriptionDialog, receive: Open['receive']): void {
    const allowance = new Allowance(this.#limits, this.#options.clock);
    this.#open.set(keyOf(dialog.callId, dialog.localTag), { dialog, receive, allowance });
  }

  #forget({ callId, localTag }: SubscriptionDialog): void {
    this.#open.delete(keyOf(callId, localTag));
  }

  #receive(request: ServerRequest): void {
    const refusal = this.#take(request);
    if (refusal === undefined) {
      request.respond(200);
      return;
    }
    const { status, detail, ...options } = refusal;
    this.#log.limited({
      level: 'info',
      message: `a NOTIFY was answered ${status}`,
      reason: detail,
      peer: `${request.flow.address}:${request.flow.port}`,
    });
    request.respond(status, options);
  }

  #take({ message }: ServerRequest): Refusal | undefined {
    const callId = headerValue(message, 'call-id') ?? '';
    const open = this.#open.get(keyOf(callId, tagOf(headerValue(message, 'to') ?? '') ?? ''));
    if (open === undefined) return { status: 481, detail: 'no such subscription' };
    if (message.body.length > this.#limits.maxBodyBytes) {
      return { status: 413, detail: `a body of ${message.body.length} octets` };
    }
    // [RFC 6665 §4.2.2] with Retry-After the notifier keeps the subscription and comes back.
    if (!open.allowance.take()) return { status: 500, headers: [COME_BACK], detail: 'too many NOTIFYs' };
    const taken = open.dialog.take(message);
    return isNotification(taken) ? open.receive(taken) : taken;
  }
}

/** So many at once, and so many in every second after that. */
class Allowance {
  readonly #limits: Pick<SubscriberLimits, 'notifyBurst' | 'notifiesPerSecond'>;
  readonly #clock: Pick<Clock, 'now'>;
  #left: number;
  #at: number;

  constructor(limits: SubscriberLimits, clock: Pick<Clock, 'now'>) {
    this.#limits = limits;
    this.#clock = clock;
    this.#left = limits.notifyBurst;
    this.#at = clock.now();
  }

  take(): boolean {
    const { notifyBurst, notifiesPerSecond } = this.#limits;
    const now = this.#clock.now();
    const earned = (Math.max(0, now - this.#at) / SECOND_MS) * notifiesPerSecond;
    this.#left = Math.min(notifyBurst, this.#left + earned);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}

function isAccepted({ status }: SipResponse): boolean {
  return status < 300;
}

function refusalOf({ status, reason }: SipResponse): DeliveryError {
  const next = afterResponse(status, false);
  const isAway = next.kind === 'failed' && next.why === 'timeout';
  return new DeliveryError(isAway ? 'timeout' : 'forbidden', `${status} ${reason}`);
}

function isNotification(taken: Notification | Refusal): taken is Notification {
  return !('status' in taken);
}

function keyOf(callId: string, localTag: string): string {
  return `${callId}\n${localTag}`;
}
