/** The demonstration: it tells its story, exits by it, and leaves nothing behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { runDemo } from '../../src/app/demo/demo.js';
import { bareEnvironment, buildGateway, ROOT } from '../support/gateway-process.js';

let directory: string;

beforeAll(() => buildGateway());
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'carillon-demo-test-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function demo(
  onOutput: (output: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
) {
  const child = spawn(process.execPath, [`${ROOT}/dist/main.js`, 'demo'], {
    env: { ...bareEnvironment(), TMPDIR: directory },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => {
      output += text.toString();
      onOutput(output, (signal) => child.kill(signal));
    });
  }
  await once(child, 'close');
  return { status: child.exitCode, output };
}

/** Processes that run in the test's directory, also when it has been removed. */
async function processesLeft(): Promise<readonly string[]> {
  const left: string[] = [];
  for (const pid of await readdir('/proc').catch(() => [])) {
    const cwd = /^\d+$/.test(pid) ? await readlink(`/proc/${pid}/cwd`).catch(() => '') : '';
    if (cwd.startsWith(directory)) left.push(`${pid} in ${cwd}`);
  }
  return left;
}

it('every line comes true, and nothing is left behind', async () => {
  const { status, output } = await demo();
  expect(output).not.toContain('✗');
  expect(output.match(/✓/g)).toHaveLength(12);
  expect(output).toMatch(/All 12 lines came true/);
  expect(status).toBe(0);
  expect(await readdir(directory)).toEqual([]);
  expect(await processesLeft()).toEqual([]);
});

it('cleans up when it is interrupted, and does not call that a success', async () => {
  let isInterrupted = false;
  const { status, output } = await demo((text, kill) => {
    if (isInterrupted || !text.includes('is gone')) return;
    isInterrupted = true;
    kill('SIGINT');
  });
  expect(output).toContain('✗ the story came to its end');
  expect(status).toBe(1);
  expect(await readdir(directory)).toEqual([]);
  expect(await processesLeft()).toEqual([]);
});

it('exits with 1 when a line does not come true', async () => {
  let told = '';
  const status = await runDemo(
    (text) => {
      told += text;
    },
    [
      async (_, narrator) => {
        narrator.claim('one', { isTrue: true, observed: 'seen' });
        narrator.claim('two', { isTrue: false, observed: 'not seen' });
      },
    ],
  );
  expect(status).toBe(1);
  expect(told).toMatch(/✓ one\n.*seen\n {2}✗ two\n.*not seen\n\n1 of 2 lines did NOT come true/);
});
