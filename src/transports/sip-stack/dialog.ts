/**
 * Confirmed INVITE dialogs (RFC 3261 §12) and the table that finds them. A dialog knows its identifiers, route set,
 * remote target and sequence numbers, and makes the drafts of requests inside it; sending and receiving is done by the
 * two sides of the stack. One INVITE, one answer: a repeated offer is answered in the user-agent server.
 */
import {
  addressesOf,
  bareHost,
  canonicalHost,
  contactsOf,
  headerLines,
  headerValue,
  headerValues,
  parseNameAddr,
  parseUri,
  type SipHeader,
  type SipRequest,
  type SipResponse,
  tagOf,
} from '../../protocols/sip/index.js';
import { type Draft, routed, withTag } from './compose.js';
import type { SipDialog, SipFlow } from './sip-stack.js';

export interface DialogParts {
  readonly callId: string;
  /** Our From/To value with tag, and the peer's. */
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly routeSet: readonly string[];
  readonly remoteTarget: string;
  readonly contact: string;
  readonly localBody: Uint8Array;
  readonly localContentType: string | undefined;
  readonly remoteBody: Uint8Array;
  readonly localSequence: number;
  readonly remoteSequence: number | undefined;
  /** The path that the INVITE took: used again while there is no route set and it fits the remote target. */
  readonly flow: SipFlow | undefined;
}

export class Dialog implements SipDialog {
  readonly parts: DialogParts;
  readonly key: string;
  readonly #sendBye: (dialog: Dialog) => Promise<void>;
  #localSequence: number;
  #remoteSequence: number | undefined;
  #remoteTarget: string;
  #listeners: ((reason: string) => void)[] = [];
  #endReason: string | undefined;
  #byeSent: Promise<void> | undefined;

  constructor(parts: DialogParts, sendBye: (dialog: Dialog) => Promise<void>) {
    this.parts = parts;
    this.key = dialogKey(parts.callId, parts.localTag, parts.remoteTag);
    this.#sendBye = sendBye;
    this.#localSequence = parts.localSequence;
    this.#remoteSequence = parts.remoteSequence;
    this.#remoteTarget = parts.remoteTarget;
  }

  get callId(): string {
    return this.parts.callId;
  }

  get remoteUri(): string {
    return parseNameAddr(this.parts.remoteAddress).uri;
  }

  get remoteBody(): Uint8Array {
    return this.parts.remoteBody;
  }

  get isEnded(): boolean {
    return this.#endReason !== undefined;
  }

  bye(): Promise<void> {
    if (this.#byeSent === undefined) {
      this.#byeSent = this.isEnded ? Promise.resolve() : this.#sendBye(this);
      // We ended it: the listener hears of ends that it did not cause.
      this.#endReason ??= 'ended by us';
      this.#listeners = [];
    }
    return this.#byeSent;
  }

