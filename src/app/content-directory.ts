/**
 * Content in files: one for each id, complete and on disk when `save` resolves. Written aside and renamed, so that a reader
 * never sees half of it and a repetition after a crash replaces it by itself.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { DeliveryError, describeError } from '../kernel/errors.js';

export class ContentDirectory {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Creates the directory when it is not there. */
  static async open(path: string): Promise<ContentDirectory> {
    try {
      await mkdir(path, { recursive: true });
      return new ContentDirectory(path);
    } catch (cause) {
      throw new DeliveryError('unreachable', `${path} cannot be used for content: ${describeError(cause)}`, {
        retry: 'never',
        cause,
      });
    }
  }

  pathOf(id: string): string {
    return join(this.#path, fileName(id));
  }

  async save({ id, bytes }: { readonly id: string; readonly bytes: Uint8Array }): Promise<void> {
    const path = this.pathOf(id);
    const file = await open(`${path}.part`, 'w');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.part`, path);
    const directory = await open(this.#path, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}

/** An id comes from the network: what is no plain name is replaced by its digest. */
function fileName(id: string): string {
  if (/^[A-Za-z0-9_@+=-][A-Za-z0-9._@+=-]{0,99}$/.test(id) && !id.endsWith('.part')) return id;
  return createHash('sha256').update(id).digest('hex');
}
