/**
 * What the reference terminal tells by each carrier, and how it follows SIRs that came by each: against a gateway that does what the test
 * says, over real sockets (SIR-97, SIR-134, SIR-136, SIR-148).
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { randomBytes, systemClock } from '../../src/app/system-clock.js';
import {
  encodeSia,
  ipContactPoint,
  OTA_HTTP,
  OTA_SIP,
  type Sia,
  type SiaExtension,
} from '../../src/protocols/sia/index.js';
import { headerValue } from '../../src/protocols/sip/index.js';
import { segment, WAP_PUSH_PORTS } from '../../src/protocols/sms/index.js';
import { encodePush, type WspHeader } from '../../src/protocols/wsp/index.js';
import { ReferenceTerminal } from '../../src/terminal/reference-terminal.js';
import { signWith } from '../../src/terminal/sir-key.js';
import type {
  TerminalEvent,
  TerminalEventKind,
  TerminalEventOf,
} from '../../src/terminal/terminal-events.js';
import type { TerminalOptions } from '../../src/terminal/terminal-options.js';
import { fullSia, PPG_URI, ScriptedGateway } from '../support/scripted-gateway.js';

const PHONE = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
const PC = 'urn:uuid:00000000-0000-4000-8000-0000000000bb';
const SOON = { timeoutMs: 45_000 };
const KEY = 'the key that phone and gateway share';

let gateway: ScriptedGateway;
let directory: string;
let events: TerminalEvent[];
const open: AsyncDisposable[] = [];

beforeEach(async () => {
  gateway = await ScriptedGateway.start();
  directory = await mkdtemp(join(tmpdir(), 'carillon-terminal-returns-'));
  events = [];
});
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part[Symbol.asyncDispose]();
  await gateway.close();
  await rm(directory, { recursive: true, force: true });
});

async function start(options: Partial<TerminalOptions> = {}) {
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

function sia(extension: Partial<SiaExtension> = {}, base: Partial<Sia> = {}): Sia {
  return fullSia({
    ...base,
    extension: {
      identities: [PHONE],
      publicUserIdentity: 'sip:alice@carillon.test',
      ppg: PPG_URI,
      id: 't1.abc',
      return: [],
      send: [],
      unknown: [],
      ...extension,
    },
  });
}

interface Posted {
  readonly body: string;
  readonly signature: string | undefined;
}

/** A gateway's place for returns by HTTP. */
async function returnsServer() {
  const posted: Posted[] = [];
  const server: Server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += String(piece);
    posted.push({ body, signature: request.headers['x-carillon-signature'] as string | undefined });
    response.writeHead(204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  });
  return { posted, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/returns` };
}

const INFORMATION = {
  capability: { accept: ['text/plain'] },
  preference: { refusedTypes: ['video/*'] },
  security: { trustedGateways: [PPG_URI] },
  subscription: { applications: ['mms.ua'] },
};
const KINDS = ['capability', 'preference', 'security', 'subscription'] as const;
const expected = KINDS.map((kind) => ({
  kind,
  sir: 't1.abc',
  device: PHONE,
  information: INFORMATION[kind],
}));

describe('what a SIR asks for is returned (SIR-55, SIR-62 … SIR-65, SIR-97, SIR-134)', () => {
  const ask = () => gateway.sendSir(sia({ return: [...KINDS].reverse() }));

  it('by SIP MESSAGE', async () => {
    const terminal = await start({ policy: { information: INFORMATION } });
    const last = terminal.next('returned', {
      ...SOON,
      matches: ({ information }) => information === 'subscription',
    });
    await ask();
    expect(await last).toMatchObject({ by: 'sip', gateway: PPG_URI, status: 200 });
    expect(gateway.messages.map(({ body }) => JSON.parse(Buffer.from(body).toString()))).toEqual(expected);
  });

  it('by HTTP, signed over the very octets', async () => {
    const { posted, url } = await returnsServer();
    const terminal = await start({
      policy: { information: INFORMATION, returnRoute: { by: 'http', url }, returnKey: KEY },
    });
    const last = terminal.next('returned', {
      ...SOON,
      matches: ({ information }) => information === 'subscription',
    });
    await ask();
    expect(await last).toMatchObject({ by: 'http', gateway: url, status: 204 });
    expect(posted.map(({ body }) => JSON.parse(body))).toEqual(expected);
    for (const { body, signature } of posted) expect(signature).toBe(signWith(KEY, Buffer.from(body)));
    expect(gateway.messages).toEqual([]);
  });

  it('by short messages: the object, and its signature on a second line', async () => {
    const sent: string[] = [];
    const terminal = await start({
      policy: { information: INFORMATION, returnRoute: { by: 'sms', to: '+43664' }, returnKey: KEY },
      sendSms: async ({ to, text }) => void sent.push(`${to} ${text}`),
    });
    const last = terminal.next('returned', {
      ...SOON,
      matches: ({ information }) => information === 'subscription',
    });
    await ask();
    expect(await last).toMatchObject({ by: 'sms', gateway: '+43664' });
    const messages = all('sms').map(({ text }) => text.split('\n'));
    expect(messages.map(([body = '']) => JSON.parse(body))).toEqual(expected);
    for (const [body = '', signature] of messages) expect(signature).toBe(signWith(KEY, Buffer.from(body)));
    expect(sent).toEqual(all('sms').map(({ to, text }) => `${to} ${text}`));
  });

  it.each(KINDS)('%s alone when that alone is asked for', async (kind) => {
    const terminal = await start({ policy: { information: INFORMATION } });
    // The REGISTER is the last thing that a SIR asks for: nothing else comes after it.
    const last = terminal.next('returned', {
      ...SOON,
      matches: ({ information }) => information === 'registration',
    });
    await gateway.sendSir(sia({ return: [kind], send: ['registration'] }));
    await last;
    expect(gateway.messages.map(({ body }) => JSON.parse(Buffer.from(body).toString()).kind)).toEqual([kind]);
  });

  it('except for what is withheld', async () => {
    const terminal = await start({
      policy: { information: INFORMATION, withheld: ['security', 'capability'] },
    });
    const last = terminal.next('returned', {
      ...SOON,
      matches: ({ information }) => information === 'subscription',
    });
    await ask();
    await last;
    expect(all('returned').map(({ information }) => information)).toEqual(['preference', 'subscription']);
  });

  it('and a carrier that fails is reported', async () => {
    const { url } = await returnsServer();
    const nowhere = url.replace(/:\d+/, ':1');
    const terminal = await start({ policy: { returnRoute: { by: 'http', url: nowhere } } });
    const failed = terminal.next('error', SOON);
    await gateway.sendSir(sia({ return: ['security'] }));
    expect(await failed).toMatchObject({
      doing: 'following a SIR',
      reason: expect.stringContaining(nowhere),
    });
  });
});

describe('the application of a SIR (SIR-54, SIR-98, SIR-99, SIR-133)', () => {
  const DCD = { id: 'x-oma-application:dcd.ua', name: 'DCD' };
  const told = () =>
    events
      .map(({ kind }) => kind)
      .filter((kind) => kind === 'activated' || kind === 'connected' || kind === 'returned');

  it.each([
    ['after', ['connected', 'activated', 'returned']],
    ['before', ['activated', 'connected', 'returned']],
  ] as const)('is activated %s connecting', async (activation, order) => {
    const terminal = await start({
      policy: { activation, activate: async () => ({ subscription: { applications: ['dcd.ua'] } }) },
    });
    const returned = terminal.next('returned', SOON);
    await gateway.sendSir(sia({ application: DCD, return: ['subscription'] }));
    await returned;
    expect(told()).toEqual(order);
    expect(JSON.parse(Buffer.from(gateway.messages[0]?.body ?? []).toString()).information).toEqual({
      applications: ['dcd.ua'],
    });
  });

  it.each(['before', 'after'] as const)(
    'is left alone when the SIR is not followed, also where it would be activated %s connecting',
    async (activation) => {
      const activated: string[] = [];
      const terminal = await start({
        policy: {
          activation,
          askUser: async () => 'reject',
          activate: async ({ id }) => {
            activated.push(id);
            return {};
          },
        },
      });
      await gateway.sendSir(sia({ application: DCD, return: ['subscription', 'rejection'] }));
      await terminal.register();
      expect([activated, gateway.messages, gateway.invites]).toEqual([[], [], []]);
    },
  );

  it('that fails to start is reported, and the terminal speaks for itself', async () => {
    const terminal = await start({
      policy: {
        activate: () => Promise.reject(new Error('no battery')),
        information: { subscription: 'mine' },
      },
    });
    const returned = terminal.next('returned', SOON);
    await gateway.sendSir(sia({ application: DCD, return: ['subscription'] }));
    await returned;
    expect(all('error')).toMatchObject([{ doing: `activating ${DCD.id}`, reason: 'no battery' }]);
    expect(JSON.parse(Buffer.from(gateway.messages[0]?.body ?? []).toString()).information).toBe('mine');
  });
});

describe('a refusal without a session (SIR-66, SIR-136)', () => {
  const refusing = { askUser: async () => 'reject' as const };
  const asking = () => encodeSia(sia({ return: ['rejection'] }));

  it.each(['sms', 'wsp', 'other'] as const)(
    'of a SIR that came by %s is reported by the carrier of returns',
    async (carrier) => {
      const { posted, url } = await returnsServer();
      const terminal = await start({
        policy: { ...refusing, returnRoute: { by: 'http', url }, returnKey: KEY },
      });
      const returned = terminal.next('returned', SOON);
      await terminal.receiveSia(asking(), carrier);
      expect(await returned).toMatchObject({ information: 'rejection', by: 'http', status: 204 });
      expect(posted.map(({ body }) => JSON.parse(body))).toEqual([
        {
          kind: 'rejection',
          sir: 't1.abc',
          device: PHONE,
          information: { reason: 'userDeclined', text: 'The user declined' },
        },
      ]);
      expect(gateway.invites).toEqual([]);
    },
  );

  it('goes by SIP too, and says when to come again where the terminal only does not want it now', async () => {
    const terminal = await start({ policy: { askUser: async () => 'later' } });
    const returned = terminal.next('returned', SOON);
    await terminal.receiveSia(asking(), 'sms');
    expect(await returned).toMatchObject({ information: 'rejection', by: 'sip', gateway: PPG_URI });
    expect(JSON.parse(Buffer.from(gateway.messages[0]?.body ?? []).toString())).toMatchObject({
      kind: 'rejection',
      information: { reason: 'userPostponed', retryAfter: 300 },
    });
  });

  it.each([
    ['nobody asked for it', [], refusing],
    ['the terminal withholds it', ['rejection'], { ...refusing, withheld: ['rejection'] }],
  ] as const)('is not told when %s', async (_, flags, policy) => {
    const terminal = await start({ policy });
    const judged = await terminal.receiveSia(encodeSia(sia({ return: flags })), 'sms');
    expect(judged.verdict).toBe('refuse');
    await terminal.register();
    expect(gateway.messages).toEqual([]);
    expect(all('returned')).toEqual([]);
  });

  it('never goes out for a SIR that is not safe: it may be from anybody', async () => {
    const terminal = await start({ policy: { safety: { allowedGateways: ['sip:ppg@other.test'] } } });
    expect((await terminal.receiveSia(asking(), 'sms')).reason).toBe('foreignGateway');
    await terminal.register();
    expect(gateway.messages).toEqual([]);
  });
});

describe('duplicates, replays and old SIRs (SIR-60)', () => {
  it('are ignored over a restart and whichever carrier brings them again; one session only', async () => {
    const statePath = join(directory, 'state');
    const first = await start({ statePath });
    await gateway.sendSir(sia());
    await gateway.session();
    expect((await first.receiveSia(encodeSia(sia()), 'sms')).reason).toBe('duplicate');
    await first.abandon();
    const second = await start({ statePath });
    expect((await second.receiveSia(encodeSia(sia()), 'wsp')).reason).toBe('duplicate');
    expect((await gateway.sendSir(sia())).status).toBe(200);
    expect(all('sir').at(-1)?.judgement.reason).toBe('duplicate');
    expect(gateway.invites).toHaveLength(1);
  });

  it('those that were refused are not refused twice', async () => {
    const statePath = join(directory, 'state');
    const first = await start({ statePath, policy: { subscribedApplications: [] } });
    const unwanted = encodeSia(sia({}, { applicationIds: ['x-wap-application:mms.ua'] }));
    expect((await first.receiveSia(unwanted, 'sms')).reason).toBe('notSubscribed');
    await first.abandon();
    const second = await start({ statePath });
    expect((await second.receiveSia(unwanted, 'sms')).reason).toBe('duplicate');
  });

  it('what was not for this terminal is not remembered, so that nobody can fill its memory', async () => {
    const terminal = await start();
    const foreign = encodeSia(sia({ identities: [PC] }));
    expect((await terminal.receiveSia(foreign, 'sms')).reason).toBe('otherDevice');
    expect((await terminal.receiveSia(foreign, 'sms')).reason).toBe('otherDevice');
  });

  it('one that has lapsed is ignored', async () => {
    const terminal = await start();
    const old = encodeSia(sia({ expiresAtSeconds: 1_000_000_000 }));
    expect((await terminal.receiveSia(old, 'sms')).reason).toBe('expired');
    expect(gateway.invites).toEqual([]);
  });
});

describe('a gateway that knows nothing of device identities (SIR-72, SIR-121, SIR-174)', () => {
  const legacy = (base: Partial<Sia> = {}) => encodeSia(fullSia({ version: 0, ...base }));
  const unextended = { applicationIds: ['x-wap-application:wml.ua'] };

  it('sends a SIR to the user, and the terminal connects to it', async () => {
    await start();
    const response = await gateway.sendMessage('application/vnd.wap.sia', legacy(unextended));
    expect(response.status).toBe(200);
    expect((await gateway.session()).invite.uri).toBe(PPG_URI);
    expect(all('sir')).toMatchObject([{ sir: { devices: [] }, judgement: { reason: 'accepted' } }]);
  });

  it('is judged by own information all the same', async () => {
    await start({ policy: { subscribedApplications: ['mms.ua'] } });
    await gateway.sendMessage('application/vnd.wap.sia', legacy(unextended));
    expect(all('sir')).toMatchObject([{ judgement: { reason: 'notSubscribed' } }]);
    expect(gateway.invites).toEqual([]);
  });

  it('may send no body at all (Table 1)', async () => {
    await start();
    await gateway.sendMessage('application/vnd.wap.sia', new Uint8Array(), {
      to: `<sip:alice@carillon.test;gr=${PHONE}>`,
    });
    await gateway.session();
    expect(all('sir')).toMatchObject([{ judgement: { reason: 'matched' } }]);
  });

  it('is called at the contact point of the base fields', async () => {
    const terminal = await start();
    const point = ipContactPoint('127.0.0.1', gateway.registrar.port);
    const body = encodeSia(
      fullSia({ contactPoints: point ? [point] : [], protocolOptions: [OTA_SIP], ...unextended }),
    );
    await terminal.receiveSia(body, 'sms');
    expect((await gateway.session()).invite.uri).toBe(`sip:127.0.0.1:${gateway.registrar.port}`);
  });

  it('may ask for capabilities', async () => {
    const terminal = await start({ policy: { information: INFORMATION } });
    const returned = terminal.next('returned', SOON);
    const asking = sia({ identities: [], return: ['capability'] });
    await gateway.sendSir(asking);
    expect(await returned).toMatchObject({ information: 'capability', status: 200 });
  });
});

describe('another gateway than the sender (SIR-59)', () => {
  it('gets the session, the messages and the information', async () => {
    const other = 'sip:ppg2@carillon.test';
    const terminal = await start({ policy: { information: INFORMATION } });
    const last = terminal.next('returned', {
      ...SOON,
      matches: ({ information }) => information === 'preference',
    });
    await gateway.sendSir(sia({ ppg: other, return: ['preference'], send: ['capability'] }));
    await last;
    expect((await gateway.session()).invite.uri).toBe(other);
    expect(gateway.messages.map(({ uri }) => uri)).toEqual([other, other]);
    expect(gateway.messages.map((message) => headerValue(message, 'in-reply-to'))).toEqual([
      't1.abc',
      't1.abc',
    ]);
  });
});

describe('a push of WSP (SIR-84, SIR-85, SIR-148)', () => {
  const asPush = (mediaType: string, body: Uint8Array, headers: readonly WspHeader[] = []) =>
    encodePush({ transactionId: 1, contentType: { mediaType, parameters: new Map() }, headers, body });
  const id = { name: 'X-Push-Id', value: 'push-7' };
  const notice = (userData: Uint8Array) => ({ from: '+43664', userData, hasHeader: false });

  it('out of a notification, or of a short message, is a SIR or content; a repetition is told', async () => {
    const terminal = await start();
    const octets = asPush('application/vnd.wap.sia', encodeSia(sia()));
    const byUssd = terminal.next('sir', SOON);
    await terminal.receiveShortMessage(notice(octets));
    expect(await byUssd).toMatchObject({ sir: { carrier: 'ussd' }, judgement: { reason: 'matched' } });
    const bySms = terminal.next('sir', SOON);
    for (const userData of segment(octets, WAP_PUSH_PORTS, { reference: 1, referenceBits: 8 }))
      await terminal.receiveShortMessage({ from: '+43664', userData, hasHeader: true });
    expect(await bySms).toMatchObject({ sir: { carrier: 'sms' }, judgement: { reason: 'duplicate' } });
    for (let time = 0; time < 2; time += 1) {
      await terminal.receiveShortMessage(notice(asPush('text/plain', Buffer.from('hello'), [id])));
    }
    expect(all('content')).toMatchObject([
      { content: { via: 'sms', contentType: 'text/plain', size: 5 }, isDuplicate: false },
      { isDuplicate: true },
    ]);
  });

  it('that nobody can read is reported, and the terminal lives on', async () => {
    const terminal = await start({ wsp: { host: '127.0.0.1', port: 0 } });
    const { hostname, port } = new URL((all('listening')[0]?.url ?? '').replace('wsp:', 'http:'));
    const socket = createSocket('udp4');
    open.push({ [Symbol.asyncDispose]: async () => void socket.close() });
    const send = (octets: Uint8Array) => socket.send(octets, Number(port), hostname);
    const failed = terminal.next('error', SOON);
    send(Buffer.from([9, 9, 9]));
    expect(await failed).toMatchObject({ doing: 'receiving by WSP' });
    const again = terminal.next('error', SOON);
    send(asPush('application/vnd.wap.sia', Buffer.from([9, 9])));
    await again;
    const content = terminal.next('content', SOON);
    send(asPush('text/plain', Buffer.from('hello'), [id]));
    expect((await content).content).toMatchObject({ id: 'push-7', via: 'wsp' });
  });
});

describe('a SIR says by what the terminal connects (SIR-58, SIR-59, SIR-61, SIR-148)', () => {
  /** The gateway's side of OTA-HTTP: takes connections, and asks on each who it is. */
  async function otaGateway() {
    const sockets: Socket[] = [];
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      sockets.push(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    open.push({
      async [Symbol.asyncDispose]() {
        for (const socket of sockets) socket.destroy();
        server.close();
      },
    });
    const { port } = server.address() as AddressInfo;
    return { sockets, port, place: ipContactPoint('127.0.0.1', port), address: `http://127.0.0.1:${port}` };
  }
  const points = (...list: readonly ReturnType<typeof ipContactPoint>[]) =>
    list.filter((point) => point !== undefined);
  const without = { ppg: undefined } as unknown as Partial<SiaExtension>;

  it('by OTA-HTTP alone: it calls the contact point and cites the SIR', async () => {
    const ota = await otaGateway();
    const terminal = await start();
    const connected = terminal.next('connected', SOON);
    const offer = { contactPoints: points(ota.place), protocolOptions: [OTA_HTTP] };
    await terminal.receiveSia(encodeSia(sia(without, offer)), 'http');
    expect(await connected).toMatchObject({ gateway: ota.address, sirId: 't1.abc' });
    expect(gateway.invites).toEqual([]);

    const [socket] = ota.sockets;
    socket?.write('OPTIONS /wappush HTTP/1.1\r\nHost: t\r\n\r\n');
    const [answer] = (await once(socket as Socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 204/);
    expect(answer.toString()).toMatch(/x-push-sir-id: t1\.abc\r\n/i);

    // One connection to a gateway is enough, and a later SIR finds it free again (SIR-155).
    const second = encodeSia(sia({ ...without, id: 't1.def' }, offer));
    expect((await terminal.receiveSia(second, 'http')).reason).toBe('alreadyConnected');
    const closed = terminal.next('closed', SOON);
    socket?.destroy();
    expect(await closed).toMatchObject({ gateway: ota.address });
    const again = terminal.next('connected', SOON);
    await terminal.receiveSia(encodeSia(sia({ ...without, id: 't1.ghi' }, offer)), 'http');
    expect(await again).toMatchObject({ sirId: 't1.ghi' });
  });

  it('by both: it takes the dearer one', async () => {
    const ota = await otaGateway();
    const sip = ipContactPoint('127.0.0.1', gateway.registrar.port);
    const offer = { contactPoints: points(ota.place, sip), protocolOptions: [OTA_HTTP, OTA_SIP] };
    const first = await start();
    await first.receiveSia(encodeSia(sia({}, offer)), 'http');
    expect((await gateway.session()).invite.uri).toBe(PPG_URI);
    await first.abandon();
    const second = await start({ policy: { sessionWays: ['ota-http', 'sip'] } });
    const connected = second.next('connected', SOON);
    await second.receiveSia(encodeSia(sia({ id: 't1.def' }, offer)), 'http');
    expect(await connected).toMatchObject({ gateway: ota.address });
    expect(gateway.invites).toHaveLength(1);
  });

  it('by SIP without a ppg line: it calls the contact point', async () => {
    const terminal = await start();
    const sip = ipContactPoint('127.0.0.1', gateway.registrar.port);
    const offer = { contactPoints: points(sip), protocolOptions: [OTA_SIP] };
    await terminal.receiveSia(encodeSia(sia(without, offer)), 'sms');
    expect((await gateway.session()).invite.uri).toBe(`sip:127.0.0.1:${gateway.registrar.port}`);
  });

  it('by nothing, for it had no room: it calls the gateway that it is provisioned with', async () => {
    const terminal = await start({ policy: { homeGateway: PPG_URI, information: INFORMATION } });
    const returned = terminal.next('returned', SOON);
    await terminal.receiveSia(encodeSia(sia({ ...without, return: ['capability'] })), 'sms');
    expect((await gateway.session()).invite.uri).toBe(PPG_URI);
    expect(await returned).toMatchObject({ by: 'sip', gateway: PPG_URI, status: 200 });
  });

  it('by nothing that it knows: it stays where it is', async () => {
    const terminal = await start();
    expect((await terminal.receiveSia(encodeSia(sia(without)), 'sms')).reason).toBe('nowhereToConnect');
  });

  it('and a gateway by OTA-HTTP has to be trusted as any other (SIR-105)', async () => {
    const ota = await otaGateway();
    const offer = { contactPoints: points(ota.place), protocolOptions: [OTA_HTTP] };
    const strict = await start({ policy: { safety: { allowedGateways: ['http://127.0.0.2:4035'] } } });
    expect((await strict.receiveSia(encodeSia(sia(without, offer)), 'http')).reason).toBe('foreignGateway');
    const trusting = await start({ policy: { safety: { allowedGateways: ['127.0.0.1'] } } });
    expect((await trusting.receiveSia(encodeSia(sia(without, offer)), 'http')).reason).toBe('matched');
  });

  it('answers with the push status and the reason when it is refused (SIR-136)', async () => {
    const terminal = await start({
      otaHttp: { host: '127.0.0.1', port: 0 },
      policy: { askUser: async () => 'reject' },
    });
    const [{ url = '' } = {}] = all('listening');
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/vnd.wap.sia',
        'X-Wap-Application-Id': 'x-wap-application:push.sia',
        'X-Wap-Push-OTA-Version': '1.0',
      },
      body: Buffer.from(encodeSia(sia({ return: ['rejection'] }))),
    });
    expect(answer.headers.get('x-wap-push-status')).toMatch(/^235/);
    expect(answer.headers.get('x-push-reason')).toBe('The user declined');
    await terminal.register();
    expect(headerValue(gateway.registers.at(-1) ?? { headers: [] }, 'contact')).toContain(PHONE);
    expect(gateway.messages).toEqual([]);
  });
});
