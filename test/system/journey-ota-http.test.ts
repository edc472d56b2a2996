/**
 * OTA-HTTP through the whole gateway: pushes to a terminal that listens, and to one that calls, after a SIR and of its own accord. The
 * terminal's side is the reference one; the initiator and the operator use the public doors.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PushRequest, terminalKey } from '../../src/protocols/ota-http/index.js';
import { decodeSia, ipOfContactPoint, OTA_HTTP_CPITAG, type Sia } from '../../src/protocols/sia/index.js';
import { OtaHttpListener } from '../../src/terminal/ota-http-listener.js';
import { OtaResponder } from '../../src/terminal/ota-http-responder.js';
import { OtaHttpSession } from '../../src/terminal/ota-http-session.js';
import { E2eGateway, when } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';

const SECRET = 'a secret for terminals';

let gateway: E2eGateway;
let initiator: Initiator;
let users = 0;

beforeAll(async () => {
  gateway = await E2eGateway.start({
    CARILLON_BEARERS_OTA_HTTP_ALLOW_PRIVATE_ADDRESSES: 'true',
    CARILLON_OTA_HTTP_ENABLED: 'true',
    CARILLON_OTA_HTTP_PORT: '0',
    CARILLON_OTA_HTTP_TERMINAL_SECRET: SECRET,
    CARILLON_WAKE_RETRY_SECONDS: '[1]',
  });
  initiator = new Initiator(gateway);
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** A phone that answers by OTA-HTTP, and what it has taken, SIRs apart. */
function newPhone() {
  users += 1;
  const user = `sip:ota${users}@example.test`;
  const uuid = instance(30_000 + users);
  const taken: PushRequest[] = [];
  const sirs: Sia[] = [];
  /** Answers, one for each push; then it accepts. */
  const answers: number[] = [];
  const responder = new OtaResponder({
    capabilities: [
      { name: 'X-Wap-Push-Accept', value: 'text/plain, application/vnd.wap.sic' },
      { name: 'X-Wap-Push-MsgSize', value: '400000' },
      { name: 'X-Wap-Push-Accept-MaxPushReq', value: '4' },
    ],
    async take(push) {
      if (push.contentType === 'application/vnd.wap.sia') sirs.push(decodeSia(push.content));
      else taken.push(push);
      return answers.shift() ?? 400;
    },
  });
  const add = (activation: readonly object[]) =>
    gateway.addUser(user, { phone: { identities: [{ kind: 'uuid', value: uuid }], activation } });
  const id = async () => (await gateway.lane(user, 'phone')).id;
  const reported = async () => {
    const path = `/users/${encodeURIComponent(user)}/terminals/phone`;
    const { body } = await gateway.admin('GET', path);
    return (body as { reported?: { cpi?: Record<string, unknown> } }).reported?.cpi;
  };
  return { user, to: addressOf(user, uuid), taken, sirs, answers, responder, add, id, reported };
}

const listen = (responder: OtaResponder) => OtaHttpListener.start(responder, { host: '127.0.0.1', port: 0 });
const text = ({ content }: PushRequest) => Buffer.from(content).toString('utf8');

