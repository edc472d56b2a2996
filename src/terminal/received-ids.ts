/**
 * Which SIRs and which content a terminal has had already, also over restarts (SIR-60, SIR-167). An append-only file, one
 * line each, synced before `remember` resolves; several calls share one sync. The oldest ids are forgotten beyond a limit,
 * and the file is then written anew. A line that was cut off by a crash was never confirmed to anybody and is dropped.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DeliveryError } from '../kernel/errors.js';
import { MIB } from '../kernel/units.js';

export type ReceivedKind = 'sir' | 'content';

/** Ids kept of each kind. */
export const MAX_RECEIVED_IDS = 10_000;
const MAX_FILE_BYTES = 16 * MIB;
/** Longer ids are kept as their digest. */
const MAX_ID_LENGTH = 128;
const LINE = /^(sir|content) (\S+)$/;

export class ReceivedIds {
  readonly #ids: Readonly<Record<ReceivedKind, Set<string>>> = { sir: new Set(), content: new Set() };
  readonly #maxIds: number;
  readonly #path: string | undefined;
  #file: FileHandle | undefined;
  #lineCount = 0;
  #isClosed = false;
  #unwritten: string[] = [];
  #flush: Promise<void> | undefined;

  private constructor(path: string | undefined, maxIds: number) {
    this.#path = path;
    this.#maxIds = maxIds;
  }

  /** Without a path everything is remembered until the process ends. Rejects with DeliveryError when the file cannot be used. */
  static async open(path?: string, options: { readonly maxIds?: number } = {}): Promise<ReceivedIds> {
    const ids = new ReceivedIds(path, options.maxIds ?? MAX_RECEIVED_IDS);
    if (path === undefined) return ids;
    try {
      for (const line of (await readState(path)).split('\n').slice(0, -1)) ids.#recall(line);
      await ids.#rewrite(path);
    } catch (cause) {
      if (cause instanceof DeliveryError) throw cause;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new DeliveryError('unreachable', `the state file cannot be used: ${why}`, {
        retry: 'never',
        cause,
      });
    }
    return ids;
  }

  has(kind: ReceivedKind, id: string): boolean {
    return this.#ids[kind].has(token(id));
  }

  /**
   * Resolves when the id would survive a crash. Rejects when the file cannot be written or is closed; the id counts as
   * unknown then.
   */
  async remember(kind: ReceivedKind, id: string): Promise<void> {
    if (this.has(kind, id)) return;
    if (this.#isClosed) throw new DeliveryError('unreachable', 'the terminal has ended');
    if (this.#file !== undefined) {
      this.#unwritten.push(`${kind} ${token(id)}`);
      await this.#flushed();
    }
    this.#keep(kind, token(id));
  }

  /** What `remember` was called for before is still written. Safe to repeat. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#flushed().catch(() => undefined);
    await this.#file?.close();
    this.#file = undefined;
  }

  /** Waits for a write that has the lines queued so far: the next one when one is under way already. */
  async #flushed(): Promise<void> {
    if (this.#flush !== undefined) await this.#flush.catch(() => undefined);
    this.#flush ??= this.#write().finally(() => {
      this.#flush = undefined;
    });
    return this.#flush;
  }

  async #write(): Promise<void> {
    const lines = this.#unwritten;
    this.#unwritten = [];
    if (lines.length === 0 || this.#file === undefined) return;
    await this.#file.appendFile(`${lines.join('\n')}\n`);
    await this.#file.datasync();
    this.#lineCount += lines.length;
    if (this.#path !== undefined && this.#lineCount > 4 * this.#maxIds)
      await this.#rewrite(this.#path, lines);
  }

  /** Replaces the file by what is remembered, and `more` behind it. */
  async #rewrite(path: string, more: readonly string[] = []): Promise<void> {
    const lines = (['sir', 'content'] as const).flatMap((kind) =>
      [...this.#ids[kind]].map((id) => `${kind} ${id}`),
    );
    lines.push(...more);
    const next = await open(`${path}.new`, 'w', 0o600);
    try {
      await next.appendFile(lines.map((line) => `${line}\n`).join(''));
      await next.datasync();
      await rename(`${path}.new`, path);
      await syncDirectory(dirname(path));
    } catch (error) {
      await next.close();
      throw error;
    }
    await this.#file?.close();
    this.#file = next;
    this.#lineCount = lines.length;
  }

  #recall(line: string): void {
    const [, kind, id] = LINE.exec(line) ?? [];
    if ((kind === 'sir' || kind === 'content') && id !== undefined) this.#keep(kind, id);
  }

  #keep(kind: ReceivedKind, id: string): void {
    const ids = this.#ids[kind];
    ids.add(id);
    for (const oldest of ids) {
      if (ids.size <= this.#maxIds) break;
      ids.delete(oldest);
    }
  }
}

async function readState(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > MAX_FILE_BYTES) {
      throw new DeliveryError('limitExceeded', `${path} is too large for the state file of a terminal`, {
        retry: 'never',
      });
    }
    return await readFile(path, 'latin1');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** An id as one word of a line. The way through octets makes lone surrogates encodable. */
function token(id: string): string {
  const word = encodeURIComponent(Buffer.from(id).toString());
  if (word !== '' && word.length <= MAX_ID_LENGTH) return word;
  return createHash('sha256').update(id).digest('base64url');
}
