/** A Redis of the test's own on a Unix socket in a temporary directory; it can be killed and started again on its data. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRedis, type RedisClient, type RedisRole } from '../../src/stores/redis-connection.js';

export class TestRedis {
  readonly directory: string;
  readonly #clients: RedisClient[] = [];
  #server: ChildProcess | undefined;

  private constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'carillon-stores-'));
  }

  static async start(): Promise<TestRedis> {
    const redis = new TestRedis();
    await redis.#serve();
    return redis;
  }

  /** A client as the gateway makes it, for its stores unless another role is named. */
  client(role: RedisRole = 'store'): RedisClient {
    const address = { kind: 'socket', path: join(this.directory, 'redis.sock'), db: 0 } as const;
    const client = createRedis({ address }, { role });
    client.on('error', () => {}); // tests that take the server away expect it
    this.#clients.push(client);
    return client;
  }

  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.kill('SIGKILL');
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
  }

  /** Kills the server and starts it again on what it has written; resolves when every client is back. */
  async restart(): Promise<void> {
    await this.kill();
    await this.#serve();
    await Promise.all(
      this.#clients.map(async (client) => {
        if (client.status !== 'ready') await once(client, 'ready');
      }),
    );
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.disconnect();
    await this.kill();
    rmSync(this.directory, { recursive: true });
  }

  async #serve(): Promise<void> {
    const server = spawn('redis-server', ['-'], { cwd: this.directory, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#server = server;
    const lines = ['port 0', 'unixsocket redis.sock', 'save ""', 'appendonly yes', 'appendfsync no'];
    server.stdin.end([...lines, ''].join('\n'));
    let output = '';
    for await (const chunk of server.stdout.iterator({ destroyOnReturn: false })) {
      output += chunk;
      if (output.includes('connections at')) break;
    }
    server.stdout.resume();
  }
}
