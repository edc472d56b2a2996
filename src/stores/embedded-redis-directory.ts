/**
 * The directory of the private Redis: made for its owner only, taken by one gateway at a time (embedded-redis-lock.ts), and
 * given a path that is short enough for socket addresses.
 */
import { mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeliveryError } from '../kernel/errors.js';
import { LONGEST_LOCK_NAME, takeLock } from './embedded-redis-lock.js';

/** `sockaddr_un` holds 108 octets on Linux and 104 on macOS and the BSDs, the closing zero included. */
const MAX_SOCKET_DIRECTORY_BYTES = 103 - Buffer.byteLength(`/${LONGEST_LOCK_NAME}`);

export interface EmbeddedRedisDirectory {
  /** Real path: where the data is. */
  readonly path: string;
  /** The same directory under a path that is short enough for socket addresses. */
  readonly shortPath: string;
  /** Gives the right up and removes the short alias. */
  release(): Promise<void>;
}

/**
 * Makes the directory (mode 0700) and takes the right to use it.
 * Throws DeliveryError('conflict') when another gateway has it and ('unreachable') when it cannot be made.
 */
export async function takeRedisDirectory(directory: string): Promise<EmbeddedRedisDirectory> {
  const path = await makeDirectory(directory);
  const alias = await shortAlias(path);
  try {
    const lock = await takeLock(alias.path, path);
    const release = async () => {
      await lock.release();
      await alias.remove();
    };
    return { path, shortPath: alias.path, release };
  } catch (error) {
    await alias.remove();
    throw error;
  }
}

async function makeDirectory(directory: string): Promise<string> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return await realpath(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new DeliveryError(
      'unreachable',
      `The data directory ${directory} cannot be made (${code}): make it writable for this user, or set dataDir (CARILLON_DATA_DIR) to a place that is.`,
      { retry: 'never', cause: error },
    );
  }
}

/**
 * A deep data directory gets a short path by a symbolic link in a fresh private directory. The sockets themselves stay in
 * the data directory, so that whoever comes next finds them whatever TMPDIR says then.
 */
async function shortAlias(path: string): Promise<{ path: string; remove(): Promise<void> }> {
  if (Buffer.byteLength(path) <= MAX_SOCKET_DIRECTORY_BYTES) return { path, remove: async () => {} };
  const holder = await mkdtemp(join(tmpdir(), 'carillon-'));
  const alias = join(holder, 'd');
  await symlink(path, alias);
  return { path: alias, remove: () => rm(holder, { recursive: true, force: true }) };
}
