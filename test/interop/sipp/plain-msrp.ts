/**
 * The receiving half of an MSRP terminal on a bare socket, written from RFC 4975 and sharing nothing with the gateway: takes SENDs,
 * answers each with 200, puts chunks together by their Byte-Range, and reports success for whole messages.
 */
import { EventEmitter, once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface PlainMessage {
  readonly id: string;
  /** Header fields of its first chunk, names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly content: Buffer;
  readonly chunks: number;
}

interface Partial {
  readonly headers: ReadonlyMap<string, string>;
  readonly pieces: Map<number, Buffer>;
}

export class PlainMsrpTerminal extends EventEmitter implements AsyncDisposable {
  /** What the terminal offers as `a=path`. */
  readonly path: string;
  readonly messages: PlainMessage[] = [];
  readonly #server = createServer((socket) => this.#serve(socket));
  readonly #sockets = new Set<Socket>();
  readonly #partials = new Map<string, Partial>();
  #transactions = 0;

  private constructor(path: string) {
    super();
    this.path = path;
  }

  /** Listens, so that the gateway can connect; a terminal that connects itself does not use that. */
  static async open(port: number): Promise<PlainMsrpTerminal> {
    const terminal = new PlainMsrpTerminal(`msrp://127.0.0.1:${port}/plain${port};tcp`);
    terminal.#server.listen(port, '127.0.0.1');
    await once(terminal.#server, 'listening');
    return terminal;
  }

  /** Connects to the path of the gateway's answer and says with an empty SEND which session it is (RFC 4975 §5.4). */
  async connect(path: string): Promise<void> {
    const { hostname, port } = new URL(path.replace(/^msrp:/, 'http:').replace(/;tcp$/, ''));
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    this.#serve(socket);
    const id = this.#transaction();
    socket.write(
      `MSRP ${id} SEND\r\nTo-Path: ${path}\r\nFrom-Path: ${this.path}\r\nMessage-ID: hello${id}\r\n` +
        `Byte-Range: 1-0/0\r\n-------${id}$\r\n`,
    );
  }

  /** The messages, once there are this many. */
  async after(count: number): Promise<readonly PlainMessage[]> {
    while (this.messages.length < count) await once(this, 'message');
    return this.messages;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #transaction(): string {
    this.#transactions += 1;
    return `plain${String(this.#transactions).padStart(6, '0')}`;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let unread = Buffer.alloc(0);
    socket.on('data', (octets) => {
      unread = Buffer.concat([unread, octets]);
      for (;;) {
        const length = frameLength(unread);
        if (length === undefined) return;
        this.#take(socket, unread.subarray(0, length));
        unread = unread.subarray(length);
      }
    });
  }

  #take(socket: Socket, frame: Buffer): void {
    const head = /^MSRP (\S+) (\S+)/.exec(frame.toString('latin1', 0, 200));
    const [, transaction = '', method = ''] = head ?? [];
    if (method !== 'SEND') return;
    const { headers, body, flag } = parts(frame, transaction);
    const to = (headers.get('from-path') ?? '').split(' ')[0];
    const paths = `To-Path: ${to}\r\nFrom-Path: ${this.path}\r\n`;
    socket.write(`MSRP ${transaction} 200 OK\r\n${paths}-------${transaction}$\r\n`);
    const id = headers.get('message-id') ?? '';
    const partial = this.#partials.get(id) ?? { headers, pieces: new Map() };
    this.#partials.set(id, partial);
    const start = Number(/^(\d+)-/.exec(headers.get('byte-range') ?? '1-')?.[1]);
    partial.pieces.set(start, Buffer.from(body));
    if (flag !== '$') return;
    this.#partials.delete(id);
    const pieces = [...partial.pieces].sort(([a], [b]) => a - b).map(([, piece]) => piece);
    const content = Buffer.concat(pieces);
    if (content.length === 0) return; // only says which session the connection is for
    if (partial.headers.get('success-report') === 'yes') {
      const own = this.#transaction();
      socket.write(
        `MSRP ${own} REPORT\r\n${paths}Message-ID: ${id}\r\n` +
          `Byte-Range: 1-${content.length}/${content.length}\r\nStatus: 000 200 OK\r\n-------${own}$\r\n`,
      );
    }
    this.messages.push({ id, headers: partial.headers, content, chunks: pieces.length });
    this.emit('message');
  }
}

/** Octets of the first complete frame; undefined while it is not all there. */
function frameLength(octets: Buffer): number | undefined {
  const transaction = /^MSRP (\S+) /.exec(octets.toString('latin1', 0, 100))?.[1];
  if (transaction === undefined) return undefined;
  const mark = `\r\n-------${transaction}`;
  for (let at = octets.indexOf(mark); at >= 0; at = octets.indexOf(mark, at + 1)) {
    const end = octets.toString('latin1', at + mark.length, at + mark.length + 3);
    if (/^[$+#]\r\n$/.test(end)) return at + mark.length + 3;
  }
  return undefined;
}

function parts(frame: Buffer, transaction: string) {
  const tail = transaction.length + 12; // CRLF, seven dashes, the id, the flag, CRLF
  const blank = frame.indexOf('\r\n\r\n');
  const hasBody = blank >= 0 && blank < frame.length - tail;
  const head = frame.toString('latin1', 0, hasBody ? blank : frame.length - tail);
  const headers = new Map(
    head
      .split('\r\n')
      .slice(1)
      .map((line): [string, string] => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
  );
  const body = hasBody ? frame.subarray(blank + 4, frame.length - tail) : Buffer.alloc(0);
  return { headers, body, flag: String.fromCharCode(frame[frame.length - 3] ?? 0) };
}
