/**
 * The server side of the stack (RFC 3261 §8.2, §9.2, §12.2.2, §15.1.2): every request that arrives is matched, checked
 * and dispatched here. Order: Via, ACK, repetition, overload, mandatory headers, CANCEL, then the rest of §8.2.
 * - Any Request-URI is taken: who is served is the handler's decision.
 * - What happens inside a dialog is in dialog-server.ts.
 * - A request that arrives on a second path while the first copy is being worked on (a proxy forked it, or sent it round in a circle)
 *   is a merged one (§8.2.2.2, 482). Recognising a copy that comes later is left to the stores, which do it across restarts too.
 */
import { DecodeError, describeError } from '../../kernel/errors.js';
import {
  branchOf,
  formatVia,
  headerValue,
  parameter,
  type SipHeader,
  type SipRequest,
  sipMessageByteString,
  type Via,
  withSource,
} from '../../protocols/sip/index.js';
import { responseTo } from './compose.js';
import type { StackCore } from './core.js';
import type { Dialog } from './dialog.js';
import { DialogServer, NO_DIALOG, targetOrRefusal } from './dialog-server.js';
import type { Arrival } from './network.js';
import { OpenInvite } from './open-invite.js';
import { OpenRequest, type OpenRequestOptions } from './open-request.js';
import {
  type Essentials,
  isRefusal,
  type Refusal,
  readEssentials,
  refusalOf,
  topViaOf,
  transactionKey,
} from './request-checks.js';
import { ResponseCache } from './response-cache.js';
import type { ServerInvite, ServerRequest } from './sip-stack.js';
import { transactionLifeMs } from './timers.js';
import { newTag } from './tokens.js';
import type { Outlet } from './transactions.js';

type Handler = (request: ServerRequest) => void | Promise<void>;
type InviteHandler = (invite: ServerInvite) => void | Promise<void>;

const DEFAULT_PORT = 5060;
/** Headers that a response copies and cannot do without. */
const ECHOED = ['from', 'to', 'call-id', 'cseq'];
const OLD_CSEQ: Refusal = { status: 500, reason: 'Request Out Of Order', detail: 'an old CSeq' };
const MERGED: Refusal = { status: 482, detail: 'a copy of a request that is being worked on' };
/** Seconds after which a client may try again when we are overloaded. */
const RETRY_AFTER: SipHeader = { name: 'Retry-After', value: '5' };

export class UserAgentServer {
  readonly #core: StackCore;
  readonly #sendBye: (dialog: Dialog) => Promise<void>;
  readonly #sessions: DialogServer;
  readonly #handlers = new Map<string, Handler>();
  #inviteHandler: InviteHandler | undefined;
  readonly #open = new Map<string, OpenRequest>();
  /** Requests of #open outside dialogs by what stays the same on every path, with their keys there. */
  readonly #paths = new Map<string, string>();
  readonly #answered: ResponseCache;
  /** Tag of responses that no transaction sends; it need not differ between them, as no dialog comes of them. */
  readonly #statelessTag = newTag();
  #isClosing = false;

  constructor(core: StackCore, sendBye: (dialog: Dialog) => Promise<void>) {
    this.#core = core;
    this.#sendBye = sendBye;
    this.#sessions = new DialogServer(core, sendBye);
    this.#answered = new ResponseCache(transactionLifeMs(core.timers));
  }

  get openCount(): number {
    return this.#open.size;
  }

  onRequest(method: string, handler: Handler): void {
    this.#handlers.set(method, handler);
  }

  onInvite(handler: InviteHandler): void {
    this.#inviteHandler = handler;
  }

