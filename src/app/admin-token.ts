/**
 * The bearer token of the admin API. When none is configured one is made at the first start, kept in the data directory for
 * its owner only, and used again at every later start; deleting the file makes a new one.
 */
import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/schema.js';
import { DeliveryError } from '../kernel/errors.js';

/** The configuration with the token that is in force. */
export type GatewayConfig = Config & { readonly admin: Config['admin'] & { readonly token: string } };

export interface AdminToken {
  readonly token: string;
  /** Where it is kept; undefined when it came from the configuration. */
  readonly file?: string;
  /** True when it was made just now: the one time that it is shown. */
  readonly isNew: boolean;
}

const FILE = 'admin-token';
const TOKEN_BYTES = 24;
const OTHERS = 0o077;

/** The configured token, else the kept one, else a new one. Throws DeliveryError when it cannot be kept. */
export async function adminToken(config: Pick<Config, 'dataDir' | 'admin'>): Promise<AdminToken> {
  if (config.admin.token !== undefined) return { token: config.admin.token, isNew: false };
  const file = join(config.dataDir, FILE);
  try {
    await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
    return (await keptToken(file)) ?? (await newToken(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const detail = `The admin token cannot be kept in ${file} (${code ?? 'unreadable'}): make the directory writable, or set admin.token (CARILLON_ADMIN_TOKEN).`;
    throw new DeliveryError('unreachable', detail, { retry: 'never', cause: error });
  }
}

async function keptToken(file: string): Promise<AdminToken | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const token = text.trim();
  if (token === '') return undefined;
  // A copy or a restored backup may have become readable for others: the file says "owner only" whatever happened to it.
  if (((await stat(file)).mode & OTHERS) !== 0) await chmod(file, 0o600);
  return { token, file, isNew: false };
}

/** Written aside and then linked: a crash leaves no half token, and of two starts at once both use the same one. */
async function newToken(file: string): Promise<AdminToken> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const aside = `${file}.${randomBytes(4).toString('hex')}`;
  await writeFile(aside, `${token}\n`, { mode: 0o600 });
  try {
    await link(aside, file);
    return { token, file, isNew: true };
  } catch {
    const kept = await keptToken(file);
    if (kept !== undefined) return kept;
    await rename(aside, file); // it is there but empty, or the file system has no links
    return { token, file, isNew: true };
  } finally {
    await rm(aside, { force: true });
  }
}
