/** The admin token: configured, or made once and kept for its owner. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adminToken } from '../../src/app/admin-token.js';
import { loadConfig } from '../../src/config/load-config.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'carillon-token-'));
});
afterEach(() => rmSync(home, { recursive: true }));

function token(environment: Record<string, string> = {}) {
  return adminToken(loadConfig({ environment, workingDirectory: home }).config);
}
const file = () => join(home, '.carillon', 'admin-token');

describe('the admin token', () => {
  it('is the configured one when there is one, and nothing is kept', async () => {
    expect(await token({ CARILLON_ADMIN_TOKEN: 't0ken' })).toEqual({ token: 't0ken', isNew: false });
    expect(readdirSync(home)).toEqual([]);
  });

  it('is made at the first start and kept for its owner only', async () => {
    const made = await token();
    expect(made).toEqual({ token: expect.stringMatching(/^[\w-]{32}$/), file: file(), isNew: true });
    expect(readFileSync(file(), 'utf8')).toBe(`${made.token}\n`);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(home, '.carillon'))).toEqual(['admin-token']);
  });

  it('is the same at every later start, and not new', async () => {
    const made = await token();
    expect(await token()).toEqual({ ...made, isNew: false });
  });

  it('is closed to others again when its file was opened', async () => {
    await token();
    chmodSync(file(), 0o644);
    await token();
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });

  it('is made anew when its file is empty', async () => {
    await token();
    writeFileSync(file(), '');
    expect(await token()).toMatchObject({ isNew: true });
  });

  it('is one for two starts at once', async () => {
    const [first, second] = await Promise.all([token(), token()]);
    expect(first.token).toBe(second.token);
  });

  it('stops the start in one sentence when it cannot be kept', async () => {
    writeFileSync(join(home, '.carillon'), '');
    await expect(token()).rejects.toMatchObject({
      detail: expect.stringContaining('set admin.token (CARILLON_ADMIN_TOKEN)'),
    });
  });
});
