/**
 * The right of one gateway to a directory, which ends with the process however that ends. Every gateway announces itself by
 * a Unix socket of a name of its own in the directory, and only then looks at the others; of two that start at the same
 * time the one with the lower name goes on. A socket that nobody listens on belongs to a gateway that was killed and is
 * removed; names are never used again, so no live one can be removed by mistake. Nothing is guessed from process numbers
 * or ages of files, and nothing is left to chance between looking and taking.
 */
import { randomBytes } from 'node:crypto';
import { readdir, rename, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DeliveryError } from '../kernel/errors.js';

const LOCK_NAME = /^gateway\.[0-9a-f]{16}\.lock$/;
export const LONGEST_LOCK_NAME = 'gateway.0123456789abcdef.lock';

const POLL_MS = 10;
/** How long a gateway with a lower name waits for the others to withdraw. */
const WITHDRAWAL_MS = 5_000;
const ANSWER_MS = 2_000;
const MAX_ANSWER_BYTES = 64;

export interface DirectoryLock {
  release(): Promise<void>;
}

interface Rival {
  readonly name: string;
  readonly pid: string;
  /** It has the directory; false while it, too, is still looking. */
  readonly holds: boolean;
}

/**
 * Takes the right to `path`. `shortPath` is the same directory under a path short enough for socket addresses.
 * Throws DeliveryError('conflict') when another gateway has it, ('unreachable') when the file system takes no sockets.
 */
export async function takeLock(shortPath: string, path: string): Promise<DirectoryLock> {
  const own = `gateway.${randomBytes(8).toString('hex')}`;
  const name = `${own}.lock`;
  let holds = false;
  const server = await listen(
    join(shortPath, `${own}.tmp`),
    path,
    () => `${process.pid} ${holds ? 'holds' : 'looks'}`,
  );
  const release = async () => {
    await unlink(join(path, name)).catch(() => {});
    await new Promise((resolve) => server.close(resolve));
  };
  try {
    // Announced under its lock name only when it answers: whoever finds the name refused knows that it is dead.
    await rename(join(path, `${own}.tmp`), join(path, name));
    await waitForRivals(shortPath, path, name);
    holds = true;
    return { release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function waitForRivals(shortPath: string, path: string, own: string): Promise<void> {
  const until = Date.now() + WITHDRAWAL_MS;
  for (;;) {
    const rivals = await liveRivals(shortPath, path, own);
    const winner = rivals.find((rival) => rival.holds || rival.name < own);
    const [any] = rivals;
    if (any === undefined) return;
    if (winner !== undefined || Date.now() >= until) throw inUse(path, winner ?? any);
    await delay(POLL_MS);
  }
}

/** The other gateways that live; what dead ones left is removed. */
async function liveRivals(shortPath: string, path: string, own: string): Promise<Rival[]> {
  const rivals: Rival[] = [];
  for (const name of await readdir(path)) {
    if (!LOCK_NAME.test(name) || name === own) continue;
    const answer = await ask(join(shortPath, name));
    if (answer === undefined) {
      await unlink(join(path, name)).catch(() => {});
      continue;
    }
    const [pid = '', state] = answer.split(' ');
    // One that hangs up without a word may be withdrawing just now: it is asked again.
    rivals.push({ name, pid, holds: state === 'holds' });
  }
  return rivals;
}

/** What the gateway behind a socket says of itself; undefined when there is none. */
function ask(socketPath: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(socketPath);
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text = (text + chunk).slice(0, MAX_ANSWER_BYTES);
    });
    socket.on('end', () => resolve(text));
    // Any other failure (a full backlog, no answer from a stopped process) means that somebody is there.
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      resolve(code === 'ECONNREFUSED' || code === 'ENOENT' ? undefined : text);
    });
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error('no answer')));
  });
}

function listen(socketPath: string, path: string, answer: () => string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    socket.end(answer());
  });
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const detail = `No socket can be made in ${path} (${error.code}): set dataDir (CARILLON_DATA_DIR) to a directory on a local file system, or use a Redis of your own (REDIS_URL).`;
      reject(new DeliveryError('unreachable', detail, { retry: 'never', cause: error }));
    });
    server.listen(socketPath, () => resolve(server));
  });
}

function inUse(path: string, rival: Rival): DeliveryError {
  const who = rival.pid === '' ? 'Another gateway' : `Another gateway (process ${rival.pid})`;
  const detail = `${who} uses ${path}: stop it, or give this one a dataDir (CARILLON_DATA_DIR) of its own.`;
  return new DeliveryError('conflict', detail, { retry: 'never' });
}
