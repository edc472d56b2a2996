/**
 * The private Redis kept running. It is started, or adopted when one of an earlier gateway still serves the same
 * directory (that gateway was killed); when it dies it is started again, slower after each failure; at the end it is
 * shut down and waited for. A control connection held open tells at once that it died, whoever started it.
 */

import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { DeliveryError, describeError } from '../kernel/errors.js';
import type { Log } from '../telemetry/log.js';
import type { EmbeddedRedisDirectory } from './embedded-redis-directory.js';
import { type Durability, type RedisProcess, SOCKET_NAME, spawnRedis } from './embedded-redis-process.js';

const POLL_MS = 10;
const LOADING_LOG_MS = 5_000;
const ANSWER_TIMEOUT_MS = 10_000;
const FIRST_RESTART_DELAY_MS = 50;
const MAX_RESTART_DELAY_MS = 5_000;
/** A server that has run this long was sound: the next restart begins with the short delay again. */
const SOUND_AFTER_MS = 60_000;
const SHUTDOWN_TIMEOUT_MS = 10_000;
const TERMINATE_TIMEOUT_MS = 5_000;

export interface EmbeddedServerOptions {
  readonly binary: string;
  readonly directory: EmbeddedRedisDirectory;
  readonly durability: Durability;
  readonly log: Log;
}

export class EmbeddedRedisServer {
  readonly socket: string;
  readonly #options: EmbeddedServerOptions;
  #process: RedisProcess | undefined;
  #control: Redis | undefined;
  #pid = 0;
  #trouble: string | undefined;
  readonly #closing = new AbortController();
  #supervision: Promise<void> = Promise.resolve();

  /** Starts or adopts the server and returns when it answers. Throws DeliveryError('unreachable') when it will not start. */
  static async start(options: EmbeddedServerOptions): Promise<EmbeddedRedisServer> {
    const server = new EmbeddedRedisServer(options);
    await server.#bringUp();
    server.#supervision = server.#supervise();
    return server;
  }

  private constructor(options: EmbeddedServerOptions) {
    this.#options = options;
    this.socket = join(options.directory.shortPath, SOCKET_NAME);
  }

  /** Process number of the server. */
  get pid(): number {
    return this.#pid;
  }

  /** Why it does not run at the moment; undefined while it does. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** The connection to ask it by; undefined while it is down. */
  get control(): Redis | undefined {
    return this.#control;
  }

