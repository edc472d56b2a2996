/**
 * Where terminals open WSP sessions (WAP-230 §7, WAP-235): after a SIR that offers this port, or of their own accord. A session is the push
 * session of the terminal that has shown who it is; nobody else gets one. Methods of a browser are answered with 501: this is no
 * proxy. One line in the log for each that is refused, so many in a second.
 */
import type { Clock, RandomBytes } from '../../kernel/clock.js';
import { DecodeError, describeError } from '../../kernel/errors.js';
import type { Sessions } from '../../lane/sessions.js';
import {
  ABORT,
  type ConnectPdu,
  decodeWsp,
  encodeWsp,
  type ResumePdu,
  WSP_LIMITS,
  type WspPdu,
} from '../../protocols/wsp/index.js';
import type { Log } from '../../telemetry/log.js';
import { type DatagramPeer, DatagramSocket } from '../../transports/datagram/datagram-socket.js';
import { type SteadyLine, SteadyLog } from '../../transports/steady-log.js';
import type { IncomingTransaction } from '../../transports/wtp/responder-transaction.js';
import { WtpEndpoint } from '../../transports/wtp/wtp-endpoint.js';
import type { WtpOptions } from '../../transports/wtp/wtp-options.js';
import type { PushSessionFact } from '../sip/push-session.js';
import { agree } from './agreement.js';
import { type ConnectingOptions, type ConnectingPorts, ConnectingTerminals } from './connecting-terminal.js';
import { WspTerminalSession } from './wsp-terminal-session.js';

export interface WspEndpointPorts extends ConnectingPorts {
  readonly sessions: Pick<Sessions, 'opened' | 'closed'>;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly log: Log;
  readonly observe: (fact: PushSessionFact) => void;
}

export interface WspEndpointOptions extends ConnectingOptions {
  readonly host: string;
  readonly port: number;
  readonly maxSessions: number;
  /** The most confirmed pushes under way to a terminal, whatever it says that it takes. */
  readonly maxWindow: number;
  readonly idleMs: number;
  readonly wtp: Pick<
    WtpOptions,
    'retransmitMs' | 'maxRetransmissions' | 'maxDatagramBytes' | 'maxMessageBytes'
  >;
}

interface RefusalLine extends SteadyLine {
  readonly peer?: string;
}

/** One address may have this part of the sessions: many terminals behind one NAT still find room. */
const SHARE_OF_ONE_ADDRESS = 1 / 4;
/** Session numbers that every decoder shows as they are. */
const SESSION_IDS = 100_000_000;
/** WAP-230 table 36: HTTP status in WSP's own numbers. */
const STATUS = {
  ok: 0x20,
  badRequest: 0x40,
  forbidden: 0x43,
  notImplemented: 0x61,
  unavailable: 0x63,
} as const;
const SEGMENT_HEADER_BYTES = 4;

export class WspEndpoint implements AsyncDisposable {
  readonly #ports: WspEndpointPorts;
  readonly #options: WspEndpointOptions;
  readonly #log: SteadyLog<RefusalLine>;
  readonly #terminals: ConnectingTerminals;
  readonly #sessions = new Map<number, WspTerminalSession>();
  readonly #sessionsOf = new Map<string, number>();
  readonly #wtp: WtpEndpoint;
  #socket: DatagramSocket | undefined;
  #isStopping = false;

