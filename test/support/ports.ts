/**
 * Ports for those who must name one before it is bound, or want the same one again after a death. They lie below the ones that
 * the system gives out by itself: any connection might take one of those between our look and its use, and a peer that
 * tries one again and again on loopback can get connected to itself. Test files run beside each other, and so may whole
 * test runs: each process draws from blocks of its own, which it has as long as it lives because it listens on their first port.
 */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';

const FIRST_PORT = 10_000;
const BLOCK_SIZE = 40;
const BLOCKS = 550; // the last one ends below 32,768

let next = 0;
let end = 0;

/** A port of 127.0.0.1 that nobody has, on TCP or UDP, and that no other test is given while this process lives. */
export async function freePort(): Promise<number> {
  for (;;) {
    if (next === end) await takeBlock();
    const port = next++;
    if (!(await isTcpTaken(port)) && !(await isUdpTaken(port))) return port;
  }
}

/** An address of the loopback network for those whose ports are fixed; as much its own as a port is. */
export async function freeAddress(): Promise<string> {
  const port = await freePort();
  return `127.77.${port >> 8}.${port & 0xff}`;
}

/** Does somebody accept connections there? */
export async function acceptsTcp(port: number, host = '127.0.0.1'): Promise<boolean> {
  const socket = connect(port, host);
  return once(socket, 'connect')
    .then(
      () => true,
      () => false,
    )
    .finally(() => socket.destroy());
}

/**
 * Has somebody bound this UDP port? Looked up in the system's table: trying to bind it ourselves would now and then keep the program
 * that we wait for from it.
 */
export async function isUdpBound(port: number): Promise<boolean> {
  const [, ...sockets] = (await readFile('/proc/net/udp', 'latin1')).trimEnd().split('\n');
  const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return sockets.some((line) => line.trim().split(/\s+/)[1]?.endsWith(ending));
}

async function takeBlock(): Promise<void> {
  const start = randomInt(BLOCKS);
  for (let tries = 0; tries < BLOCKS; tries += 1) {
    const first = FIRST_PORT + ((start + tries) % BLOCKS) * BLOCK_SIZE;
    const sign = await listen(first);
    if (sign === undefined) continue;
    sign.unref();
    next = first + 1;
    end = first + BLOCK_SIZE;
    return;
  }
  throw new Error('every block of ports is taken');
}

/** Undefined when somebody has the port. */
async function listen(port: number): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1');
  return once(server, 'listening').then(
    () => server,
    () => undefined,
  );
}

async function isTcpTaken(port: number): Promise<boolean> {
  const server = await listen(port);
  if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  return server === undefined;
}

async function isUdpTaken(port: number): Promise<boolean> {
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  const isTaken = await once(socket, 'listening').then(
    () => false,
    () => true,
  );
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return isTaken;
}
