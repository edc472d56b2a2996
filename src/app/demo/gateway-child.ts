/**
 * A gateway as a process of its own, `carillon serve` from the same build, that can be killed as hard as the operating system
 * knows how and started again on the same data and the same ports.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../../config/child-environment.js';
import { DeliveryError } from '../../kernel/errors.js';

const MAIN = fileURLToPath(new URL('../../main.js', import.meta.url));
const START_LIMIT_MS = 15_000;
/** Attempts at an orderly end. */
const MAX_ENDS = 3;
/** Lines of standard error that are kept to explain a failed start. */
const KEPT_LINES = 20;

export interface ListeningAt {
  readonly host: string;
  readonly port: number;
}

export interface GatewayAddresses {
  readonly http: ListeningAt;
  readonly admin: ListeningAt;
  readonly sip: ListeningAt;
  readonly msrp: ListeningAt;
}

export class GatewayChild {
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  #addresses: GatewayAddresses | undefined;
  #start: Promise<GatewayAddresses> | undefined;
  #isClosing = false;

  /** `environment` holds the configuration, `CARILLON_…`. */
  constructor(environment: Readonly<Record<string, string>>) {
    this.#environment = environment;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it, on free ports the first time and on the same ones from then on. Resolves when it is ready. */
  async start(): Promise<GatewayAddresses> {
    if (this.#isClosing) throw new DeliveryError('unreachable', 'the gateway is being put away');
    return this.#startNow();
  }

  /** SIGKILL: no chance to say anything to anybody. Resolves when the process is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /**
   * Ends it in order, for good. One that was killed, or had to break off its end, has left its private Redis running for its
   * successor; a successor is started for a moment, so that nothing stays behind.
   */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#start === undefined) return;
    // A process that is still starting would die of the signal, and not put its Redis away.
    await this.#start.catch(() => undefined);
    for (let attempt = 0; attempt < MAX_ENDS; attempt += 1) {
      if (this.#child === undefined || !isAlive(this.#child)) await this.#startNow();
      if ((await this.#end('SIGTERM')) === 0) return;
    }
  }

  #startNow(): Promise<GatewayAddresses> {
    const child = spawn(process.execPath, [MAIN, 'serve'], {
      env: childEnvironment({ ...portsOf(this.#addresses), ...this.#environment }),
      stdio: ['ignore', 'pipe', 'pipe'],
      // Its own process group: Ctrl-C reaches the demonstration alone, which then ends it in order.
      detached: true,
    });
    this.#child = child;
    this.#start = readyAddresses(child).then((addresses) => {
      this.#addresses = addresses;
      return addresses;
    });
    return this.#start;
  }

  /** Resolves with the exit status; null when a signal ended it. */
  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || !isAlive(child)) return null;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
    return child.exitCode;
  }
}

function isAlive({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

/** Waits for the log line "ready", which tells the addresses. */
async function readyAddresses(child: ChildProcess): Promise<GatewayAddresses> {
  const lastWords: string[] = [];
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new DeliveryError('unreachable', 'the gateway has no output');
  createInterface({ input: stderr }).on('line', (line) => {
    lastWords.push(line);
    if (lastWords.length > KEPT_LINES) lastWords.shift();
  });
  return new Promise((resolve, reject) => {
    const fail = (what: string) =>
      reject(new DeliveryError('unreachable', `the gateway ${what}:\n${lastWords.join('\n')}`));
    const limit = setTimeout(() => fail(`was not ready within ${START_LIMIT_MS} ms`), START_LIMIT_MS);
    child.once('error', (error) => fail(`could not be started (${error.message})`));
    child.once('close', () => {
      clearTimeout(limit);
      fail('ended before it was ready');
    });
    createInterface({ input: stdout }).on('line', (line) => {
      const entry = logEntry(line);
      if (entry?.['msg'] !== 'ready') return;
      clearTimeout(limit);
      resolve(entry as unknown as GatewayAddresses);
    });
  });
}

function logEntry(line: string): Record<string, unknown> | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null ? (entry as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function portsOf(addresses: GatewayAddresses | undefined): Record<string, string> {
  const port = (name: keyof GatewayAddresses) => String(addresses?.[name].port ?? 0);
  return {
    CARILLON_HTTP_PORT: port('http'),
    CARILLON_ADMIN_PORT: port('admin'),
    CARILLON_SIP_PORT: port('sip'),
    CARILLON_MSRP_PORT: port('msrp'),
  };
}
