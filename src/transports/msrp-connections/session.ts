/**
 * One MSRP session: its two paths, the connection that it is bound to, and the messages of both directions
 * (RFC 4975 §5.4, §7.3; RFC 6135 for who connects). Sessions find their requests by session-id, which nobody can guess.
 */
import {
  DecodeError,
  DeliveryError,
  describeError,
  type GatewayError,
  RefusedError,
} from '../../kernel/errors.js';
import { advance } from '../../kernel/transition-table.js';
import {
  DEFAULT_MSRP_PORT,
  formatEndLine,
  formatMsrpUri,
  formatPaths,
  formatRequestLine,
  type MsrpUri,
  type OpenMessageBudget,
  parseMsrpUri,
  type ReceivedMsrpRequest,
  sameMsrpSession,
} from '../../protocols/msrp/index.js';
import type { ConnectionUser, MsrpConnection } from './connection.js';
import type { MsrpAddress } from './connector.js';
import { EarlyRequests } from './early-requests.js';
import { IncomingMessages } from './incoming-messages.js';
import { DEFAULT_CONNECT_TIMEOUT_MS } from './limits.js';
import type {
  MsrpConnectionsOptions,
  MsrpLimits,
  MsrpMessageToSend,
  MsrpOutcome,
  MsrpSession,
  MsrpSessionOptions,
  PeerDescription,
} from './msrp-connections.js';
import { OutgoingMessages } from './outgoing-messages.js';
import { newTransactionId } from './random-ids.js';
import { hasFingerprint } from './secure-connection.js';
import { SESSION_STATES, type SessionEvent, type SessionState } from './session-state.js';

export interface SessionSurroundings {
  readonly limits: MsrpLimits;
  /** Memory for partly received messages of all sessions. */
  readonly openMessageBudget: OpenMessageBudget;
  readonly log: NonNullable<MsrpConnectionsOptions['log']>;
  /** An open connection to the address, shared when there is one. Rejects with DeliveryError. */
  connectTo(to: MsrpAddress, timeoutMs: number): Promise<MsrpConnection>;
  /** Has a request looked at again, from the start. */
  replay(connection: MsrpConnection, request: ReceivedMsrpRequest): void;
  sessionClosed(session: Session): void;
}

export class Session implements MsrpSession, ConnectionUser {
  readonly localPath: string;
  readonly localUri: MsrpUri;
  readonly outgoing: OutgoingMessages;
  readonly incoming: IncomingMessages;
  readonly #options: MsrpSessionOptions;
  readonly #around: SessionSurroundings;
  readonly #early = new EarlyRequests();
  readonly #connectTimer: NodeJS.Timeout;
  #state: SessionState = 'opened';
  #peerFingerprints: PeerDescription['fingerprints'];
  /** The peer's own URI, the last one of its path: as it was spelled when it was last found right, and parsed. */
  #remoteSpelling: string | undefined;
  #remoteUri: MsrpUri | undefined;
  /** The To-Path and From-Path lines of what goes to the peer. */
  #pathLines = '';
  #connection: MsrpConnection | undefined;
  #connectFailed: ((error: GatewayError) => void) | undefined;

  constructor(localUri: MsrpUri, options: MsrpSessionOptions, around: SessionSurroundings) {
    this.localUri = localUri;
    this.localPath = formatMsrpUri(localUri);
    this.#options = options;
    this.#around = around;
    this.outgoing = new OutgoingMessages(around.limits, (status) =>
      this.close(`the peer answered ${status}`),
    );
    this.incoming = new IncomingMessages(around, options.onMessage?.bind(options) ?? refuseMessage);
    const timeoutMs = options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS;
    this.#connectTimer = setTimeout(() => this.#end('not connected in time', 'timeout'), timeoutMs).unref();
  }

  get isSecure(): boolean {
    return this.localUri.scheme === 'msrps';
  }

  get isConnected(): boolean {
    return this.#state === 'connected';
  }

  get queuedBytes(): number {
    return this.outgoing.queuedBytes;
  }

