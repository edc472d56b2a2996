/**
 * The redis-server process itself: its configuration, its start in a session of its own (a Ctrl-C meant for the gateway does
 * not reach it) and what it said when it would not start. Output goes to `redis.log` beside the data, because the process
 * may outlive the gateway and must not write into a broken pipe.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

export type Durability = 'always' | 'everysec';

export const SOCKET_NAME = 'redis.sock';
const LOG_NAME = 'redis.log';
const MAX_LOG_BYTES = 1024 * 1024;
const SHOWN_LOG_BYTES = 2048;
const SHOWN_LOG_LINES = 4;

export interface RedisProcess {
  /** Undefined while it runs; then how it ended. */
  readonly ended: string | undefined;
  /** Resolves when it has ended, with how. */
  readonly end: Promise<string>;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
  /** The last lines it has written since its start, joined. */
  lastWords(): Promise<string>;
}

/** Starts redis-server on `directory`; it listens on `redis.sock` there and nowhere else. */
export function spawnRedis(binary: string, directory: string, durability: Durability): RedisProcess {
  const logFile = join(directory, LOG_NAME);
  rotate(logFile);
  const output = openSync(logFile, 'a', 0o600);
  const from = statSync(logFile).size;
  const child = spawn(binary, ['-'], { cwd: directory, detached: true, stdio: ['pipe', output, output] });
  closeSync(output);
  child.unref();
  child.stdin?.on('error', () => {}); // it ended before it read its configuration: `end` tells
  child.stdin?.end(configuration(directory, durability));
  return watch(child, () => tail(logFile, from));
}

function watch(child: ChildProcess, lastWords: () => Promise<string>): RedisProcess {
  let ended: string | undefined;
  const end = new Promise<string>((resolve) => {
    const finish = (how: string) => {
      ended ??= how;
      resolve(ended);
    };
    child.once('error', (error) => finish(error.message));
    child.once('exit', (code, signal) =>
      finish(signal === null ? `exit status ${code}` : `signal ${signal}`),
    );
  });
  return {
    get ended() {
      return ended;
    },
    end,
    kill: (signal) => child.kill(signal),
    lastWords,
  };
}

function configuration(directory: string, durability: Durability): string {
  return [
    `dir ${quoted(directory)}`, // first: the names below are relative to it, so no path is too long for a socket
    'port 0',
    `unixsocket ${SOCKET_NAME}`,
    'unixsocketperm 700',
    'protected-mode yes',
    'daemonize no',
    'logfile ""',
    'save ""',
    'appendonly yes',
    `appendfsync ${durability}`,
    'no-appendfsync-on-rewrite no',
    'aof-load-truncated yes', // a write cut by a crash was never answered: drop it and go on
    'maxmemory-policy noeviction',
    'timeout 0',
    '',
  ].join('\n');
}

/** A string in redis.conf syntax. */
function quoted(text: string): string {
  const escaped = text.replace(/["\\\n\r\t]/g, (character) => {
    const short: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
    return short[character] ?? `\\${character}`;
  });
  return `"${escaped}"`;
}

function rotate(logFile: string): void {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (size > MAX_LOG_BYTES) renameSync(logFile, `${logFile}.1`);
}

async function tail(logFile: string, from: number): Promise<string> {
  const file = await open(logFile, 'r');
  try {
    const { size } = await file.stat();
    const start = Math.max(from, size - SHOWN_LOG_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SHOWN_LOG_BYTES), 0, SHOWN_LOG_BYTES, start);
    const lines = buffer
      .toString('utf8', 0, bytesRead)
      .split('\n')
      .filter((line) => line.trim() !== '');
    return lines.slice(-SHOWN_LOG_LINES).join(' | ');
  } finally {
    await file.close();
  }
}
