/**
 * The carriers of the reference terminal besides SIP, against peers that do what the test says: an SMSC that hands messages over, services that call
 * back, senders of Web Push; and what it does with callers that it should not listen to (SIR-84, SIR-88, SIR-90, SIR-148).
 */
import { randomBytes as random } from 'node:crypto';
import { request } from 'node:https';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { randomBytes, systemClock } from '../../src/app/system-clock.js';
import { encodeSia } from '../../src/protocols/sia/index.js';
import { segment, WAP_PUSH_PORTS } from '../../src/protocols/sms/index.js';
import { decodeWebhookSecret, webhookHeaders } from '../../src/protocols/standard-webhooks/index.js';
import { encodePush } from '../../src/protocols/wsp/index.js';
import { ReferenceTerminal } from '../../src/terminal/reference-terminal.js';
import type {
  TerminalEvent,
  TerminalEventKind,
  TerminalEventOf,
} from '../../src/terminal/terminal-events.js';
import type { TerminalOptions } from '../../src/terminal/terminal-options.js';
import { Handset } from '../support/handset.js';
import { fullSia, PPG_URI, ScriptedGateway } from '../support/scripted-gateway.js';
import { Smsc } from '../support/smsc.js';
import { TestCa } from '../support/test-ca.js';
import { encryptWebPush } from '../support/web-push-browser.js';

const PHONE = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
const NUMBER = '+436641234567';
const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const HERE = { host: '127.0.0.1', port: 0 };
const SOON = { timeoutMs: 10_000 };

let gateway: ScriptedGateway;
let events: TerminalEvent[];
const open: AsyncDisposable[] = [];

beforeEach(async () => {
  gateway = await ScriptedGateway.start();
  events = [];
});
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part[Symbol.asyncDispose]();
  await gateway.close();
});

async function start(options: Partial<TerminalOptions>) {
  const terminal = await ReferenceTerminal.start(
    { user: 'sip:alice@carillon.test', instance: PHONE, registrar: gateway.registrar, ...options },
    { clock: systemClock, randomBytes, log: () => undefined, product: 'terminal test' },
    (event) => events.push(event),
  );
  open.push({ [Symbol.asyncDispose]: () => terminal.abandon() });
  return terminal;
}

const all = <Kind extends TerminalEventKind>(kind: Kind) =>
  events.filter((event): event is TerminalEvent & TerminalEventOf<Kind> => event.kind === kind);

const sia = (id = 't1.abc') =>
  encodeSia(
    fullSia({ extension: { identities: [PHONE], ppg: PPG_URI, id, return: [], send: [], unknown: [] } }),
  );
