/** Clients against one server, a cluster and sentinels; what happens to commands when Redis goes away; what is trusted. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseRedisUrl } from '../../src/config/redis-url.js';
import { openRedis } from '../../src/stores/embedded-redis.js';
import {
  createRedis,
  type RedisClient,
  type RedisRole,
  storeError,
} from '../../src/stores/redis-connection.js';
import type { LogEvent } from '../../src/telemetry/log.js';
import { freePort } from '../support/ports.js';

let home: string;
let servers: ChildProcess[];
let clients: RedisClient[];
let events: LogEvent[];
const log = (event: LogEvent) => {
  events.push(event);
};

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'carillon-redis-'));
  servers = [];
  clients = [];
  events = [];
});

afterEach(async () => {
  for (const client of clients) client.disconnect();
  for (const server of servers) {
    if (server.exitCode !== null || server.signalCode !== null) continue;
    server.kill('SIGKILL');
    await once(server, 'exit');
  }
  rmSync(home, { recursive: true });
});

/** A redis-server with these lines of configuration, ready for commands. */
async function serve(port: number, ...lines: string[]): Promise<ChildProcess> {
  const server = spawn('redis-server', ['-'], { cwd: home, stdio: ['pipe', 'pipe', 'inherit'] });
  servers.push(server);
  server.stdin?.end([`port ${port}`, 'bind 127.0.0.1', 'save ""', ...lines, ''].join('\n'));
  let output = '';
  for await (const chunk of server.stdout ?? []) {
    output += chunk;
    if (output.includes('Ready to accept connections')) break;
  }
  server.stdout?.resume();
  return server;
}

function connect(url: string, role: RedisRole): RedisClient {
  const address = parseRedisUrl(url);
  if (address === undefined) throw new Error(`no Redis URL: ${url}`);
  const client = createRedis({ address, log }, { role });
  clients.push(client);
  return client;
}

function settings(url: string, allowVolatile = false) {
  return { dataDir: home, redis: { url, durability: 'always', allowVolatile } } as const;
}

describe('a store client', () => {
  it('fails a command under way at once when Redis dies, as busy, and never repeats it', async () => {
    const port = await freePort();
    const server = await serve(port, 'appendonly yes');
    const store = connect(`redis://127.0.0.1:${port}`, 'store');
    await store.ping();
    await store.eval("redis.call('set', 'n', 0)", 0);
    server.kill('SIGSTOP');
    const underWay = store.incr('n').catch(storeError);
    await new Promise((resolve) => setImmediate(resolve));
    const exited = once(server, 'exit');
    server.kill('SIGKILL');
    expect(await underWay).toMatchObject({ code: 'busy', retry: 'later', fault: 'downstream' });
    await exited;
    await serve(port, 'appendonly yes');
    let value: string | null | undefined;
    while (value === undefined) value = await store.get('n').catch(() => undefined);
    expect(value).toBe('0');
  });

  it('works again by itself when Redis is back, and tells of both once', async () => {
    const port = await freePort();
    const first = await serve(port, 'appendonly yes');
    const store = connect(`redis://127.0.0.1:${port}`, 'store');
    await store.set('kept', 'yes');
    first.kill('SIGKILL');
    await once(first, 'exit');
    await expect(store.get('kept')).rejects.toThrow();
    await serve(port, 'appendonly yes');
    let value: string | null | undefined;
    while (value === undefined) value = await store.get('kept').catch(() => undefined);
    expect(value).toBe('yes');
    expect(events.map(({ message }) => message)).toEqual([
      'connection to Redis lost',
      'connection to Redis is back',
    ]);
  });

  it('tells a defect of ours from a Redis that cannot serve for now', async () => {
    const port = await freePort();
    await serve(port);
    const store = connect(`redis://127.0.0.1:${port}`, 'store');
    await store.set('text', 'x');
    expect(await store.incr('text').catch(storeError)).toMatchObject({ code: 'internal', fault: 'us' });
    await store.config('SET', 'maxmemory', '1');
    expect(await store.set('more', 'x').catch(storeError)).toMatchObject({ code: 'busy' });
  });
});

describe('other roles', () => {
  it.each(['queue', 'worker', 'subscriber'] as const)('%s waits for Redis to come back', async (role) => {
    const port = await freePort();
    const client = connect(`redis://127.0.0.1:${port}`, role);
    const answer = client.ping();
    await new Promise((resolve) => client.once('reconnecting', resolve));
    await serve(port);
    expect(await answer).toBe('PONG');
  });
});

