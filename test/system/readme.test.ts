/** The first push of the README, command by command as it is printed there, on a gateway of the test's own. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findExecutable } from '../../src/config/executables.js';
import { type PushView, when } from '../support/e2e-gateway.js';
import {
  bareEnvironment,
  buildGateway,
  type GatewayProcess,
  ROOT,
  startGatewayProcess,
} from '../support/gateway-process.js';

const run = promisify(execFile);
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const hasShell = ['bash', 'curl'].every((program) => findExecutable([program]) !== undefined);

/** The shell blocks of the section, in order. */
function commands(): string[] {
  const section = README.slice(README.indexOf('## First push'), README.indexOf('## Where to go next'));
  return [...section.matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) => block);
}

let gateway: GatewayProcess;
let directory: string;
let ports: ReadonlyMap<string, number>;

beforeAll(async () => {
  buildGateway();
  directory = mkdtempSync(join(tmpdir(), 'carillon-readme-'));
  gateway = startGatewayProcess(directory);
  const ready = await gateway.logged('ready');
  const portOf = (name: string) => (ready[name] as { port: number }).port;
  ports = new Map([
    ['8080', portOf('http')],
    ['8081', portOf('admin')],
    ['5060', portOf('sip')],
  ]);
});

afterAll(async () => {
  gateway.child.kill('SIGTERM');
  await gateway.ended;
  rmSync(directory, { recursive: true, force: true });
});

/** With the ports of this gateway in place of the usual ones, and none of this machine's proxies between. */
function inBash(...blocks: string[]) {
  const script = blocks
    .join('\n')
    .replace(/127\.0\.0\.1:(\d+)/g, (_, port: string) => `127.0.0.1:${ports.get(port)}`)
    .replaceAll('node dist/main.js', `node ${ROOT}/dist/main.js`);
  return { args: ['-euc', script], options: { cwd: directory, env: bareEnvironment() } };
}

/** What the blocks print, run in one shell. */
async function shell(...blocks: string[]): Promise<string> {
  const { args, options } = inBash(...blocks);
  const { stdout } = await run('bash', args, options);
  return stdout;
}

// Without curl and a shell there is nothing to try the commands with.
describe.skipIf(!hasShell)('the first push of the README', () => {
  const [provision = '', submit = '', terminal = '', ask = ''] = commands();
  const story = async (): Promise<PushView> =>
    JSON.parse(await shell(provision.split('\n').slice(0, 2).join('\n'), ask));

  it('is accepted', async () => {
    expect(await shell(provision, submit)).toContain('code="1001"');
  });

  it('reaches the terminal when that comes', async () => {
    const { args, options } = inBash(terminal);
    const child = spawn('bash', args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'close');
    try {
      let content: unknown;
      createInterface({ input: child.stdout }).on('line', (line) => {
        const event: { event?: string } = JSON.parse(line);
        if (event.event === 'content') content = event;
      });
      await when(() => content, Boolean, 'the content');
      expect(content).toMatchObject({ size: 'Hello, phone.'.length });
      await when(story, (push) => push.recipients[0]?.state === 'delivered', 'the push');
    } finally {
      process.kill(-(child.pid ?? 0), 'SIGINT'); // as by Ctrl-C
      await ended;
    }
  });

  it('can be asked about afterwards', async () => {
    expect((await story()).recipients[0]).toMatchObject({ state: 'delivered', code: 1000 });
  });
});