  /** Takes a request in. Never throws for anything a peer sent. */
  receive(received: SipRequest, arrival: Arrival): void {
    let via: Via;
    let request: SipRequest;
    try {
      ({ via, request } = withSourceNoted(received, arrival));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#drop(received, arrival, error.detail);
      return;
    }
    if (request.method === 'ACK') {
      this.#receiveAck(request, via);
      return;
    }
    const key = transactionKey(request, via, request.method);
    const open = this.#open.get(key);
    if (open !== undefined) {
      open.repeat(request.method);
      return;
    }
    const answered = this.#answered.get(key);
    if (answered !== undefined) {
      if (answered.byteString !== '') answered.outlet.send(answered.byteString).catch(() => {});
      return;
    }

    const outlet = arrival.outletTo(responsePort(via, arrival));
    if (this.#isOverloaded(request.method)) {
      this.#refuse(request, arrival, outlet, {
        status: 503,
        headers: [RETRY_AFTER],
        detail: 'overload',
      });
      return;
    }
    const essentials = readEssentials(request);
    if (isRefusal(essentials)) {
      this.#refuse(request, arrival, outlet, essentials);
      return;
    }
    const options = this.#openOptions(request, essentials, via, arrival, outlet, key);
    if (request.method === 'CANCEL') {
      this.#receiveCancel(options, via);
      return;
    }
    this.#dispatch(options);
  }

  /** Answers a request that could not be decoded but can be told so (400, 413, 505); drops it otherwise. */
  refuseBroken(salvaged: SipRequest | undefined, arrival: Arrival, status: number, detail: string): void {
    if (salvaged === undefined || salvaged.method === 'ACK') {
      this.#drop(salvaged, arrival, detail);
      return;
    }
    try {
      const { via, request } = withSourceNoted(salvaged, arrival);
      const isAnswerable = ECHOED.every((name) => headerValue(request, name) !== undefined);
      if (!isAnswerable) this.#drop(salvaged, arrival, detail);
      else this.#refuse(request, arrival, arrival.outletTo(responsePort(via, arrival)), { status, detail });
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#drop(salvaged, arrival, detail);
    }
  }

  /** Answers everything open with 503 and forgets it. */
  close(): void {
    this.#isClosing = true;
    for (const request of [...this.#open.values()]) {
      request.respond(503, { headers: [RETRY_AFTER] });
      request.abandon();
    }
    this.#sessions.close();
    this.#open.clear();
    this.#paths.clear();
    this.#answered.clear();
  }

  /** BYE and CANCEL are let through: they make room. */
  #isOverloaded(method: string): boolean {
    if (this.#isClosing) return true;
    const isEnding = method === 'BYE' || method === 'CANCEL';
    return !isEnding && this.#open.size >= this.#core.limits.maxTransactions;
  }

  #openOptions(
    message: SipRequest,
    essentials: Essentials,
    via: Via,
    arrival: Arrival,
    outlet: Outlet,
    key: string,
  ): OpenRequestOptions & { readonly key: string } {
    return {
      core: this.#core,
      key,
      message,
      essentials,
      branch: branchOf(via) ?? key,
      flow: arrival.flow,
      outlet,
      onAnswered: (status, byteString) => this.#remember(key, message.method, status, byteString, outlet),
      onTerminated: () => this.#forget(key, message.method, essentials),
    };
  }

  /**
   * Keeps what a repetition of an answered request is to get: on UDP the same response. A repeated INVITE gets nothing
   * when it was accepted, for the 200 is repeated anyway (RFC 6026 §7.1); when it was refused, its transaction lives on.
   */
  #remember(key: string, method: string, status: number, byteString: string, outlet: Outlet): void {
    if (method === 'INVITE') {
      if (status < 300) this.#answered.set(key, { byteString: '', outlet });
    } else if (!outlet.isReliable) this.#answered.set(key, { byteString, outlet });
  }

  #forget(key: string, method: string, essentials: Essentials): void {
    this.#open.delete(key);
    const path = pathKey(method, essentials);
    if (this.#paths.get(path) === key) this.#paths.delete(path);
  }

  #dispatch(options: OpenRequestOptions & { readonly key: string }): void {
    const { message, essentials } = options;
    const { callId, cseq, fromTag, toTag } = essentials;
    const path = pathKey(message.method, essentials);
    const isMerged = toTag === undefined && this.#paths.has(path);
    if (toTag === undefined && !isMerged) this.#paths.set(path, options.key);
    const dialog = this.#core.dialogs.find(callId, toTag, fromTag);
    const request = message.method === 'INVITE' ? this.#openInvite(options) : new OpenRequest(options);
    this.#open.set(options.key, request);
    const refusal =
      (isMerged ? MERGED : refusalOf(message, this.#core.supported)) ??
      (dialog?.takeSequence(cseq) === false ? OLD_CSEQ : this.#serve(request, dialog));
    if (refusal !== undefined) this.#answer(request, refusal);
  }

  /** Hands a checked request on; a refusal when nobody is there to take it. */
  #serve(request: OpenRequest, dialog: Dialog | undefined): Refusal | undefined {
    if (request instanceof OpenInvite) {
      return dialog === undefined
        ? this.#receiveInvite(request)
        : this.#sessions.receiveReInvite(request, dialog, this.#capabilities());
    }
    if (request.message.method === 'BYE') return this.#sessions.receiveBye(request, dialog);
    return this.#receiveOther(request);
  }

  #openInvite(options: OpenRequestOptions): OpenInvite {
    return new OpenInvite({
      ...options,
      capabilities: () => this.#capabilities(),
      expectAck: (dialog, wait) => this.#sessions.expectAck(dialog, wait),
      sendBye: this.#sendBye,
    });
  }

  #receiveInvite(invite: OpenInvite): Refusal | undefined {
    if (invite.essentials.toTag !== undefined) return NO_DIALOG;
    const handler = this.#inviteHandler;
    if (handler === undefined) return this.#notAllowed();
    const target = targetOrRefusal(invite.message);
    if (target === undefined) {
      return { status: 400, reason: 'Missing Contact', detail: 'an INVITE without Contact' };
    }
    if (typeof target !== 'string') return target;
    this.#run(invite, () => handler(invite));
    return undefined;
  }

  #receiveOther(request: OpenRequest): Refusal | undefined {
    const { method } = request.message;
    const handler = this.#handlers.get(method);
    if (handler !== undefined) this.#run(request, () => handler(request));
    else if (method !== 'OPTIONS') return this.#notAllowed();
    else {
      const accept = { name: 'Accept', value: this.#core.accept.join(', ') };
      request.respond(200, { headers: [...this.#capabilities(), accept] });
    }
    return undefined;
  }

  #receiveCancel(options: OpenRequestOptions & { readonly key: string }, via: Via): void {
    const inviteKey = transactionKey(options.message, via, 'INVITE');
    const invite = this.#open.get(inviteKey);
    const cancel = new OpenRequest(
      invite === undefined
        ? options
        : { ...options, essentials: { ...options.essentials, toTag: invite.toTag } },
    );
    this.#open.set(options.key, cancel);
    // [RFC 3261 §9.2] a CANCEL that comes after the 200 is answered and changes nothing.
    if (invite === undefined && this.#answered.get(inviteKey) !== undefined) {
      cancel.respond(200);
      return;
    }
    if (!(invite instanceof OpenInvite)) {
      this.#answer(cancel, { status: 481, detail: 'nothing to cancel' });
      return;
    }
    cancel.respond(200);
    invite.cancel();
  }

  /** An ACK belongs to a refused INVITE (same branch) or to the 2xx of a dialog; any other is a stray. */
  #receiveAck(ack: SipRequest, via: Via): void {
    const essentials = readEssentials(ack);
    if (isRefusal(essentials)) return;
    this.#open.get(transactionKey(ack, via, 'INVITE'))?.repeat('ACK');
    this.#sessions.receiveAck(essentials);
  }

  #run(request: OpenRequest, handler: () => void | Promise<void>): void {
    const fail = (error: unknown) => {
      const { message, essentials } = request;
      const { callId } = essentials;
      const reason = describeError(error);
      this.#core.log.always({
        level: 'error',
        message: `the ${message.method} handler failed`,
        reason,
        callId,
      });
      request.respond(500);
    };
    try {
      const result = handler();
      if (result instanceof Promise) result.catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  #answer(request: OpenRequest, refusal: Refusal): void {
    const { status, detail, ...options } = refusal;
    this.#core.log.limited({
      level: 'info',
      message: `a ${request.message.method} was answered ${status}`,
      reason: detail,
      peer: `${request.flow.address}:${request.flow.port}`,
      callId: request.essentials.callId,
    });
    request.respond(status, options);
  }

  /** A refusal without a transaction: a repetition gets the same answer again. */
  #refuse(request: SipRequest, arrival: Arrival, outlet: Outlet, refusal: Refusal): void {
    const { status, detail, ...options } = refusal;
    this.#core.log.limited({
      level: 'info',
      message: `a request was answered ${status}`,
      reason: detail,
      peer: `${arrival.flow.address}:${arrival.flow.port}`,
    });
    const parts = { ...options, toTag: this.#statelessTag, product: this.#core.product };
    outlet.send(sipMessageByteString(responseTo(request, status, parts))).catch(() => {});
  }

  #drop(request: SipRequest | undefined, arrival: Arrival, reason: string): void {
    this.#core.log.limited({
      level: 'info',
      message:
        request === undefined ? 'octets that are no SIP message were dropped' : 'a request was dropped',
      reason,
      peer: `${arrival.flow.address}:${arrival.flow.port}`,
    });
  }

  #notAllowed(): Refusal {
    return { status: 405, headers: [this.#allow()], detail: 'a method that is not served' };
  }

  #capabilities(): SipHeader[] {
    const { supported } = this.#core;
    return [this.#allow(), { name: 'Supported', value: supported.join(', ') }];
  }

  #allow(): SipHeader {
    const invite = this.#inviteHandler === undefined ? [] : ['INVITE', 'ACK', 'CANCEL', 'BYE'];
    return {
      name: 'Allow',
      value: [...new Set([...invite, 'OPTIONS', ...this.#handlers.keys()])].join(', '),
    };
  }
}

function pathKey(method: string, { callId, cseq, fromTag }: Essentials): string {
  return `${method}|${cseq}|${fromTag}|${callId}`;
}

/** The request with `received` and `rport` in its top Via (RFC 3261 §18.2.1, RFC 3581 §4). */
function withSourceNoted(request: SipRequest, arrival: Arrival): { via: Via; request: SipRequest } {
  const { via, headerIndex, rest } = topViaOf(request);
  const noted = withSource(via, arrival.flow);
  if (noted === via) return { via, request };
  const headers = [...request.headers];
  const name = headers[headerIndex]?.name ?? 'Via';
  headers[headerIndex] = { name, value: [formatVia(noted), ...rest].join(', ') };
  return { via: noted, request: { ...request, headers } };
}

/**
 * [RFC 3261 §18.2.2, RFC 3581 §4] the source port when rport was asked for, else that of sent-by. The address is always
 * where the request came from: a `maddr` would let anyone aim our responses at a third party.
 */
function responsePort(via: Via, arrival: Arrival): number {
  if (parameter(via.parameters, 'rport') !== undefined) return arrival.flow.port;
  return via.port ?? DEFAULT_PORT;
}
