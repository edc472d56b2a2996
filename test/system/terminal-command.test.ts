/** `carillon terminal` as a process: JSON lines, saved content, an orderly end, and sentences for what is wrong. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { headerValue } from '../../src/protocols/sip/index.js';
import { decodeWebhookSecret, webhookHeaders } from '../../src/protocols/standard-webhooks/index.js';
import { encodePush } from '../../src/protocols/wsp/index.js';
import { DatagramSocket } from '../../src/transports/datagram/datagram-socket.js';
import { buildGateway, ROOT } from '../support/gateway-process.js';
import { PPG_URI, ScriptedGateway } from '../support/scripted-gateway.js';
import { Smsc } from '../support/smsc.js';
import { TestCa } from '../support/test-ca.js';

const PHONE = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6';

let gateway: ScriptedGateway;
let directory: string;
let child: ChildProcess | undefined;

beforeAll(() => buildGateway());
beforeEach(async () => {
  gateway = await ScriptedGateway.start();
  directory = await mkdtemp(join(tmpdir(), 'carillon-terminal-command-'));
});
afterEach(async () => {
  if (child !== undefined && child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
  await gateway.close();
  await rm(directory, { recursive: true });
});

interface EventLine {
  readonly event: string;
  readonly [field: string]: unknown;
}

function start(...args: readonly string[]) {
  const { host, port } = gateway.registrar;
  const spawned = spawn(process.execPath, [
    `${ROOT}/dist/main.js`,
    ...['terminal', '--user', 'sip:alice@carillon.test', '--registrar', `${host}:${port}`],
    ...args,
  ]);
  child = spawned;
  const seen: EventLine[] = [];
  let look: () => void = () => undefined;
  let stderr = '';
  spawned.stderr.on('data', (text: Buffer) => {
    stderr += text.toString();
  });
  createInterface({ input: spawned.stdout }).on('line', (line) => {
    seen.push(JSON.parse(line) as EventLine);
    look();
  });
  const ended = once(spawned, 'close').then(() => spawned.exitCode);
  /** The first event of that name, past or future. */
  const event = (name: string) =>
    Promise.race([
      new Promise<EventLine>((resolve) => {
        look = () => {
          const found = seen.find((line) => line.event === name);
          if (found !== undefined) resolve(found);
        };
        look();
      }),
      ended.then((status) => Promise.reject(new Error(`ended with ${status}: ${stderr}`))),
    ]);
  return {
    ...{ event, ended, seen, stderr: () => stderr },
    kill: (signal: NodeJS.Signals) => spawned.kill(signal),
    say: (line: string) => spawned.stdin.write(`${line}\n`),
  };
}

it('listens for WSP and tells of what comes in a datagram', async () => {
  const terminal = start('--instance', PHONE, '--wsp', '127.0.0.1:0');
  const { url } = await terminal.event('listening');
  const port = Number(/^wsp:\/\/127\.0\.0\.1:(\d+)$/.exec(String(url))?.[1]);
  await terminal.event('registered');
  await using sender = await DatagramSocket.open({
    host: '127.0.0.1',
    port: 0,
    onError: (error) => expect.fail(error.message),
  });
  const push = encodePush({
    transactionId: 1,
    contentType: { mediaType: 'text/plain', parameters: new Map() },
    headers: [{ name: 'X-Push-Id', value: 'push-9' }],
    body: Buffer.from('Hello'),
  });
  await sender.send(push, { address: '127.0.0.1', port });
  expect(await terminal.event('content')).toMatchObject({ id: 'push-9', via: 'wsp', size: 5 });
});

it('is reached by short message at an SMSC, by call-back and by Web Push, and says where (SIR-84, SIR-90)', async () => {
  await using smsc = await Smsc.start();
  using ca = new TestCa();
  const { certFile, keyFile } = ca.issue('browser', '/CN=browser');
  const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
  const terminal = start(
    ...['--instance', PHONE, '--smsc', `127.0.0.1:${smsc.port}`, '--number', '+436641234567'],
    ...['--http-callback', '127.0.0.1:0', '--http-callback-secret', secret],
    ...['--web-push', '127.0.0.1:0', '--web-push-cert', certFile, '--web-push-key', keyFile],
  );
  await terminal.event('registered');
  const [bySms, byCall, byWeb] = terminal.seen.filter(({ event }) => event === 'listening');
  expect(bySms).toMatchObject({ url: 'sms:+436641234567' });
  expect(byWeb).toMatchObject({
    url: expect.stringMatching(/^https:/),
    keys: { p256dh: expect.any(String), auth: expect.any(String) },
  });
  expect(smsc.binds).toEqual(['bind_transceiver terminal ']);
  const body = Buffer.from(JSON.stringify({ type: 'terminal.wake', sia: 'AAAA' }));
  const signed = webhookHeaders({ id: 'w1', sentAt: Date.now(), body }, decodeWebhookSecret(secret));
  const answer = await fetch(String(byCall?.['url']), { method: 'POST', headers: signed, body });
  expect(answer.status).toBe(204);
  expect(await terminal.event('sir')).toMatchObject({ carrier: 'http-callback', reason: 'nowhereToConnect' });
});

it('ends with 69 and a sentence when the SMSC is not there', async () => {
  const terminal = start('--instance', PHONE, '--smsc', '127.0.0.1:1', '--number', '+436641234567');
  expect(await terminal.ended).toBe(69);
  expect(terminal.stderr()).toMatch(/^carillon: .*SMSC 127\.0\.0\.1:1: .*ECONNREFUSED/);
});

