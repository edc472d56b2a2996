/**
 * WSP through the whole gateway: SIRs and pushes in datagrams, sessions that terminals open after a SIR and of their own accord, confirmed and
 * aborted pushes (SIR-9). The terminal's side is the reference one; the initiator and the operator use the public doors.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomBytes, systemClock } from '../../src/app/system-clock.js';
import { decodeSia, ipOfContactPoint } from '../../src/protocols/sia/index.js';
import { ABORT, type PushContents } from '../../src/protocols/wsp/index.js';
import { WspListener } from '../../src/terminal/wsp-listener.js';
import { WspSession, type WspSessionOptions } from '../../src/terminal/wsp-session.js';
import { wspTerminalKey } from '../../src/transports/wsp/session-headers.js';
import { E2eGateway, when } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance, TerminalGuest, type TerminalGuestOptions } from '../support/e2e-terminal.js';

const SECRET = 'a secret for terminals';
const SI = `<?xml version="1.0"?><!DOCTYPE si PUBLIC "-//WAPFORUM//DTD SI 1.0//EN" "http://www.wapforum.org/DTD/si.dtd">
<si><indication href="http://m.example.org/n/7">Hello</indication></si>`;

let gateway: E2eGateway;
let initiator: Initiator;
let users = 0;

beforeAll(async () => {
  gateway = await E2eGateway.start({
    CARILLON_BEARERS_WSP_ENABLED: 'true',
    CARILLON_BEARERS_WSP_PORT: '0',
    CARILLON_BEARERS_WSP_ALLOW_PRIVATE_ADDRESSES: 'true',
    CARILLON_WSP_ENABLED: 'true',
    CARILLON_WSP_PORT: '0',
    CARILLON_WSP_TERMINAL_SECRET: SECRET,
    CARILLON_WSP_RETRANSMIT_MS: '200',
    CARILLON_WAKE_RETRY_SECONDS: '[1]',
  });
  initiator = new Initiator(gateway);
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** A handset that speaks WSP alone: what reaches it in datagrams and in sessions, SIRs apart. */
async function newHandset(more: object = {}) {
  users += 1;
  const user = `sip:wsp${users}@example.test`;
  const uuid = instance(40_000 + users);
  const units: PushContents[] = [];
  const sirs: ReturnType<typeof decodeSia>[] = [];
  const taken: PushContents[] = [];
  const answers: (number | undefined)[] = [];
  const listener = await WspListener.start(
    { host: '127.0.0.1', port: 0 },
    {
      onRefused: (reason) => expect.fail(reason),
      async take(push) {
        if (push.contentType.mediaType === 'application/vnd.wap.sia') sirs.push(decodeSia(push.body));
        else units.push(push);
      },
    },
  );
  const add = (method: object) =>
    gateway.addUser(user, {
      phone: {
        identities: [{ kind: 'uuid', value: uuid }],
        activation: [{ bearer: 'wsp', address: listener.address, ...method }],
      },
    });
  await add(more);
  const id = (await gateway.lane(user, 'phone')).id;
  const connect = (options: Partial<WspSessionOptions>) =>
    WspSession.open(
      { host: '127.0.0.1', port: gateway.ports.wsp, ...options },
      {
        clock: systemClock,
        randomBytes,
        async take(push) {
          const reason = answers.shift();
          if (reason === undefined) taken.push(push);
          return reason;
        },
      },
    );
  return {
    user,
    to: addressOf(user, uuid),
    id,
    listener,
    units,
    sirs,
    taken,
    answers,
    connect,
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  };
}

const text = ({ body }: PushContents) => Buffer.from(body).toString('utf8');