const sirPush = (id?: string) =>
  encodePush({
    transactionId: 1,
    contentType: { mediaType: 'application/vnd.wap.sia', parameters: new Map() },
    headers: [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:push.sia' }],
    body: sia(id),
  });

describe('at an SMSC', () => {
  let smsc: Smsc;
  const at = (more: object = {}): Partial<TerminalOptions> => ({
    smsc: {
      host: '127.0.0.1',
      port: smsc.port,
      systemId: 'phone',
      password: 'secret',
      number: NUMBER,
      ...more,
    },
  });
  const toPhone = (userData: Uint8Array, more: object = {}) => {
    const length = 1 + (userData[0] ?? 0);
    const [udh, message] = [
      Buffer.from(userData.subarray(0, length)),
      Buffer.from(userData.subarray(length)),
    ];
    const fields = {
      source_addr: '43800123',
      destination_addr: NUMBER.slice(1),
      esm_class: 0x40,
      data_coding: 4,
    };
    return smsc.deliver({ ...fields, short_message: { udh, message }, ...more }, 'phone');
  };
  beforeEach(async () => {
    smsc = await Smsc.start();
    open.push(smsc);
  });

  it('it is bound under its number, and says so before it registers', async () => {
    await start(at());
    expect(smsc.binds).toEqual(['bind_transceiver phone secret']);
    expect(events.map(({ kind }) => kind)).toEqual(['listening', 'registered']);
    expect(all('listening')).toMatchObject([{ url: `sms:${NUMBER}` }]);
  });

  it('it follows a SIR in parts, which the SMSC knows to be there before the user has decided', async () => {
    let decide: (answer: 'accept') => void = () => undefined;
    const terminal = await start({
      ...at(),
      policy: {
        askUser: () =>
          new Promise((resolve) => {
            decide = resolve;
          }),
      },
    });
    const asking = terminal.next('asking', SOON);
    for (const part of segment(sirPush(), WAP_PUSH_PORTS, { reference: 9, referenceBits: 8 }))
      expect(await toPhone(part)).toBe(0);
    await asking;
    decide('accept');
    await gateway.session();
    expect(all('sir')).toMatchObject([{ sir: { carrier: 'sms', id: 't1.abc' } }]);
  });

  it('it follows a SIR by USSD', async () => {
    const terminal = await start(at());
    const sir = terminal.next('sir', SOON);
    const octets = Buffer.from(sirPush());
    const ussd = {
      esm_class: 0,
      service_type: 'USSD',
      ussd_service_op: 2,
      short_message: { message: octets },
    };
    expect(await toPhone(octets, ussd)).toBe(0);
    expect(await sir).toMatchObject({ sir: { carrier: 'ussd' }, judgement: { reason: 'matched' } });
  });

  it('what is for other numbers, and receipts, are acknowledged and that is all', async () => {
    const terminal = await start(at());
    const [part = Buffer.alloc(0)] = segment(sirPush('t1.xyz'), WAP_PUSH_PORTS, {
      reference: 9,
      referenceBits: 8,
    });
    expect(await toPhone(part, { destination_addr: '436640000000' })).toBe(0);
    expect(await toPhone(part, { esm_class: 0x44 })).toBe(0);
    const sir = terminal.next('sir', SOON);
    for (const each of segment(sirPush(), WAP_PUSH_PORTS, { reference: 10, referenceBits: 8 }))
      await toPhone(each);
    await sir;
    expect(all('sir')).toMatchObject([{ sir: { id: 't1.abc' } }]);
    expect(all('error')).toEqual([]);
  });

  it('it returns in as many short messages as it takes, from its number', async () => {
    const information = { preference: { note: `Grüße aus Łódź, ${'x'.repeat(100)}` } };
    const terminal = await start({
      ...at(),
      policy: { information, returnRoute: { by: 'sms', to: '+43800123' } },
    });
    const returned = terminal.next('returned', SOON);
    await gateway.sendSir(
      fullSia({
        extension: {
          ...{ identities: [PHONE], ppg: PPG_URI, id: 't1.abc', send: [], unknown: [] },
          return: ['preference'],
        },
      }),
    );
    expect(await returned).toMatchObject({ by: 'sms', gateway: '+43800123' });
    expect(smsc.taken.length).toBeGreaterThan(1);
    for (const { source, destination, dataCoding, esmClass } of smsc.taken)
      expect([source, destination, dataCoding, esmClass]).toEqual([NUMBER.slice(1), '43800123', 8, 0x40]);
  });

  it('that does not take what it returns is reported', async () => {
    smsc.behave = () => ({ status: 0x0b });
    const terminal = await start({ ...at(), policy: { returnRoute: { by: 'sms', to: '+43800123' } } });
    const failed = terminal.next('error', SOON);
    await gateway.sendSir(
      fullSia({
        extension: {
          ...{ identities: [PHONE], ppg: PPG_URI, id: 't1.abc', send: [], unknown: [] },
          return: ['preference'],
        },
      }),
    );
    expect(await failed).toMatchObject({
      doing: 'following a SIR',
      reason: expect.stringContaining('ESME_RINVDSTADR'),
    });
  });

  it('that hangs up is reported, and bound again', async () => {
    const terminal = await start(at());
    const lost = terminal.next('error', SOON);
    smsc.hangUp();
    expect(await lost).toMatchObject({ doing: 'keeping the connection to the SMSC' });
    await smsc.when(() => smsc.boundCount === 1);
    const sir = terminal.next('sir', SOON);
    for (const part of segment(sirPush(), WAP_PUSH_PORTS, { reference: 9, referenceBits: 8 }))
      await toPhone(part);
    expect(await sir).toMatchObject({ sir: { carrier: 'sms' } });
  });

  it('that refuses it, or is not there, it does not start, and leaves nothing open', async () => {
    smsc.bindStatus = 0x0e;
    await expect(start({ ...at(), otaHttp: HERE })).rejects.toThrow(
      /SMSC 127\.0\.0\.1:\d+: the SMSC refused the bind: ESME_RINVPASWD/,
    );
    await expect(start(at({ port: 1 }))).rejects.toThrow(/SMSC 127\.0\.0\.1:1: .*ECONNREFUSED/);
    expect(gateway.registers).toEqual([]);
    expect(events).toEqual([]);
  });

  it('it reports texts that are no pushes', async () => {
    const terminal = await start(at());
    const failed = terminal.next('error', SOON);
    await new Handset(smsc, '+43800123').send(NUMBER, 'See you at eight', ['phone']);
    expect(await failed).toMatchObject({ doing: 'receiving by SMS' });
  });
});

describe('by call-back', () => {
  const key = decodeWebhookSecret(SECRET);
  const wake = (fields: object = {}) =>
    JSON.stringify({ type: 'terminal.wake', sia: Buffer.from(sia()).toString('base64'), ...fields });
  async function awake() {
    const terminal = await start({ httpCallback: { ...HERE, secret: SECRET } });
    const url = all('listening')[0]?.url ?? '';
    const call = async (body: string, by = key, method = 'POST', to = url) => {
      const headers = webhookHeaders({ id: 'w1', sentAt: Date.now(), body: Buffer.from(body) }, by);
      const answer = await fetch(to, { method, headers, ...(method === 'GET' ? {} : { body }) });
      return answer.status;
    };
    return { terminal, url, call };
  }

  it('it follows the SIR', async () => {
    const { terminal, url, call } = await awake();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/wake$/);
    const sir = terminal.next('sir', SOON);
    expect(await call(wake())).toBe(204);
    expect(await sir).toMatchObject({ sir: { carrier: 'http-callback' }, judgement: { reason: 'matched' } });
    await gateway.session();
  });

  it.each([
    ['of somebody else', () => wake(), Buffer.alloc(24, 8), 401, 'receiving a call-back'],
    ['that is no JSON', () => 'wake up', undefined, 400, 'receiving an event'],
    ['that is no object', () => 'null', undefined, 400, 'receiving an event'],
    ['without a SIR', () => wake({ sia: undefined }), undefined, 400, 'receiving an event'],
    ['with something else for a SIR', () => wake({ sia: 'CQkJ' }), undefined, 400, 'receiving an event'],
    [
      'with content, which it does not carry',
      () => JSON.stringify({ type: 'push', id: '1', contentType: 'text/plain', content: 'x' }),
      undefined,
      400,
      'receiving an event',
    ],
  ])('it refuses one %s', async (_, body, by, status, doing) => {
    const { call } = await awake();
    expect(await call(body(), by)).toBe(status);
    expect(all('error')).toMatchObject([{ doing }]);
    expect(all('sir')).toEqual([]);
  });

  it('it takes nothing elsewhere, by other methods, or without an end', async () => {
    const { url, call } = await awake();
    expect(await call(wake(), key, 'POST', url.replace('/wake', '/'))).toBe(404);
    expect(await call('', key, 'GET')).toBe(405);
    expect(await call('x'.repeat(16 * 1024 + 1))).toBe(413);
    expect(all('sir')).toEqual([]);
  });
});