  awaitPeer(remotePath: readonly string[], options: PeerDescription = {}): void {
    if (this.#state === 'closed') return;
    this.#peerFingerprints = options.fingerprints;
    this.#setRemotePath(remotePath, 'peerExpected');
  }

  async connect(
    remotePath: readonly string[],
    options: PeerDescription & { readonly address?: { readonly host: string; readonly port: number } } = {},
  ): Promise<void> {
    if (this.#state === 'closed') throw new DeliveryError('unreachable', 'the session is closed');
    const nextHop = this.#setRemotePath(remotePath, 'connectAsked');
    const failed = new Promise<never>((_, reject) => {
      this.#connectFailed = reject;
    });
    const address = options.address ?? { host: nextHop.host, port: nextHop.port };
    try {
      await Promise.race([failed, this.#bindActively(address, options)]);
    } catch (error) {
      this.close(describeError(error));
      throw error;
    }
  }

  send(message: MsrpMessageToSend): Promise<MsrpOutcome> {
    return this.outgoing.send(message);
  }

  close(reason = 'closed'): void {
    this.#end(reason, 'unreachable');
  }

  connectionLost(reason: string): void {
    this.#end(reason, 'unreachable');
  }

  /**
   * May this connection speak for the session, with this From-Path? Binds the session when it was waiting for that
   * (RFC 4975 §5.4). Otherwise the status to answer; `later` when the request waits for `awaitPeer`.
   */
  admit(connection: MsrpConnection, request: ReceivedMsrpRequest): 'yes' | 'later' | 403 | 481 | 506 {
    if (this.#connection !== undefined && this.#connection !== connection) return 506;
    if (connection.isSecure !== this.isSecure) return 403;
    if (this.#state === 'opened') return this.#early.keep(connection, request) ? 'later' : 481;
    if (!this.#isFromPeer(request.fromPath)) return 481;
    if (this.#state === 'awaiting') {
      if (request.method === 'REPORT') return 481;
      if (!this.#isDescribed(connection)) return 403;
      connection.attach(this);
      this.#connection = connection;
      this.#bound(connection);
    } else if (this.#state === 'connecting' && this.#connection === connection) {
      this.#bound(connection);
    }
    // Not connected yet, or closed by its owner in `onConnected`.
    return this.#state === 'connected' ? 'yes' : 481;
  }

  /** [RFC 8122 §6.2] whoever described its certificate has to show it. */
  #isDescribed({ peerCertificate }: MsrpConnection): boolean {
    const expected = this.#peerFingerprints;
    return expected === undefined || !this.isSecure || hasFingerprint(peerCertificate, expected);
  }

  async #bindActively(
    { host, port = DEFAULT_MSRP_PORT }: { readonly host: string; readonly port: number | undefined },
    { fingerprints }: PeerDescription,
  ): Promise<void> {
    const timeoutMs = this.#options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS;
    const secure = this.isSecure ? { secure: { fingerprints } } : {};
    const connection = await this.#around.connectTo({ host, port, ...secure }, timeoutMs);
    if (this.#state !== 'connecting') return;
    if (connection.isClosed) throw new DeliveryError('unreachable', 'connection lost');
    connection.attach(this);
    this.#connection = connection;
    // [RFC 4975 §5.4] The side that connects sends a SEND at once, without a body if it has nothing to say.
    const id = newTransactionId();
    const fields = `Message-ID: ${newTransactionId()}\r\nByte-Range: 1-0/0\r\n`;
    const answer = new Promise<void>((resolve, reject) => {
      connection.startTransaction(id, {
        answered: (status, comment) => {
          if (status === 200) resolve();
          else
            reject(
              new DeliveryError('forbidden', `the peer answered ${status} ${comment}`, { retry: 'never' }),
            );
        },
        expired: () => reject(new DeliveryError('timeout', 'no answer to the first SEND')),
      });
    });
    connection.writeText(
      `${formatRequestLine(id, 'SEND')}${this.#pathLines}${fields}${formatEndLine(id, '$')}`,
    );
    await answer;
    if (this.#state === 'connecting') this.#bound(connection);
  }

  #bound(connection: MsrpConnection): void {
    this.#advance('bound');
    clearTimeout(this.#connectTimer);
    this.outgoing.start(connection, this.#pathLines);
    this.#tell(() => this.#options.onConnected?.());
  }

  #end(reason: string, code: 'unreachable' | 'timeout'): void {
    if (this.#state === 'closed') return;
    this.#advance('ended');
    clearTimeout(this.#connectTimer);
    const error = new DeliveryError(code, reason);
    this.#connectFailed?.(error);
    this.#connection?.stopsSending(this.outgoing);
    this.#connection?.detach(this);
    this.outgoing.close(error);
    this.incoming.close();
    this.#early.clear();
    this.#around.sessionClosed(this);
    this.#tell(() => this.#options.onClosed?.(reason));
  }

  /** Checks the path before anything changes. Gives the URI of the next hop. */
  #setRemotePath(remotePath: readonly string[], event: SessionEvent): MsrpUri {
    const uris = remotePath.map(parseMsrpUri);
    const [nextHop] = uris;
    if (nextHop === undefined) throw new DecodeError('a path without a URI', { clause: 'RFC 4975 §8.2' });
    const pathLines = formatPaths(remotePath, [this.localPath]);
    this.#advance(event);
    this.#pathLines = pathLines;
    this.#remoteSpelling = remotePath.at(-1);
    this.#remoteUri = uris.at(-1);
    this.#early.release((connection, request) => this.#around.replay(connection, request));
    return nextHop;
  }

  #isFromPeer(fromPath: readonly string[]): boolean {
    const own = fromPath.at(-1);
    if (own === undefined) return false;
    if (own === this.#remoteSpelling) return true;
    if (!this.#isSameSession(own)) return false;
    this.#remoteSpelling = own;
    return true;
  }

  #isSameSession(uri: string): boolean {
    try {
      return this.#remoteUri !== undefined && sameMsrpSession(parseMsrpUri(uri), this.#remoteUri);
    } catch {
      return false;
    }
  }

  #advance(event: SessionEvent): void {
    this.#state = advance(SESSION_STATES, this.#state, event);
  }

  /** A listener that throws must not disturb the other sessions of the connection. */
  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#around.log({
        level: 'warn',
        message: 'MSRP session listener failed',
        reason: describeError(error),
      });
    }
  }
}

/** A session without a taker of messages only sends: answering 200 would lose what the peer believes delivered. */
function refuseMessage(): never {
  throw new RefusedError('forbidden', 'this session takes no messages');
}