describe('in datagrams', () => {
  it('a handset gets a push with its headers, under its id, and the initiator learns that nobody confirmed it', async () => {
    await using phone = await newHandset();
    const headers = ['X-Wap-Application-Id: x-wap-application:mms.ua'];
    await initiator.push({ pushId: 'unit@pi', to: phone.to, content: 'Hello', headers });
    const push = await gateway.pushBecomes('unit@pi', 'delivered');
    await when(
      () => phone.units.length,
      (count) => count === 1,
      'datagrams',
    );
    expect(phone.units[0]).toMatchObject({
      contentType: { mediaType: 'text/plain' },
      headers: expect.arrayContaining([
        { name: 'X-Wap-Application-Id', value: 'x-wap-application:mms.ua' },
        { name: 'X-Push-Id', value: push.uid },
      ]),
    });
    expect(phone.units.map(text)).toEqual(['Hello']);
    expect(push.recipients[0]?.deliveries[0]).toMatchObject({ bearer: 'wsp', isUnconfirmed: true });
    expect(phone.sirs).toEqual([]);
  });

  it('a document comes in its binary form', async () => {
    await using phone = await newHandset();
    await initiator.push({ pushId: 'si@pi', to: phone.to, content: SI, contentType: 'text/vnd.wap.si' });
    await gateway.pushBecomes('si@pi', 'delivered');
    const [push] = await when(
      () => phone.units,
      ({ length }) => length > 0,
      'datagrams',
    );
    expect(push?.contentType.mediaType).toBe('application/vnd.wap.sic');
    expect(Buffer.from(push?.body ?? []).subarray(0, 3)).toEqual(Buffer.from([2, 5, 0x6a]));
  });

  it('what is too large for one is asked for by a SIR that offers a session, and comes there, confirmed', async () => {
    await using phone = await newHandset();
    const content = Buffer.alloc(60_000, 'large content of a push; ');
    await initiator.push({ pushId: 'large@pi', to: phone.to, content, contentType: 'text/plain' });
    const [sir] = await when(
      () => phone.sirs,
      ({ length }) => length > 0,
      'SIRs',
    );
    const [point] = sir?.wspContactPoints ?? [];
    expect(point && `${ipOfContactPoint(point)}:${point.port}`).toBe(`127.0.0.1:${gateway.ports.wsp}`);
    await using _session = await phone.connect({ sirId: sir?.extension?.id ?? '' });
    const push = await gateway.pushBecomes('large@pi', 'delivered');
    expect(Buffer.compare(phone.taken[0]?.body ?? Buffer.alloc(0), content)).toBe(0);
    expect(push.recipients[0]?.deliveries[0]).toMatchObject({ bearer: 'wsp-session' });
    expect(push.recipients[0]?.deliveries[0]).not.toHaveProperty('isUnconfirmed');
    expect(phone.units).toEqual([]);
  });
});

describe('in sessions', () => {
  const own = async (phone: Awaited<ReturnType<typeof newHandset>>) =>
    phone.connect({ terminalId: phone.id, key: wspTerminalKey(SECRET, phone.id) });

  it('what comes while the terminal is connected comes at once and in order, without a SIR', async () => {
    await using phone = await newHandset({ carries: 'sir' });
    await using _session = await own(phone);
    await gateway.laneWhen(phone.user, 'phone', ({ state }) => state === 'connected');
    const texts = Array.from({ length: 12 }, (_, index) => `number ${index}`);
    for (const [index, content] of texts.entries())
      await initiator.push({ pushId: `co${index}@pi`, to: phone.to, content });
    for (const index of texts.keys()) await gateway.pushBecomes(`co${index}@pi`, 'delivered');
    expect(phone.taken.map(text)).toEqual(texts);
    expect(phone.sirs).toEqual([]);
  });

  it('a terminal that aborts a push has the initiator told why', async () => {
    await using phone = await newHandset({ carries: 'sir' });
    phone.answers.push(ABORT.userDiscarded);
    await using _session = await own(phone);
    await initiator.push({ pushId: 'co-abort@pi', to: phone.to, content: 'no' });
    const push = await gateway.pushBecomes('co-abort@pi', 'aborted');
    expect(push.recipients[0]).toMatchObject({ code: 5029, reason: 'the terminal aborted it: USERDCR' });
  });

  it('a terminal that cannot take it now gets it later', async () => {
    await using phone = await newHandset({ carries: 'sir' });
    phone.answers.push(ABORT.userPending);
    await using _session = await own(phone);
    await initiator.push({ pushId: 'co-later@pi', to: phone.to, content: 'later' });
    const push = await gateway.pushBecomes('co-later@pi', 'delivered');
    expect(phone.taken.map(text)).toEqual(['later']);
    expect(push.recipients[0]?.deliveries[0]).toMatchObject({ attempts: 2 });
  });

  it('a terminal that vanishes is found out, woken again, and gets the rest in its next session, nothing twice', async () => {
    await using phone = await newHandset({ carries: 'sir' });
    const first = await own(phone);
    await gateway.laneWhen(phone.user, 'phone', ({ state }) => state === 'connected');
    await first[Symbol.asyncDispose]();
    await initiator.push({ pushId: 'co-gone@pi', to: phone.to, content: 'after all' });
    const [sir] = await when(
      () => phone.sirs,
      ({ length }) => length > 0,
      'SIRs',
    );
    await using _second = await phone.connect({ sirId: sir?.extension?.id ?? '' });
    await gateway.pushBecomes('co-gone@pi', 'delivered');
    expect(phone.taken.map(text)).toEqual(['after all']);
  });

  it('a terminal that suspends its session gets what comes when it resumes it', async () => {
    await using phone = await newHandset({ carries: 'sir' });
    await using session = await own(phone);
    await gateway.laneWhen(phone.user, 'phone', ({ state }) => state === 'connected');
    await session.suspend();
    await gateway.laneWhen(phone.user, 'phone', ({ state }) => state !== 'connected');
    await initiator.push({ pushId: 'co-resume@pi', to: phone.to, content: 'resumed' });
    await session.resume();
    await gateway.pushBecomes('co-resume@pi', 'delivered');
    expect(phone.taken.map(text)).toEqual(['resumed']);
  });

  it('whoever only says who it is gets nothing of what is held for that one', async () => {
    await using phone = await newHandset({ carries: 'sir' });
    await initiator.push({ pushId: 'co-secret@pi', to: phone.to, content: 'private' });
    await using thief = await newHandset();
    await expect(thief.connect({ terminalId: phone.id })).rejects.toThrow(/0x43/);
    expect(thief.taken).toEqual([]);
    expect((await gateway.push('co-secret@pi')).recipients[0]?.state).toBe('pending');
    const refusal = await gateway.logged(({ msg }) => msg === 'WSP session refused');
    expect(refusal).toMatchObject({ reason: 'it does not show that it is the terminal that it names' });
  });
});

