/**
 * A listener for POST requests at one path, plain or over TLS: what the call-back and Web Push have in common on the terminal's side. Bodies are
 * small; whoever sends a larger one is told so.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { KIB } from '../kernel/units.js';

export interface PostListenerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly path: string;
  /** PEM. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
}

export interface ReceivedPost {
  readonly header: (name: string) => string | undefined;
  readonly body: Uint8Array;
}

/** What a push service takes is 4 KiB; a call-back is no larger. */
const MAX_BODY_BYTES = 16 * KIB;

export class PostListener implements AsyncDisposable {
  readonly #server: Server;
  /** With the port that it got. */
  readonly url: string;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  /** `take` gives the HTTP status of the answer. Rejects with the operating system's error when the port cannot be had. */
  static async start(
    { host, port, path, tls }: PostListenerOptions,
    take: (post: ReceivedPost) => Promise<number>,
  ): Promise<PostListener> {
    const answer = listenerFor(path, take);
    const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
    server.listen(port, host);
    await once(server, 'listening');
    const bound = (server.address() as AddressInfo).port;
    const scheme = tls === undefined ? 'http' : 'https';
    return new PostListener(server, `${scheme}://${host.includes(':') ? `[${host}]` : host}:${bound}${path}`);
  }

  /** Cuts every connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

function listenerFor(path: string, take: (post: ReceivedPost) => Promise<number>): RequestListener {
  return async (request, response) => {
    try {
      if (request.url !== path) return void response.writeHead(404).end();
      if (request.method !== 'POST') return void response.writeHead(405, { allow: 'POST' }).end();
      const body = await bodyOf(request);
      if (body === undefined) return void response.writeHead(413, { connection: 'close' }).end();
      response.writeHead(await take({ header: (name) => headerOf(request, name), body })).end();
    } catch {
      response.destroy(); // the connection broke: the sender tries again
    }
  };
}

function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request.iterator({ destroyOnReturn: false })) {
    size += (piece as Buffer).length;
    if (size > MAX_BODY_BYTES) return undefined;
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces);
}
