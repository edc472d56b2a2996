/** The private Redis through the life of gateways: start, stop, crash of either side, two at once, awkward directories. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findExecutable } from '../../src/config/executables.js';
import {
  type EmbeddedRedisProvision,
  openEmbeddedRedis,
  openRedis,
} from '../../src/stores/embedded-redis.js';
import { takeRedisDirectory } from '../../src/stores/embedded-redis-directory.js';
import { spawnRedis } from '../../src/stores/embedded-redis-process.js';
import { createRedis, type RedisClient } from '../../src/stores/redis-connection.js';
import type { LogEvent } from '../../src/telemetry/log.js';

const BINARY = findExecutable(['redis-server', 'valkey-server']) ?? 'redis-server is not installed';

let home: string;
let open: { close(): Promise<void> }[];
let clients: RedisClient[];
let events: LogEvent[];
const log = (event: LogEvent) => {
  events.push(event);
};

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'carillon-redis-'));
  open = [];
  clients = [];
  events = [];
});

afterEach(async () => {
  for (const client of clients) client.disconnect();
  for (const provision of open) await provision.close();
  rmSync(home, { recursive: true });
});

function settings(dataDir = home) {
  return { dataDir, redis: { durability: 'always', allowVolatile: false } } as const;
}

async function start(dataDir = home): Promise<EmbeddedRedisProvision> {
  const provision = await openEmbeddedRedis(settings(dataDir), log);
  open.push(provision);
  return provision;
}

function clientOf(provision: EmbeddedRedisProvision): RedisClient {
  const client = createRedis(provision, { role: 'store' });
  clients.push(client);
  return client;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Asks until the answer is as wanted; the test's own time limit ends it otherwise. */
