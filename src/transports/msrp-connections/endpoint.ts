/**
 * The MSRP endpoint behind `createMsrpConnections`: listener, connections, sessions, and the first decisions on every
 * request that arrives (RFC 4975 §7.3): malformed 400, no such session 481, bound elsewhere 506, unknown method 501.
 */
import { createServer, isIP, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { createServer as createTlsServer } from 'node:tls';
import { describeError, InvariantError } from '../../kernel/errors.js';
import { SECOND_MS } from '../../kernel/units.js';
import { OpenMessageBudget, type ReceivedMsrpRequest } from '../../protocols/msrp/index.js';
import type { CertificateFingerprint } from '../../protocols/sdp/index.js';
import { answer } from './answers.js';
import type { ConnectionOwner, MsrpConnection } from './connection.js';
import { ConnectionTable } from './connection-table.js';
import { Connector, type MsrpAddress } from './connector.js';
import { msrpLimits } from './limits.js';
import type {
  MsrpConnections,
  MsrpConnectionsOptions,
  MsrpLimits,
  MsrpListen,
  MsrpSession,
  MsrpSessionOptions,
} from './msrp-connections.js';
import { newSessionId } from './random-ids.js';
import { fingerprintOfPem, type MsrpTls } from './secure-connection.js';
import { Session, type SessionSurroundings } from './session.js';
import { SessionTable } from './session-table.js';

/** [RFC 6135 §4.2] The port of a side that only connects: nothing ever arrives there. */
const DISCARD_PORT = 9;
/** For a peer that connects over TLS. */
const HANDSHAKE_TIMEOUT_MS = 10 * SECOND_MS;

export class MsrpEndpoint implements MsrpConnections, ConnectionOwner, SessionSurroundings {
  readonly limits: MsrpLimits;
  readonly openMessageBudget: OpenMessageBudget;
  readonly log: NonNullable<MsrpConnectionsOptions['log']>;
  readonly #options: MsrpConnectionsOptions;
  readonly #sessions = new SessionTable();
  readonly #connections: ConnectionTable;
  readonly #connector: Connector;
  readonly fingerprint: CertificateFingerprint | undefined;
  readonly #servers: Server[] = [];
  readonly #tlsServers: Server[] = [];
  /** Accepted sockets whose TLS handshake is not over, by their peer. */
  readonly #shaking = new Map<string, Socket>();
  #isClosing = false;

  constructor(options: MsrpConnectionsOptions) {
    this.#options = options;
    this.limits = msrpLimits(options.limits);
    this.openMessageBudget = new OpenMessageBudget(this.limits.maxOpenBytes);
    this.log = options.log ?? (() => undefined);
    this.#connections = new ConnectionTable(this.limits, this, (now) => {
      for (const session of this.#sessions.all()) session.incoming.forgetOverdue(now);
    });
    const { tls } = options;
    this.#connector = new Connector((socket) => this.#connections.add(socket), tls);
    this.fingerprint = tls?.own === undefined ? undefined : fingerprintOfPem(tls.own.cert);
  }

  get port(): number | undefined {
    return portOf(this.#servers[0]);
  }

  get tlsPort(): number | undefined {
    return portOf(this.#tlsServers[0]);
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  async listen(): Promise<void> {
    const { listen, tlsListen, tls } = this.#options;
    const own = tls?.own;
    if (listen !== undefined) {
      await this.#listenOn(listen, this.#servers, () => createServer((socket) => this.#accept(socket)));
    }
    if (tlsListen === undefined) return;
    if (own === undefined) throw new InvariantError('MSRP over TLS without a certificate');
    await this.#listenOn(tlsListen, this.#tlsServers, () => this.#secureServer(own));
  }

  async #listenOn(
    { host, port, moreHosts = [] }: MsrpListen,
    servers: Server[],
    create: () => Server,
  ): Promise<void> {
    if (servers.length > 0) return;
    for (const address of [host, ...moreHosts]) {
      const server = create();
      servers.push(server);
      await this.#bind(server, { host: address, port: portOf(servers[0]) ?? port });
    }
  }

  /** Whoever connects shows its certificate if it has one: who issued it is all the same (RFC 4975 §14.4). */
  #secureServer(own: NonNullable<MsrpTls['own']>): Server {
    const server = createTlsServer(
      {
        ...own,
        minVersion: 'TLSv1.2',
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
        requestCert: true,
        rejectUnauthorized: false,
      },
      (socket) => this.#accept(socket),
    );
    server.maxConnections = this.limits.maxConnections;
    server.on('tlsClientError', (error, socket) => {
      const reason = describeError(error);
      this.log({ level: 'info', message: 'a TLS handshake for MSRP failed', reason, peer: peerOf(socket) });
      socket.destroy();
    });
    server.on('connection', (socket) => {
      const peer = peerOf(socket);
      this.#shaking.set(peer, socket);
      socket.once('close', () => {
        if (this.#shaking.get(peer) === socket) this.#shaking.delete(peer);
      });
    });
    server.on('secureConnection', (socket) => this.#shaking.delete(peerOf(socket)));
    return server;
  }

  async #bind(
    server: Server,
    { host, port }: { readonly host: string; readonly port: number },
  ): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        server.on('error', (error) =>
          this.log({ level: 'warn', message: 'MSRP listener failed', reason: describeError(error) }),
        );
        resolve();
      });
    });
  }

  openSession(options: MsrpSessionOptions): MsrpSession {
    const isSecure = options.isSecure === true;
    if (isSecure && this.#options.tls === undefined) throw new InvariantError('no TLS for an MSRP session');
    const uri = {
      scheme: isSecure ? 'msrps' : 'msrp',
      userinfo: undefined,
      ...this.#localPoint(isSecure, options.peerAddress ?? ''),
      sessionId: newSessionId(),
      transport: 'tcp',
      parameters: '',
    } as const;
    const session = new Session(uri, options, this);
    this.#sessions.add(session);
    return session;
  }

  connectTo(to: MsrpAddress, timeoutMs: number): Promise<MsrpConnection> {
    return this.#connector.connectTo(to, timeoutMs);
  }

  sessionClosed(session: Session): void {
    this.#sessions.delete(session);
  }

  requestReceived(connection: MsrpConnection, request: ReceivedMsrpRequest): void {
    if (request.problem !== undefined) {
      this.log({
        level: 'info',
        message: 'bad MSRP request',
        reason: request.problem,
        peer: connection.peer,
      });
      answer(connection, request, 400);
      return;
    }
    const session = this.#sessions.find(request.toPath);
    const admitted = session?.admit(connection, request) ?? 481;
    if (session === undefined || admitted !== 'yes') {
      if (typeof admitted === 'number') answer(connection, request, admitted);
      return;
    }
    if (request.method === 'SEND') session.incoming.receiveSend(connection, request);
    else if (request.method === 'REPORT') session.outgoing.receiveReport(request);
    else answer(connection, request, 501);
  }

  replay(connection: MsrpConnection, request: ReceivedMsrpRequest): void {
    this.requestReceived(connection, request);
  }

  connectionClosed(connection: MsrpConnection, reason: string): void {
    this.#connections.delete(connection);
    this.#connector.connectionClosed(connection);
    this.log({ level: 'debug', message: 'MSRP connection closed', reason, peer: connection.peer });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    const stopped = [...this.#servers, ...this.#tlsServers].map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    this.#connector.close();
    for (const session of this.#sessions.all()) session.close('shutting down');
    this.#connections.closeAll('shutting down');
    for (const socket of this.#shaking.values()) socket.destroy();
    await Promise.all(stopped);
    this.#servers.length = 0;
    this.#tlsServers.length = 0;
  }

  #accept(socket: Socket): void {
    if (this.#isClosing) {
      socket.destroy();
      return;
    }
    try {
      this.#connections.add(socket);
    } catch (error) {
      socket.destroy();
      this.log({ level: 'warn', message: 'MSRP connection refused', reason: describeError(error) });
    }
  }

  /** Host and port of our paths: the configured ones, else the bound ones, else an address that others may reach. */
  #localPoint(isSecure: boolean, peerAddress: string): { readonly host: string; readonly port: number } {
    const { listen, tlsListen, advertise } = this.#options;
    const advertised = advertise === undefined ? undefined : hostAndPort(advertise);
    const listening = isSecure ? tlsListen : listen;
    const hosts = listening === undefined ? [] : [listening.host, ...(listening.moreHosts ?? [])];
    const family = isIP(peerAddress);
    const isFitting = (host: string) => family === 0 || isIP(host) === 0 || isIP(host) === family;
    const known = [
      ...(advertised === undefined ? [] : [advertised.host]),
      ...hosts.filter((one) => one !== '0.0.0.0' && one !== '::'),
    ];
    const host = known.find(isFitting) ?? firstExternalAddress(family) ?? known[0];
    // The advertised port is that of plain MSRP.
    const port = isSecure ? this.tlsPort : (advertised?.port ?? this.port);
    return { host: host ?? '127.0.0.1', port: port ?? DISCARD_PORT };
  }
}

/** `name`, `name:2855`, `[2001:db8::1]:2855`, and an IPv6 address without brackets. */
function hostAndPort(text: string): { readonly host: string; readonly port?: number } {
  if (isIP(text) !== 0) return { host: text };
  const [, host = text, port] = /^(.*?)(?::(\d+))?$/.exec(text) ?? [];
  return { host: host.replace(/^\[|\]$/g, ''), ...(port === undefined ? {} : { port: Number(port) }) };
}

function peerOf({ remoteAddress = '?', remotePort = 0 }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}

function portOf(server: Server | undefined): number | undefined {
  const address = server?.address();
  return typeof address === 'object' && address !== null ? address.port : undefined;
}

/** IPv4 unless the peer uses IPv6. */
function firstExternalAddress(family: number): string | undefined {
  const wanted = family === 6 ? 'IPv6' : 'IPv4';
  for (const addresses of Object.values(networkInterfaces())) {
    const external = addresses?.find(
      ({ internal, family: kind, address }) => !internal && kind === wanted && !address.startsWith('fe80:'),
    );
    if (external !== undefined) return external.address;
  }
  return undefined;
}
