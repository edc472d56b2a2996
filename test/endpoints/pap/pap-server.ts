/** The PAP endpoint on a free port with an application that records what it is asked; and a client that speaks raw HTTP. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import Koa from 'koa';
import type { PapApplication } from '../../../src/endpoints/pap/pap-application.js';
import type { PapLogEntry } from '../../../src/endpoints/pap/pap-log.js';
import { type PapRoutesOptions, papRoutes } from '../../../src/endpoints/pap/pap-routes.js';
import type { Clock } from '../../../src/kernel/clock.js';
import { RefusedError } from '../../../src/kernel/errors.js';
import { decodePap, type PapDocument } from '../../../src/protocols/pap/index.js';
import { MULTIPART_TYPE, papValidator } from '../../support/pap.js';

export const NOW = Date.UTC(2026, 6, 30, 10, 0, 0);
export const AUTHORIZATION = `Basic ${Buffer.from('pi:secret').toString('base64')}`;

/** Real timers, a standing calendar. */
const clock: Clock = {
  now: () => NOW,
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

const notImplemented = (): never => {
  throw new RefusedError('notImplemented', 'not in this test');
};

export interface PapServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly log: readonly PapLogEntry[];
  post(body: string | Uint8Array, headers?: Record<string, string>, path?: string): Promise<PapReply>;
}

export interface PapReply {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  readonly document: PapDocument | undefined;
}

/** Operations that a test does not give are not implemented. */
export async function startPapServer(
  application: Partial<PapApplication>,
  options: Partial<PapRoutesOptions> = {},
): Promise<PapServer> {
  const log: PapLogEntry[] = [];
  const koa = new Koa();
  // A sender that breaks off is an error to Koa, which would print it.
  koa.silent = true;
  koa.use(
    papRoutes({
      application: {
        push: notImplemented,
        cancel: notImplemented,
        statusQuery: notImplemented,
        ccq: notImplemented,
        ...application,
      },
      authenticate: async ({ basic, isEncrypted }) =>
        basic?.username === 'pi' && basic.password === 'secret'
          ? { id: 'pi', method: 'password', isEncrypted }
          : undefined,
      validator: papValidator,
      clock,
      log: (entry) => log.push(entry),
      ...options,
    }),
  );
  const server = createServer(koa.callback());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/pap`;
  return {
    port,
    url,
    log,
    post: (body, headers = {}, path = '/pap') => post(`http://127.0.0.1:${port}${path}`, body, headers),
    [Symbol.asyncDispose]: () => close(server),
  };
}

async function post(
  url: string,
  body: string | Uint8Array,
  headers: Record<string, string>,
): Promise<PapReply> {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { authorization: AUTHORIZATION, 'content-type': MULTIPART_TYPE, ...headers },
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const isPap = response.headers.get('content-type') === 'application/xml';
  return {
    status: response.status,
    headers: response.headers,
    bytes,
    document: isPap ? decodePap(bytes, { validator: papValidator }) : undefined,
  };
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

/** A TCP connection on which a test writes octets of its own and reads what comes until the server closes it. */
export class RawConnection {
  readonly #socket: Socket;
  #received = '';

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => {
      this.#received += text;
    });
    this.#socket.on('error', () => {
      // A reset is an end like any other here; what was received before it counts.
    });
  }

  write(octets: string | Uint8Array): void {
    this.#socket.write(octets);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Resolves with everything received once it contains `text`. */
  until(text: string): Promise<string> {
    return this.untilCount(text, 1);
  }

  /** Resolves with everything received once it contains `text` that many times. */
  async untilCount(text: string, count: number): Promise<string> {
    while (this.#received.split(text).length <= count) {
      if (this.#socket.closed) throw new Error(`closed after ${JSON.stringify(this.#received)}`);
      await Promise.race([once(this.#socket, 'data'), once(this.#socket, 'close')]);
    }
    return this.#received;
  }

  async untilClosed(): Promise<string> {
    if (!this.#socket.closed) await once(this.#socket, 'close');
    return this.#received;
  }
}

/** An HTTP/1.1 request as text, body included. */
export function requestText(
  body: string | Uint8Array,
  headers: Record<string, string> = {},
  contentLength = Buffer.byteLength(body),
): Buffer {
  const lines = {
    host: 'ppg.example.net',
    authorization: AUTHORIZATION,
    'content-type': MULTIPART_TYPE,
    'content-length': String(contentLength),
    ...headers,
  };
  const head = Object.entries(lines)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  return Buffer.concat([Buffer.from(`POST /pap HTTP/1.1\r\n${head}\r\n`), Buffer.from(body)]);
}
