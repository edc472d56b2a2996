/**
 * Terminals that are reached by short messages, through the whole gateway and over a simulated SMSC on a stack that is not ours: pushes by SMS alone,
 * SIRs by SMS and USSD that a terminal follows into a session, returns by SMS, receipts of every kind, links that break, are paused, or are full
 * (SIR-73, SIR-84, SIR-86, SIR-88, SIR-95, SIR-134, SIR-172).
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decodeUserData } from '../../src/protocols/sms/index.js';
import { SmsReceiving } from '../../src/terminal/sms-receiving.js';
import { E2eGateway, PATIENCE_MS, when } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { ResultServer } from '../support/e2e-result-server.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';
import { Handset } from '../support/handset.js';
import { Smsc, type Taken } from '../support/smsc.js';

const SERVICE = '+43800123';
const SI = `<?xml version="1.0"?><!DOCTYPE si PUBLIC "-//WAPFORUM//DTD SI 1.0//EN" "http://www.wapforum.org/DTD/si.dtd">
<si><indication href="http://m.example.org/n/7" si-id="n7@example.org" action="signal-medium">Neu: 1 Nachricht</indication></si>`;

let smsc: Smsc;
let gateway: E2eGateway;
let initiator: Initiator;
let results: ResultServer;
let users = 0;
const stop = new AbortController();

beforeAll(async () => {
  smsc = await Smsc.start();
  const link = {
    host: '127.0.0.1',
    port: smsc.port,
    password: 'secret',
    sender: SERVICE,
    reconnectSeconds: [1],
  };
  gateway = await E2eGateway.start({
    CARILLON_NOTIFY_ALLOW_PRIVATE_ADDRESSES: 'true',
    CARILLON_WAKE_RETRY_SECONDS: '[1]',
    CARILLON_SMPP: JSON.stringify([
      { ...link, name: 'a', systemId: 'link-a', throttleSeconds: [1] },
      { ...link, name: 'b', systemId: 'link-b', prefixes: ['+49'], throttleSeconds: [30] },
      { ...link, name: 'u', systemId: 'link-u', carries: ['ussd'] },
    ]),
  });
  initiator = new Initiator(gateway);
  results = await ResultServer.start();
  await smsc.when(() => smsc.boundCount === 3);
});
afterEach(() => {
  smsc.behave = () => ({});
});
afterAll(async () => {
  stop.abort();
  await gateway?.[Symbol.asyncDispose]();
  await results?.[Symbol.asyncDispose]();
  await smsc?.[Symbol.asyncDispose]();
});

/** A user with one handset. `activation` is given its number. */
async function newUser(activation: (address: string) => readonly object[], prefix = '+43664') {
  users += 1;
  const user = `sip:sms${users}@example.test`;
  const number = `${prefix}${String(7_000_000 + users)}`;
  const phone = instance(60_000 + users);
  await gateway.addUser(user, {}, { aliases: [`tel:${number}`] });
  const identities = [{ kind: 'uuid', value: phone }];
  await gateway.addTerminal(user, 'phone', { identities, activation: activation(number) });
  return { user, number, phone, plmn: `WAPPUSH=${number}/TYPE=PLMN@ppg.carillon.test` };
}
const bySms = (address: string) => [{ bearer: 'sms', address }];
const taken = (number: string): readonly Taken[] =>
  smsc.taken.filter(({ destination }) => `+${destination}` === number);
const arrives = async (number: string, count = 1) => {
  await smsc.when(() => taken(number).length >= count);
  return taken(number);
};

