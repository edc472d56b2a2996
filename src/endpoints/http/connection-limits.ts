/**
 * What one peer and one connection may take of an HTTP server, and an orderly end for a connection that turns to garbage. Node
 * bounds neither: it reads pipelined requests as fast as they come, and answers garbage at once, before the answers to the
 * good requests in front of it.
 */
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Server as NetServer, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { SECOND_MS } from '../../kernel/units.js';
import type { Log } from '../../telemetry/log.js';

/** Requests of one connection that are worked on at once; the others wait in its socket, which is not read meanwhile. */
const MAX_PIPELINED = 16;
/** A flood is told of in one line for each span of this length. */
const LOG_AT_MOST_EVERY_MS = 10 * SECOND_MS;

/** Hangs up on a peer that has `most` connections already. */
export function limitPeers(server: NetServer, most: number, log: Log, kind = 'HTTP'): void {
  const open = new Map<string, number>();
  let toldAt = Number.NEGATIVE_INFINITY;
  const refused = (peer: string | undefined, reason: string) => {
    if (performance.now() - toldAt < LOG_AT_MOST_EVERY_MS) return;
    toldAt = performance.now();
    const from = peer === undefined ? {} : { peer };
    log({ level: 'warn', message: `${kind} connections refused`, reason, ...from });
  };
  server.on('drop', (dropped) => refused(dropped?.remoteAddress, 'too many connections'));
  server.on('connection', (socket) => {
    const peer = socket.remoteAddress ?? '';
    const count = (open.get(peer) ?? 0) + 1;
    open.set(peer, count);
    socket.once('close', () => {
      const left = (open.get(peer) ?? 1) - 1;
      if (left === 0) open.delete(peer);
      else open.set(peer, left);
    });
    if (count <= most) return;
    refused(peer, 'too many connections of one peer');
    socket.destroy();
  });
}

/** Reads no more of a connection while many of its requests are worked on, and answers what is no HTTP after them. */
export function keepPipelinesShort(server: Server): void {
  const pipelines = new WeakMap<Duplex, Pipeline>();
  const pipelineOf = (socket: Duplex) => {
    const known = pipelines.get(socket);
    if (known) return known;
    const pipeline = new Pipeline(socket);
    pipelines.set(socket, pipeline);
    return pipeline;
  };
  server.prependListener('request', (request, response) =>
    pipelineOf(request.socket).started(request, response),
  );
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => pipelineOf(socket).broken(error));
}

/**
 * Node's own brake on a pipeline, which it pulls when answers pile up: while `_paused` is set nothing resumes the socket, and its
 * parser stands. There is no public name for it; a test sees to it that it goes on working.
 */
interface Brake {
  _paused?: boolean;
  readonly parser?: { resume(): void } | null;
}

class Pipeline {
  readonly #socket: Duplex & Brake;
  #underWay = 0;
  #newest: IncomingMessage | undefined;
  #error: NodeJS.ErrnoException | undefined;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  started(request: IncomingMessage, response: ServerResponse): void {
    this.#underWay += 1;
    this.#newest = request;
    if (this.#underWay >= MAX_PIPELINED) {
      this.#socket._paused = true;
      this.#socket.pause();
    }
    response.once('close', () => this.#ended());
  }

  #ended(): void {
    this.#underWay -= 1;
    if (this.#underWay < MAX_PIPELINED && this.#socket._paused) {
      this.#socket._paused = false;
      this.#socket.parser?.resume();
      this.#socket.resume();
    }
    this.#hangUpWhenAnswered();
  }

  /** The peer sent what is no HTTP, or nothing in time. */
  broken(error: NodeJS.ErrnoException): void {
    this.#error = error;
    this.#hangUpWhenAnswered();
  }

  /** A request in the middle of which the connection broke is never answered. */
  #hangUpWhenAnswered(): void {
    const broken = this.#newest?.complete === false ? 1 : 0;
    if (this.#error && this.#underWay <= broken) this.#hangUp(this.#error);
  }

  #hangUp({ code }: NodeJS.ErrnoException): void {
    const socket = this.#socket as Socket;
    if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    const status = STATUS[code ?? ''] ?? 400;
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`, () =>
      socket.destroy(),
    );
  }
}

/** What Node answers by itself for each of its error codes. */
const STATUS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};