describe('by Web Push', () => {
  let ca: TestCa;
  let certificate: ReturnType<TestCa['issue']>;
  beforeAll(() => {
    ca = new TestCa();
    certificate = ca.issue('browser', '/CN=browser');
  });
  afterAll(() => ca[Symbol.dispose]());

  async function subscribed() {
    const terminal = await start({ webPush: { ...HERE, tls: certificate } });
    const [place] = all('listening');
    if (!place?.keys) throw new Error('no subscription');
    const { url, keys } = place;
    const post = (body: Uint8Array, headers: Record<string, string> = {}): Promise<number> =>
      new Promise((resolve, reject) => {
        const all = { ttl: '60', 'content-encoding': 'aes128gcm', ...headers };
        const posted = request(url, { method: 'POST', headers: all, ca: ca.ca }, (answer) => {
          answer.resume();
          resolve(answer.statusCode ?? 0);
        });
        posted.on('error', reject).end(body);
      });
    const send = (event: object) => post(encryptWebPush(Buffer.from(JSON.stringify(event)), keys));
    return { terminal, url, post, send };
  }

  it('it follows the SIR of a wake-up', async () => {
    const { terminal, url, send } = await subscribed();
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/push\/[\w-]{22}$/);
    const sir = terminal.next('sir', SOON);
    expect(await send({ type: 'terminal.wake', sia: Buffer.from(sia()).toString('base64') })).toBe(201);
    expect(await sir).toMatchObject({ sir: { carrier: 'web-push' }, judgement: { reason: 'matched' } });
    await gateway.session();
  });

  it('it takes content, as text and as octets, with its headers, and knows a repetition', async () => {
    const { send } = await subscribed();
    const octets = random(20);
    const text = {
      id: 'p1',
      type: 'push',
      contentType: 'text/plain',
      headers: { 'x-wap-application-id': 'mms.ua' },
    };
    expect(await send({ ...text, content: 'Grüße' })).toBe(201);
    expect(await send({ ...text, content: 'Grüße' })).toBe(201);
    const binary = { id: 'p2', type: 'push', contentType: 'image/png', base64: octets.toString('base64') };
    expect(await send(binary)).toBe(201);
    expect(all('content').map(({ content, isDuplicate }) => [content.id, content.via, isDuplicate])).toEqual([
      ['p1', 'web-push', false],
      ['p1', 'web-push', true],
      ['p2', 'web-push', false],
    ]);
    expect(all('content')[0]?.content).toMatchObject({
      contentType: 'text/plain',
      headers: [{ name: 'x-wap-application-id', value: 'mms.ua' }],
      bytes: Buffer.from('Grüße'),
    });
    expect(all('content')[2]?.content.bytes).toEqual(octets);
  });

  it('it refuses what was not made for it, and a wake-up without a SIR', async () => {
    const { post } = await subscribed();
    expect(await post(random(200))).toBe(400);
    expect(await post(Buffer.alloc(0))).toBe(400);
    expect(await post(random(200), { ttl: 'soon' })).toBe(400);
    expect(await post(random(200), { 'content-encoding': 'gzip' })).toBe(400);
    expect(all('error').map(({ doing }) => doing)).toEqual(Array(4).fill('receiving by Web Push'));
    expect([...all('sir'), ...all('content')]).toEqual([]);
  });
});
