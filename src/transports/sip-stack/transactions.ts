/**
 * The four transactions of RFC 3261 §17 (with RFC 6026), made of sip.js's state machines and of what they lack.
 * This is the only file that imports the library. Of it we use `lib/core/transactions` and `lib/core/timers` alone:
 * its user-agent core answers 404 to every Request-URI but one, has a single Contact and a single transport, and scans
 * all transactions on every request; its parser and serializer take strings of text, not octets.
 *
 * What is added or bent here, each guarded by a test:
 * - Timers A, E and G (retransmission on UDP) do not exist in the library; Retransmission supplies them.
 * - The library reads its timer lengths from one mutable object whenever it enters a state. They are set before each
 *   call into it, per transaction, so that reliable and unreliable transports and several stacks coexist.
 * - Messages go through as byte strings (char codes 0–255), so that binary bodies survive its string interface.
 * - It invents branch ids below 10^7. Our request objects ignore them and carry a branch of 128 random bits.
 * - It keeps answered non-INVITE transactions until Timer J or K. Ours are disposed at the final response: a stray
 *   response matches nothing, and repeated requests are answered from the ResponseCache.
 * - It never re-sends the ACK to a repeated 2xx unless it sent the first one; that ACK belongs to the dialog layer.
 */
import { Timers } from 'sip.js/lib/core/timers.js';
import { InviteClientTransaction } from 'sip.js/lib/core/transactions/invite-client-transaction.js';
import { InviteServerTransaction } from 'sip.js/lib/core/transactions/invite-server-transaction.js';
import { NonInviteClientTransaction } from 'sip.js/lib/core/transactions/non-invite-client-transaction.js';
import { NonInviteServerTransaction } from 'sip.js/lib/core/transactions/non-invite-server-transaction.js';
import { headerValue, type SipResponse, tagOf } from '../../protocols/sip/index.js';
import { Retransmission, type SipTimers, transactionLifeMs } from './timers.js';

/** Where a transaction's messages go. `send` rejects when the transport cannot take them. */
export interface Outlet {
  /** As in Via: `UDP`, `TCP` … */
  readonly protocol: string;
  readonly isReliable: boolean;
  send(byteString: string): Promise<void>;
}

export interface ServerTransactionOptions {
  readonly method: string;
  readonly branch: string;
  readonly outlet: Outlet;
  readonly timers: SipTimers;
  /** Called once, when nothing more will happen in this transaction. */
  readonly onTerminated: () => void;
}

export interface ServerTransaction {
  /** A repetition of the request, or the ACK to a final response ≥ 300. */
  receive(method: string): void;
  respond(status: number, byteString: string): void;
  dispose(): void;
}

export interface ClientTransactionOptions {
  /** What the ACK to a final response ≥ 300 is made of (RFC 3261 §17.1.1.3); `route` is the whole Route header. */
  readonly request: {
    readonly method: string;
    readonly uri: string;
    readonly via: string;
    readonly from: string;
    readonly callId: string;
    readonly cseq: number;
    readonly route: string | undefined;
    readonly byteString: string;
  };
  readonly outlet: Outlet;
  readonly timers: SipTimers;
  readonly onResponse: (response: SipResponse) => void;
  readonly onTimeout: () => void;
  readonly onTransportError: (error: Error) => void;
  /** Called once, when nothing more will happen in this transaction. */
  readonly onTerminated: () => void;
}

export interface ClientTransaction {
  receive(response: SipResponse): void;
  dispose(): void;
}

type LibraryTimers = Record<'TIMER_B' | 'TIMER_D' | 'TIMER_F' | 'TIMER_H' | 'TIMER_I' | 'TIMER_J', number> &
  Record<'TIMER_K' | 'TIMER_L' | 'TIMER_M' | 'PROVISIONAL_RESPONSE_INTERVAL', number>;

const SILENT_LOGGER = { error() {}, warn() {}, log() {}, debug() {} };
const LOGGERS = { getLogger: () => SILENT_LOGGER };

const timersOf = new WeakMap<SipTimers, { reliable: LibraryTimers; unreliable: LibraryTimers }>();
let appliedTimers: LibraryTimers | undefined;

/** Opens a server transaction for a request that has just arrived. */
export function openServerTransaction(options: ServerTransactionOptions): ServerTransaction {
  return options.method === 'INVITE' ? openInviteServer(options) : openNonInviteServer(options);
}

/** Opens a client transaction: the request is sent before this returns. */
export function openClientTransaction(options: ClientTransactionOptions): ClientTransaction {
  const { outlet, timers, request } = options;
  const isInvite = request.method === 'INVITE';
  const resend = () => {
    outlet.send(request.byteString).catch((error: Error) => {
      if (isTerminated) return;
      options.onTransportError(error);
      machine.dispose();
      terminate();
    });
  };
  // Timer A doubles without bound and ends with Timer B; Timer E is capped at T2.
  const retransmission = outlet.isReliable
    ? undefined
    : new Retransmission(timers.t1, isInvite ? transactionLifeMs(timers) : timers.t2, resend);
  let isTerminated = false;
  const terminate = () => {
    retransmission?.stop();
    if (isTerminated) return;
    isTerminated = true;
    options.onTerminated();
  };
  const user = {
    loggerFactory: LOGGERS,
    receiveResponse: (response: LibraryResponse) => options.onResponse(response.message),
    onRequestTimeout: options.onTimeout,
    onTransportError: options.onTransportError,
    onStateChange: (state: string) => {
      if (state === 'Terminated') return terminate();
      if (state === 'Proceeding' && !isInvite) retransmission?.slowDown();
      else retransmission?.stop();
    },
  };
  applyTimers(outlet, timers);
  const Machine = isInvite ? InviteClientTransaction : NonInviteClientTransaction;
  const machine = new Machine(libraryRequest(options), outlet as never, user as never);
  return {
    receive(response) {
      if (isTerminated) return;
      applyTimers(outlet, timers);
      // The library takes a received 408 to a non-INVITE for its own time-out; to us it is an answer like any other.
      const isOwnTimeout = !isInvite && response.status === 408;
      // [RFC 6026 §7.2] every 2xx goes up: the library would swallow repetitions that it has no ACK for.
      const isRepeated2xx = machine.state === 'Accepted' && response.status >= 200 && response.status < 300;
      if (isOwnTimeout || isRepeated2xx) options.onResponse(response);
      else machine.receiveResponse(libraryResponse(response) as never);
      if (!isInvite && response.status >= 200) this.dispose();
    },
    dispose() {
      machine.dispose();
      terminate();
    },
  };
}

