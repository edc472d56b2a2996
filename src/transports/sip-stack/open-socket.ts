/**
 * Connecting to a peer over TCP, TLS or WebSocket, within a time; over TLS only to one whose certificate stands for its name: in the
 * way of SIP (RFC 5922), for WebSocket in that of HTTP (RFC 7118 §7.1).
 */
import { connect, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls } from 'node:tls';
import { WebSocket } from 'ws';
import { DeliveryError } from '../../kernel/errors.js';
import { checkSipDomain } from './certificate-names.js';
import type { SipFlow, SipTls } from './sip-stack.js';

export const CONNECT_TIMEOUT_MS = 5000;

/**
 * Rejects with DeliveryError('unreachable'). `halfOpen` holds the socket meanwhile. (`connect` would take an AbortSignal, but Node
 * never lets go of a socket that was given a long-lived one.)
 */
export function openSocket(
  flow: SipFlow,
  tls: SipTls | undefined,
  halfOpen: Set<Disposable>,
): Promise<Socket> {
  const { transport, address, port } = flow;
  return new Promise((resolve, reject) => {
    const isTls = transport === 'tls';
    const socket = isTls ? connectTls(tlsOptions(flow, tls)) : connect({ host: address, port });
    const abandoned = {
      [Symbol.dispose]: () => void socket.destroy(new Error('the SIP stack is closed')),
    };
    halfOpen.add(abandoned);
    const timer = setTimeout(() => socket.destroy(new Error('no answer')), CONNECT_TIMEOUT_MS);
    const onError = (cause: Error) => {
      clearTimeout(timer);
      halfOpen.delete(abandoned);
      const detail = `${transport.toUpperCase()} to ${address}:${port} failed: ${cause.message}`;
      reject(new DeliveryError('unreachable', detail, { cause }));
    };
    socket.once('error', onError);
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      halfOpen.delete(abandoned);
      socket.off('error', onError);
      resolve(socket);
    });
  });
}

function tlsOptions({ address, port, domain = address }: SipFlow, tls: SipTls | undefined) {
  return {
    host: address,
    port,
    minVersion: 'TLSv1.2',
    ...(isIP(domain) === 0 ? { servername: domain } : {}),
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
    ...tls?.own,
    checkServerIdentity: (_: string, certificate: Parameters<typeof checkSipDomain>[1]) =>
      checkSipDomain(domain, certificate),
  } as const;
}

/** What a WebSocket client needs to know besides the address. */
export interface WebSocketTarget {
  readonly path: string;
  readonly maxMessageBytes: number;
}

export function openWebSocket(
  flow: SipFlow,
  tls: SipTls | undefined,
  { path, maxMessageBytes }: WebSocketTarget,
  halfOpen: Set<Disposable>,
): Promise<{ readonly webSocket: WebSocket; readonly socket: Socket }> {
  const { transport, address, port, domain = address } = flow;
  const host = (name: string) => `${isIP(name) === 6 ? `[${name}]` : name}:${port}`;
  return new Promise((resolve, reject) => {
    const webSocket = new WebSocket(`${transport}://${host(address)}${path}`, ['sip'], {
      maxPayload: maxMessageBytes,
      perMessageDeflate: false,
      handshakeTimeout: CONNECT_TIMEOUT_MS,
      headers: { Host: host(domain) },
      ...(transport === 'wss' ? { ...tlsOptions(flow, tls), checkServerIdentity } : {}),
    });
    let socket: Socket | undefined;
    const abandoned = { [Symbol.dispose]: () => webSocket.terminate() };
    halfOpen.add(abandoned);
    const onError = (cause: Error) => {
      halfOpen.delete(abandoned);
      const detail = `${transport.toUpperCase()} to ${address}:${port} failed: ${cause.message}`;
      reject(new DeliveryError('unreachable', detail, { cause }));
    };
    webSocket.once('error', onError);
    webSocket.once('upgrade', (response) => {
      socket = response.socket;
    });
    webSocket.once('open', () => {
      halfOpen.delete(abandoned);
      webSocket.off('error', onError);
      if (socket !== undefined) return resolve({ webSocket, socket });
      webSocket.terminate();
      onError(new Error('no socket'));
    });
  });
}
