/**
 * The SipStack: network below, user-agent server and client above, and between them the decision what arriving octets
 * are. Nothing that a peer sends leaves this file as an exception.
 *
 * How the library is used: sip.js gives the four transaction state machines (see transactions.ts) and nothing else.
 * Its user-agent core serves one address-of-record, one contact and one transport and has no place for several Vias,
 * `tel:` URIs or binary bodies, so dialogs, digest, routing and framing are ours.
 */
import { DecodeError, type ErrorCode } from '../../kernel/errors.js';
import {
  DEFAULT_SIP_DECODE_LIMITS,
  decodeSipMessage,
  type SipMessage,
  type SipStreamEvent,
  salvageSipRequest,
} from '../../protocols/sip/index.js';
import type { StackCore } from './core.js';
import { DialogTable } from './dialog.js';
import { sendInvite } from './invite-client.js';
import { type Arrival, Network } from './network.js';
import { systemNameService, TargetResolver } from './resolve.js';
import { steadySipLog } from './sip-log.js';
import type { SipFlow, SipLimits, SipStack, SipStackOptions } from './sip-stack.js';
import { RFC_TIMERS } from './timers.js';
import { UserAgentClient } from './user-agent-client.js';
import { UserAgentServer } from './user-agent-server.js';

export { SipRejection } from './sip-rejection.js';

const DEFAULT_SIP_LIMITS: SipLimits = {
  ...DEFAULT_SIP_DECODE_LIMITS,
  maxConnections: 10_000,
  handshakeMs: 10_000,
  idleConnectionMs: 600_000,
  maxTransactions: 50_000,
};

/** What a request that cannot be read is answered with. */
const STATUS_OF_BROKEN: Partial<Record<ErrorCode, number>> = {
  limitExceeded: 413,
  versionNotSupported: 505,
};

/** A SIP stack that is not listening yet: register the handlers, then call `listen`. */
export function createSipStack(options: SipStackOptions): SipStack {
  const limits: SipLimits = { ...DEFAULT_SIP_LIMITS, ...options.limits };
  const timers = { ...RFC_TIMERS, ...options.timers };
  const log = steadySipLog(options.log);
  const names = options.names ?? systemNameService();
  const flowListeners: ((flow: SipFlow) => void)[] = [];

  const network = new Network({
    listen: options.listen,
    advertise: options.advertise,
    tls: options.tls,
    webSocket: options.webSocket,
    limits,
    timers,
    log: (event) => log.limited(event),
    onDatagram: (octets, arrival) => receiveDatagram(octets, arrival),
    onStreamEvent: (event, arrival) => receiveStreamEvent(event, arrival),
    onFlowClosed: (flow) => {
      client.connectionClosed(flow);
      for (const listener of flowListeners) listener(flow);
    },
  });
  const core: StackCore = {
    network,
    dialogs: new DialogTable(),
    timers,
    limits,
    product: options.product,
    supported: (options.supported ?? []).map((tag) => tag.toLowerCase()),
    accept: options.accept ?? ['application/sdp'],
    log,
  };
  const client = new UserAgentClient(core, new TargetResolver(names));
  const server = new UserAgentServer(core, (dialog) => client.sendBye(dialog));

  function receiveDatagram(octets: Buffer, arrival: Arrival): void {
    if (isKeepAlive(octets)) return;
    let message: SipMessage;
    try {
      message = decodeSipMessage(octets, limits);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      receiveBroken(octets, error, arrival);
      return;
    }
    receiveMessage(message, arrival);
  }

  function receiveStreamEvent(event: SipStreamEvent, arrival: Arrival): void {
    if (event.kind === 'message') receiveMessage(event.message, arrival);
    else if (event.kind === 'malformed') receiveBroken(event.head, event.error, arrival);
  }

  function receiveMessage(message: SipMessage, arrival: Arrival): void {
    if (message.kind === 'request') server.receive(message, arrival);
    else client.receive(message);
  }

  function receiveBroken(octets: Uint8Array, error: DecodeError, arrival: Arrival): void {
    const status = STATUS_OF_BROKEN[error.code] ?? 400;
    server.refuseBroken(salvageSipRequest(octets, limits), arrival, status, error.detail);
  }

  return {
    listen: () => network.listen(),
    get bound() {
      return network.bound;
    },
    onRequest: (method, handler) => server.onRequest(method, handler),
    onInvite: (handler) => server.onInvite(handler),
    request: (request) => client.request(request),
    invite: (request) => sendInvite(client, request),
    get transactionCount() {
      return server.openCount + client.liveCount;
    },
    sizeOf: (request) => client.sizeOf(request),
    onFlowClosed: (listener) => {
      flowListeners.push(listener);
    },
    acceptWebSocket: (request, socket, head) => network.acceptWebSocket(request, socket, head),
    async close() {
      server.close();
      client.close();
      core.dialogs.endAll('the SIP stack is closed');
      names.close();
      await network.close();
    },
  };
}

/** Empty lines and zero octets that clients send to keep a NAT binding open. */
function isKeepAlive(octets: Buffer): boolean {
  return octets.length <= 4 && octets.every((octet) => octet === 0x0d || octet === 0x0a || octet === 0);
}