  onEnd(listener: (reason: string) => void): void {
    if (this.#endReason === undefined) this.#listeners.push(listener);
    else if (this.#byeSent === undefined) queueMicrotask(() => listener(this.#endReason ?? ''));
  }

  /** The peer ended the dialog, or it failed. */
  end(reason: string): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener(reason);
  }

  /** False for a request that is older than one seen before (RFC 3261 §12.2.2). */
  takeSequence(cseq: number): boolean {
    if (this.#remoteSequence !== undefined && cseq <= this.#remoteSequence) return false;
    this.#remoteSequence = cseq;
    return true;
  }

  /** A target refresh: the Contact of a re-INVITE that we accepted. */
  refreshTarget(uri: string): void {
    this.#remoteTarget = uri;
  }

  /** A request inside the dialog; `cseq` only for ACK, which repeats the INVITE's number. */
  draft(method: string, headers: readonly SipHeader[], cseq?: number): Draft {
    const { localAddress, remoteAddress, callId, routeSet } = this.parts;
    if (cseq === undefined) this.#localSequence += 1;
    return {
      method,
      ...routed(this.#remoteTarget, routeSet),
      from: localAddress,
      to: remoteAddress,
      callId,
      cseq: cseq ?? this.#localSequence,
      headers: [{ name: 'Max-Forwards', value: '70' }, ...headers],
      body: new Uint8Array(0),
    };
  }

  /**
   * Where requests of this dialog go when not where its target says: along the INVITE's own path, when no proxy asked
   * to stay in it and that path is a connection, or the target is an address behind a NAT. When one did, the path is used again if
   * it is a WebSocket (a client has no other, and `transport=ws` in a route does not say whether TLS is below; RFC 7118 §5), or a
   * TLS connection to that very proxy.
   */
  get destination(): SipFlow | undefined {
    const { flow, routeSet } = this.parts;
    if (flow === undefined) return undefined;
    const [nextHop] = routeSet;
    if (nextHop !== undefined) return isWayTo(nextHop, flow) ? flow : undefined;
    return flow.connectionId !== undefined || isBehindNat(this.#remoteTarget, flow.address)
      ? flow
      : undefined;
  }
}

export class DialogTable {
  readonly #dialogs = new Map<string, Dialog>();

  get size(): number {
    return this.#dialogs.size;
  }

  add(dialog: Dialog): void {
    this.#dialogs.set(dialog.key, dialog);
  }

  remove(dialog: Dialog): void {
    this.#dialogs.delete(dialog.key);
  }

  find(callId: string, localTag: string | undefined, remoteTag: string): Dialog | undefined {
    return localTag === undefined ? undefined : this.#dialogs.get(dialogKey(callId, localTag, remoteTag));
  }

  /** Ends all, telling their listeners. */
  endAll(reason: string): void {
    for (const dialog of [...this.#dialogs.values()]) dialog.end(reason);
    this.#dialogs.clear();
  }
}

/** The dialog of an INVITE that we accept (RFC 3261 §12.1.1). Throws DecodeError when it has no usable Contact. */
export function serverDialogParts(
  invite: SipRequest,
  ids: {
    readonly callId: string;
    readonly localTag: string;
    readonly remoteTag: string;
    readonly cseq: number;
  },
  local: {
    readonly contact: string;
    readonly body: Uint8Array;
    readonly contentType: string;
    readonly flow: SipFlow;
  },
): DialogParts {
  return {
    callId: ids.callId,
    localAddress: withTag(headerValue(invite, 'to') ?? '', ids.localTag),
    remoteAddress: headerValue(invite, 'from') ?? '',
    localTag: ids.localTag,
    remoteTag: ids.remoteTag,
    routeSet: headerValues(invite, 'record-route'),
    remoteTarget: targetOf(invite),
    contact: local.contact,
    localBody: local.body,
    localContentType: local.contentType,
    remoteBody: invite.body,
    localSequence: 0,
    remoteSequence: ids.cseq,
    flow: local.flow,
  };
}

/** The dialog of a 2xx to our INVITE (RFC 3261 §12.1.2). Throws DecodeError when it has no usable Contact. */
export function clientDialogParts(
  draft: Draft,
  response: SipResponse,
  local: {
    readonly contact: string;
    readonly contentType: string | undefined;
    readonly flow: SipFlow | undefined;
  },
): DialogParts {
  const to = headerValue(response, 'to') ?? '';
  return {
    callId: draft.callId,
    localAddress: draft.from,
    remoteAddress: to,
    localTag: tagOf(draft.from) ?? '',
    remoteTag: tagOf(to) ?? '',
    routeSet: headerValues(response, 'record-route').reverse(),
    remoteTarget: headerLines(response, 'contact').length === 0 ? draft.uri : targetOf(response),
    contact: local.contact,
    localBody: draft.body,
    localContentType: local.contentType,
    remoteBody: response.body,
    localSequence: draft.cseq,
    remoteSequence: undefined,
    flow: local.flow,
  };
}

/** The URI of the Contact; undefined when the message has none. Throws DecodeError when it is malformed or several. */
export function contactTarget(message: { readonly headers: readonly SipHeader[] }): string | undefined {
  const contacts = contactsOf(message);
  if (contacts === '*') return undefined;
  const [contact] = contacts;
  if (contact === undefined) return undefined;
  parseUri(contact.uri);
  return contact.uri;
}

function targetOf(message: SipRequest | SipResponse): string {
  // Every Record-Route is parsed here, so that a malformed one is refused before the dialog exists.
  addressesOf(message, 'record-route');
  return contactTarget(message) ?? (message.kind === 'request' ? message.uri : '');
}

function dialogKey(callId: string, localTag: string, remoteTag: string): string {
  return `${callId}\n${localTag}\n${remoteTag}`;
}

function isWayTo(route: string, { transport, address, domain }: SipFlow): boolean {
  if (transport !== 'tls') return transport === 'ws' || transport === 'wss';
  const uri = parseUri(parseNameAddr(route).uri);
  return uri.kind === 'sip' && [address, domain].includes(canonicalHost(uri.host));
}

/**
 * Leniency for clients behind a NAT that write their private address into Contact and have no proxy to correct it:
 * their requests came from elsewhere, and only that way leads back.
 */
function isBehindNat(target: string, source: string): boolean {
  const uri = parseUri(target);
  return uri.kind === 'sip' && isPrivate(bareHost(uri.host)) && !isPrivate(source);
}

function isPrivate(host: string): boolean {
  return /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|127\.|169\.254\.|f[cd][0-9a-f]{2}:|fe80:|::1$)/.test(
    host,
  );
}
