/** A connected socket to an SMSC, plain or with TLS, in bounded time. Certificates are always checked. */
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Clock } from '../../kernel/clock.js';
import { DeliveryError } from '../../kernel/errors.js';
import type { SmppLinkOptions } from './link-options.js';

/** Rejects with DeliveryError. */
export function openSocket(
  { host, port, tls, connectTimeoutMs }: Pick<SmppLinkOptions, 'host' | 'port' | 'tls' | 'connectTimeoutMs'>,
  clock: Pick<Clock, 'after'>,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = tls === undefined ? connect({ host, port }) : tlsSocket(host, port, tls);
    const fail = (detail: string, cause?: unknown) => {
      timer.cancel();
      socket.destroy();
      reject(new DeliveryError('unreachable', detail, { cause }));
    };
    const failed = (error: Error) => fail(error.message, error);
    const timer = clock.after(connectTimeoutMs, () => fail('no connection in time'));
    socket.once('error', failed);
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      timer.cancel();
      socket.off('error', failed);
      resolve(socket);
    });
  });
}

function tlsSocket(
  host: string,
  port: number,
  { ca, cert, key, serverName }: NonNullable<SmppLinkOptions['tls']>,
): Socket {
  const name = serverName ?? (isIP(host) === 0 ? host : undefined);
  return connectTls({
    host,
    port,
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(name === undefined ? {} : { servername: name }),
  });
}
