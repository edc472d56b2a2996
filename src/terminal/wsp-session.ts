/**
 * A terminal's side of a WSP session (WAP-230): opens it at a gateway, takes pushes and acknowledges those that are to be confirmed, suspends
 * and resumes it. What becomes of a push is for whoever runs the terminal; a reason of WSP says that it is not taken. A gateway that
 * sends it elsewhere (Redirect) is followed.
 */
import type { Clock, RandomBytes } from '../kernel/clock.js';
import { DecodeError, DeliveryError } from '../kernel/errors.js';
import {
  ABORT,
  abortName,
  type ContactPoint,
  decodeWsp,
  encodeWsp,
  ipOfContactPoint,
  OPTION,
  type PushContents,
  WSP_LIMITS,
  WSP_VERSION,
  type WspCapabilities,
  type WspHeader,
  type WspPdu,
} from '../protocols/wsp/index.js';
import { providerAbortName } from '../protocols/wtp/index.js';
import { type DatagramPeer, DatagramSocket } from '../transports/datagram/datagram-socket.js';
import { credentialHeaders, proofOf } from '../transports/wsp/session-headers.js';
import type { Ended } from '../transports/wtp/initiator-transaction.js';
import type { IncomingTransaction } from '../transports/wtp/responder-transaction.js';
import { WtpEndpoint } from '../transports/wtp/wtp-endpoint.js';
import { WTP_DEFAULTS, type WtpOptions } from '../transports/wtp/wtp-options.js';

export interface WspSessionOptions {
  /** IP address. */
  readonly host: string;
  readonly port: number;
  /** Own address; absent: whichever leads there. */
  readonly local?: string;
  /** The SIR that it follows. */
  readonly sirId?: string;
  readonly terminalId?: string;
  /** The terminal's own key (`wspTerminalKey`). */
  readonly key?: Uint8Array;
  /** Further session headers: `Accept`, `User-Agent`. */
  readonly headers?: readonly WspHeader[];
  /** Default: pushes of both kinds, eight at a time, of any size. */
  readonly capabilities?: Partial<WspCapabilities>;
  readonly wtp?: Partial<WtpOptions>;
}

export interface WspSessionPorts {
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  /** Takes a push, repetitions too; undefined once it is safe, else why not (`ABORT`). Must not reject. */
  readonly take: (push: PushContents) => Promise<number | undefined>;
}

const MAX_REDIRECTS = 3;
const DEFAULT_CAPABILITIES: WspCapabilities = {
  clientSduBytes: WTP_DEFAULTS.maxMessageBytes,
  protocolOptions: OPTION.confirmedPush | OPTION.push | OPTION.sessionResume,
  pushMor: 8,
  others: [],
};

export class WspSession implements AsyncDisposable {
  readonly #ports: WspSessionPorts;
  readonly #options: WspSessionOptions;
  readonly #wtp: WtpEndpoint;
  readonly #socket: DatagramSocket;
  #peer: DatagramPeer;
  #sessionId = 0;
  #capabilities: WspCapabilities = { others: [] };
  #end: (reason: string) => void = () => undefined;
  /** Resolves with the reason when the session is over, whoever ended it. */
  readonly closed: Promise<string>;
  #isOver = false;