  /** Shuts the server down once everything is in its file, and waits for its end. Called once. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#shutDown();
    await this.#supervision;
  }

  async #bringUp(): Promise<void> {
    const control = (await this.#adopt()) ?? (await this.#spawn());
    await this.#waitForData(control);
    // An adopted server may have been started under another configuration.
    await control.config('SET', 'appendfsync', this.#options.durability);
    this.#control = control;
    this.#pid = Number(/^process_id:(\d+)/m.exec(await control.info('server'))?.[1] ?? 0);
    this.#trouble = undefined;
  }

  /** A server that is there already; undefined when there is none. Throws when it serves another directory. */
  async #adopt(): Promise<Redis | undefined> {
    const control = await this.#connect();
    if (control === undefined) return undefined;
    const [, directory = ''] = (await control.config('GET', 'dir')) as string[];
    if ((await realpath(directory).catch(() => directory)) !== this.#options.directory.path) {
      control.disconnect();
      throw new DeliveryError(
        'conflict',
        `A Redis that keeps its data in ${directory} listens on ${this.socket}.`,
        {
          retry: 'never',
        },
      );
    }
    if (this.#process === undefined || this.#process.ended !== undefined) {
      this.#process = undefined;
      this.#options.log({ level: 'info', message: 'adopted the private Redis of an earlier gateway' });
    }
    return control;
  }

  async #spawn(): Promise<Redis> {
    const { binary, directory, durability } = this.#options;
    const redis = spawnRedis(binary, directory.path, durability);
    this.#process = redis;
    while (redis.ended === undefined) {
      const control = await this.#connect();
      if (control !== undefined) return control;
      await Promise.race([delay(POLL_MS), redis.end]);
    }
    throw await this.#refusal(redis);
  }

  /** A connection that is not made again when it breaks; undefined when nobody listens. */
  async #connect(): Promise<Redis | undefined> {
    const control = new Redis({
      path: this.socket,
      lazyConnect: true,
      enableReadyCheck: false,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      commandTimeout: ANSWER_TIMEOUT_MS,
      connectionName: 'carillon-control',
    });
    control.on('error', () => {}); // the promises below and the end of the connection tell
    try {
      await control.connect();
      return control;
    } catch {
      return undefined; // and it is ended already: it does not try again
    }
  }

  /** Waits until the server has read its file, however long that takes; gives up only when it ends. */
  async #waitForData(control: Redis): Promise<void> {
    let nextLog = Date.now() + LOADING_LOG_MS;
    for (;;) {
      const answer = await control.ping().catch((error: Error) => error.message);
      if (answer === 'PONG') return;
      if (!answer.startsWith('LOADING')) {
        await Promise.race([this.#process?.end, delay(1000)]);
        throw this.#process?.ended === undefined
          ? new DeliveryError('unreachable', `The private Redis does not answer: ${answer}.`)
          : await this.#refusal(this.#process);
      }
      if (Date.now() >= nextLog) {
        this.#options.log({ level: 'info', message: 'the private Redis is loading its data' });
        nextLog += LOADING_LOG_MS;
      }
      await delay(POLL_MS);
    }
  }

  async #refusal(redis: RedisProcess): Promise<DeliveryError> {
    const words = await redis.lastWords().catch(() => '');
    return new DeliveryError(
      'unreachable',
      `${this.#options.binary} would not serve ${this.#options.directory.path} (${redis.ended}): ${words || 'it said nothing'}`,
      { retry: 'never' },
    );
  }

  async #supervise(): Promise<void> {
    const { signal } = this.#closing;
    let restartDelayMs = FIRST_RESTART_DELAY_MS;
    while (!signal.aborted) {
      const control = this.#control;
      if (control !== undefined) {
        const since = Date.now();
        await ended(control);
        if (signal.aborted) return;
        this.#control = undefined;
        await this.#tellOfItsEnd();
        if (Date.now() - since >= SOUND_AFTER_MS) restartDelayMs = FIRST_RESTART_DELAY_MS;
      }
      await delay(restartDelayMs, undefined, { signal }).catch(() => {});
      restartDelayMs = Math.min(restartDelayMs * 2, MAX_RESTART_DELAY_MS);
      if (!signal.aborted) await this.#bringUpAgain();
    }
  }

  async #tellOfItsEnd(): Promise<void> {
    this.#trouble = 'The private Redis has ended and is being started again.';
    const reason = await Promise.race([this.#process?.end, delay(100, 'its connection closed')]);
    this.#options.log({ level: 'error', message: 'the private Redis is gone; starting it again', reason });
  }

  async #bringUpAgain(): Promise<void> {
    try {
      await this.#bringUp();
      this.#options.log({ level: 'info', message: 'the private Redis runs again', pid: this.#pid });
      if (this.#closing.signal.aborted) await this.#shutDown();
    } catch (error) {
      this.#trouble = describeError(error);
      this.#options.log({
        level: 'error',
        message: 'the private Redis does not start',
        reason: this.#trouble,
      });
    }
  }

  /** SHUTDOWN writes and syncs the append-only file before the process ends. Harsher means only when that fails. */
  async #shutDown(): Promise<void> {
    const control = this.#control;
    if (control === undefined) return;
    // The answer to a successful SHUTDOWN is the end of the connection.
    control.call('SHUTDOWN', 'NOSAVE').catch(() => {});
    if (await this.#hasEnded(control, SHUTDOWN_TIMEOUT_MS)) return;
    this.#options.log({ level: 'warn', message: 'the private Redis does not shut down; terminating it' });
    this.#kill('SIGTERM');
    if (await this.#hasEnded(control, TERMINATE_TIMEOUT_MS)) return;
    this.#kill('SIGKILL');
    await this.#hasEnded(control, TERMINATE_TIMEOUT_MS);
    control.disconnect();
  }

  async #hasEnded(control: Redis, timeoutMs: number): Promise<boolean> {
    const until = Date.now() + timeoutMs;
    while (this.#isAlive(control)) {
      if (Date.now() >= until) return false;
      await delay(POLL_MS);
    }
    return true;
  }

  /**
   * A server that was adopted is nobody's child here; whoever should take note of its end may never do so, and its number
   * would look alive. Its connection tells: the kernel closes it when the process ends.
   */
  #isAlive(control: Redis): boolean {
    return this.#process === undefined ? control.status !== 'end' : this.#process.ended === undefined;
  }

  #kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    try {
      if (this.#process !== undefined) this.#process.kill(signal);
      else process.kill(this.#pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
}

function ended(control: Redis): Promise<void> {
  if (control.status === 'end') return Promise.resolve();
  return new Promise((resolve) => control.once('end', () => resolve()));
}
