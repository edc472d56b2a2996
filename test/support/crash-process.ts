/**
 * Processes that are killed and started again for the crash tests: gateways from `dist` on ports that stay the same over every
 * life, and redis-server, the gateway's own or one that two gateways share. What a gateway logs goes to a file, so that
 * reading it costs nothing; it is shown when a run fails. A gateway that ends without being killed is a failure of the run.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { bareEnvironment, ROOT } from './gateway-process.js';
import { freePort } from './ports.js';

export const ADMIN_TOKEN = 'crash-test';
const READY_LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 25;

export interface Ports {
  readonly http: number;
  readonly admin: number;
  readonly sip: number;
  readonly msrp: number;
}

export interface GatewayOptions {
  readonly name: string;
  /** Working directory; log and configuration lie there. */
  readonly home: string;
  readonly dataDir: string;
  readonly ports: Ports;
  readonly redisUrl?: string;
  /** Further keys of the configuration, by section. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** One gateway over all its lives. */
export class CrashGateway {
  readonly name: string;
  readonly ports: Ports;
  readonly logFile: string;
  /** Ends that nobody caused: each is a defect. */
  readonly unexpectedEnds: string[] = [];
  kills = 0;
  starts = 0;
  readonly #home: string;
  readonly #configFile: string;
  #child: ChildProcess | undefined;
  #isStopped = false;

  constructor(options: GatewayOptions) {
    this.#home = options.home;
    this.name = options.name;
    this.ports = options.ports;
    this.logFile = join(options.home, `${options.name}.log`);
    this.#configFile = join(options.home, `${options.name}.yaml`);
    mkdirSync(options.home, { recursive: true });
    writeFileSync(this.#configFile, JSON.stringify(configuration(options)));
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Starts the process; does not wait until it is ready. */
  start(): void {
    if (this.#child) return;
    const output = openSync(this.logFile, 'a');
    const child = spawn(process.execPath, [`${ROOT}/dist/main.js`, 'serve', '--config', this.#configFile], {
      cwd: this.#home,
      env: bareEnvironment(),
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    this.starts += 1;
    this.#child = child;
    child.once('exit', (status, signal) => {
      if (this.#child === child) this.#child = undefined;
      const isExpected = signal === 'SIGKILL' || (this.#isStopped && status === 0);
      if (isExpected) return;
      this.unexpectedEnds.push(
        `${this.name} ended with ${signal ?? `status ${status}`}: ${this.lastWords(4)}`,
      );
    });
    endWithUs(child);
  }

  /** Resolves when it takes requests. Rejects when it ends, or is not ready in a minute. */
  async ready(): Promise<void> {
    const until = Date.now() + READY_LIMIT_MS;
    while (Date.now() < until) {
      if (!this.isRunning) throw new Error(`${this.name} ended before it was ready:\n${this.lastWords()}`);
      if ((await getStatus(this.ports.admin, '/health/ready').catch(() => 0)) === 200) return;
      await pause(LOOK_EVERY_MS);
    }
    throw new Error(`${this.name} did not get ready:\n${this.lastWords()}`);
  }

  /** `kill -9`. Resolves when the process is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.kills += 1;
    await endOf(child, 'SIGKILL');
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  /** Asks it to stop, halted or not, and waits for an orderly end. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.signal('SIGCONT');
    if (this.#child) await endOf(this.#child, 'SIGTERM');
  }

  lastWords(lines = 40): string {
    if (!existsSync(this.logFile)) return '';
    return readFileSync(this.logFile, 'utf8').split('\n').slice(-lines).join('\n');
  }
}

function configuration({ ports, dataDir, redisUrl, config }: GatewayOptions) {
  return {
    dataDir,
    http: { port: ports.http },
    admin: { port: ports.admin, token: ADMIN_TOKEN },
    sip: { port: ports.sip },
    msrp: { port: ports.msrp },
    ...(redisUrl === undefined ? {} : { redis: { url: redisUrl } }),
    ...config,
  };
}

async function endOf(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

/** A redis-server for several gateways, with the durability that the gateway gives its own. */
export class SharedRedis {
  readonly port: number;
  readonly #directory: string;
  #child: ChildProcess | undefined;

  constructor(directory: string, port: number) {
    this.#directory = directory;
    this.port = port;
    mkdirSync(directory, { recursive: true });
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Resolves when it has read its file and answers. */
  async start(): Promise<void> {
    const options = { port: this.port, bind: '127.0.0.1', dir: this.#directory, save: '', appendonly: 'yes' };
    const child = spawn(
      'redis-server',
      Object.entries({ ...options, appendfsync: 'always', logfile: join(this.#directory, 'log') }).flatMap(
        ([key, value]) => [`--${key}`, String(value)],
      ),
      { stdio: 'ignore' },
    );
    this.#child = child;
    endWithUs(child);
    const until = Date.now() + READY_LIMIT_MS;
    while ((await askRedis({ host: '127.0.0.1', port: this.port }, 'PING')) !== '+PONG') {
      if (Date.now() > until || child.exitCode !== null) throw new Error('redis-server does not answer');
      await pause(LOOK_EVERY_MS);
    }
  }

  async stop(): Promise<void> {
    if (this.#child) await endOf(this.#child, 'SIGKILL');
  }
}

/** Kills the private Redis of the gateway that has this data directory. False when there is none at the moment. */
export async function killPrivateRedis(dataDir: string): Promise<boolean> {
  const info = await askRedis({ path: privateRedisSocket(dataDir) }, 'INFO server');
  const pid = Number(/^process_id:(\d+)/m.exec(info)?.[1] ?? 0);
  if (pid === 0) return false;
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false; // it has ended meanwhile
  }
}

export const privateRedisSocket = (dataDir: string) => join(dataDir, 'redis', 'redis.sock');

/** The first answer to an inline command, without its line end; empty when nobody answers. */
function askRedis(address: { path: string } | { host: string; port: number }, command: string) {
  return new Promise<string>((resolve) => {
    let text = '';
    const socket = connect(address);
    socket.setTimeout(2000, () => socket.destroy());
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.endsWith('\r\n')) socket.destroy();
    });
    socket.on('error', () => {}).on('close', () => resolve(text.trimEnd()));
    socket.write(`${command}\r\n`);
  });
}

function getStatus(port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, agent: false, timeout: 2000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer')));
    sent.on('error', reject).end();
  });
}

const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

function endWithUs(child: ChildProcess): void {
  children.add(child);
  child.once('exit', () => children.delete(child));
}

export async function gatewayPorts(): Promise<Ports> {
  const [http, admin, sip, msrp] = [await freePort(), await freePort(), await freePort(), await freePort()];
  return { http, admin, sip, msrp };
}