async function until<T>(ask: () => Promise<T> | T, isWanted: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isWanted(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('a private Redis', () => {
  it('is ready for messages as soon as it is open', async () => {
    const provision = await start();
    expect(await provision.problem()).toBeUndefined();
    expect(provision.kind).toBe('embedded');
  });

  it('keeps its promises: append-only, synced always, nothing evicted, no TCP port', async () => {
    const redis = clientOf(await start());
    const get = async (name: string) => ((await redis.config('GET', name)) as string[])[1];
    expect(
      await Promise.all(['appendonly', 'appendfsync', 'maxmemory-policy', 'port', 'save'].map(get)),
    ).toEqual(['yes', 'always', 'noeviction', '0', '']);
  });

  it('ends with the gateway and has the data again at the next start', async () => {
    const first = await start();
    await clientOf(first).set('kept', 'yes');
    const { pid } = first;
    await first.close();
    expect(isAlive(pid)).toBe(false);
    expect(await clientOf(await start()).get('kept')).toBe('yes');
  });

  it('is started again with its data when it is killed', async () => {
    const provision = await start();
    const redis = clientOf(provision);
    await redis.set('kept', 'yes');
    const killed = provision.pid;
    process.kill(killed, 'SIGKILL');
    await until(
      () => provision.problem(),
      (problem) => problem === undefined && provision.pid !== killed,
    );
    expect(
      await until(
        () => redis.get('kept').catch(() => undefined),
        (value) => value !== undefined,
      ),
    ).toBe('yes');
    expect(events.map(({ message }) => message)).toEqual(
      expect.arrayContaining([
        'the private Redis is gone; starting it again',
        'the private Redis runs again',
      ]),
    );
  });

  it('says why it is not ready while it is down', async () => {
    const provision = await start();
    process.kill(provision.pid, 'SIGKILL');
    const problem = await until(
      () => provision.problem(),
      (text) => text !== undefined,
    );
    expect(problem).toMatch(/^The private Redis /);
  });

  it('is adopted when the gateway that started it was killed', async () => {
    const directory = join(home, 'redis');
    mkdirSync(directory);
    const orphan = spawnRedis(BINARY, directory, 'everysec');
    const probe = createRedis(
      { address: { kind: 'socket', path: join(directory, 'redis.sock'), db: 0 } },
      { role: 'queue' },
    );
    clients.push(probe);
    await probe.set('left', 'behind');
    const provision = await start();
    expect(events.map(({ message }) => message)).toEqual(['adopted the private Redis of an earlier gateway']);
    expect(await clientOf(provision).get('left')).toBe('behind');
    expect(((await probe.config('GET', 'appendfsync')) as string[])[1]).toBe('always');
    await provision.close();
    expect(orphan.ended).toBe('exit status 0');
  });

  it('drops a write that was cut off by a crash and starts', async () => {
    const first = await start();
    await clientOf(first).set('kept', 'yes');
    await clientOf(first).set('cut', 'x'.repeat(100));
    await first.close();
    const files = join(home, 'redis', 'appendonlydir');
    const increment = readdirSync(files).find((name) => name.endsWith('.incr.aof')) ?? '';
    const { size } = statSync(join(files, increment));
    truncateSync(join(files, increment), size - 50);
    const redis = clientOf(await start());
    expect(await redis.mget('kept', 'cut')).toEqual(['yes', null]);
  });

  it('refuses to start, in its own words, when its file is damaged', async () => {
    const first = await start();
    await clientOf(first).set('kept', 'yes');
    await first.close();
    const files = join(home, 'redis', 'appendonlydir');
    const increment = readdirSync(files).find((name) => name.endsWith('.incr.aof')) ?? '';
    writeFileSync(join(files, increment), 'this is not an append-only file\r\n'.repeat(4));
    await expect(start()).rejects.toMatchObject({
      code: 'unreachable',
      detail: expect.stringMatching(/would not serve .*\(exit status 1\): .*Bad file format/),
    });
  });

  it('says so when the data directory cannot be made', async () => {
    writeFileSync(join(home, 'file'), '');
    await expect(start(join(home, 'file'))).rejects.toMatchObject({
      code: 'unreachable',
      detail: expect.stringContaining('cannot be made (ENOTDIR)'),
    });
  });

  it('works in a directory whose path is too long for a socket address', async () => {
    const deep = join(home, 'a'.repeat(60), 'b'.repeat(60));
    const provision = await start(deep);
    expect(Buffer.byteLength(provision.address.kind === 'socket' ? provision.address.path : '')).toBeLessThan(
      104,
    );
    await clientOf(provision).set('kept', 'yes');
    await provision.close();
    expect(await clientOf(await start(deep)).get('kept')).toBe('yes');
  });

  it('works in a directory with spaces, quotes and letters of other scripts', async () => {
    const odd = join(home, `a "b" 'c' \\d é 鐘`);
    await clientOf(await start(odd)).set('kept', 'yes');
    expect(readdirSync(join(odd, 'redis'))).toContain('appendonlydir');
  });

  it('is what openRedis gives when no URL is configured', async () => {
    const provision = await openRedis(settings(), log);
    open.push(provision);
    expect(provision.description).toBe(`private Redis on unix://${join(home, 'redis', 'redis.sock')}`);
  });
});

describe('the directory of a private Redis', () => {
  it('is readable by its owner only', async () => {
    await start(join(home, 'new'));
    expect(['new', 'new/redis'].map((path) => statSync(join(home, path)).mode & 0o777)).toEqual([
      0o700, 0o700,
    ]);
  });

  it('is refused to a second gateway, which is told who has it', async () => {
    await start();
    await expect(openEmbeddedRedis(settings(), log)).rejects.toMatchObject({
      code: 'conflict',
      detail: expect.stringContaining(`Another gateway (process ${process.pid}) uses ${join(home, 'redis')}`),
    });
  });

  it('is free again after the gateway has stopped', async () => {
    const directory = await takeRedisDirectory(home);
    await directory.release();
    const again = await takeRedisDirectory(home);
    await again.release();
    expect(readdirSync(home)).toEqual([]);
  });

  it('is free again after the gateway that had it was killed', async () => {
    await leaveStaleLock();
    const directory = await takeRedisDirectory(home);
    open.push({ close: () => directory.release() });
    await expect(takeRedisDirectory(home)).rejects.toMatchObject({ code: 'conflict' });
    expect(readdirSync(home)).toHaveLength(1);
  });

  it('goes to exactly one of many gateways that start at once over a stale lock', async () => {
    await leaveStaleLock();
    const results = await Promise.allSettled(Array.from({ length: 16 }, () => takeRedisDirectory(home)));
    const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    for (const winner of winners) open.push({ close: () => winner.release() });
    expect(winners).toHaveLength(1);
    expect(readdirSync(home)).toHaveLength(1);
  });

  /** What a gateway leaves that is killed while it has the directory. */
  async function leaveStaleLock() {
    const lock = join(home, 'gateway.0123456789abcdef.lock');
    const script = `require('node:net').createServer().listen(${JSON.stringify(lock)}, () => console.log('ready'))`;
    const holder = spawn(process.execPath, ['-e', script]);
    await once(holder.stdout, 'data');
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect(readdirSync(home)).toEqual(['gateway.0123456789abcdef.lock']);
  }
});
