/**
 * One UDP socket of the stack (RFC 3261 §18). It moves octets; what they mean is decided above. Names are never
 * resolved here: destinations are IP literals, which the socket's own look-up passes through without a detour.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import { DeliveryError } from '../../kernel/errors.js';
import type { SipFlow } from './sip-stack.js';

export interface UdpListener {
  /** The bound address. */
  readonly bound: SipFlow;
  send(byteString: string, port: number, address: string): Promise<void>;
  close(): Promise<void>;
}

export interface UdpListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly onDatagram: (octets: Buffer, address: string, port: number, listener: UdpListener) => void;
  readonly onError: (error: Error) => void;
}

/** Room in the kernel for a burst while we are busy; the system may grant less. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/** Binds; rejects with the operating system's error. */
export async function openUdpListener(options: UdpListenerOptions): Promise<UdpListener> {
  const isIpv6 = isIP(options.host) === 6;
  const socket = createSocket({ type: isIpv6 ? 'udp6' : 'udp4', ipv6Only: isIpv6, lookup: literalLookup });
  await bind(socket, options);
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
  } catch {
    // The default size works too, only with less room.
  }
  const { address, port } = socket.address();
  const listener: UdpListener = {
    bound: { transport: 'udp', address, port },
    send: (byteString, toPort, toAddress) => send(socket, byteString, toPort, toAddress),
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
  socket.on('message', (octets, from) => options.onDatagram(octets, from.address, from.port, listener));
  socket.on('error', options.onError);
  return listener;
}

function bind(socket: Socket, { host, port }: UdpListenerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ port, address: host }, () => {
      socket.off('error', reject);
      resolve();
    });
  });
}

function send(socket: Socket, byteString: string, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(new DeliveryError('unreachable', `UDP to ${address}:${port} failed`, { cause }));
    try {
      socket.send(Buffer.from(byteString, 'latin1'), port, address, (error) =>
        error === null || error === undefined ? resolve() : fail(error),
      );
    } catch (error) {
      fail(error); // closed meanwhile, or a port out of range
    }
  });
}

type LookupCallback = (error: Error | null, address: string, family: number) => void;

/** Answers at once for IP literals; anything else is a caller's mistake. */
function literalLookup(host: string, _options: unknown, callback: LookupCallback): void {
  const family = isIP(host);
  callback(family === 0 ? new Error(`${host} is no IP address`) : null, host, family);
}
