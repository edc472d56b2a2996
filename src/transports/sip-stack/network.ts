/**
 * The transport layer of the stack (RFC 3261 §18): listeners, the connection table, and the way from a transport
 * address to something that takes octets. Connections are reused by their id and by the peer's address, whoever
 * opened them (RFC 5923 in spirit: same socket, same peer). A TLS connection that a peer opened has proved nothing about its
 * address: it is used by its id alone, and one that we opened only for the domain that it has proved (RFC 5922 §7.3).
 * Limits: number of connections, handshake time, idle time, time stuck inside a message.
 */

import type { IncomingMessage } from 'node:http';
import { createServer, isIP, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import type { WebSocket } from 'ws';
import { DeliveryError, InvariantError } from '../../kernel/errors.js';
import type { SipStreamEvent } from '../../protocols/sip/index.js';
import { Connection, type PeerConnection } from './connection.js';
import { addressTowards, isLoopback } from './local-address.js';
import { openSocket, openWebSocket } from './open-socket.js';
import type { SipFlow, SipLimits, SipLogEvent, SipStackOptions, SipTls } from './sip-stack.js';
import { type SipTimers, transactionLifeMs } from './timers.js';
import { randomToken } from './tokens.js';
import type { Outlet } from './transactions.js';
import { openUdpListener, type UdpListener } from './udp-listener.js';
import { WebSocketConnection } from './websocket-connection.js';
import { SipWebSocketServer } from './websocket-server.js';

/** Something that arrived: from where, and how to send back on the same path. */
export interface Arrival {
  readonly flow: SipFlow;
  /** Sends to the given port of the peer on UDP; on a connection the port does not matter. */
  outletTo(port: number): Outlet;
}

/** A way to a peer: where it leads, and what takes the octets. */
export interface Path {
  readonly flow: SipFlow;
  readonly outlet: Outlet;
}

export interface NetworkOptions {
  readonly listen: SipStackOptions['listen'];
  readonly advertise: string | undefined;
  readonly tls: SipTls | undefined;
  readonly webSocket: SipStackOptions['webSocket'];
  readonly limits: SipLimits;
  readonly timers: SipTimers;
  readonly log: (event: SipLogEvent) => void;
  readonly onDatagram: (octets: Buffer, arrival: Arrival) => void;
  readonly onStreamEvent: (event: SipStreamEvent, arrival: Arrival) => void;
  readonly onFlowClosed: (flow: SipFlow) => void;
}

/** How long a closing connection may take to send what is queued. */
const CLOSE_GRACE_MS = 500;

export class Network {
  readonly #options: NetworkOptions;
  readonly #udp: UdpListener[] = [];
  readonly #servers: Server[] = [];
  readonly #streamsBound: SipFlow[] = [];
  readonly #connections = new Map<string, PeerConnection>();
  /** Accepted sockets whose TLS handshake is not over: they count as connections. */
  readonly #shaking = new Map<string, Socket>();
  /** In #connections, by where they lead; without those that a peer opened over TLS. */
  readonly #byPeer = new Map<string, PeerConnection>();
  readonly #connecting = new Map<string, Promise<PeerConnection>>();
  /** What `#connecting` waits for: given up by close(), which does not wait for them to connect. */
  readonly #halfOpen = new Set<Disposable>();
  readonly #webSockets: SipWebSocketServer | undefined;
  /** Our name where we listen on nothing; responses come back on the connection. */
  readonly #nowhere = `${randomToken(8).toLowerCase()}.invalid`;
  #sweeper: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: NetworkOptions) {
    this.#options = options;
    const { webSocket, limits } = options;
    if (webSocket === undefined) return;
    this.#webSockets = new SipWebSocketServer({
      maxMessageBytes: limits.maxMessageBytes,
      allowedOrigins: webSocket.allowedOrigins ?? [],
      onConnection: (opened, socket, transport) =>
        this.#adoptWebSocket({ webSocket: opened, socket }, transport, undefined),
      onRefused: (socket, reason) =>
        options.log({ level: 'info', message: 'a WebSocket was refused', reason, peer: peerOf(socket) }),
    });
  }

  get bound(): readonly SipFlow[] {
    return [...this.#udp.map((listener) => listener.bound), ...this.#streamsBound];
  }

  /** Binds every listener in order; closes those already bound when one fails. */
  async listen(): Promise<void> {
    const { limits, timers } = this.#options;
    try {
      for (const { transport, host, port } of this.#options.listen) {
        if (transport === 'udp') await this.#listenUdp(host, port);
        else await this.#listenStream(transport, host, port);
      }
    } catch (error) {
      await this.close();
      throw error;
    }
    const sweepMs = Math.max(20, Math.min(5000, limits.idleConnectionMs / 4, transactionLifeMs(timers) / 8));
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs);
  }

  /** True when requests can leave over this transport for an address of this family. */
  canSend(transport: string, family: 4 | 6): boolean {
    if (transport === 'tcp') return true;
    const { tls, webSocket } = this.#options;
    if (transport === 'tls') return tls !== undefined;
    if (transport === 'ws') return webSocket !== undefined;
    if (transport === 'wss') return webSocket !== undefined && tls !== undefined;
    return transport === 'udp' && this.#udpFor(family === 6 ? '::1' : '127.0.0.1') !== undefined;
  }

  /**
   * The way to a transport address; connects when there is no connection yet. Rejects with DeliveryError
   * ('unreachable') when there is none to be had, and for a `connectionId` that is closed.
   */
  async pathTo(flow: SipFlow): Promise<Path> {
    if (this.#isClosed) throw new DeliveryError('unreachable', 'the SIP stack is closed');
    if (flow.transport === 'udp') {
      const listener = this.#udpFor(flow.address);
      if (listener === undefined)
        throw new DeliveryError('unreachable', `no UDP socket towards ${flow.address}`);
      return { flow, outlet: udpOutlet(listener, flow.address, flow.port) };
    }
    if (!this.canSend(flow.transport, isIP(flow.address) === 6 ? 6 : 4)) {
      throw new DeliveryError('unreachable', `transport ${flow.transport} is not served`, {
        retry: 'otherWay',
      });
    }
    const connection =
      flow.connectionId === undefined
        ? await this.#connectionTo(flow)
        : this.#connections.get(flow.connectionId);
    if (connection?.isOpen === true) return { flow: connection.flow, outlet: connection };
    throw new DeliveryError('unreachable', 'the connection of this flow is closed', { retry: 'otherWay' });
  }

  /** `host:port` under which the peer reaches us on this transport: for Via and Contact. */
  localAddress(transport: string, peerAddress: string): string {
    const { advertise } = this.#options;
    return addressTowards(peerAddress, transport, { bound: this.bound, advertise, nowhere: this.#nowhere });
  }

  /** See SipStack. */
  acceptWebSocket(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    const socket = duplex as Socket;
    if (this.#webSockets === undefined) socket.destroy();
    else if (this.#hasRoomFor(socket)) this.#webSockets.accept(request, socket, head);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const opening of this.#halfOpen) opening[Symbol.dispose]();
    for (const socket of this.#shaking.values()) socket.destroy();
    clearInterval(this.#sweeper);
    const serversClosed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const connection of this.#connections.values()) connection.finish();
    await this.#connectionsGone();
    await Promise.all(serversClosed);
    await Promise.all(this.#udp.map((listener) => listener.close()));
    this.#udp.length = 0;
  }

  async #connectionsGone(): Promise<void> {
    const grace = setTimeout(() => {
      for (const connection of this.#connections.values()) connection.destroy();
    }, CLOSE_GRACE_MS);
    while (this.#connections.size > 0 || this.#connecting.size > 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    clearTimeout(grace);
  }

  async #listenUdp(host: string, port: number): Promise<void> {
    const listener = await openUdpListener({
      host,
      port,
      onDatagram: (octets, address, fromPort, via) =>
        this.#options.onDatagram(octets, {
          flow: { transport: 'udp', address, port: fromPort },
          outletTo: (toPort) => udpOutlet(via, address, toPort),
        }),
      onError: (error) =>
        this.#options.log({ level: 'error', message: 'a UDP socket failed', reason: error.message }),
    });
    this.#udp.push(listener);
  }

  async #listenStream(transport: 'tcp' | 'tls', host: string, port: number): Promise<void> {
    const name = transport.toUpperCase();
    const server = transport === 'tcp' ? this.#tcpServer() : this.#tlsServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, ipv6Only: isIP(host) === 6, backlog: 1024 }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    server.on('error', (error) =>
      this.#options.log({ level: 'error', message: `a ${name} listener failed`, reason: error.message }),
    );
    this.#servers.push(server);
    const address = server.address();
    if (address !== null && typeof address === 'object') {
      this.#streamsBound.push({ transport, address: address.address, port: address.port });
    }
  }

  #tcpServer(): Server {
    return createServer((socket) => {
      if (this.#hasRoomFor(socket)) this.#adopt(socket, 'tcp', peerKey(flowOf('tcp', socket)));
    });
  }

  #tlsServer(): Server {
    const { tls, limits, log } = this.#options;
    if (tls?.own === undefined) throw new InvariantError('a TLS listener without a certificate');
    const options = { ...tls.own, handshakeTimeout: limits.handshakeMs, minVersion: 'TLSv1.2' } as const;
    const server = createTlsServer(options, (socket) => {
      if (this.#isClosed) socket.destroy();
      else this.#adopt(socket, 'tls', undefined);
    });
    server.prependListener('connection', (socket) => {
      if (!this.#hasRoomFor(socket)) return;
      const key = peerOf(socket);
      this.#shaking.set(key, socket);
      socket.once('close', () => {
        if (this.#shaking.get(key) === socket) this.#shaking.delete(key);
      });
    });
    server.prependListener('secureConnection', (socket) => this.#shaking.delete(peerOf(socket)));
    server.on('tlsClientError', ({ message }, socket) => {
      const peer = peerOf(socket);
      log({ level: 'info', message: 'a TLS handshake failed', reason: message, peer });
      socket.destroy(); // Node leaves one that timed out to us
    });
    return server;
  }

  /** Whether one more connection may be taken; hangs up when not. */
  #hasRoomFor(socket: Socket): boolean {
    const count = this.#connections.size + this.#shaking.size;
    if (!this.#isClosed && count < this.#options.limits.maxConnections) return true;
    this.#options.log({
      level: 'warn',
      message: 'a connection was refused',
      reason: 'too many connections',
      peer: peerOf(socket),
    });
    socket.on('error', () => {});
    socket.destroy();
    return false;
  }

  #adopt(socket: Socket, transport: 'tcp' | 'tls', key: string | undefined): PeerConnection {
    return this.#add(new Connection({ transport, socket, ...this.#connectionOptions(transport, key) }), key);
  }

  #adoptWebSocket(
    opened: { readonly webSocket: WebSocket; readonly socket: Socket },
    transport: 'ws' | 'wss',
    key: string | undefined,
  ): PeerConnection {
    return this.#add(
      new WebSocketConnection({ transport, ...opened, ...this.#connectionOptions(transport, key) }),
      key,
    );
  }

  #connectionOptions(transport: string, key: string | undefined) {
    return {
      id: `${transport}-${randomToken(8)}`,
      limits: this.#options.limits,
      onEvent: (event: SipStreamEvent, on: PeerConnection) => this.#onStreamEvent(event, on),
      onClose: (closed: PeerConnection) => this.#forget(closed, key),
    };
  }

  #add(connection: PeerConnection, key: string | undefined): PeerConnection {
    this.#connections.set(connection.flow.connectionId, connection);
    if (key !== undefined) this.#byPeer.set(key, connection);
    return connection;
  }

  #onStreamEvent(event: SipStreamEvent, connection: PeerConnection): void {
    this.#options.onStreamEvent(event, {
      flow: connection.flow,
      outletTo: (port) => this.#responseOutlet(connection, port),
    });
    if (event.kind === 'malformed' && event.fatal) connection.finish();
  }

  /**
   * [RFC 3261 §18.2.2] responses leave on the request's connection; when it is gone, on a new one to sent-by. Not over TLS:
   * whoever is there has proved no name.
   */
  #responseOutlet(connection: PeerConnection, port: number): Outlet {
    return {
      protocol: connection.protocol,
      isReliable: true,
      send: async (byteString) => {
        const { transport, address } = connection.flow;
        if (connection.isOpen || this.#isClosed || transport !== 'tcp') return connection.send(byteString);
        const other = await this.#connectionTo({ transport, address, port });
        return other.send(byteString);
      },
    };
  }

  #connectionTo(flow: SipFlow): Promise<PeerConnection> {
    const key = peerKey(flow);
    const open = this.#byPeer.get(key);
    if (open?.isOpen === true) return Promise.resolve(open);
    const underWay = this.#connecting.get(key);
    if (underWay !== undefined) return underWay;
    if (this.#connections.size + this.#connecting.size >= this.#options.limits.maxConnections) {
      return Promise.reject(new DeliveryError('busy', 'too many connections'));
    }
    const opening = this.#open(flow, key)
      .then((connection) => {
        connection.expectNothing();
        if (this.#isClosed) connection.destroy();
        return connection;
      })
      .finally(() => this.#connecting.delete(key));
    this.#connecting.set(key, opening);
    return opening;
  }

  async #open(flow: SipFlow, key: string): Promise<PeerConnection> {
    const { tls, webSocket, limits } = this.#options;
    const { transport } = flow;
    if (transport === 'ws' || transport === 'wss') {
      const target = { path: webSocket?.path ?? '/sip', maxMessageBytes: limits.maxMessageBytes };
      return this.#adoptWebSocket(await openWebSocket(flow, tls, target, this.#halfOpen), transport, key);
    }
    const socket = await openSocket(flow, tls, this.#halfOpen);
    return this.#adopt(socket, transport === 'tls' ? 'tls' : 'tcp', key);
  }

  #forget(connection: PeerConnection, key: string | undefined): void {
    const { flow } = connection;
    this.#connections.delete(flow.connectionId);
    if (key !== undefined && this.#byPeer.get(key) === connection) this.#byPeer.delete(key);
    this.#options.onFlowClosed(flow);
  }

  #sweep(): void {
    const now = Date.now();
    const stallMs = transactionLifeMs(this.#options.timers);
    for (const connection of this.#connections.values()) {
      const { idleConnectionMs } = this.#options.limits;
      if (connection.isOverdue(now, idleConnectionMs, stallMs)) connection.destroy();
      else connection.keepAlive?.(now, idleConnectionMs);
    }
  }

  /** A socket of the address's family; on a host with several, one on loopback only for loopback. */
  #udpFor(address: string): UdpListener | undefined {
    const family = isIP(address);
    const fitting = this.#udp.filter(({ bound }) => isIP(bound.address) === family);
    return fitting.find(({ bound }) => isLoopback(bound.address) === isLoopback(address)) ?? fitting[0];
  }
}

function udpOutlet(listener: UdpListener, address: string, port: number): Outlet {
  return {
    protocol: 'UDP',
    isReliable: false,
    send: (byteString) => listener.send(byteString, port, address),
  };
}

/** Connections over TLS are good for the domain that they were opened for. */
function peerKey({ transport, address, port, domain = '' }: SipFlow): string {
  return `${transport}|${address}|${port}|${transport === 'tcp' ? '' : domain}`;
}

function flowOf(transport: 'tcp', socket: Socket): SipFlow {
  return { transport, address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
}

function peerOf({ remoteAddress = '?', remotePort = 0 }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}
