/** Ports of loopback addresses for programs that must be told one, and whether somebody has taken it. */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** Below the ports that the system gives out by itself, where any connection might take one between our look and its use. */
const PORTS = { first: 11_000, count: 19_000 };
let next = randomInt(PORTS.count);

/** A port of 127.0.0.1 that nobody has, on UDP or TCP; it stays free for a process that dies and comes back. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + (next++ % PORTS.count);
    if (!(await isUdpTaken(port)) && !(await isTcpTaken(port))) return port;
  }
}

/** Whether somebody has the UDP port of 127.0.0.1. */
export async function isUdpTaken(port: number): Promise<boolean> {
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  const isTaken = await isRefused(socket);
  if (!isTaken) await new Promise<void>((resolve) => socket.close(() => resolve()));
  return isTaken;
}

async function isTcpTaken(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  const isTaken = await isRefused(server);
  if (!isTaken) await new Promise<void>((resolve) => server.close(() => resolve()));
  return isTaken;
}

function isRefused(listener: NodeJS.EventEmitter): Promise<boolean> {
  return once(listener, 'listening').then(
    () => false,
    () => true,
  );
}

/**
 * Whether a TCP connection is taken there. Not for ports that the system gives out by itself: a probe of such a port on loopback can be
 * connected to itself, with nobody listening.
 */
export async function acceptsTcp(port: number, host = '127.0.0.1'): Promise<boolean> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