describe('a terminal that listens (PO-TCP; SIR-9)', () => {
  it('gets a push with its headers, under its id, and the initiator learns that it was confirmed', async () => {
    const phone = newPhone();
    await using listener = await listen(phone.responder);
    await phone.add([{ bearer: 'ota-http', address: listener.url }]);
    const headers = ['X-Wap-Application-Id: x-wap-application:mms.ua'];
    await initiator.push({ pushId: 'po@pi', to: phone.to, content: 'Hello', headers });
    const push = await gateway.pushBecomes('po@pi', 'delivered');
    expect(phone.taken.map(text)).toEqual(['Hello']);
    expect(phone.taken[0]).toMatchObject({
      id: push.uid,
      contentType: 'text/plain; charset=utf-8',
      headers: expect.arrayContaining([{ name: 'X-Wap-Application-Id', value: 'x-wap-application:mms.ua' }]),
    });
    expect(push.recipients[0]?.deliveries[0]).toMatchObject({ bearer: 'ota-http', attempts: 1 });
  });

  it('gets many in their order', async () => {
    const phone = newPhone();
    await using listener = await listen(phone.responder);
    await phone.add([{ bearer: 'ota-http', address: listener.url }]);
    const texts = Array.from({ length: 20 }, (_, index) => `number ${index}`);
    for (const [index, content] of texts.entries())
      await initiator.push({ pushId: `po-many${index}@pi`, to: phone.to, content });
    await gateway.pushBecomes('po-many19@pi', 'delivered');
    expect(phone.taken.map(text)).toEqual(texts);
  });

  it('that refuses for good aborts the push with the reason that it gave', async () => {
    const phone = newPhone();
    phone.answers.push(237);
    await using listener = await listen(phone.responder);
    await phone.add([{ bearer: 'ota-http', address: listener.url }]);
    await initiator.push({ pushId: 'po-abort@pi', to: phone.to, content: 'no' });
    const push = await gateway.pushBecomes('po-abort@pi', 'aborted');
    expect(push.recipients[0]).toMatchObject({ code: 5029, reason: expect.stringContaining('USERDCR') });
  });

  it('that is busy gets it later', async () => {
    const phone = newPhone();
    phone.answers.push(236);
    await using listener = await listen(phone.responder);
    await phone.add([{ bearer: 'ota-http', address: listener.url }]);
    await initiator.push({ pushId: 'po-later@pi', to: phone.to, content: 'later' });
    const push = await gateway.pushBecomes('po-later@pi', 'delivered');
    expect(phone.taken).toHaveLength(2);
    expect(push.recipients[0]?.deliveries[0]).toMatchObject({ attempts: 2 });
  });

  it('that is away gets it when it is back', async () => {
    const phone = newPhone();
    const first = await listen(phone.responder);
    const { url } = first;
    await first[Symbol.asyncDispose]();
    await phone.add([{ bearer: 'ota-http', address: url }]);
    await initiator.push({ pushId: 'po-away@pi', to: phone.to, content: 'waited' });
    await gateway.pushWhen(
      'po-away@pi',
      ({ recipients }) => (recipients[0]?.deliveries[0]?.attempts ?? 0) > 0,
    );
    const port = Number(new URL(url).port);
    await using listener = await OtaHttpListener.start(phone.responder, { host: '127.0.0.1', port });
    await gateway.pushBecomes('po-away@pi', 'delivered');
    expect(listener.url).toBe(url);
    expect(phone.taken.map(text)).toEqual(['waited']);
  });
});

describe('a terminal that calls (TO-TCP)', () => {
  it('is woken by a SIR that offers the listener and its tag, and gets large content on its connection', async () => {
    const phone = newPhone();
    await using listener = await listen(phone.responder);
    await phone.add([{ bearer: 'ota-http', address: listener.url, carries: 'sir' }]);
    // It tells its capabilities once, so that the gateway knows its tag.
    const early = await call(phone, { key: terminalKey(SECRET, await phone.id()) });
    await when(phone.reported, (report) => report !== undefined, 'capabilities');
    await early[Symbol.asyncDispose]();
    await gateway.laneWhen(phone.user, 'phone', ({ connections }) => connections.session === undefined);

    const content = Buffer.alloc(300_000, 'large content of a push; ');
    await initiator.push({ pushId: 'to@pi', to: phone.to, content, contentType: 'text/plain' });
    const sirs = await when(
      () => phone.sirs,
      ({ length }) => length > 0,
      'SIRs',
    );
    const [sir] = sirs;
    expect(sir?.protocolOptions[0]).toBe(OTA_HTTP_CPITAG);
    const [point] = sir?.contactPoints ?? [];
    expect(point && `${ipOfContactPoint(point)}:${point.port}`).toBe(`127.0.0.1:${gateway.ports.ota}`);
    await using _session = await call(phone, { sirId: sir?.extension?.id ?? '' });
    const push = await gateway.pushBecomes('to@pi', 'delivered');
    expect(Buffer.compare(phone.taken[0]?.content ?? Buffer.alloc(0), content)).toBe(0);
    expect(push.recipients[0]?.deliveries[0]).toMatchObject({ bearer: 'ota-session' });
    expect(push.recipients[0]?.deliveries[0]?.wakes.at(-1)).toMatchObject({
      bearer: 'ota-http',
      outcome: 'handed',
    });
  });

  it('gets what comes while it is connected, at once and in order, without a SIR', async () => {
    const phone = newPhone();
    await phone.add([]);
    await using _session = await call(phone, { key: terminalKey(SECRET, await phone.id()) });
    await gateway.laneWhen(phone.user, 'phone', ({ state }) => state === 'connected');
    const texts = Array.from({ length: 12 }, (_, index) => `number ${index}`);
    for (const [index, content] of texts.entries())
      await initiator.push({ pushId: `to-many${index}@pi`, to: phone.to, content });
    for (const index of texts.keys()) await gateway.pushBecomes(`to-many${index}@pi`, 'delivered');
    expect(phone.taken.map(text)).toEqual(texts);
    expect(phone.sirs).toEqual([]);
  });

  it('that only says who it is gets nothing of what is held for that one', async () => {
    const phone = newPhone();
    await phone.add([]);
    await initiator.push({ pushId: 'to-secret@pi', to: phone.to, content: 'private' });
    const thief = newPhone();
    const claiming = new OtaResponder({
      terminalId: await phone.id(),
      take: async (push) => {
        thief.taken.push(push);
        return 400;
      },
    });
    const session = await OtaHttpSession.open(claiming, { host: '127.0.0.1', port: gateway.ports.ota });
    await session.closed;
    expect(thief.taken).toEqual([]);
    expect((await gateway.push('to-secret@pi')).recipients[0]?.state).toBe('pending');
  });

  it('whose connection breaks gets the rest on the next one, and nothing twice', async () => {
    const phone = newPhone();
    await phone.add([]);
    const key = terminalKey(SECRET, await phone.id());
    for (let index = 0; index < 6; index += 1)
      await initiator.push({ pushId: `to-break${index}@pi`, to: phone.to, content: `number ${index}` });
    const first = await call(phone, { key });
    await when(
      () => phone.taken.length,
      (count) => count >= 1,
      'content',
    );
    await first[Symbol.asyncDispose]();
    await using _second = await call(phone, { key });
    await gateway.pushBecomes('to-break5@pi', 'delivered');
    // What was under way when it broke comes again under the id that it had.
    const ids = phone.taken.map(({ id }) => id);
    expect(new Set(phone.taken.map(text)).size).toBe(6);
    expect(new Set(ids).size).toBe(6);
  });
});

