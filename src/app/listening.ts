/** Where the gateway listens, and what it tells others of that. */
import { createSocket } from 'node:dgram';
import { createServer, isIPv6 } from 'node:net';

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** What other people must use to reach a listener: the advertised address, else the bound one. */
export function advertisedPoint(advertise: string | undefined, host: string, port: number) {
  const [, name = host, given] = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(advertise ?? '') ?? [];
  return { address: name.replace(/^\[|\]$/g, ''), port: given === undefined ? port : Number(given) };
}

const FREE_PORT_TRIES = 10;

/**
 * What `open` opens at free ports. A port that was free when it was looked for may be taken when it is bound (EADDRINUSE): then `open` is
 * called again and looks for others, a few times.
 */
export async function atFreePorts<Opened>(open: () => Promise<Opened>): Promise<Opened> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await open();
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (!isTaken || tries === FREE_PORT_TRIES) throw error;
    }
  }
}

/** A port that is free now for TCP and for UDP: both take the same one. */
export async function freePort(host: string): Promise<number> {
  for (;;) {
    const port = await freeTcpPort(host);
    if (await isFreeForUdp(host, port)) return port;
  }
}

async function freeTcpPort(host: string): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, host, resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Somebody may have it for UDP alone. Any other trouble is told when it is really bound. */
function isFreeForUdp(host: string, port: number): Promise<boolean> {
  const probe = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  return new Promise((resolve) => {
    const answer = (isFree: boolean) => probe.close(() => resolve(isFree));
    probe.once('error', (error: NodeJS.ErrnoException) => answer(error.code !== 'EADDRINUSE'));
    probe.bind({ port, address: host }, () => answer(true));
  });
}