describe('a push to a handset that has nothing but short messages', () => {
  it('arrives compiled, in one short message; its receipt ends it, and the initiator is told', async () => {
    const { number, plmn } = await newUser(bySms);
    await initiator.push({
      pushId: 'si@pi',
      to: plmn,
      content: SI,
      contentType: 'text/vnd.wap.si',
      notifyTo: results.url,
    });
    const [message] = await arrives(number);
    expect(message).toMatchObject({ systemId: 'link-a', dataCoding: 4, esmClass: 0x40, registered: 1 });
    const got: { contentType: string; bytes: Uint8Array }[] = [];
    const handset = new SmsReceiving({
      sirs: { judge: () => Promise.reject(new Error('no SIR')), follow: async () => {} },
      content: { receive: async (content) => void got.push(content) },
      events: { emit: (event) => expect(event).toBeUndefined() },
    });
    await handset.receive({ from: '1', userData: message?.userData ?? Buffer.alloc(0), hasHeader: true });
    expect(got).toMatchObject([{ contentType: 'application/vnd.wap.sic' }]);
    expect(Buffer.from(got[0]?.bytes ?? []).toString('hex')).toMatch(/^02056a00/);

    const push = await gateway.pushWhen(
      'si@pi',
      ({ recipients }) => recipients[0]?.deliveries[0]?.state === 'handed',
    );
    expect(push.recipients[0]).toMatchObject({ state: 'pending' });
    if (message) expect(await smsc.receipt(message)).toBe(0);
    const ended = await gateway.pushBecomes('si@pi', 'delivered');
    expect(ended.recipients[0]?.deliveries[0]).toMatchObject({ bearer: 'sms', attempts: 1 });
    expect(await results.about('si@pi')).toMatchObject([{ state: 'delivered', code: 1000 }]);
  });

  it('in parts is delivered when the receipt of the last part has come, whatever their order', async () => {
    const { number, plmn } = await newUser(bySms);
    const content = 'x'.repeat(300);
    await initiator.push({ pushId: 'parts@pi', to: plmn, content });
    const parts = await arrives(number, 3);
    expect(parts.map(({ userData }) => decodeUserData(userData).header.part?.number)).toEqual([1, 2, 3]);
    for (const [index, part] of [...parts].reverse().entries()) {
      expect((await gateway.push('parts@pi')).recipients[0]?.state).toBe('pending');
      await smsc.receipt(part, { times: 1, stat: index === 1 ? 'ENROUTE' : 'DELIVRD' });
    }
    if (parts[1]) await smsc.receipt(parts[1]);
    await gateway.pushBecomes('parts@pi', 'delivered');
  });

  it('whose receipt says no is undeliverable, with the reason', async () => {
    smsc.behave = () => ({ receipt: { stat: 'UNDELIV' } });
    const { plmn } = await newUser(bySms);
    await initiator.push({ pushId: 'undeliv@pi', to: plmn });
    const push = await gateway.pushBecomes('undeliv@pi', 'undeliverable');
    expect(push.recipients[0]?.deliveries[0]).toMatchObject({
      reason: 'the message centre reports: undeliverable (error 000)',
    });
  });

  it.each([
    ['before the answer to the submission', { when: 'before' }],
    ['twice', { times: 2 }],
    ['over another link', { over: 'link-b' }],
  ] as const)('is delivered when its receipt comes %s', async (_, receipt) => {
    smsc.behave = () => ({ receipt });
    const { plmn } = await newUser(bySms);
    const pushId = `receipt${users}@pi`;
    await initiator.push({ pushId, to: plmn });
    await gateway.pushBecomes(pushId, 'delivered');
  });

  it('is delivered when the SMSC writes its id in hexadecimal first and in decimal later', async () => {
    smsc.behave = () => ({ messageId: '0001A2B3', receipt: { id: String(0x1a2b3).padStart(10, '0') } });
    const { plmn } = await newUser(bySms);
    await initiator.push({ pushId: 'hex@pi', to: plmn });
    await gateway.pushBecomes('hex@pi', 'delivered');
  });

  it('is undeliverable when the SMSC does not know the number', async () => {
    smsc.behave = () => ({ status: 0x0b });
    const { plmn } = await newUser(bySms);
    await initiator.push({ pushId: 'number@pi', to: plmn });
    const push = await gateway.pushBecomes('number@pi', 'undeliverable');
    expect(push.recipients[0]?.deliveries[0]?.reason).toBe('a answered ESME_RINVDSTADR');
  });

  it('goes out again when the connection broke before the answer, and once more is all', async () => {
    const { number, plmn } = await newUser(bySms);
    smsc.behave = (_, count) => {
      void count;
      return taken(number).length === 0 ? { hangsUp: true, isTaken: true } : { receipt: {} };
    };
    await initiator.push({ pushId: 'breaks@pi', to: plmn });
    await gateway.pushBecomes('breaks@pi', 'delivered');
    const copies = taken(number).map(({ userData }) => userData.toString('hex'));
    expect(copies).toHaveLength(2);
    expect(new Set(copies).size).toBe(1); // by which a terminal knows the repetition
  });
});