it('tells what happens as JSON lines and keeps the content in a file', async () => {
  const terminal = start('--instance', PHONE, '--save', join(directory, 'content'));
  expect(await terminal.event('registered')).toMatchObject({ expiresSeconds: 3600 });
  await gateway.sendSir({
    extension: { identities: [PHONE], id: 't1.abc', ppg: PPG_URI, return: [], send: [], unknown: [] },
  });
  expect(await terminal.event('sir')).toMatchObject({
    id: 't1.abc',
    verdict: 'connect',
    reason: 'matched',
    devices: [PHONE],
    gateway: PPG_URI,
    carrier: 'sip',
  });
  const octets = Buffer.from([0, 1, 2, 13, 10, 255]);
  const outcome = await (await gateway.session()).send({ messageId: 'push-1', content: octets });
  expect(outcome.kind).toBe('confirmed');
  const content = await terminal.event('content');
  expect(content).toMatchObject({ id: 'push-1', via: 'msrp', size: 6, isDuplicate: false });
  expect(content).not.toHaveProperty('bytes');
  expect(await readFile(String(content['file']))).toEqual(octets);
  expect(terminal.seen.map((line) => line.event)).toEqual(['registered', 'sir', 'connected', 'content']);
});

it.each(['SIGTERM', 'SIGINT'] as const)('unregisters and ends with 0 on %s', async (signal) => {
  const terminal = start('--instance', PHONE);
  await terminal.event('registered');
  terminal.kill(signal);
  expect(await terminal.ended).toBe(0);
  expect(terminal.seen.at(-1)?.event).toBe('unregistered');
  expect(headerValue(gateway.registers.at(-1) ?? { headers: [] }, 'expires')).toBe('0');
});

it('ends with 0 when it is stopped while the registrar does not answer', async () => {
  gateway.onRegister = () => true;
  const registering = once(gateway, 'register');
  const terminal = start('--instance', PHONE);
  await registering;
  terminal.kill('SIGTERM');
  expect(await terminal.ended).toBe(0);
  expect(terminal.seen).toEqual([]);
});

it('ends with 69 and a sentence when the registrar does not know the user', async () => {
  gateway.onRegister = (request) => {
    request.respond(404);
    return true;
  };
  const terminal = start('--instance', PHONE);
  expect(await terminal.ended).toBe(69);
  expect(terminal.stderr()).toMatch(
    /^carillon: .*sip:alice@carillon.test is not known there; create the user first\n$/,
  );
});

it('ends with 69 and a sentence for an instance that is no URN', async () => {
  const terminal = start('--instance', 'phone');
  expect(await terminal.ended).toBe(69);
  expect(terminal.stderr()).toMatch(/^carillon: the instance must be a URN/);
});

describe('with a policy file', () => {
  const policy = async (text: string) => {
    const path = join(directory, 'phone.yaml');
    await writeFile(path, text);
    return path;
  };
  const extension = { identities: [PHONE], ppg: PPG_URI, send: [], unknown: [] };

  it('judges by it, and gives the factor and the reason of each decision on a line (SIR-115)', async () => {
    const path = await policy('subscription: { applications: [mms.ua] }');
    const terminal = start('--instance', PHONE, '--policy', path);
    await terminal.event('registered');
    const response = await gateway.sendSir({
      applicationIds: ['x-wap-application:wml.ua'],
      extension: { ...extension, id: 't1.abc', return: ['rejection'] },
    });
    expect(response.status).toBe(603);
    expect(await terminal.event('sir')).toMatchObject({
      id: 't1.abc',
      verdict: 'refuse',
      reason: 'notSubscribed',
      factor: 'subscription',
      text: 'Not subscribed to the application',
    });
  });

  it('asks whoever sits before it, and follows when the answer is yes (SIR-156)', async () => {
    const terminal = start('--instance', PHONE, '--policy', await policy('user: { answer: ask }'));
    await terminal.event('registered');
    const answered = gateway.sendSir({ extension: { ...extension, id: 't1.abc', return: [] } });
    expect(await terminal.event('asking')).toMatchObject({ id: 't1.abc', devices: [PHONE] });
    expect(gateway.invites).toHaveLength(0);
    terminal.say('accept t1.abc');
    expect((await answered).status).toBe(200);
    expect((await gateway.session()).invite.uri).toBe(PPG_URI);
  });

  it('knows after a restart which SIRs it had, those that it refused among them (SIR-60)', async () => {
    const state = join(directory, 'phone.state');
    const path = await policy('user: { answer: reject }');
    const send = () => gateway.sendSir({ extension: { ...extension, id: 't1.abc', return: ['rejection'] } });
    const first = start('--instance', PHONE, '--policy', path, '--state', state);
    await first.event('registered');
    expect((await send()).status).toBe(603);
    first.kill('SIGKILL');
    await first.ended;
    const second = start('--instance', PHONE, '--policy', path, '--state', state);
    await second.event('registered');
    expect((await send()).status).toBe(200);
    expect(await second.event('sir')).toMatchObject({ reason: 'duplicate', factor: 'novelty' });
  });

  it('that is wrong, it ends with 78 and says what is wrong', async () => {
    const terminal = start('--instance', PHONE, '--policy', await policy('user: { answer: perhaps }'));
    expect(await terminal.ended).toBe(78);
    expect(terminal.stderr()).toMatch(/^carillon: user\.answer .* takes one of accept, reject/);
  });

  it('that is not there, it ends with 78 and says so', async () => {
    const terminal = start('--instance', PHONE, '--policy', join(directory, 'none.yaml'));
    expect(await terminal.ended).toBe(78);
    expect(terminal.stderr()).toMatch(/none\.yaml \(--policy\) cannot be read: there is no such file/);
  });
});
