/**
 * The client side of the stack (RFC 3261 §8.1): sends requests, finds where they go, answers challenges, and turns
 * silence into DeliveryError. One target after the other is tried, but only while nothing has left for the one before:
 * a request that may have arrived is not sent a second time behind the caller's back.
 */
import { DecodeError, DeliveryError, InvariantError } from '../../kernel/errors.js';
import {
  branchOf,
  headerLines,
  headerValue,
  parseCSeq,
  parseVia,
  type SipResponse,
  sipMessageByteString,
} from '../../protocols/sip/index.js';
import { ClientAuth } from './client-auth.js';
import { type Draft, draftRequest, nextHopUri, requestOf, userOf, withHeaders } from './compose.js';
import { contactFor, type StackCore } from './core.js';
import type { Dialog } from './dialog.js';
import type { Path } from './network.js';
import type { TargetResolver } from './resolve.js';
import type { ClientRequest, SipFlow } from './sip-stack.js';
import { newBranch } from './tokens.js';
import { type ClientTransaction, openClientTransaction } from './transactions.js';

/** [RFC 3261 §18.1.1] within 200 octets of a path MTU of 1500. */
const MAX_UDP_REQUEST_BYTES = 1300;

/** A request on its way. */
export interface Sending {
  readonly draft: Draft;
  readonly path: Path;
  readonly via: string;
  /** Gives the transaction up: no callback is called any more. */
  abandon(): void;
}

export interface SendingCallbacks {
  /** Provisional and final responses; for INVITE also repeated 2xx. */
  readonly onResponse: (response: SipResponse) => void;
  /** Time-out, transport error, closed connection or stack. Called at most once, and never after a final response. */
  readonly onFailure: (error: DeliveryError) => void;
  /** The transaction is over. */
  readonly onTerminated?: () => void;
}

interface Live {
  readonly transaction: ClientTransaction;
  readonly connectionId: string | undefined;
  readonly fail: (error: DeliveryError) => void;
}

export class UserAgentClient {
  readonly core: StackCore;
  readonly #resolver: TargetResolver;
  readonly #live = new Map<string, Live>();
  #isClosed = false;

  constructor(core: StackCore, resolver: TargetResolver) {
    this.core = core;
    this.#resolver = resolver;
  }

  get liveCount(): number {
    return this.#live.size;
  }

  /** See SipStack.request. */
  async request(request: ClientRequest): Promise<SipResponse> {
    if (request.method === 'INVITE' || request.method === 'ACK' || request.method === 'CANCEL') {
      throw new InvariantError(`request() does not send ${request.method}`);
    }
    const auth = new ClientAuth(request.credentials);
    let draft = draftRequest(request, this.core.product, undefined);
    for (;;) {
      const path = await this.pathFor(draft, request.destination);
      const response = await this.#exchangeOn(this.#withContact(draft, path), path);
      const next = auth.answer(draft, response);
      if (next === undefined) return response;
      draft = next;
    }
  }

