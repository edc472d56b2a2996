/**
 * A proxy between a gateway and its Redis that knows commands apart, for tests that need something to happen exactly before
 * a command is carried out, or exactly after it and before its answer is there.
 */
import { createHash } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Script } from '../../src/stores/script.js';

/** Name and arguments, as text. */
export type RedisCommand = readonly string[];

/** A run of the script, by digest or by text; `more` looks at the whole command. */
export function runs(script: Script, more: (command: RedisCommand) => boolean = () => true) {
  const digest = createHash('sha1').update(script.lua).digest('hex');
  return (command: RedisCommand) => (command[1] === digest || command[1] === script.lua) && more(command);
}

export interface Interception {
  readonly matches: (command: RedisCommand) => boolean;
  /**
   * `before`: it never gets to Redis. `held`: it gets there when `act` has ended. `after`: Redis has carried it out, and
   * nobody has been told. What was asked before it has been answered when `act` begins.
   */
  readonly moment: 'before' | 'held' | 'after';
  readonly act: () => Promise<void> | void;
}

export class RedisProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #waiting: (Interception & { done(): void; failed(error: unknown): void }) | undefined;

  static async start(redisPort: number): Promise<RedisProxy> {
    const proxy = new RedisProxy(redisPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  private constructor(redisPort: number) {
    this.#server = createServer((client) => {
      const link = new Link(client, redisPort, (command) => this.#interceptionOf(command));
      this.#links.add(link);
      client.on('close', () => this.#links.delete(link));
    });
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Waits for the first command that matches. Resolves when `act` has been done; then everything passes again. */
  intercept(interception: Interception): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting = { ...interception, done, failed };
    });
  }

  /** Breaks every connection; new ones are taken. */
  cut(): void {
    for (const link of this.#links) link.end();
  }

  #interceptionOf(command: RedisCommand): Interception | undefined {
    const found = this.#waiting;
    if (!found?.matches(command)) return undefined;
    this.#waiting = undefined;
    const act = async () => {
      try {
        await found.act();
        found.done();
      } catch (error) {
        found.failed(error);
      }
    };
    return { ...found, act };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const MARKER = 'marker-of-the-proxy';
const MARKED = `$${MARKER.length}\r\n${MARKER}\r\n`;
const MARK = `*2\r\n$4\r\nECHO\r\n${MARKED}`;

/** The last answers of a connection, up to the first mark, and what happens at the last one. */
interface Ending {
  unread: Buffer;
  marks: number;
  isSilent: boolean;
  readonly act: Interception['act'];
}

/** One connection of the gateway and the one to Redis that belongs to it. */
class Link {
  readonly #client: Socket;
  readonly #redis: Socket;
  readonly #interceptionOf: (command: RedisCommand) => Interception | undefined;
  #unread = Buffer.alloc(0);
  #isIntercepted = false;
  #ending: Ending | undefined;

  constructor(
    client: Socket,
    redisPort: number,
    interceptionOf: (command: RedisCommand) => Interception | undefined,
  ) {
    this.#client = client;
    this.#redis = connect(redisPort, '127.0.0.1');
    this.#interceptionOf = interceptionOf;
    for (const [socket, other] of [
      [this.#client, this.#redis],
      [this.#redis, this.#client],
    ] as const) {
      socket.on('error', () => {}).on('close', () => other.destroy());
    }
    this.#client.on('data', (chunk) => this.#read(chunk));
    this.#redis.on('data', (chunk) => this.#answer(chunk));
  }

  end(): void {
    this.#client.destroy();
    this.#redis.destroy();
  }

  #read(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    while (!this.#isIntercepted) {
      const found = readCommand(this.#unread);
      if (!found) return;
      const interception = this.#interceptionOf(found.command);
      const octets = this.#unread.subarray(0, found.size);
      if (interception) this.#intercept(interception, octets);
      else this.#redis.write(octets);
      this.#unread = this.#unread.subarray(found.size);
    }
  }

  /** What was asked before is still answered. From then on the gateway hears nothing on this connection, unless the command was only held. */
  #intercept({ moment, act }: Interception, octets: Uint8Array): void {
    this.#isIntercepted = true;
    if (moment === 'held') {
      void Promise.resolve(act()).then(() => this.#goOn(octets));
      return;
    }
    this.#ending = { unread: Buffer.alloc(0), marks: moment === 'after' ? 2 : 1, isSilent: false, act };
    this.#redis.write(MARK);
    if (moment === 'after') {
      this.#redis.write(octets);
      this.#redis.write(MARK); // answered after it
    }
  }

  #answer(chunk: Buffer): void {
    const ending = this.#ending;
    if (ending === undefined) {
      this.#client.write(chunk);
      return;
    }
    ending.unread = Buffer.concat([ending.unread, chunk]);
    for (let at = ending.unread.indexOf(MARKED); at >= 0; at = ending.unread.indexOf(MARKED)) {
      if (!ending.isSilent) this.#client.write(ending.unread.subarray(0, at));
      ending.unread = ending.unread.subarray(at + MARKED.length);
      ending.isSilent = true;
      ending.marks -= 1;
      if (ending.marks === 0) void ending.act();
    }
  }

  #goOn(octets: Uint8Array): void {
    this.#isIntercepted = false;
    this.#redis.write(octets);
    this.#read(Buffer.alloc(0));
  }
}

/** The first command of what a client has sent, and how many octets it takes; undefined when it is not whole yet. */
function readCommand(octets: Buffer): { command: string[]; size: number } | undefined {
  let at = 0;
  const number = (sign: string): number | undefined => {
    const end = octets.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const line = octets.toString('latin1', at, end);
    if (!line.startsWith(sign)) throw new Error(`not a command: ${line}`);
    at = end + 2;
    return Number(line.slice(1));
  };
  const count = number('*');
  const command: string[] = [];
  while (count !== undefined && command.length < count) {
    const length = number('$');
    if (length === undefined || octets.length < at + length + 2) return undefined;
    command.push(octets.toString('utf8', at, at + length));
    at += length + 2;
  }
  return count === undefined ? undefined : { command, size: at };
}
