/**
 * Judges whether a Redis may be trusted with messages: recent enough, with an append-only file that it can write, and a
 * memory policy that evicts nothing. Facts come from INFO (which managed offerings allow) and CONFIG GET (which many do not).
 * Changes nothing on the server.
 */
import { Cluster, type Redis } from 'ioredis';
import { DeliveryError, describeError } from '../kernel/errors.js';
import type { RedisClient } from './redis-connection.js';

export interface RedisFindings {
  /** It cannot be used at all: too old, loading, cannot write. One sentence each, without a subject. */
  readonly unusable: readonly string[];
  /** It may lose data; `redis.allowVolatile` accepts that. */
  readonly volatile: readonly string[];
  /** Worth a log line. */
  readonly warnings: readonly string[];
}

/** Oldest version that BullMQ recommends and whose commands (`ZADD … GT`, `SET … GET`, `COPY`) the scripts may use. */
const OLDEST_VERSION = [6, 2] as const;

/** Looks at the server, or at every master of a cluster. Rejects when it cannot be asked. */
export async function inspectRedis(client: RedisClient): Promise<RedisFindings> {
  const nodes = client instanceof Cluster ? client.nodes('master') : [client];
  if (nodes.length === 0) throw new DeliveryError('unreachable', 'no master of the cluster is known');
  const found = await Promise.all(nodes.map(inspectServer));
  return {
    unusable: found.flatMap((node) => node.unusable),
    volatile: found.flatMap((node) => node.volatile),
    warnings: found.flatMap((node) => node.warnings),
  };
}

async function inspectServer(server: Redis): Promise<RedisFindings> {
  await server.ping();
  const facts = await readInfo(server);
  if (facts instanceof Error) {
    return {
      unusable: [],
      volatile: [],
      warnings: [`refuses INFO (${facts.message}), so whether it keeps data safe is unknown`],
    };
  }
  const warnings: string[] = [];
  const sync = await readSetting(server, 'appendfsync');
  if (facts.get('aof_enabled') === '1' && sync !== undefined && sync !== 'always') {
    warnings.push(`has "appendfsync ${sync}": a power loss may take the last moments with it`);
  }
  return { unusable: unusable(facts), volatile: volatile(facts), warnings };
}

function unusable(facts: ReadonlyMap<string, string>): string[] {
  const problems: string[] = [];
  const version = facts.get('redis_version') ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_VERSION;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    problems.push(`is version ${version || 'unknown'}; ${OLDEST_VERSION.join('.')} or later is needed`);
  }
  if (facts.get('loading') === '1') problems.push('is still loading its data');
  if (facts.get('aof_enabled') === '1' && facts.get('aof_last_write_status') === 'err') {
    problems.push('cannot write its append-only file (is the disk full?)');
  }
  return problems;
}

function volatile(facts: ReadonlyMap<string, string>): string[] {
  const problems: string[] = [];
  if (facts.get('aof_enabled') === '0') {
    problems.push('keeps no append-only file, so a restart loses messages: set "appendonly yes" there');
  }
  const policy = facts.get('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    problems.push(
      `may throw messages away when memory is short: set "maxmemory-policy noeviction" there, not "${policy}"`,
    );
  }
  return problems;
}

/** The fields of INFO, or the error when the server refuses the command (an ACL); other failures reject. */
async function readInfo(server: Redis): Promise<ReadonlyMap<string, string> | Error> {
  try {
    const text = await server.info();
    return new Map(
      text.split('\r\n').flatMap((line) => {
        const colon = line.indexOf(':');
        return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1)] as const];
      }),
    );
  } catch (error) {
    if (isRefusal(error)) return error;
    throw error;
  }
}

async function readSetting(server: Redis, name: string): Promise<string | undefined> {
  try {
    const [, value] = (await server.config('GET', name)) as string[];
    return value;
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

function isRefusal(error: unknown): error is Error {
  return error instanceof Error && /^(?:NOPERM|ERR unknown command)/.test(describeError(error));
}
