/**
 * Finds the Redis that the gateway lives on: the one that `redis.url` names, or a private redis-server (or valkey-server)
 * started inside the data directory and listening on a Unix socket only. Either way the result says whether it can be
 * trusted with messages now.
 */
import { join } from 'node:path';
import { findExecutable } from '../config/executables.js';
import { describeRedisAddress, parseRedisUrl, type RedisAddress } from '../config/redis-url.js';
import type { Config } from '../config/schema.js';
import { DeliveryError, describeError, InvariantError } from '../kernel/errors.js';
import type { Log } from '../telemetry/log.js';
import { takeRedisDirectory } from './embedded-redis-directory.js';
import { EmbeddedRedisServer } from './embedded-redis-server.js';
import { createRedis, type RedisClient, type RedisProvision } from './redis-connection.js';
import { inspectRedis } from './redis-durability.js';

const SERVER_NAMES = ['redis-server', 'valkey-server'];
/** An external Redis that does not answer within this time stops the start; whoever restarts the gateway tries again. */
const FIRST_ANSWER_MS = 10_000;

/** What openRedis needs of the configuration. */
export type RedisSettings = Pick<Config, 'dataDir' | 'redis'>;

export interface EmbeddedRedisProvision extends RedisProvision {
  readonly kind: 'embedded';
  /** Process number of the private server, for tests and operators. */
  readonly pid: number;
}

/**
 * Opens the configured Redis, or the private one. Resolves when it answers and its data is loaded; whether it may be
 * trusted is `problem()`'s to say. Throws DeliveryError with one sentence for the operator when there is no Redis.
 */
export async function openRedis(config: RedisSettings, log: Log): Promise<RedisProvision> {
  return config.redis.url === undefined
    ? await openEmbeddedRedis(config, log)
    : await openExternalRedis(config.redis.url, config.redis.allowVolatile, log);
}

/** The private Redis of `dataDir`. One gateway at a time: a second one is refused with `conflict`. */
export async function openEmbeddedRedis(config: RedisSettings, log: Log): Promise<EmbeddedRedisProvision> {
  const binary = findExecutable(SERVER_NAMES);
  if (binary === undefined) {
    throw new DeliveryError(
      'unreachable',
      'There is no Redis: set REDIS_URL (or redis.url) to a Redis 6.2 or Valkey that keeps an append-only file, or install redis-server (on Debian: apt-get install redis-server) so that the gateway can run one of its own.',
      { retry: 'never' },
    );
  }
  const directory = await takeRedisDirectory(join(config.dataDir, 'redis'));
  try {
    const { durability } = config.redis;
    const server = await EmbeddedRedisServer.start({ binary, directory, durability, log });
    return embeddedProvision(server, log, async () => {
      await server.close();
      await directory.release();
    });
  } catch (error) {
    await directory.release();
    throw error;
  }
}

function embeddedProvision(
  server: EmbeddedRedisServer,
  log: Log,
  stop: () => Promise<void>,
): EmbeddedRedisProvision {
  const address: RedisAddress = { kind: 'socket', path: server.socket, db: 0 };
  const close = once(stop);
  return {
    kind: 'embedded',
    address,
    description: `private Redis on ${describeRedisAddress(address)}`,
    log,
    get pid() {
      return server.pid;
    },
    async problem() {
      if (server.trouble !== undefined || server.control === undefined) {
        return server.trouble ?? 'The private Redis is not running.';
      }
      return problemOf(server.control, 'The private Redis', { allowVolatile: false });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function openExternalRedis(url: string, allowVolatile: boolean, log: Log): Promise<RedisProvision> {
  const address = parseRedisUrl(url);
  if (address === undefined) throw new InvariantError('redis.url was not checked with the configuration');
  const description = describeRedisAddress(address);
  const control = createRedis({ address, log }, { role: 'store' });
  try {
    await firstAnswer(control, description);
    const { volatile, warnings } = await inspectRedis(control);
    for (const reason of allowVolatile ? [...volatile, ...warnings] : warnings) {
      log({ level: 'warn', message: 'Redis may lose data', redis: description, reason });
    }
  } catch (error) {
    control.disconnect();
    throw error;
  }
  const close = once(async () => control.disconnect());
  return {
    kind: 'external',
    address,
    description,
    log,
    problem: () => problemOf(control, `Redis at ${description}`, { allowVolatile }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Waits for the first PONG. The client tries again by itself; the last reason is kept for the sentence. */
async function firstAnswer(control: RedisClient, description: string): Promise<void> {
  let reason = 'it did not answer in time';
  control.on('error', (error: Error) => {
    reason = error.message || reason;
  });
  const until = Date.now() + FIRST_ANSWER_MS;
  while (Date.now() < until) {
    try {
      await control.ping();
      return;
    } catch (error) {
      if (/^(?:WRONGPASS|NOAUTH|NOPERM)/.test(describeError(error))) {
        reason = describeError(error);
        break;
      }
    }
  }
  throw new DeliveryError('unreachable', `Redis at ${description} cannot be used: ${reason}.`);
}

async function problemOf(
  client: RedisClient,
  subject: string,
  { allowVolatile }: { readonly allowVolatile: boolean },
): Promise<string | undefined> {
  try {
    const { unusable, volatile } = await inspectRedis(client);
    const [first] = unusable;
    if (first !== undefined) return `${subject} ${first}.`;
    const [loss] = volatile;
    if (loss === undefined || allowVolatile) return undefined;
    return `${subject} ${loss} (or accept the loss with redis.allowVolatile: true).`;
  } catch (error) {
    return `${subject} does not answer: ${describeError(error)}.`;
  }
}

function once(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= action();
    return running;
  };
}