describe('Redis Cluster', () => {
  it('serves the same commands, scripts included', async () => {
    const port = await freePort();
    await serve(
      port,
      'cluster-enabled yes',
      'cluster-announce-ip 127.0.0.1',
      'appendonly yes',
      `cluster-port ${await freePort()}`,
    );
    const admin = connect(`redis://127.0.0.1:${port}`, 'queue');
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    while (!(await admin.call('CLUSTER', 'INFO').then(String)).includes('cluster_state:ok'))
      await admin.ping();
    const store = connect(`redis+cluster://127.0.0.1:${port}`, 'store');
    await Promise.all([store.set('{a}1', 'x'), store.set('{b}1', 'y')]);
    expect(await store.eval("return redis.call('get', KEYS[1])", 1, '{a}1')).toBe('x');
    const provision = await openRedis(settings(`redis+cluster://127.0.0.1:${port}`), log);
    expect(await provision.problem()).toBeUndefined();
    await provision.close();
  });
});

describe('Sentinel', () => {
  it('leads to the master', async () => {
    const [port, sentinelPort] = [await freePort(), await freePort()];
    await serve(port, 'appendonly yes');
    const file = join(home, 'sentinel.conf');
    writeFileSync(
      file,
      `port ${sentinelPort}\nbind 127.0.0.1\ndir ${home}\nsentinel monitor main 127.0.0.1 ${port} 1\n`,
    );
    servers.push(spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' }));
    const store = connect(`redis+sentinel://127.0.0.1:${sentinelPort}/main`, 'queue');
    await store.set('kept', 'yes');
    const direct = connect(`redis://127.0.0.1:${port}`, 'store');
    expect(await direct.get('kept')).toBe('yes');
  });
});

describe('an external Redis', () => {
  it('is trusted when it keeps an append-only file and evicts nothing', async () => {
    const port = await freePort();
    await serve(port, 'appendonly yes', 'appendfsync always', 'maxmemory-policy noeviction');
    const provision = await openRedis(settings(`redis://127.0.0.1:${port}`), log);
    expect(await provision.problem()).toBeUndefined();
    expect(events).toEqual([]);
    await provision.close();
  });

  it.each([
    ['appendonly no', /keeps no append-only file, so a restart loses messages: set "appendonly yes" there/],
    [
      'maxmemory-policy allkeys-lru',
      /may throw messages away when memory is short: set "maxmemory-policy noeviction"/,
    ],
  ])('is not trusted with "%s", unless volatile data is allowed', async (line, sentence) => {
    const port = await freePort();
    await serve(port, 'appendonly yes', line);
    const strict = await openRedis(settings(`redis://127.0.0.1:${port}`), log);
    expect(await strict.problem()).toMatch(sentence);
    await strict.close();
    const lenient = await openRedis(settings(`redis://127.0.0.1:${port}`, true), log);
    expect(await lenient.problem()).toBeUndefined();
    await lenient.close();
  });

  it('becomes trusted as soon as it is set right', async () => {
    const port = await freePort();
    await serve(port, 'appendonly no');
    const provision = await openRedis(settings(`redis://127.0.0.1:${port}`), log);
    expect(await provision.problem()).toBeDefined();
    await connect(`redis://127.0.0.1:${port}`, 'store').config('SET', 'appendonly', 'yes');
    expect(await provision.problem()).toBeUndefined();
    await provision.close();
  });

  it('is judged by INFO alone where CONFIG is forbidden', async () => {
    const port = await freePort();
    await serve(port, 'appendonly yes', 'user limited on >pw ~* &* +@all -config');
    const provision = await openRedis(settings(`redis://limited:pw@127.0.0.1:${port}`), log);
    expect(await provision.problem()).toBeUndefined();
    await provision.close();
  });

  it('gets the benefit of the doubt, and a warning, where INFO is forbidden too', async () => {
    const port = await freePort();
    await serve(port, 'appendonly no', 'user limited on >pw ~* &* +@all -config -info');
    const provision = await openRedis(settings(`redis://limited:pw@127.0.0.1:${port}`), log);
    expect(await provision.problem()).toBeUndefined();
    expect(events).toContainEqual(
      expect.objectContaining({ level: 'warn', reason: expect.stringContaining('INFO') }),
    );
    await provision.close();
  });

  it('is refused in one sentence without the password when the password is wrong', async () => {
    const port = await freePort();
    await serve(port, 'requirepass right');
    await expect(openRedis(settings(`redis://:wrong@127.0.0.1:${port}`), log)).rejects.toMatchObject({
      code: 'unreachable',
      detail: expect.stringMatching(
        /^Redis at redis:\/\/127\.0\.0\.1:\d+\/0 cannot be used: WRONGPASS (?!.*wrong@)/,
      ),
    });
  });
});