describe('a SIR by SMS', () => {
  it('in parts is followed into a push session by SIP and MSRP (SIR-73, SIR-84, SIR-86, SIR-95, SIR-145)', async () => {
    const { user, number, phone } = await newUser(bySms.bind(undefined));
    await gateway.addTerminal(user, 'phone', {
      identities: [{ kind: 'uuid', value: phone }],
      activation: [{ bearer: 'sms', address: number, carries: 'sir' }],
    });
    await using guest = await TerminalGuest.start(gateway, { user, instance: phone, profile: 'S1' });
    void new Handset(smsc, number).listen(
      (message) => guest.terminal.receiveShortMessage(message),
      stop.signal,
    );
    await initiator.push({ pushId: 'sir@pi', to: addressOf(user, phone), content: 'by MSRP' });
    await guest.after('content');
    expect(guest.texts).toEqual(['by MSRP']);
    expect(guest.all('sir')).toMatchObject([{ sir: { carrier: 'sms' }, judgement: { verdict: 'connect' } }]);
    expect(taken(number).length).toBeGreaterThan(1);
    await gateway.pushBecomes('sir@pi', 'delivered');
    // The terminal may come before the SMSC has answered for every part.
    const push = await gateway.pushWhen(
      'sir@pi',
      ({ recipients }) => (recipients[0]?.deliveries[0]?.wakes.length ?? 0) > 0,
    );
    expect(push.recipients[0]?.deliveries[0]).toMatchObject({
      bearer: 'msrp',
      wakes: [{ bearer: 'sms', outcome: 'handed', address: number }],
    });
  });

  it('is answered by SMS in parts over two links, signed, and what was returned is kept (SIR-134)', async () => {
    const { user, number, phone } = await newUser(bySms);
    await gateway.addUser(
      user,
      {},
      {
        aliases: [`tel:${number}`],
        policy: { rules: [{ return: ['capability'] }] },
      },
    );
    await gateway.addTerminal(user, 'phone', {
      identities: [{ kind: 'uuid', value: phone }],
      activation: [{ bearer: 'sms', address: number, carries: 'sir' }],
      sirKey: 'a key of the terminal',
    });
    const handset = new Handset(smsc, number);
    const answers: number[] = [];
    await using guest = await TerminalGuest.start(gateway, {
      user,
      instance: phone,
      profile: 'S1',
      policy: {
        information: { capability: { accept: ['text/plain'], note: 'x'.repeat(200) } },
        returnRoute: { by: 'sms', to: SERVICE },
        returnKey: 'a key of the terminal',
      },
      sendSms: async ({ to, text }) =>
        void answers.push(...(await handset.send(to, text, ['link-a', 'link-b']))),
    });
    void handset.listen((message) => guest.terminal.receiveShortMessage(message), stop.signal);
    await initiator.push({ pushId: 'returns@pi', to: addressOf(user, phone) });
    await guest.after('returned');
    expect(answers.length).toBeGreaterThan(2);
    expect(new Set(answers)).toEqual(new Set([0]));
    const path = `/users/${encodeURIComponent(user)}/terminals/phone`;
    const terminal = await when(
      async () =>
        (await gateway.admin('GET', path)).body as { returned?: { capability?: { version: number } } },
      ({ returned }) => returned?.capability !== undefined,
      'what the terminal returned',
    );
    expect(terminal.returned?.capability).toMatchObject({ version: 1 });
  });

  it('goes to one terminal of a push and a SIR by SIP to the other, and a third hears nothing (SIR-108)', async () => {
    const { user, number, phone } = await newUser(bySms);
    const [pc, pda] = [instance(61_000 + users), instance(62_000 + users)];
    await gateway.addUser(
      user,
      { pc, pda },
      { aliases: [`tel:${number}`], policy: { rules: [{ terminals: ['phone', 'pc'] }] } },
    );
    await gateway.addTerminal(user, 'phone', {
      identities: [{ kind: 'uuid', value: phone }],
      activation: [{ bearer: 'sms', address: number, carries: 'sir' }],
    });
    const start = (urn: string) => TerminalGuest.start(gateway, { user, instance: urn, profile: 'S1' });
    await using onPhone = await start(phone);
    await using onPc = await start(pc);
    await using onPda = await start(pda);
    void new Handset(smsc, number).listen(
      (message) => onPhone.terminal.receiveShortMessage(message),
      stop.signal,
    );
    await initiator.push({ pushId: 'both@pi', to: addressOf(user), content: 'for two' });
    await gateway.pushWhen('both@pi', ({ recipients }) =>
      (recipients[0]?.deliveries ?? []).every(({ state }) => state === 'delivered'),
    );
    const carriers = [onPhone, onPc, onPda].map((guest) => guest.all('sir').map(({ sir }) => sir.carrier));
    expect(carriers).toEqual([['sms'], ['sip'], []]);
    expect([onPhone.texts, onPc.texts, onPda.texts]).toEqual([['for two'], ['for two'], []]);
  });

  it('to all goes once to every number of the user (SIR-120)', async () => {
    const { user, number, phone } = await newUser(bySms);
    const other = `+43664${8_000_000 + users}`;
    const bySir = (address: string) => [{ bearer: 'sms', address, carries: 'sir' }];
    await gateway.addUser(
      user,
      { pc: { identities: [{ kind: 'uuid', value: instance(61_000 + users) }], activation: bySir(other) } },
      { aliases: [`tel:${number}`], policy: { rules: [{ mode: 'open' }] } },
    );
    await gateway.addTerminal(user, 'phone', {
      identities: [{ kind: 'uuid', value: phone }],
      activation: bySir(number),
    });
    await initiator.push({ pushId: 'open@pi', to: addressOf(user) });
    const [first, second] = [await arrives(number), await arrives(other)];
    const numbers = (messages: readonly Taken[]) =>
      new Set(messages.map(({ userData }) => decodeUserData(userData).header.part?.reference));
    expect([numbers(first).size, numbers(second).size]).toEqual([1, 1]);
  });

  it('by USSD is one notification, which the terminal follows too (SIR-88)', async () => {
    const { user, number, phone } = await newUser((address) => [{ bearer: 'ussd', address }]);
    await using guest = await TerminalGuest.start(gateway, { user, instance: phone, profile: 'S1' });
    void new Handset(smsc, number).listen(
      (message) => guest.terminal.receiveShortMessage(message),
      stop.signal,
    );
    await initiator.push({ pushId: 'ussd@pi', to: addressOf(user, phone), content: 'after USSD' });
    await guest.after('content');
    expect(taken(number)).toMatchObject([{ systemId: 'link-u', serviceType: 'USSD', ussdOperation: 3 }]);
    await gateway.pushBecomes('ussd@pi', 'delivered');
  });
});

