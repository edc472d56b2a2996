/** The first push of the README, command by command as it is printed there, on a gateway of the test's own. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findExecutable } from '../../src/config/executables.js';
import { buildGateway, type GatewayProcess, ROOT, startGatewayProcess } from '../support/gateway-process.js';

const run = promisify(execFile);
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const hasShell = ['bash', 'curl', 'timeout'].every((program) => findExecutable([program]) !== undefined);

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

/** Runs blocks in one shell, with the ports of this gateway in place of the usual ones. */
async function shell(...blocks: string[]): Promise<string> {
  const script = blocks
    .join('\n')
    .replace(/127\.0\.0\.1:(\d+)/g, (_, port: string) => `127.0.0.1:${ports.get(port)}`)
    .replaceAll('node dist/main.js', `timeout -s INT 5 node ${ROOT}/dist/main.js`);
  const { stdout } = await run('bash', ['-euc', script], { cwd: directory });
  return stdout;
}

// Without curl and a shell there is nothing to try the commands with.
describe.skipIf(!hasShell)('the first push of the README', () => {
  const [provision = '', submit = '', terminal = '', ask = ''] = commands();

  it('is accepted', async () => {
    expect(await shell(provision, submit)).toContain('code="1001"');
  });

  it('reaches the terminal when that comes', async () => {
    const lines = (await shell(terminal.trimEnd().concat(' || true'))).trim().split('\n');
    const content = lines.map((line) => JSON.parse(line)).find(({ event }) => event === 'content');
    expect(content).toMatchObject({ size: 'Hello, phone.'.length });
  });

  it('can be asked about afterwards', async () => {
    const story = JSON.parse(await shell(provision.split('\n').slice(0, 2).join('\n'), ask));
    expect(story.recipients[0]).toMatchObject({ state: 'delivered', code: 1000 });
  });
});