  private constructor(
    options: WspSessionOptions,
    ports: WspSessionPorts,
    socket: DatagramSocket,
    wtp: WtpEndpoint,
  ) {
    this.#options = options;
    this.#ports = ports;
    this.#socket = socket;
    this.#wtp = wtp;
    this.#peer = { address: options.host, port: options.port };
    this.closed = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Resolves when the gateway has taken it. Rejects with DeliveryError when it refuses or cannot be reached. */
  static async open(options: WspSessionOptions, ports: WspSessionPorts): Promise<WspSession> {
    let session: WspSession | undefined;
    const socket = await DatagramSocket.open({
      host: options.local ?? (options.host.includes(':') ? '::' : '0.0.0.0'),
      port: 0,
      onDatagram: (octets, from) => wtp.receive(octets, from),
      onError: (error) => session?.end(error.message),
    });
    const wtp: WtpEndpoint = new WtpEndpoint(
      {
        clock: ports.clock,
        randomBytes: ports.randomBytes,
        send: (octets, to) => void socket.send(octets, to).catch(() => undefined), // it is sent again
        onInvoked: (transaction) => void session?.invoked(transaction),
        onDatagram: (payload, from) => session?.said(payload, from),
        onRefused: () => undefined,
      },
      { ...options.wtp, maxTransactionsPerPeer: 1000 },
    );
    session = new WspSession(options, ports, socket, wtp);
    try {
      await session.#connect();
      return session;
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where the gateway is, after redirects. */
  get gateway(): DatagramPeer {
    return this.#peer;
  }

  get sessionId(): number {
    return this.#sessionId;
  }

  /** What the gateway has agreed to. */
  get capabilities(): WspCapabilities {
    return this.#capabilities;
  }

  /** Nothing is to be sent until it is resumed. Nobody confirms that. */
  async suspend(): Promise<void> {
    await this.#say({ kind: 'suspend', sessionId: this.#sessionId });
  }

  /** Rejects with DeliveryError when the gateway has no such session any more. */
  async resume(): Promise<void> {
    const answer = await this.#ask({
      kind: 'resume',
      sessionId: this.#sessionId,
      capabilities: { others: [] },
      headers: this.#headers(),
    });
    if (answer.kind !== 'reply' || answer.status !== 0x20) throw refused(answer);
  }

  /** Ends it, and tells the gateway. Safe to repeat. */
  async disconnect(reason = 'the terminal ended it'): Promise<void> {
    if (!this.#isOver) await this.#say({ kind: 'disconnect', sessionId: this.#sessionId });
    this.end(reason);
    await this[Symbol.asyncDispose]();
  }

  /** Vanishes as a phone does that goes out of coverage: nobody is told. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isDisposed) {
      this.#isDisposed = true;
      this.end('the terminal is gone');
      this.#wtp.close(ABORT.disconnect);
      await this.#socket[Symbol.asyncDispose]();
    }
  }

  #isDisposed = false;

  /** The session is over; the socket stays until it is disposed of. */
  end(reason: string): void {
    this.#isOver = true;
    this.#end(reason);
  }

  async #connect(): Promise<void> {
    for (let redirects = 0; ; redirects += 1) {
      const answer = await this.#ask({
        kind: 'connect',
        version: WSP_VERSION,
        capabilities: { ...DEFAULT_CAPABILITIES, ...this.#options.capabilities },
        headers: this.#headers(),
      });
      if (answer.kind === 'connect-reply') {
        this.#sessionId = answer.sessionId;
        this.#capabilities = answer.capabilities;
        return;
      }
      const next = answer.kind === 'redirect' ? peerOf(answer.addresses[0], this.#options.port) : undefined;
      if (next === undefined || redirects >= MAX_REDIRECTS) throw refused(answer);
      this.#peer = next;
    }
  }

  #headers(): readonly WspHeader[] {
    const { sirId, terminalId, key, headers = [] } = this.#options;
    const { clock, randomBytes } = this.#ports;
    const proof = key === undefined ? {} : proofOf(key, { now: clock.now(), random: randomBytes(12) });
    return [
      ...headers,
      ...credentialHeaders({
        ...(sirId === undefined ? {} : { sirId }),
        ...(terminalId === undefined ? {} : { terminalId }),
        ...proof,
      }),
    ];
  }

  /** A request of the gateway that is to be answered. */
  async invoked(transaction: IncomingTransaction): Promise<void> {
    const pdu = this.#readFrom(transaction.payload, transaction.peer);
    if (pdu?.kind !== 'confirmed-push' || transaction.transactionClass !== 1) {
      transaction.abort(ABORT.protocolError);
      return;
    }
    if (this.#isOver) {
      transaction.abort(ABORT.disconnect);
      return;
    }
    const reason = await this.#ports.take(pdu);
    if (reason === undefined) transaction.acknowledge();
    else transaction.abort(reason);
  }

  /** Something that nobody answers. */
  said(payload: Uint8Array, from: DatagramPeer): void {
    const pdu = this.#readFrom(payload, from);
    if (pdu?.kind === 'push' && !this.#isOver) void this.#ports.take(pdu);
    if (pdu?.kind === 'disconnect' && pdu.sessionId === this.#sessionId) this.end('the gateway ended it');
  }

  /** Undefined for what cannot be read, or is not from the gateway. */
  #readFrom(payload: Uint8Array, from: DatagramPeer): WspPdu | undefined {
    if (from.address !== this.#peer.address || from.port !== this.#peer.port) return undefined;
    try {
      return decodeWsp(payload, this.#limits);
    } catch (error) {
      if (error instanceof DecodeError) return undefined;
      throw error;
    }
  }

  get #limits() {
    const { maxMessageBytes = WTP_DEFAULTS.maxMessageBytes } = this.#options.wtp ?? {};
    return { ...WSP_LIMITS, maxPduBytes: maxMessageBytes };
  }

  async #ask(pdu: WspPdu): Promise<WspPdu> {
    const { ended } = this.#wtp.invoke(this.#peer, { transactionClass: 2, payload: encodeWsp(pdu) });
    const how = await ended;
    if (how.kind !== 'result') throw new DeliveryError('unreachable', describeEnd(how));
    return decodeWsp(how.payload, this.#limits);
  }

  async #say(pdu: WspPdu): Promise<void> {
    await this.#wtp.invoke(this.#peer, { transactionClass: 0, payload: encodeWsp(pdu) }).ended;
  }
}

function peerOf(point: ContactPoint | undefined, port: number): DatagramPeer | undefined {
  const address = point && ipOfContactPoint(point);
  return address === undefined ? undefined : { address, port: point?.port ?? port };
}

function refused(answer: WspPdu): DeliveryError {
  const what = answer.kind === 'reply' ? `status 0x${answer.status.toString(16)}` : answer.kind;
  return new DeliveryError('forbidden', `the gateway answered with ${what}`, { retry: 'never' });
}

function describeEnd(ended: Ended): string {
  if (ended.kind !== 'aborted') return ended.kind === 'silent' ? 'the gateway does not answer' : ended.kind;
  return `aborted: ${ended.by === 'user' ? abortName(ended.reason) : providerAbortName(ended.reason)}`;
}
