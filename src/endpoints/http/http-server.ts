/**
 * An HTTP server around a Koa application: bounded in time and connections, stopped without cutting off an answer. One peer
 * gets a part of the connections only, so that whoever opens them all keeps nobody else out.
 */
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import Koa, { type Middleware } from 'koa';
import { SECOND_MS } from '../../kernel/units.js';
import type { Log } from '../../telemetry/log.js';
import { keepPipelinesShort, limitPeers } from './connection-limits.js';
import { handOverWebSockets, type Upgrade } from './upgrades.js';

export interface HttpServer extends AsyncDisposable {
  /** Really bound (port 0 resolved). */
  readonly address: { readonly host: string; readonly port: number };
}

export interface HttpServerOptions {
  readonly host: string;
  readonly port: number;
  readonly application: Koa;
  readonly tls?: HttpTls;
  /** Who takes over the connection of a WebSocket request, by its path. The server no more looks after it, but counts it. */
  readonly webSockets?: Readonly<Record<string, Upgrade>>;
  readonly log: Log;
  readonly maxConnections?: number;
}

/** Everything in PEM. */
export interface HttpTls {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** When given, clients are asked for a certificate. One that these CAs did not issue, or none, is no reason to hang up. */
  readonly clientCa?: Buffer;
}

const MAX_CONNECTIONS = 4096;
/** One address may have this part of them: initiators behind one proxy still find room. */
const SHARE_OF_ONE_PEER = 1 / 4;
const HEADERS_TIMEOUT_MS = 10 * SECOND_MS;
const REQUEST_TIMEOUT_MS = 60 * SECOND_MS;
const KEEP_ALIVE_MS = 30 * SECOND_MS;
const MAX_HEADERS = 100;
const IDLE_SWEEP_MS = 50;
/** Less than the whole stop may take. */
const CLOSE_GRACE_MS = 3 * SECOND_MS;

/**
 * The application that the public sees, from the middleware of its endpoints in the order in which they get a request.
 * `onError` is told what none of them caught: a defect of ours, answered 500.
 */
export function publicApplication(endpoints: readonly Middleware[], onError: (error: unknown) => void): Koa {
  const application = new Koa();
  application.on('error', onError);
  for (const endpoint of endpoints) application.use(endpoint);
  return application;
}

/** Rejects with the operating system's error when the port cannot be had, and when the certificate or its key is unusable. */
export async function serveHttp(options: HttpServerOptions): Promise<HttpServer> {
  const limits = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: SECOND_MS,
  };
  const { application, tls } = options;
  const server =
    tls === undefined
      ? createServer(limits, application.callback())
      : createTlsServer({ ...limits, ...tlsOptions(tls) }, application.callback());
  const { maxConnections = MAX_CONNECTIONS, log } = options;
  server.maxHeadersCount = MAX_HEADERS;
  server.maxConnections = maxConnections;
  limitPeers(server, Math.ceil(maxConnections * SHARE_OF_ONE_PEER), log);
  keepPipelinesShort(server);
  const upgraded = handOverWebSockets(server, options.webSockets ?? {});
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { address: { host: options.host, port }, [Symbol.asyncDispose]: () => close(server, upgraded) };
}

function tlsOptions({ cert, key, clientCa }: HttpTls) {
  return {
    cert,
    key,
    minVersion: 'TLSv1.2',
    handshakeTimeout: HEADERS_TIMEOUT_MS,
    ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false }),
  } as const;
}

/**
 * Lets requests under way have their answers, within reason: a sender that does not finish keeps nothing open. A connection that
 * is kept alive after its answer is idle and goes. One that was handed over is not waited for.
 */
async function close(server: Server, upgraded: ReadonlySet<Duplex>): Promise<void> {
  const grace = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
  let sweep: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    const look = () => {
      server.closeIdleConnections();
      server.getConnections((_, count) => {
        if (count <= upgraded.size) resolve();
      });
    };
    server.close(() => resolve());
    sweep = setInterval(look, IDLE_SWEEP_MS);
    look();
  });
  clearInterval(sweep);
  clearTimeout(grace);
}
