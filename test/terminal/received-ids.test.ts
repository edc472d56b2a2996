/** What a terminal remembers over restarts (SIR-60, SIR-167). */
import { appendFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ReceivedIds } from '../../src/terminal/received-ids.js';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'carillon-ids-'));
  path = join(directory, 'state');
});
afterEach(() => rm(directory, { recursive: true }));

it('an id is on disk when remember resolves', async () => {
  const ids = await ReceivedIds.open(path);
  await ids.remember('content', 'push-1');
  expect(await readFile(path, 'latin1')).toBe('content push-1\n');
  await ids.close();
});

it('ids are known after a restart, each under its kind', async () => {
  const before = await ReceivedIds.open(path);
  await Promise.all([before.remember('sir', 't1.a'), before.remember('content', 'push 1/ü')]);
  await before.close();
  const after = await ReceivedIds.open(path);
  expect(after.has('sir', 't1.a')).toBe(true);
  expect(after.has('content', 'push 1/ü')).toBe(true);
  expect(after.has('sir', 'push 1/ü')).toBe(false);
  await after.close();
});

it('many at once are all written', async () => {
  const ids = await ReceivedIds.open(path);
  const names = Array.from({ length: 500 }, (_, index) => `push-${index}`);
  await Promise.all(names.map((name) => ids.remember('content', name)));
  await ids.close();
  expect((await readFile(path, 'latin1')).trim().split('\n')).toHaveLength(500);
});

it('a line that was cut off by a crash is dropped', async () => {
  await writeFile(path, 'content push-1\ncontent pus');
  const ids = await ReceivedIds.open(path);
  expect(ids.has('content', 'push-1')).toBe(true);
  expect(ids.has('content', 'pus')).toBe(false);
  await ids.remember('content', 'push-2');
  await ids.close();
  expect(await readFile(path, 'latin1')).toBe('content push-1\ncontent push-2\n');
});

it('lines of another kind are no ids', async () => {
  await writeFile(path, 'garbage\n\0\0\0\ncontent push-1 extra\nsir t1.a\n');
  const ids = await ReceivedIds.open(path);
  expect(ids.has('sir', 't1.a')).toBe(true);
  expect(ids.has('content', 'push-1')).toBe(false);
  await ids.close();
});

it('the oldest ids are forgotten beyond the limit, and the file stays short', async () => {
  const ids = await ReceivedIds.open(path, { maxIds: 10 });
  for (let index = 0; index < 200; index += 1) await ids.remember('sir', `t1.${index}`);
  expect(ids.has('sir', 't1.189')).toBe(false);
  expect(ids.has('sir', 't1.190')).toBe(true);
  await ids.close();
  expect((await readFile(path, 'latin1')).trim().split('\n').length).toBeLessThanOrEqual(41);
  const again = await ReceivedIds.open(path, { maxIds: 10 });
  expect(again.has('sir', 't1.199')).toBe(true);
  expect(again.has('sir', 't1.189')).toBe(false);
  await again.close();
});

it('a long id is kept as a digest', async () => {
  const ids = await ReceivedIds.open(path);
  await ids.remember('content', 'x'.repeat(10_000));
  expect(ids.has('content', 'x'.repeat(10_000))).toBe(true);
  expect(ids.has('content', 'x'.repeat(9_999))).toBe(false);
  await ids.close();
  expect((await readFile(path)).length).toBeLessThan(100);
});

it('without a file ids live as long as the process', async () => {
  const ids = await ReceivedIds.open();
  await ids.remember('sir', 't1.a');
  expect(ids.has('sir', 't1.a')).toBe(true);
  await ids.close();
});

it('closing waits for what is being written', async () => {
  const ids = await ReceivedIds.open(path);
  const remembered = ['a', 'b', 'c'].map(async (id, index) => {
    for (let turn = 0; turn < index; turn += 1) await Promise.resolve();
    await ids.remember('content', id);
  });
  await new Promise((resolve) => setImmediate(resolve));
  await ids.close();
  await expect(Promise.all(remembered)).resolves.toHaveLength(3);
  const again = await ReceivedIds.open(path);
  expect(['a', 'b', 'c'].map((id) => again.has('content', id))).toEqual([true, true, true]);
  await again.close();
});

it('nothing is remembered once it is closed', async () => {
  const ids = await ReceivedIds.open(path);
  await ids.close();
  await expect(ids.remember('content', 'late')).rejects.toThrow(/has ended/);
});

it('a path that cannot be a file is refused in one sentence', async () => {
  await mkdir(path);
  await expect(ReceivedIds.open(path)).rejects.toThrow(/the state file cannot be used/);
});

it('a file that is far too large is refused unread', async () => {
  await appendFile(path, '');
  await truncate(path, 17 * 1024 * 1024);
  await expect(ReceivedIds.open(path)).rejects.toThrow(/too large/);
});
