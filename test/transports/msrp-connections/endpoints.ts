/** Endpoints and sessions for the tests, closed after each of them. */
import { connect, createServer, type Socket } from 'node:net';
import { afterEach } from 'vitest';
import { createMsrpConnections } from '../../../src/transports/msrp-connections/create-msrp-connections.js';
import type {
  MsrpConnections,
  MsrpConnectionsOptions,
  MsrpMessageToSend,
  MsrpReceivedMessage,
  MsrpSession,
  MsrpSessionOptions,
} from '../../../src/transports/msrp-connections/msrp-connections.js';
import { listenRaw, type RawListener, RawPeer } from './raw-peer.js';

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export async function listening(options: Partial<MsrpConnectionsOptions> = {}): Promise<MsrpConnections> {
  const endpoint = createMsrpConnections({ listen: { host: '127.0.0.1', port: 0 }, ...options });
  cleanups.push(() => endpoint.close());
  await endpoint.listen();
  return endpoint;
}

export function connecting(options: Partial<MsrpConnectionsOptions> = {}): MsrpConnections {
  const endpoint = createMsrpConnections({ advertise: '127.0.0.1', ...options });
  cleanups.push(() => endpoint.close());
  return endpoint;
}

export async function rawListener(): Promise<RawListener> {
  const listener = await listenRaw();
  cleanups.push(() => listener.close());
  return listener;
}

export async function rawPeer(port: number | undefined): Promise<RawPeer> {
  const peer = await RawPeer.connect(port ?? 0);
  cleanups.push(() => void peer.socket.destroy());
  return peer;
}

/** A session and what happened to it. */
export interface ObservedSession {
  readonly session: MsrpSession;
  readonly received: MsrpReceivedMessage[];
  readonly connected: Promise<void>;
  /** Resolves with the reason. */
  readonly closed: Promise<string>;
}

export function openSession(endpoint: MsrpConnections, options: MsrpSessionOptions = {}): ObservedSession {
  const received: MsrpReceivedMessage[] = [];
  let onConnected = (): void => undefined;
  let onClosed = (_: string): void => undefined;
  const connected = new Promise<void>((resolve) => {
    onConnected = resolve;
  });
  const closed = new Promise<string>((resolve) => {
    onClosed = resolve;
  });
  const session = endpoint.openSession({
    onMessage: (message) => void received.push(message),
    onConnected,
    onClosed,
    ...options,
  });
  return { session, received, connected, closed };
}

/** Two sessions that are connected, over `via` if given. */
export async function connectedPair(
  options: {
    readonly passive?: MsrpSessionOptions;
    readonly active?: MsrpSessionOptions;
    readonly listener?: MsrpConnections;
    readonly connector?: MsrpConnections;
    readonly via?: { readonly host: string; readonly port: number };
  } = {},
): Promise<{ passive: ObservedSession; active: ObservedSession }> {
  const listener = options.listener ?? (await listening());
  const connector = options.connector ?? connecting();
  const passive = openSession(listener, options.passive);
  const active = openSession(connector, options.active);
  passive.session.awaitPeer([active.session.localPath]);
  const { via } = options;
  await active.session.connect([passive.session.localPath], via === undefined ? {} : { address: via });
  return { passive, active };
}

/** A message of plain text with a report asked for. */
export function message(
  messageId: string,
  content: string | Uint8Array,
  more: Partial<MsrpMessageToSend> = {},
): MsrpMessageToSend {
  const octets = typeof content === 'string' ? Buffer.from(content) : content;
  return { messageId, contentType: 'text/plain', content: octets, successReport: true, ...more };
}

export interface CountingProxy {
  readonly address: { readonly host: string; readonly port: number };
  /** Connections that went through. */
  readonly count: () => number;
  /** Octets from the side that connected. */
  readonly forwarded: () => number;
  /** Resets every connection. */
  cut(): void;
  /** Called for all octets of the side that connected. */
  onForward(listener: (octets: Buffer) => void): void;
  /** Called for all octets of the other side. */
  onBackward(listener: (octets: Buffer) => void): void;
}

/** A TCP proxy in front of `port`, for what only an observer on the wire can see. */
export async function proxyTo(port: number | undefined): Promise<CountingProxy> {
  const sockets: Socket[] = [];
  const listeners: ((octets: Buffer) => void)[] = [];
  const backListeners: ((octets: Buffer) => void)[] = [];
  let count = 0;
  let forwarded = 0;
  const server = createServer((near) => {
    count += 1;
    const far = connect({ host: '127.0.0.1', port: port ?? 0 });
    sockets.push(near, far);
    near.on('data', (octets) => {
      forwarded += octets.length;
      for (const listener of listeners) listener(octets);
    });
    far.on('data', (octets) => {
      for (const listener of backListeners) listener(octets);
    });
    near.pipe(far).pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  cleanups.push(() => {
    cut();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  const bound = server.address();
  return {
    address: { host: '127.0.0.1', port: typeof bound === 'object' && bound !== null ? bound.port : 0 },
    count: () => count,
    forwarded: () => forwarded,
    cut,
    onForward: (listener) => void listeners.push(listener),
    onBackward: (listener) => void backListeners.push(listener),
  };
}
