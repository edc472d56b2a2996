/**
 * One UDP socket for the WAP protocols: moves octets between this host and peers that are named by address and port. Names are resolved in
 * `datagram-peer.ts`; what the octets mean is decided above.
 */
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { DeliveryError } from '../../kernel/errors.js';

/** An IP address as text, and a port. */
export interface DatagramPeer {
  readonly address: string;
  readonly port: number;
}

export interface DatagramSocketOptions {
  /** An IP address decides which of IPv4 and IPv6 the socket speaks; a name is taken as IPv4. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Absent: what comes in is not looked at. */
  readonly onDatagram?: (octets: Uint8Array, from: DatagramPeer) => void;
  readonly onError: (error: Error) => void;
}

/** Room in the kernel for a burst while we are busy; the system may grant less. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

export class DatagramSocket implements AsyncDisposable {
  readonly #socket: Socket;
  /** Really bound. */
  readonly bound: DatagramPeer;
  #closed: Promise<void> | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const { address, port } = socket.address();
    this.bound = { address, port };
  }

  /** Rejects with the operating system's error when the port cannot be had. */
  static async open({ host, port, onDatagram, onError }: DatagramSocketOptions): Promise<DatagramSocket> {
    const isIpv6 = isIP(host) === 6;
    const socket = createSocket({
      type: isIpv6 ? 'udp6' : 'udp4',
      ipv6Only: isIpv6,
      lookup: addressFirst,
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ port, address: host }, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    try {
      socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
    } catch {
      // The default size works too, only with less room.
    }
    socket.on('message', (octets, { address, port: from }) => onDatagram?.(octets, { address, port: from }));
    socket.on('error', onError);
    return new DatagramSocket(socket);
  }

  /** Resolves when the system has taken it, which says nothing about the peer. Rejects with DeliveryError. */
  send(octets: Uint8Array, { address, port }: DatagramPeer): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown) =>
        reject(new DeliveryError('unreachable', `UDP to ${address}:${port} failed`, { cause }));
      try {
        this.#socket.send(octets, port, address, (error) => (error ? fail(error) : resolve()));
      } catch (error) {
        fail(error); // closed meanwhile
      }
    });
  }

  /** Safe to repeat. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= new Promise<void>((resolve) => this.#socket.close(() => resolve()));
    return this.#closed;
  }
}

type LookupCallback = (error: Error | null, address: string, family: number) => void;

/** An address is taken as it is, at once: what was sent before the socket is closed has left. Only the own host may be a name. */
function addressFirst(host: string, options: unknown, callback: LookupCallback): void {
  const family = isIP(host);
  if (family !== 0) callback(null, host, family);
  else lookup(host, options as { family: number }, callback);
}
