/** A piece of network between two UDP ports of this host: passes datagrams on both ways, keeps copies, and loses some when told to. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

export interface UdpTap extends AsyncDisposable {
  /** Send here to reach the far side. */
  readonly port: number;
  /** Datagrams towards the far side, lost ones as well. */
  readonly inward: readonly Buffer[];
  /** Datagrams back from it. */
  readonly outward: readonly Buffer[];
  readonly lost: number;
}

export interface UdpTapOptions {
  /** Asked for every datagram. */
  readonly loses?: () => boolean;
}

/** `far`: port of the far side. */
export async function openUdpTap(far: number, options: UdpTapOptions = {}): Promise<UdpTap> {
  const { loses = () => false } = options;
  const [near, beyond] = [createSocket('udp4'), createSocket('udp4')];
  const inward: Buffer[] = [];
  const outward: Buffer[] = [];
  let lost = 0;
  let peer = 0;
  const pass = (octets: Buffer, socket: Socket, port: number) => {
    if (loses()) lost += 1;
    else socket.send(octets, port, '127.0.0.1');
  };
  near.on('message', (octets, { port }) => {
    peer = port;
    inward.push(octets);
    pass(octets, beyond, far);
  });
  beyond.on('message', (octets) => {
    outward.push(octets);
    pass(octets, near, peer);
  });
  near.bind(0, '127.0.0.1');
  beyond.bind(0, '127.0.0.1');
  await Promise.all([once(near, 'listening'), once(beyond, 'listening')]);
  return {
    port: near.address().port,
    inward,
    outward,
    get lost() {
      return lost;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(
        [near, beyond].map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))),
      );
    },
  };
}

/** The octets after the header of a SIP message. */
export function bodyOf(datagram: Buffer): Buffer {
  return datagram.subarray(datagram.indexOf('\r\n\r\n') + 4);
}

/** Value of the first header field of this name. */
export function headerOf(datagram: Buffer, name: string): string | undefined {
  return new RegExp(`^${name}:\\s*(.*?)\\r$`, 'im').exec(datagram.toString('latin1'))?.[1];
}
