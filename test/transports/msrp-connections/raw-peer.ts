/**
 * A peer that says exactly what a test tells it to: text in, decoded events out. It knows nothing of sessions and keeps
 * no rules, so that it can break them.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type MsrpEvent, MsrpStreamReader } from '../../../src/protocols/msrp/index.js';

export class RawPeer {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  readonly #reader = new MsrpStreamReader();
  readonly #events: MsrpEvent[] = [];
  readonly #waiting: ((event: MsrpEvent) => void)[] = [];
  /** Octets received. */
  received = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => undefined);
    socket.on('data', (octets) => {
      this.#reader.push(octets);
      for (let event = this.#reader.next(); event !== undefined; event = this.#reader.next())
        this.#take(event);
    });
  }

  static async connect(port: number): Promise<RawPeer> {
    const socket = connect({ host: '127.0.0.1', port });
    await once(socket, 'connect');
    return new RawPeer(socket);
  }

  write(text: string | Uint8Array): void {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  }

  /** The next request or response, whenever it comes. */
  next(): Promise<MsrpEvent> {
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve(event);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** `next()` as one line: `200 abcd` or `SEND m123 1-5/5 $`. */
  async nextLine(): Promise<string> {
    const event = await this.next();
    if (event.kind === 'response') return `${event.status} ${event.transactionId}`;
    const { start, end, total } = event.byteRange ?? { start: '?', end: '?', total: '?' };
    return `${event.method} ${event.messageId} ${start}-${end ?? '*'}/${total ?? '*'} ${event.continuation}`;
  }

  /** What is still unread; for tests that something did not come. */
  get unread(): number {
    return this.#events.length;
  }

  #take(event: MsrpEvent): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#events.push(event);
    else waiting(event);
  }
}

export interface RawListener {
  readonly port: number;
  /** The next connection that comes in. */
  accept(): Promise<RawPeer>;
  close(): Promise<void>;
}

export async function listenRaw(): Promise<RawListener> {
  const peers: RawPeer[] = [];
  const waiting: ((peer: RawPeer) => void)[] = [];
  const server: Server = createServer((socket) => {
    const peer = new RawPeer(socket);
    const next = waiting.shift();
    peers.push(peer);
    next?.(peer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  let accepted = 0;
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    accept() {
      const peer = peers[accepted];
      accepted += 1;
      return peer === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(peer);
    },
    async close() {
      for (const peer of peers) peer.socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A SEND as text. `fields` are whole lines. */
export function sendText(options: {
  readonly to: string;
  readonly from: string;
  readonly id: string;
  readonly fields?: string;
  readonly body?: string;
  readonly flag?: '$' | '+' | '#';
  readonly method?: string;
}): string {
  const { to, from, id, fields = '', body, flag = '$', method = 'SEND' } = options;
  const content = body === undefined ? '' : `Content-Type: text/plain\r\n\r\n${body}\r\n`;
  return `MSRP ${id} ${method}\r\nTo-Path: ${to}\r\nFrom-Path: ${from}\r\n${fields}${content}-------${id}${flag}\r\n`;
}

/** The response to a request that a RawPeer received. */
export function responseTo(event: MsrpEvent, status: string): string {
  const id = event.transactionId;
  return `MSRP ${id} ${status}\r\nTo-Path: ${event.fromPath[0]}\r\nFrom-Path: ${event.toPath[0]}\r\n-------${id}$\r\n`;
}