describe('the reference terminal', () => {
  const started = async (method: object, options: Partial<TerminalGuestOptions> = {}) => {
    users += 1;
    const user = `sip:wsp${users}@example.test`;
    const uuid = instance(40_000 + users);
    await gateway.addUser(user, { phone: uuid });
    const guest = await TerminalGuest.start(gateway, {
      user,
      instance: uuid,
      profile: 'S1',
      wsp: { host: '127.0.0.1', port: 0 },
      ...options,
    });
    const [listening] = guest.all('listening');
    const address = listening?.url.replace('wsp://', '') ?? '';
    const terminal = {
      identities: [{ kind: 'uuid', value: uuid }],
      activation: [{ bearer: 'wsp', address, ...method }],
    };
    await gateway.addTerminal(user, 'phone', terminal);
    return { guest, user, to: addressOf(user, uuid) };
  };

  it('follows a SIR that came by WSP into a WSP session, and confirms what it gets there (SIR-85)', async () => {
    const { guest, to } = await started({ carries: 'sir' });
    await using _guest = guest;
    await initiator.push({ pushId: 'ref-co@pi', to, content: 'in the session', deliveryMethod: 'confirmed' });
    const push = await gateway.pushBecomes('ref-co@pi', 'delivered');
    expect(guest.all('sir')).toMatchObject([{ sir: { carrier: 'wsp' }, judgement: { verdict: 'connect' } }]);
    expect(guest.all('content')).toMatchObject([
      { content: { via: 'wsp', id: push.uid }, isDuplicate: false },
    ]);
    expect(guest.texts).toEqual(['in the session']);
    expect(push.recipients[0]?.deliveries[0]).toMatchObject({ bearer: 'wsp-session' });
  });

  it('follows it into a session by SIP where its policy says so', async () => {
    const { guest, to } = await started({ carries: 'sir' }, { policy: { sessionWays: ['sip'] } });
    await using _guest = guest;
    await initiator.push({ pushId: 'ref-sip@pi', to, content: 'by MSRP' });
    const push = await gateway.pushBecomes('ref-sip@pi', 'delivered');
    expect(guest.texts).toEqual(['by MSRP']);
    expect(push.recipients[0]?.deliveries[0]).toMatchObject({ bearer: 'msrp' });
  });

  it('takes content in datagrams', async () => {
    const { guest, to } = await started({});
    await using _guest = guest;
    await initiator.push({ pushId: 'ref-cl@pi', to, content: 'in a datagram' });
    const push = await gateway.pushBecomes('ref-cl@pi', 'delivered');
    await guest.after('content');
    expect(guest.all('content')).toMatchObject([
      { content: { via: 'wsp', id: push.uid }, isDuplicate: false },
    ]);
  });

  it('after the gateway was killed is woken into a new session, and has nothing twice', async () => {
    const { guest, user, to } = await started({ carries: 'sir' });
    await using _guest = guest;
    await initiator.push({ pushId: 'ref-before@pi', to, content: 'before' });
    await gateway.pushBecomes('ref-before@pi', 'delivered');
    await gateway.laneWhen(user, 'phone', ({ state }) => state === 'connected');
    await gateway.crashAndRestart();
    initiator = new Initiator(gateway);
    await initiator.push({ pushId: 'ref-after@pi', to, content: 'after' });
    await gateway.pushBecomes('ref-after@pi', 'delivered');
    expect(guest.texts).toEqual(['before', 'after']);
    expect(guest.all('content').filter(({ isDuplicate }) => isDuplicate)).toEqual([]);
    expect(guest.all('connected').map(({ gateway: at }) => at)).toEqual(
      Array(2).fill(`wsp://127.0.0.1:${gateway.ports.wsp}`),
    );
  });
});

it('attempts are counted by bearer and outcome', async () => {
  const answer = await fetch(`http://127.0.0.1:${gateway.ports.admin}/metrics`, {
    headers: { authorization: 'Bearer for-tests-only' },
  });
  expect(await answer.text()).toMatch(
    /carillon_delivery_attempts_total\{bearer="wsp-session",outcome="confirmed"\} \d/,
  );
});
