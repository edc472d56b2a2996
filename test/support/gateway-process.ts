/**
 * A whole gateway as its own process, from `dist`: on free ports, in a directory of the test, with its log as values. For tests
 * of what only a process has: signals, crashes, the command line.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface GatewayProcess {
  readonly child: ChildProcess;
  readonly log: readonly LogLine[];
  /** What it has printed for people so far. */
  readonly printed: string;
  /** Resolves with the log line of that message, past or future; rejects when the process ends without it. */
  logged(message: string): Promise<LogLine>;
  /** Resolves with the exit status (null when a signal ended it) once it has ended and its output is read. */
  readonly ended: Promise<number | null>;
}

/** Builds `dist` when it is not current. Call once before the tests of a file. */
export function buildGateway(): void {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build.mjs'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the build failed:\n${stderr}`);
}

/** What a program needs to be found and to run; nothing of what this machine says to a gateway (CARILLON_…, REDIS_URL). */
export function bareEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env;
  return { PATH, HOME };
}

/** Every listener on a free port, so that gateways do not meet. */
export const FREE_PORTS = {
  CARILLON_HTTP_PORT: '0',
  CARILLON_ADMIN_PORT: '0',
  CARILLON_SIP_PORT: '0',
  CARILLON_MSRP_PORT: '0',
} as const;

/** Starts `carillon serve` in `directory`, in a process group of its own. */
export function startGatewayProcess(
  directory: string,
  options: { readonly environment?: Record<string, string>; readonly args?: readonly string[] } = {},
): GatewayProcess {
  const child = spawn(process.execPath, [`${ROOT}/dist/main.js`, 'serve', ...(options.args ?? [])], {
    cwd: directory,
    env: { ...bareEnvironment(), ...FREE_PORTS, ...options.environment },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: LogLine[] = [];
  const waiting = new Set<() => void>();
  const tell = () => {
    for (const look of [...waiting]) look();
  };
  let printed = '';
  let hasEnded = false;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    log.push(JSON.parse(line) as LogLine);
    tell();
  });
  const ended = once(child, 'close').then(() => {
    hasEnded = true;
    tell();
    return child.exitCode;
  });
  const logged = (message: string) =>
    new Promise<LogLine>((resolve, reject) => {
      const look = () => {
        const found = log.find(({ msg }) => msg === message);
        if (found === undefined && !hasEnded) return;
        waiting.delete(look);
        if (found === undefined) reject(new Error(`ended without logging "${message}":\n${printed}`));
        else resolve(found);
      };
      waiting.add(look);
      look();
    });
  return {
    child,
    log,
    get printed() {
      return printed;
    },
    logged,
    ended,
  };
}