  private constructor(ports: WspEndpointPorts, options: WspEndpointOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#log = new SteadyLog(ports.log, () => ports.clock.now(), 'log lines were suppressed');
    this.#terminals = new ConnectingTerminals(ports, options);
    this.#wtp = new WtpEndpoint(
      {
        clock: ports.clock,
        randomBytes: ports.randomBytes,
        send: (octets, to) =>
          void this.#socket?.send(octets, to).catch((error: unknown) => this.#notSent(error)),
        onInvoked: (transaction) => void this.#invoked(transaction),
        onDatagram: (payload, from) => this.#said(payload, from),
        onRefused: (reason, from) =>
          this.#log.limited({ level: 'info', message: 'WTP refused', reason, peer: from.address }),
      },
      { ...options.wtp, maxTransactions: 4 * options.maxSessions },
    );
  }

  /** Rejects with the operating system's error when the port cannot be had. */
  static async listen(ports: WspEndpointPorts, options: WspEndpointOptions): Promise<WspEndpoint> {
    const endpoint = new WspEndpoint(ports, options);
    const { host, port } = options;
    endpoint.#socket = await DatagramSocket.open({
      host,
      port,
      onDatagram: (octets, from) => endpoint.receive(octets, from),
      onError: (error) => ports.log({ level: 'warn', message: 'WSP socket failed', reason: error.message }),
    });
    return endpoint;
  }

  /** The same on a socket that is open already and hands what comes to `receive`; it is closed with the endpoint. */
  static on(socket: DatagramSocket, ports: WspEndpointPorts, options: WspEndpointOptions): WspEndpoint {
    const endpoint = new WspEndpoint(ports, options);
    endpoint.#socket = socket;
    return endpoint;
  }

  /** Takes a datagram. Never throws. */
  receive(octets: Uint8Array, from: DatagramPeer): void {
    this.#wtp.receive(octets, from);
  }

  /** Really bound (port 0 resolved). */
  get address(): { readonly host: string; readonly port: number } {
    return { host: this.#options.host, port: this.#socket?.bound.port ?? this.#options.port };
  }

  /** Sessions, suspended ones among them. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Takes no new sessions; those that there are go on. */
  stop(): void {
    this.#isStopping = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    for (const session of [...this.#sessions.values()]) session.close('the gateway is stopping');
    this.#wtp.close(ABORT.disconnect);
    await this.#socket?.[Symbol.asyncDispose]();
  }

  /** A request of class 1 or 2. Never rejects. */
  async #invoked(transaction: IncomingTransaction): Promise<void> {
    const { peer, payload, transactionClass } = transaction;
    try {
      const pdu = decodeWsp(payload, { ...WSP_LIMITS, maxPduBytes: this.#options.wtp.maxMessageBytes });
      if (transactionClass === 2 && pdu.kind === 'connect') await this.#connect(transaction, pdu);
      else if (transactionClass === 2 && pdu.kind === 'resume') await this.#resume(transaction, pdu);
      else if (transactionClass === 2 && (pdu.kind === 'get' || pdu.kind === 'post'))
        this.#refuse(transaction, STATUS.notImplemented, `${pdu.method}: this is no proxy`);
      else this.#abort(transaction, `${pdu.kind} in a transaction of class ${transactionClass}`);
    } catch (error) {
      if (error instanceof DecodeError) {
        this.#abort(transaction, `no WSP: ${error.detail}`);
        return;
      }
      this.#log.limited({
        level: 'warn',
        message: 'WSP session failed',
        reason: describeError(error),
        peer: peer.address,
      });
      this.#refuse(transaction, STATUS.unavailable, describeError(error));
    }
  }

  /** A request of class 0: nobody waits for an answer. */
  #said(payload: Uint8Array, from: DatagramPeer): void {
    let pdu: WspPdu;
    try {
      pdu = decodeWsp(payload);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#refused(`no WSP: ${error.detail}`, from);
      return;
    }
    const session = 'sessionId' in pdu ? this.#sessions.get(pdu.sessionId) : undefined;
    // Whoever guesses a number ends no session of another address.
    if (session === undefined || session.peer.address !== from.address) return;
    if (pdu.kind === 'disconnect') session.ended('the terminal ended it');
    if (pdu.kind === 'suspend') this.#suspend(session);
  }

  async #connect(transaction: IncomingTransaction, pdu: ConnectPdu): Promise<void> {
    const { peer } = transaction;
    const { maxWindow, wtp, idleMs } = this.#options;
    const { clock, randomBytes } = this.#ports;
    if (this.#isFull(peer)) return this.#refuse(transaction, STATUS.unavailable, 'too many sessions');
    const agreed = agree(pdu, { maxWindow, maxBytes: wtp.maxMessageBytes });
    if (agreed === undefined) {
      return this.#refuse(transaction, STATUS.notImplemented, 'a session without pushes: this is no proxy');
    }
    const terminal = await this.#terminals.identify(pdu.headers, peer);
    if (typeof terminal === 'string') return this.#refuse(transaction, STATUS.forbidden, terminal);
    if (this.#isFull(peer)) return this.#refuse(transaction, STATUS.unavailable, 'too many sessions');
    const session = new WspTerminalSession({
      id: Buffer.from(randomBytes(12)).toString('base64url'),
      sessionId: this.#freeSessionId(),
      terminal,
      peer,
      agreed,
      wtp: this.#wtp,
      maxUnitBytes: wtp.maxDatagramBytes - SEGMENT_HEADER_BYTES,
      idleMs,
      clock,
      onClosed: (closed, reason) => this.#closed(closed, reason),
    });
    this.#sessions.set(session.sessionId, session);
    this.#count(peer.address, 1);
    const reply = encodeWsp({
      kind: 'connect-reply',
      sessionId: session.sessionId,
      capabilities: agreed.reply,
      headers: [],
    });
    await this.#openWhenAcknowledged(session, transaction, reply);
  }

  /** From the address where it was, or by whoever shows once more that it is the terminal. [WAP-230 §6.3.1] */
  async #resume(transaction: IncomingTransaction, { sessionId, headers }: ResumePdu): Promise<void> {
    const { peer } = transaction;
    const session = this.#sessions.get(sessionId);
    if (session?.state !== 'suspended') return this.#abort(transaction, 'no such session', ABORT.disconnect);
    if (session.peer.address !== peer.address) {
      const terminal = await this.#terminals.identify(headers, peer);
      if (typeof terminal === 'string' || terminal.id !== session.terminal)
        return this.#refuse(transaction, STATUS.forbidden, 'another terminal than that of the session');
      if (session.state !== 'suspended') return this.#abort(transaction, 'no such session', ABORT.disconnect);
    }
    this.#count(session.peer.address, -1);
    this.#count(peer.address, 1);
    session.resume(peer);
    await this.#openWhenAcknowledged(session, transaction, encodeWsp({ kind: 'reply', status: STATUS.ok }));
  }

  /** A session is one when the terminal has our answer: who has sent a datagram under a false address has not. */
  async #openWhenAcknowledged(
    session: WspTerminalSession,
    transaction: IncomingTransaction,
    reply: Uint8Array,
  ): Promise<void> {
    const replied = await transaction.reply(reply);
    if (session.state === 'null') return;
    if (replied !== 'acknowledged') {
      session.ended(replied === 'silent' ? 'the terminal does not answer' : 'the terminal gave it up');
      return;
    }
    session.opened();
    const { sessions, observe } = this.#ports;
    observe({ kind: 'opened', terminal: session.terminal, session: session.id });
    try {
      await sessions.opened(session.terminal, session);
    } catch (error) {
      session.close(describeError(error));
    }
  }

  #suspend(session: WspTerminalSession): void {
    const wasOpen = session.isOpen;
    session.suspend();
    if (wasOpen) this.#tellLane(session, 'suspended');
  }

  #closed(session: WspTerminalSession, reason: string): void {
    this.#sessions.delete(session.sessionId);
    this.#count(session.peer.address, -1);
    this.#tellLane(session, reason);
  }

  #tellLane(session: WspTerminalSession, reason: string): void {
    const { sessions, observe, log } = this.#ports;
    observe({ kind: 'closed', terminal: session.terminal, session: session.id, reason });
    sessions.closed(session.terminal, session).catch((error: unknown) => {
      log({ level: 'warn', message: 'WSP session not recorded', reason: describeError(error) });
    });
  }

  #isFull({ address }: DatagramPeer): boolean {
    const { maxSessions } = this.#options;
    if (this.#isStopping || this.#sessions.size >= maxSessions) return true;
    return (this.#sessionsOf.get(address) ?? 0) >= Math.ceil(maxSessions * SHARE_OF_ONE_ADDRESS);
  }

  #count(address: string, change: 1 | -1): void {
    const count = (this.#sessionsOf.get(address) ?? 0) + change;
    if (count > 0) this.#sessionsOf.set(address, count);
    else this.#sessionsOf.delete(address);
  }

  #refuse(transaction: IncomingTransaction, status: number, reason: string): void {
    this.#refused(reason, transaction.peer);
    transaction.replyOnce(encodeWsp({ kind: 'reply', status }));
  }

  #abort(transaction: IncomingTransaction, reason: string, code: number = ABORT.protocolError): void {
    this.#refused(reason, transaction.peer);
    transaction.abort(code);
  }

  #refused(reason: string, { address }: DatagramPeer): void {
    this.#log.limited({ level: 'info', message: 'WSP session refused', reason, peer: address });
  }

  #notSent(error: unknown): void {
    this.#log.limited({ level: 'info', message: 'WSP datagram not sent', reason: describeError(error) });
  }

  #freeSessionId(): number {
    for (;;) {
      const id = Buffer.from(this.#ports.randomBytes(4)).readUInt32BE() % SESSION_IDS;
      if (!this.#sessions.has(id)) return id;
    }
  }
}
