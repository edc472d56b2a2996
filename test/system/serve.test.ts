/** `carillon serve` as a process: its first words, its last ones, and what is left when it is killed. */

import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedRedis } from '../../src/stores/embedded-redis.js';
import { createRedis } from '../../src/stores/redis-connection.js';
import { buildGateway, type GatewayProcess, startGatewayProcess } from '../support/gateway-process.js';

let home: string;
let gateways: GatewayProcess[];

beforeAll(() => buildGateway());
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'carillon-serve-'));
  gateways = [];
});
afterEach(async () => {
  for (const gateway of gateways) {
    gateway.child.kill('SIGTERM');
    await gateway.ended;
  }
  rmSync(home, { recursive: true });
});

function start(options: Parameters<typeof startGatewayProcess>[1] = {}): GatewayProcess {
  const gateway = startGatewayProcess(home, options);
  gateways.push(gateway);
  return gateway;
}

async function stop(gateway: GatewayProcess, signal: NodeJS.Signals = 'SIGTERM') {
  gateway.child.kill(signal);
  return gateway.ended;
}

const tokenFile = () => join(home, '.carillon', 'admin-token');

describe('carillon serve', () => {
  it('runs in an empty directory, says where everything is, and ends in order (SIR-173)', async () => {
    const gateway = start();
    const ready = await gateway.logged('ready');
    const { port } = ready['http'] as { port: number };
    expect(gateway.printed).toContain(`http://127.0.0.1:${port}/pap`);
    expect(gateway.printed).toContain('First push');
    expect(await stop(gateway)).toBe(0);
    expect(gateway.log.map(({ msg }) => msg)).toEqual(expect.arrayContaining(['stopping', 'stopped']));
    expect(gateway.log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  });

  it('shows the admin token once and keeps it for its owner', async () => {
    const first = start();
    await first.logged('ready');
    const token = readFileSync(tokenFile(), 'utf8').trim();
    expect(first.printed).toContain(token);
    expect(JSON.stringify(first.log)).not.toContain(token);
    expect(statSync(tokenFile()).mode & 0o777).toBe(0o600);
    await stop(first);
    const second = start();
    await second.logged('ready');
    expect(second.printed).not.toContain(token);
    expect(second.printed).toContain(tokenFile());
  });

  it('reads the file of --config', async () => {
    writeFileSync(join(home, 'other.yaml'), 'domain: push.example.test\n');
    const gateway = start({ args: ['--config', 'other.yaml'] });
    await gateway.logged('ready');
    expect(gateway.printed).toContain('sip:ppg@push.example.test');
  });

  it('names a mistake in the configuration and ends with 78', async () => {
    writeFileSync(join(home, 'carillon.yaml'), 'http:\n  prot: 1\n');
    const gateway = start();
    expect(await gateway.ended).toBe(78);
    expect(gateway.printed).toMatch(
      /^carillon: http\.prot \(.*carillon\.yaml line 2\) is not a configuration key/,
    );
  });

  it('refuses a data directory that another gateway uses, with 69', async () => {
    const first = start();
    await first.logged('ready');
    const second = start();
    expect(await second.ended).toBe(69);
    expect(second.printed).toMatch(/^carillon: Another gateway \(process \d+\) uses /);
  });

  it('says which key to change when a port is taken, and leaves nothing running', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const gateway = start({ environment: { CARILLON_HTTP_PORT: String(port) } });
    expect(await gateway.ended).toBe(69);
    expect(gateway.printed).toContain(
      `Port ${port} on 127.0.0.1 is taken: stop the program that has it, or set http.port`,
    );
    other.close();
    const events: string[] = [];
    const redis = await openEmbeddedRedis(
      { dataDir: join(home, '.carillon'), redis: { durability: 'always', allowVolatile: false } },
      ({ message }) => events.push(message),
    );
    await redis.close();
    expect(events).toEqual([]);
  });

  it('ends in order when a terminal signals its whole group, with Redis stopped last', async () => {
    const gateway = start();
    await gateway.logged('ready');
    process.kill(-(gateway.child.pid ?? 0), 'SIGINT');
    expect(await gateway.ended).toBe(0);
    expect(gateway.log.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it('leaves its Redis running when it is killed, and the next one takes it over with everything in it', async () => {
    const first = start();
    await first.logged('ready');
    const redis = createRedis(
      { address: { kind: 'socket', path: join(home, '.carillon', 'redis', 'redis.sock'), db: 0 } },
      { role: 'queue' },
    );
    await redis.set('kept', 'yes');
    first.child.kill('SIGKILL');
    await first.ended;
    const second = start();
    await second.logged('ready');
    expect(second.log.map(({ msg }) => msg)).toContain('adopted the private Redis of an earlier gateway');
    expect(await redis.get('kept')).toBe('yes');
    redis.disconnect();
    expect(await stop(second)).toBe(0);
  });
});
