/** tshark as the referee of encoders: dissects a capture that the test wrote and returns what it saw. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type CapturedPacket, pcapFile } from './pcap.js';

const run = promisify(execFile);

/** It prints times as they are in its time zone. */
export const TSHARK = { maxBuffer: 64 * 1024 * 1024, env: { ...process.env, TZ: 'UTC' } } as const;

/** Values of the named fields, one record per frame; a field that occurs several times in a frame gives several values. */
export async function dissectFields(
  packets: Iterable<CapturedPacket>,
  fields: readonly string[],
  options: readonly string[] = [],
): Promise<readonly ReadonlyMap<string, readonly string[]>[]> {
  const selection = fields.flatMap((field) => ['-e', field]);
  const output = await dissect(packets, [
    ...options,
    '-T',
    'fields',
    '-E',
    'separator=/t',
    '-E',
    'aggregator=|',
    ...selection,
  ]);
  return output
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => {
      const columns = line.split('\t');
      return new Map(
        fields.map((field, index) => [field, (columns[index] ?? '').split('|').filter(Boolean)]),
      );
    });
}

/** What tshark prints with these arguments behind `-r <capture>`. */
export async function dissect(
  packets: Iterable<CapturedPacket>,
  options: readonly string[],
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-tshark-'));
  try {
    const file = join(folder, 'frames.pcap');
    await writeFile(file, pcapFile(packets));
    const { stdout } = await run('tshark', ['-n', '-r', file, ...options], TSHARK);
    return stdout;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
