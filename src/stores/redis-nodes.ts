/**
 * The gateway processes on one Redis. Each proves that it is alive with a key that soon expires, and listens on a channel
 * of its own for lanes that it must run, because it holds the terminal's connection, on one for lanes that whoever runs
 * them must look at, and on one for what operators tell links to message centres.
 */
import type { Nodes } from '../lane/ports.js';
import type { TerminalId } from '../registry/terminal-id.js';
import * as keys from './keys.js';
import type { RedisClient } from './redis-connection.js';

export interface RedisNodesOptions {
  /** Unique for this process. */
  readonly self: string;
  /** Nobody else can be on this Redis: it is this process's own. */
  readonly isAlone: boolean;
  /** Without a sign of life for so long a process counts as dead. Shorter than the lease of a lane. */
  readonly lifeMs: number;
  readonly onKick: (terminal: TerminalId) => void;
  /** What operators tell links may have changed: at every word of it, and at every sign of life, because words get lost. */
  readonly onLinks: () => void;
  readonly onError: (error: unknown) => void;
}

const BEATS_PER_LIFE = 3;

export class RedisNodes implements Nodes, AsyncDisposable {
  readonly self: string;
  readonly isAlone: boolean;
  readonly #redis: RedisClient;
  readonly #subscriber: RedisClient;
  readonly #options: RedisNodesOptions;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(redis: RedisClient, subscriber: RedisClient, options: RedisNodesOptions) {
    this.self = options.self;
    this.isAlone = options.isAlone;
    this.#redis = redis;
    this.#subscriber = subscriber;
    this.#options = options;
  }

  async start(): Promise<void> {
    const channels = [keys.kickChannel(this.self), keys.everyNodeChannel];
    this.#subscriber.on('message', (from: string, terminal: string) => {
      if (from === keys.linksChannel) this.#options.onLinks();
      else if (channels.includes(from)) this.#options.onKick(terminal as TerminalId);
    });
    await this.#subscriber.subscribe(...channels, keys.linksChannel);
    await this.#beat();
    this.#options.onLinks();
    const beat = () => {
      void this.#beat().catch(this.#options.onError);
      this.#options.onLinks();
    };
    this.#heartbeat = setInterval(beat, this.#options.lifeMs / BEATS_PER_LIFE);
  }

  async #beat(): Promise<void> {
    await this.#redis.set(
      keys.nodeKey(this.self),
      String(process.pid),
      'PX',
      Math.ceil(this.#options.lifeMs),
    );
  }

  async isAlive(node: string): Promise<boolean> {
    if (this.isAlone) return node === this.self;
    return (await this.#redis.exists(keys.nodeKey(node))) === 1;
  }

  async kick(node: string, terminal: TerminalId): Promise<void> {
    await this.#redis.publish(keys.kickChannel(node), terminal);
  }

  async kickAll(terminal: TerminalId): Promise<void> {
    await this.#redis.publish(keys.everyNodeChannel, terminal);
  }

  /** Tells every process, this one included, that an operator has told a link something. */
  async linksChanged(): Promise<void> {
    await this.#redis.publish(keys.linksChannel, '');
  }

  /** Other nodes see the end at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#heartbeat);
    await this.#redis.del(keys.nodeKey(this.self)).catch(this.#options.onError);
  }
}