describe('the reference terminal', () => {
  const started = async (activation: (url: string) => readonly object[]) => {
    users += 1;
    const user = `sip:ota${users}@example.test`;
    const uuid = instance(30_000 + users);
    await gateway.addUser(user, { phone: uuid });
    const guest = await TerminalGuest.start(gateway, {
      user,
      instance: uuid,
      profile: 'S1',
      otaHttp: { host: '127.0.0.1', port: 0 },
    });
    const [listening] = guest.all('listening');
    const terminal = {
      identities: [{ kind: 'uuid', value: uuid }],
      activation: activation(listening?.url ?? ''),
    };
    await gateway.addTerminal(user, 'phone', terminal);
    return { guest, to: addressOf(user, uuid) };
  };

  it('follows a SIR that came by HTTP into a session, and gets its content there (SIR-82, SIR-95)', async () => {
    const { guest, to } = await started((address) => [{ bearer: 'ota-http', address, carries: 'sir' }]);
    await using _guest = guest;
    await initiator.push({ pushId: 'ref-sir@pi', to, content: 'in the session' });
    const push = await gateway.pushBecomes('ref-sir@pi', 'delivered');
    expect(guest.all('sir')).toMatchObject([{ sir: { carrier: 'http' }, judgement: { verdict: 'connect' } }]);
    expect(guest.texts).toEqual(['in the session']);
    expect(push.recipients[0]?.deliveries[0]).toMatchObject({ bearer: 'msrp' });
  });

  it('takes content by HTTP', async () => {
    const { guest, to } = await started((address) => [{ bearer: 'ota-http', address }]);
    await using _guest = guest;
    await initiator.push({ pushId: 'ref-po@pi', to, content: 'by HTTP' });
    const push = await gateway.pushBecomes('ref-po@pi', 'delivered');
    expect(guest.all('content')).toMatchObject([
      { content: { via: 'http', id: push.uid }, isDuplicate: false },
    ]);
  });
});

it('attempts are counted by bearer and outcome', async () => {
  const answer = await fetch(`http://127.0.0.1:${gateway.ports.admin}/metrics`, {
    headers: { authorization: 'Bearer for-tests-only' },
  });
  const metrics = await answer.text();
  expect(metrics).toMatch(/carillon_delivery_attempts_total\{bearer="ota-http",outcome="confirmed"\} \d/);
  expect(metrics).toMatch(/carillon_delivery_attempts_total\{bearer="ota-session",outcome="confirmed"\} \d/);
});

/** The phone calls; it names itself by the id that the gateway knows it by. */
async function call(
  phone: ReturnType<typeof newPhone>,
  credential: { readonly sirId: string } | { readonly key: Uint8Array },
): Promise<OtaHttpSession> {
  const terminalId = await phone.id();
  const { responder } = phone;
  const named = {
    answer: async (...[request, more = []]: Parameters<OtaResponder['answer']>) =>
      responder.answer(request, [...more, { name: 'X-Wap-Terminal-Id', value: terminalId }]),
  } as OtaResponder;
  return OtaHttpSession.open(named, { host: '127.0.0.1', port: gateway.ports.ota, ...credential });
}
