/**
 * Large content outside Redis: one file for each push, named by the SHA-256 of its octets and the push, written
 * beside its place, synced and renamed, so that a file under its name is always whole. Several gateways on one Redis
 * need one directory that all of them see.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { InvariantError } from '../kernel/errors.js';
import type { ContentSource } from '../push/ports.js';
import type { PushUid } from '../push/push-message.js';

export class BlobDirectory {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Makes the octets durable and returns the digest that finds them again. Safe to repeat. */
  async write(uid: PushUid, octets: Uint8Array): Promise<string> {
    const digest = createHash('sha256').update(octets).digest('hex');
    const folder = join(this.#root, digest.slice(0, 2));
    await mkdir(folder, { recursive: true });
    const path = this.#path(uid, digest);
    const partial = `${path}.${randomUUID()}.part`; // nobody else writes there, whatever comes twice at once
    const file = await open(partial, 'w', 0o600);
    try {
      await file.writeFile(octets);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
    await syncFolder(folder);
    await syncFolder(this.#root);
    return digest;
  }

  /** Undefined when the blob is gone. */
  async source(uid: PushUid, digest: string): Promise<ContentSource | undefined> {
    const path = this.#path(uid, digest);
    const size = await sizeOf(path);
    if (size === undefined) return undefined;
    return {
      size,
      async read(offset, length) {
        const file = await open(path, 'r');
        try {
          const piece = Buffer.allocUnsafe(Math.min(length, size - offset));
          const { bytesRead } = await file.read(piece, 0, piece.length, offset);
          if (bytesRead !== piece.length) throw new InvariantError(`blob ${digest} ends early`);
          return piece;
        } finally {
          await file.close();
        }
      },
    };
  }

  /** Removes the blob; one that is gone already is no error. */
  async remove(uid: PushUid, digest: string): Promise<void> {
    await unlink(this.#path(uid, digest)).catch(whenGone(undefined));
  }

  /** Removes files older than `olderThan` (ms epoch) that `isNeeded` does not vouch for: left by a crash before the push was stored. */
  async removeOrphans(
    olderThan: number,
    isNeeded: (uid: PushUid, digest: string) => Promise<boolean>,
  ): Promise<number> {
    let removed = 0;
    for (const folder of await namesIn(this.#root)) {
      for (const name of await namesIn(join(this.#root, folder))) {
        const path = join(this.#root, folder, name);
        const writtenAt = await stat(path).then(({ mtimeMs }) => mtimeMs, whenGone(Number.POSITIVE_INFINITY));
        if (writtenAt >= olderThan) continue;
        const [digest = '', uid = ''] = name.split('.');
        if (!name.endsWith('.part') && (await isNeeded(uid as PushUid, digest))) continue;
        await unlink(path).catch(whenGone(undefined));
        removed += 1;
      }
    }
    return removed;
  }

  #path(uid: PushUid, digest: string): string {
    return join(this.#root, digest.slice(0, 2), `${digest}.${uid}`);
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(whenGone<string[]>([]));
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(({ size }) => size, whenGone(undefined));
}

/** What to take for a file that is not there (or no longer); any other failure is thrown. */
function whenGone<T>(instead: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code !== 'ENOENT') throw error;
    return instead;
  };
}
