/**
 * The dialog of one subscription (RFC 6665 §4.1.2.4, §4.4.1): made by the first NOTIFY, which may come before the 2xx to the SUBSCRIBE,
 * and which fixes the notifier: NOTIFYs of other branches of a forked SUBSCRIBE are refused (§4.5.2). Makes the SUBSCRIBEs,
 * reads the NOTIFYs; keeps no timers and sends nothing.
 */
import { DecodeError } from '../../kernel/errors.js';
import {
  headerValue,
  headerValues,
  parseCSeq,
  parseEventType,
  parseNameAddr,
  parseSubscriptionState,
  parseUri,
  type SipHeader,
  type SipRequest,
  type SipResponse,
  type SubscriptionState,
  tagOf,
} from '../../protocols/sip/index.js';
import { routed, withTag } from './compose.js';
import { contactTarget } from './dialog.js';
import type { Refusal } from './request-checks.js';
import type { ClientRequest } from './sip-stack.js';
import { newTag, randomToken } from './tokens.js';

export interface SubscriptionTarget {
  /** The resource: Request-URI and To. */
  readonly uri: string;
  /** Who subscribes, a full header value. */
  readonly from: string;
  /** Event package. */
  readonly event: string;
  /** Value of Accept. */
  readonly accept: string;
  /** Route of the first request, topmost first; later ones follow the dialog. */
  readonly route?: readonly string[];
  readonly headers?: readonly SipHeader[];
  readonly credentials?: NonNullable<ClientRequest['credentials']>;
}

/** What a NOTIFY brought. */
export interface Notification {
  readonly state: SubscriptionState;
  /** Undefined when there is no body. */
  readonly contentType: string | undefined;
  readonly body: Uint8Array;
}

interface Notifier {
  readonly tag: string;
  target: string;
  routeSet: readonly string[];
  cseq: number;
}

/** The stack uses the numbers in between to answer a challenge and a stale nonce. */
const CSEQ_STEP = 3;

export class SubscriptionDialog {
  readonly callId = randomToken(16);
  readonly localTag = newTag();
  readonly #target: SubscriptionTarget;
  #cseq = 0;
  #notifier: Notifier | undefined;
  /** Of the 2xx, until the NOTIFY is there. */
  #accepted: { readonly tag: string | undefined; readonly routeSet: readonly string[] } | undefined;

  constructor(target: SubscriptionTarget) {
    this.#target = target;
  }

  get isEstablished(): boolean {
    return this.#notifier !== undefined;
  }

  subscribe(expiresSeconds: number): ClientRequest {
    const { uri, from, event, accept, route, headers = [], credentials } = this.#target;
    const notifier = this.#notifier;
    this.#cseq += CSEQ_STEP;
    const inside = notifier && routed(notifier.target, notifier.routeSet);
    return {
      method: 'SUBSCRIBE',
      uri: inside?.uri ?? uri,
      from: withTag(from, this.localTag),
      to: notifier === undefined ? `<${uri}>` : withTag(`<${uri}>`, notifier.tag),
      callId: this.callId,
      headers: [
        { name: 'CSeq', value: `${this.#cseq} SUBSCRIBE` },
        { name: 'Event', value: event },
        { name: 'Accept', value: accept },
        { name: 'Expires', value: String(expiresSeconds) },
        ...headers,
      ],
      ...(inside === undefined ? (route === undefined ? {} : { route }) : { route: inside.route }),
      ...(credentials === undefined ? {} : { credentials }),
    };
  }

  /**
   * Remembers the route of a 2xx. Leniency for proxies that put themselves into the route of the SUBSCRIBE and not of the NOTIFY, as RFC
   * 3265 had it: without a Record-Route in the NOTIFY that of the 2xx counts.
   */
  accepted(response: SipResponse): void {
    if (this.#accepted !== undefined) return;
    const tag = tagOf(headerValue(response, 'to') ?? '');
    const routeSet = headerValues(response, 'record-route').reverse();
    this.#accepted = { tag, routeSet: isUsable(routeSet) ? routeSet : [] };
    const notifier = this.#notifier;
    if (notifier?.tag === tag && notifier?.routeSet.length === 0) notifier.routeSet = this.#accepted.routeSet;
  }

  /** Reads a NOTIFY of this dialog, or says how it is to be refused. */
  take(notify: SipRequest): Notification | Refusal {
    try {
      return this.#take(notify);
    } catch (error) {
      if (error instanceof DecodeError) return { status: 400, detail: error.detail };
      throw error;
    }
  }

  #take(notify: SipRequest): Notification | Refusal {
    const event = headerValue(notify, 'event');
    if (event === undefined || parseEventType(event).name !== this.#target.event) {
      return { status: 489, detail: `a NOTIFY of the event ${event ?? '(none)'}` };
    }
    const given = headerValue(notify, 'subscription-state');
    if (given === undefined) return { status: 400, detail: 'no Subscription-State' };
    const state = parseSubscriptionState(given);
    const refusal = this.#follow(notify);
    if (refusal !== undefined) return refusal;
    const contentType = notify.body.length === 0 ? undefined : headerValue(notify, 'content-type');
    return { state, contentType, body: notify.body };
  }

  /** The dialog after this NOTIFY. */
  #follow(notify: SipRequest): Refusal | undefined {
    const tag = tagOf(headerValue(notify, 'from') ?? '');
    if (tag === undefined) return { status: 400, detail: 'no From tag' };
    const cseq = parseCSeq(headerValue(notify, 'cseq') ?? '').number;
    const known = this.#notifier;
    if (known === undefined) {
      const target = contactTarget(notify);
      if (target === undefined) return { status: 400, reason: 'Missing Contact', detail: 'no Contact' };
      const ownRoute = headerValues(notify, 'record-route');
      if (!isUsable(ownRoute)) return { status: 400, detail: 'a malformed Record-Route' };
      const fallback = this.#accepted?.tag === tag ? this.#accepted.routeSet : [];
      this.#notifier = { tag, target, routeSet: ownRoute.length > 0 ? ownRoute : fallback, cseq };
      return undefined;
    }
    if (known.tag !== tag) return { status: 481, detail: 'another branch of a forked SUBSCRIBE' };
    if (cseq <= known.cseq) return { status: 500, reason: 'Request Out Of Order', detail: 'an old CSeq' };
    known.cseq = cseq;
    known.target = contactTarget(notify) ?? known.target; // [RFC 6665 §4.4.1] NOTIFY is a target refresh
    return undefined;
  }
}

/** Every value is an address with a URI that can be read: requests along the route are made of it. */
function isUsable(routeSet: readonly string[]): boolean {
  try {
    for (const value of routeSet) parseUri(parseNameAddr(value).uri);
    return true;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}