describe('a message of a subscriber that is no return', () => {
  it('is acknowledged, and the log says so without the number', async () => {
    const handset = new Handset(smsc, '+436649999999');
    expect(await handset.send(SERVICE, 'STOP', ['link-a'])).toEqual([0]);
    const line = await when(
      () => gateway.log.find(({ msg, result }) => msg === 'short message received' && result === 'unknown'),
      (found) => found !== undefined,
      'the log',
    );
    expect(line).toMatchObject({ link: 'a' });
    expect(JSON.stringify(line)).not.toContain('6649999999');
  });
});

describe('an operator', () => {
  it('sees every link, pauses one, and what waits goes out when it runs again (SIR-172)', async () => {
    const { body } = await gateway.admin('GET', '/links');
    expect(body).toMatchObject({ links: [{ name: 'a', state: 'bound' }, { name: 'b' }, { name: 'u' }] });
    await gateway.admin('PATCH', '/links/a', { mode: 'paused' });
    const { number, plmn } = await newUser(bySms);
    await initiator.push({ pushId: 'paused@pi', to: plmn });
    await gateway.pushWhen(
      'paused@pi',
      ({ recipients }) => (recipients[0]?.deliveries[0]?.attempts ?? 0) > 0,
    );
    expect(taken(number)).toEqual([]);
    await gateway.admin('PATCH', '/links/a', { mode: 'running' });
    await arrives(number);
  });

  it('finds one record for every attempt, with link, segments, result and latency, and no number', async () => {
    const { number, plmn } = await newUser(bySms);
    await initiator.push({ pushId: 'record@pi', to: plmn, content: 'x'.repeat(200) });
    await arrives(number, 2);
    const { uid } = await gateway.push('record@pi');
    const line = await when(
      () => gateway.log.find(({ msg, push }) => msg === 'short message attempted' && push === uid),
      (found) => found !== undefined,
      'the record',
    );
    expect(line).toMatchObject({ bearer: 'sms', link: 'a', segments: 2, accepted: 2, result: 'accepted' });
    expect(line?.['latencyMs']).toBeTypeOf('number');
    expect(JSON.stringify(line)).not.toContain(number.slice(1));
  });

  it('finds the links in the metrics', async () => {
    const answer = await fetch(`http://127.0.0.1:${gateway.ports.admin}/metrics`, {
      headers: { authorization: `Bearer ${gateway.adminToken}` },
    });
    const text = await answer.text();
    expect(text).toContain('carillon_smpp_bound{link="a"} 1');
    expect(text).toMatch(/carillon_smpp_segments_total\{link="a",result="accepted"\} [1-9]/);
    expect(text).toMatch(/carillon_smpp_received_total\{link="a",kind="receipt",result="delivered"\} [1-9]/);
  });
});

