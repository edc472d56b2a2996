/** `carillon explain` against a gateway that runs: words, JSON, and sentences for what is wrong. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { E2eGateway } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';
import { bareEnvironment, ROOT } from '../support/gateway-process.js';

const run = promisify(execFile);
const ALICE = 'sip:alice@example.test';

let gateway: E2eGateway;
let elsewhere: string;
beforeAll(async () => {
  gateway = await E2eGateway.start();
  elsewhere = await mkdtemp(`${tmpdir()}/carillon-explain-`);
  await gateway.addUser(ALICE, { phone: instance(1), pc: instance(2) });
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await rm(elsewhere, { recursive: true, force: true });
});

async function explain(args: readonly string[], token = gateway.adminToken) {
  const url = `http://127.0.0.1:${gateway.ports.admin}`;
  const command = [`${ROOT}/dist/main.js`, 'explain', '--url', url, ...args];
  const environment = { ...bareEnvironment(), CARILLON_ADMIN_TOKEN: token };
  const ended = await run(process.execPath, command, { cwd: elsewhere, env: environment }).catch(
    (error: { stdout: string; stderr: string; code: number }) => error,
  );
  return { status: 'code' in ended ? ended.code : 0, stdout: ended.stdout, stderr: ended.stderr };
}

it('tells in words why a push would go where', async () => {
  const { status, stdout } = await explain(['--user', ALICE, '--device', instance(1)]);
  expect(status).toBe(0);
  expect(stdout).toContain('policy named by the initiator');
  expect(stdout).toContain('pc: no: the push names another terminal');
  expect(stdout).toContain('1. a SIR by sip: number 1 of the activation methods');
  expect(stdout).toContain('routed (A): the terminal is not there, and nobody else is asked');
});

it('tells first what became of a push that was submitted', async () => {
  await using phone = await TerminalGuest.start(gateway, { user: ALICE, instance: instance(1) });
  await new Initiator(gateway).push({ pushId: 'why@pi', to: addressOf(ALICE, instance(1)) });
  await gateway.pushBecomes('why@pi', 'delivered');
  const { stdout } = await explain(['--user', ALICE, '--push', 'why@pi']);
  expect(phone.texts).toEqual(['Hello']);
  expect(stdout).toMatch(/^Push why@pi/);
  expect(stdout).toContain('phone: delivered by msrp');
  expect(stdout).toMatch(
    /woken by sip: handed \(200 OK\)\n +routed \(A\): the terminal can be reached by itself/,
  );
});

it('prints the answer of the admin API when asked to', async () => {
  const { stdout } = await explain(['--user', ALICE, '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ user: ALICE, multi: true });
});

it.each([
  [['--user', 'sip:nobody@example.test'], /the gateway refused: there is no user sip:nobody@example.test/],
  [['--user', ALICE, '--push', 'no-such-push'], /the gateway refused: there is no push of this id/],
] as const)('says what is wrong: %j', async (args, words) => {
  const { status, stderr } = await explain(args);
  expect([status, stderr]).toEqual([69, expect.stringMatching(words)]);
});

it('says that the token is that of another gateway', async () => {
  const { status, stderr } = await explain(['--user', ALICE], 'another-token');
  expect([status, stderr]).toEqual([
    69,
    expect.stringContaining('is this the configuration of that gateway?'),
  ]);
});