function openNonInviteServer(options: ServerTransactionOptions): ServerTransaction {
  const { outlet, timers } = options;
  let isTerminated = false;
  const terminate = () => {
    if (isTerminated) return;
    isTerminated = true;
    options.onTerminated();
  };
  applyTimers(outlet, timers);
  const machine = new NonInviteServerTransaction(
    { viaBranch: options.branch, method: options.method } as never,
    outlet as never,
    serverUser((state) => state === 'Terminated' && terminate()) as never,
  );
  return {
    receive() {
      if (!isTerminated) machine.receiveRequest({ method: options.method } as never);
    },
    respond(status, byteString) {
      if (isTerminated) return;
      applyTimers(outlet, timers);
      machine.receiveResponse(status, byteString);
      if (status >= 200) this.dispose();
    },
    dispose() {
      machine.dispose();
      terminate();
    },
  };
}

function openInviteServer(options: ServerTransactionOptions): ServerTransaction {
  const { outlet, timers } = options;
  let timerG: Retransmission | undefined;
  let isTerminated = false;
  const terminate = () => {
    timerG?.stop();
    if (isTerminated) return;
    isTerminated = true;
    options.onTerminated();
  };
  applyTimers(outlet, timers);
  const machine = new InviteServerTransaction(
    { viaBranch: options.branch, method: 'INVITE' } as never,
    outlet as never,
    serverUser((state) => {
      if (state === 'Confirmed') timerG?.stop();
      if (state === 'Terminated') terminate();
    }) as never,
  );
  return {
    receive(method) {
      if (isTerminated) return;
      applyTimers(outlet, timers);
      machine.receiveRequest({ method } as never);
    },
    respond(status, byteString) {
      if (isTerminated) return;
      applyTimers(outlet, timers);
      machine.receiveResponse(status, byteString);
      if (status < 300 || outlet.isReliable || isTerminated) return;
      timerG = new Retransmission(timers.t1, timers.t2, () => void outlet.send(byteString).catch(() => {}));
    },
    dispose() {
      machine.dispose();
      terminate();
    },
  };
}

function serverUser(onStateChange: (state: string) => void) {
  return { loggerFactory: LOGGERS, onStateChange, onTransportError() {} };
}

/** Sets the library's timer lengths for the call that follows. */
function applyTimers(outlet: Outlet, timers: SipTimers): void {
  let lengths = timersOf.get(timers);
  if (lengths === undefined) {
    lengths = { reliable: libraryTimers(timers, true), unreliable: libraryTimers(timers, false) };
    timersOf.set(timers, lengths);
  }
  const wanted = outlet.isReliable ? lengths.reliable : lengths.unreliable;
  if (wanted === appliedTimers) return;
  Object.assign(Timers, wanted);
  appliedTimers = wanted;
}

function libraryTimers(timers: SipTimers, isReliable: boolean): LibraryTimers {
  const life = transactionLifeMs(timers);
  return {
    TIMER_B: life,
    TIMER_F: life,
    TIMER_H: life,
    TIMER_L: life,
    TIMER_M: life,
    TIMER_D: isReliable ? 0 : life,
    TIMER_I: isReliable ? 0 : timers.t4,
    TIMER_J: 0, // see ResponseCache
    TIMER_K: 0, // disposed at the final response
    PROVISIONAL_RESPONSE_INTERVAL: 60_000,
  };
}

/** What the client machines touch of a request object: nothing else of the library's message class is needed. */
function libraryRequest({ request }: ClientTransactionOptions): never {
  const headers: Record<string, string | undefined> = {
    from: request.from,
    via: request.via,
    route: request.route,
  };
  const shape = {
    method: request.method,
    ruri: request.uri,
    callId: request.callId,
    cseq: request.cseq,
    getHeader: (name: string) => headers[name],
    setViaHeader() {}, // the Via is ours already
    toString: () => request.byteString,
    // The library reads a CANCEL's branch instead of inventing one; it is not used for anything but its log.
    branch: request.via,
  };
  return shape as never;
}

interface LibraryResponse {
  readonly message: SipResponse;
  readonly statusCode: number;
  readonly toTag: string;
  getHeader(name: string): string | undefined;
}

function libraryResponse(message: SipResponse): LibraryResponse {
  const to = headerValue(message, 'to') ?? '';
  return {
    message,
    statusCode: message.status,
    toTag: message.status >= 200 && message.status < 300 ? (tagOf(to) ?? '') : '',
    getHeader: (name) => (name === 'to' ? to : headerValue(message, name)),
  };
}