it('a link whose SMSC has too much to do delays nobody but its own numbers', async () => {
  const german = await newUser(bySms, '+49170');
  const austrian = await newUser(bySms);
  smsc.behave = ({ systemId, destination }) =>
    systemId === 'link-b' || destination.startsWith('49') ? { status: 0x58 } : { receipt: {} };
  await initiator.push({ pushId: 'slow@pi', to: german.plmn });
  await gateway.pushWhen('slow@pi', ({ recipients }) => (recipients[0]?.deliveries[0]?.attempts ?? 0) > 0);
  await initiator.push({ pushId: 'fast@pi', to: austrian.plmn });
  await gateway.pushBecomes('fast@pi', 'delivered');
  expect((await gateway.push('slow@pi')).recipients[0]?.state).toBe('pending');
});

it(
  'a receipt that comes after the gateway was killed and started again is understood',
  async () => {
    const { number, plmn } = await newUser(bySms);
    await initiator.push({ pushId: 'restart@pi', to: plmn });
    const [message] = await arrives(number);
    await gateway.pushWhen(
      'restart@pi',
      ({ recipients }) => recipients[0]?.deliveries[0]?.state === 'handed',
    );
    await gateway.crashAndRestart();
    await smsc.when(() => smsc.boundCount === 3);
    if (message) expect(await smsc.receipt(message)).toBe(0);
    await gateway.pushBecomes('restart@pi', 'delivered');
    expect(taken(number)).toHaveLength(1);
  },
  2 * PATIENCE_MS,
);