  /** [RFC 6665 §4.1.2.2] SUBSCRIBE makes a dialog, so it says where NOTIFYs are to go; others only when they are told to. */
  #withContact(draft: Draft, path: Path): Draft {
    if (draft.method !== 'SUBSCRIBE' || headerValue(draft, 'contact') !== undefined) return draft;
    const value = contactFor(this.core, userOf(draft.from), path.flow);
    return withHeaders(draft, draft.cseq, [{ name: 'Contact', value }]);
  }

  /** The way of a request inside a dialog: its connection while that is open, else where its target and routes say. */
  async pathInDialog(dialog: Dialog, draft: Draft): Promise<Path> {
    const { destination } = dialog;
    if (destination === undefined) return this.pathFor(draft, undefined);
    return this.pathFor(draft, destination).catch(() => this.pathFor(draft, undefined));
  }

  #exchangeOn(draft: Draft, path: Path): Promise<SipResponse> {
    return new Promise((resolve, reject) => {
      this.send(draft, path, {
        onResponse: (response) => {
          if (response.status >= 200) resolve(response);
        },
        onFailure: reject,
      });
    });
  }

  /** BYE inside a dialog: waits for its final response, never throws. */
  async sendBye(dialog: Dialog): Promise<void> {
    this.core.dialogs.remove(dialog);
    try {
      const draft = dialog.draft('BYE', this.#identity());
      await this.#exchangeOn(draft, await this.pathInDialog(dialog, draft));
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      this.core.log.limited({
        level: 'warn',
        message: 'a BYE was not answered',
        reason: error.detail,
        callId: dialog.callId,
      });
    }
  }

  /**
   * The first way that leads to where a draft goes: destination, else topmost Route, else Request-URI. Rejects with
   * DeliveryError('unreachable') when none does.
   */
  async pathFor(draft: Draft, destination: SipFlow | undefined): Promise<Path> {
    if (this.#isClosed) throw closed();
    if (destination !== undefined) return this.core.network.pathTo(destination);
    let failure = new DeliveryError('unreachable', 'no target');
    for (const flow of await this.#targets(draft)) {
      try {
        return await this.core.network.pathTo(flow);
      } catch (error) {
        if (!(error instanceof DeliveryError)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  /** Sends a draft through a client transaction; `branch` only for CANCEL, which repeats its INVITE's Via. */
  send(draft: Draft, path: Path, callbacks: SendingCallbacks, repeatedVia?: string): Sending {
    const via = repeatedVia ?? this.newVia(path);
    const key = `${branchIn(via)}|${draft.method}`;
    const isInvite = draft.method === 'INVITE';
    let isSettled = false;
    const fail = (error: DeliveryError) => {
      if (isSettled) return;
      isSettled = true;
      callbacks.onFailure(error);
    };
    const transaction = openClientTransaction({
      request: {
        method: draft.method,
        uri: draft.uri,
        via,
        from: draft.from,
        callId: draft.callId,
        cseq: draft.cseq,
        route: draft.route.length === 0 ? undefined : draft.route.join(', '),
        byteString: sipMessageByteString(requestOf(draft, via)),
      },
      outlet: path.outlet,
      timers: this.core.timers,
      onResponse: (response) => {
        if (isSettled && !isInvite) return;
        if (response.status >= 200) isSettled = true;
        callbacks.onResponse(response);
      },
      onTimeout: () => fail(new DeliveryError('timeout', `no answer to ${draft.method}`)),
      onTransportError: (cause) => fail(transportError(cause)),
      onTerminated: () => {
        this.#live.delete(key);
        callbacks.onTerminated?.();
      },
    });
    this.#live.set(key, {
      transaction,
      connectionId: path.flow.connectionId,
      fail,
    });
    return {
      draft,
      path,
      via,
      abandon: () => {
        isSettled = true;
        transaction.dispose();
      },
    };
  }

  /** A response that arrived. Strays match nothing and are dropped. */
  receive(response: SipResponse): void {
    try {
      const vias = headerLines(response, 'via');
      const [via = ''] = vias;
      // [RFC 3261 §8.1.3.3] more than one Via: it was meant for somebody else.
      if (vias.length !== 1) return;
      const { method } = parseCSeq(headerValue(response, 'cseq') ?? '');
      this.#live.get(`${branchOf(parseVia(via)) ?? ''}|${method}`)?.transaction.receive(response);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.core.log.limited({ level: 'info', message: 'a response was dropped', reason: error.detail });
    }
  }

  /** The octets of the request as it would go over UDP, give or take the length of an address. */
  sizeOf(request: ClientRequest): number {
    const draft = draftRequest(request, this.core.product, undefined);
    return this.#sizeOf(draft);
  }

  /** The Via of a new transaction on this path. */
  newVia(path: Path): string {
    const local = this.core.network.localAddress(path.flow.transport, path.flow.address);
    return `SIP/2.0/${path.outlet.protocol} ${local};branch=${newBranch()};rport`;
  }

  /** A connection has closed: what waits for a response on it will wait in vain. */
  connectionClosed(flow: SipFlow): void {
    for (const live of [...this.#live.values()]) {
      if (live.connectionId === undefined || live.connectionId !== flow.connectionId) continue;
      live.fail(new DeliveryError('unreachable', 'the connection closed before the response'));
      live.transaction.dispose();
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const live of [...this.#live.values()]) {
      live.fail(closed());
      live.transaction.dispose();
    }
    this.#live.clear();
  }

  #identity(): readonly { name: string; value: string }[] {
    return [{ name: 'User-Agent', value: this.core.product }];
  }

  async #targets(draft: Draft): Promise<readonly SipFlow[]> {
    const uri = nextHopUri(draft);
    if (uri.kind !== 'sip') {
      throw new DeliveryError('unreachable', `no way to a ${uri.kind} URI without a Route`, {
        retry: 'never',
      });
    }
    return this.#resolver.targets(uri, {
      isLarge: this.#sizeOf(draft) > MAX_UDP_REQUEST_BYTES,
      canSend: (transport, family) => this.core.network.canSend(transport, family),
    });
  }

  #sizeOf(draft: Draft): number {
    const address = this.core.network.localAddress('udp', '127.0.0.1');
    const via = `SIP/2.0/UDP ${address};branch=${newBranch()};rport`;
    return sipMessageByteString(requestOf(draft, via)).length;
  }
}

function branchIn(via: string): string {
  return branchOf(parseVia(via)) ?? '';
}

function transportError(cause: Error): DeliveryError {
  if (cause instanceof DeliveryError) return cause;
  return new DeliveryError('unreachable', cause.message, { cause });
}

function closed(): DeliveryError {
  return new DeliveryError('unreachable', 'the SIP stack is closed');
}
