/** What becomes of a push and who is told: results for each terminal and address, deadlines, and notifications that get through. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { E2eGateway, PPG_URI } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { ResultServer } from '../support/e2e-result-server.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';

let gateway: E2eGateway;
let initiator: Initiator;
let server: ResultServer;
let users = 0;

beforeAll(async () => {
  gateway = await E2eGateway.start({
    CARILLON_NOTIFY_ALLOW_PRIVATE_ADDRESSES: 'true',
    CARILLON_NOTIFY_RETRY_SECONDS: '1',
  });
  initiator = new Initiator(gateway);
  server = await ResultServer.start();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

async function newUser() {
  users += 1;
  const user = `sip:result${users}@example.test`;
  const [phone, pc] = [instance(30_000 + 2 * users), instance(30_001 + 2 * users)];
  await gateway.addUser(user, { phone, pc });
  return { user, phone, pc, toPhone: addressOf(user, phone), toPc: addressOf(user, pc) };
}

describe('result notification (SIR-163)', () => {
  it('comes for each address when its fate is known, and is done once it is acknowledged', async () => {
    const { user, phone, toPhone } = await newUser();
    const { user: absent } = await newUser();
    const [here, nowhere] = [toPhone, addressOf('sip:nobody@example.test')];
    const to = [here, addressOf(absent), nowhere];
    await using _guest = await TerminalGuest.start(gateway, { user, instance: phone });
    await initiator.push({ pushId: 'three@pi', to, notifyTo: server.url });
    const told = await server.about('three@pi', 2);
    const byAddress = new Map(told.map(({ address, state, code }) => [address, [state, code]]));
    expect(Object.fromEntries(byAddress)).toEqual({
      [here]: ['delivered', 1000],
      [nowhere]: ['rejected', 2003],
    });
    const push = await gateway.pushWhen(
      'three@pi',
      ({ recipients }) => recipients[0]?.result?.state === 'sent' && recipients[2]?.result?.state === 'sent',
    );
    expect(push.recipients.map(({ state }) => state)).toEqual(['delivered', 'pending', 'rejected']);
    expect(push.recipients[1]?.result).toBeUndefined();
  });

  it('speaks for a whole user once every terminal of the push is settled', async () => {
    const { user, phone, pc } = await newUser();
    await using _phone = await TerminalGuest.start(gateway, { user, instance: phone });
    await initiator.push({ pushId: 'whole@pi', to: addressOf(user), notifyTo: server.url });
    const half = await gateway.pushWhen('whole@pi', ({ recipients }) =>
      (recipients[0]?.deliveries ?? []).some(({ state }) => state === 'delivered'),
    );
    expect(half.recipients[0]?.state).toBe('pending');
    expect(server.received.filter(({ pushId }) => pushId === 'whole@pi')).toEqual([]);
    await using _pc = await TerminalGuest.start(gateway, { user, instance: pc });
    expect(await server.about('whole@pi')).toMatchObject([{ state: 'delivered', code: 1000 }]);
  });

  it('is repeated until it is acknowledged, over a crash of the gateway', async () => {
    const { user, phone, toPhone } = await newUser();
    server.answer = ({ pushId }) => (pushId === 'stubborn@pi' ? 503 : 200);
    await using guest = await TerminalGuest.start(gateway, { user, instance: phone });
    await initiator.push({ pushId: 'stubborn@pi', to: toPhone, notifyTo: server.url });
    await gateway.pushWhen('stubborn@pi', ({ recipients }) => {
      const { attempts = 0, lastError } = recipients[0]?.result ?? {};
      return attempts >= 2 && lastError !== undefined;
    });
    await gateway.crashAndRestart();
    server.answer = () => 200;
    const push = await gateway.pushWhen(
      'stubborn@pi',
      ({ recipients }) => recipients[0]?.result?.state === 'sent',
    );
    expect(push.recipients[0]?.result?.attempts).toBeGreaterThanOrEqual(3);
    const told = await server.about('stubborn@pi', 3);
    expect(new Set(told.map(({ state, code }) => `${state} ${code}`))).toEqual(new Set(['delivered 1000']));
    expect(new Set(told.map(({ address }) => address))).toEqual(new Set([toPhone]));
    expect(guest.texts).toHaveLength(1);
  });

  it('that nobody listens to is told by the story of the push', async () => {
    const { toPhone } = await newUser();
    await initiator.push({
      pushId: 'deaf@pi',
      to: toPhone,
      notifyTo: 'http://127.0.0.1:9/',
      deliverBefore: Date.now() + 4000,
    });
    const push = await gateway.pushWhen(
      'deaf@pi',
      ({ recipients }) => (recipients[0]?.result?.attempts ?? 0) >= 1,
    );
    expect(push.recipients[0]?.result).toMatchObject({ state: 'owed' });
    expect(push.recipients[0]?.result?.lastError ?? '').toMatch(/ECONNREFUSED|^$/);
  });

  it('does not go to private addresses unless the operator allows it', async () => {
    await using strict = await E2eGateway.start();
    const user = 'sip:strict@example.test';
    await strict.addUser(user, { phone: instance(39_999) });
    await new Initiator(strict).push({
      pushId: 'inside@pi',
      to: [addressOf(user), addressOf('sip:nobody@example.test')],
      notifyTo: server.url,
    });
    const push = await strict.pushWhen(
      'inside@pi',
      ({ recipients }) => recipients[1]?.result?.state === 'abandoned',
    );
    expect(push.recipients[1]?.result?.lastError).toContain('is not a public address');
    expect(server.received.filter(({ pushId }) => pushId === 'inside@pi')).toEqual([]);
  });
});

describe('content that a terminal cannot take', () => {
  it('is undeliverable for that terminal with 2006, and nothing else waits behind it', async () => {
    const { user, phone, toPhone } = await newUser();
    const msrpLimits = { maxReceivedMessageBytes: 1000 };
    await using guest = await TerminalGuest.start(gateway, { user, instance: phone, msrpLimits });
    await initiator.push({ pushId: 'huge@pi', to: toPhone, content: 'x'.repeat(1001), notifyTo: server.url });
    await initiator.push({ pushId: 'behind@pi', to: toPhone, content: 'fits' });
    expect(await server.about('huge@pi')).toMatchObject([{ state: 'undeliverable', code: 2006 }]);
    await gateway.pushBecomes('behind@pi', 'delivered');
    expect(guest.texts).toEqual(['fits']);
  });
});

describe('deadlines (SIR-165)', () => {
  it('a push that nobody fetched in time expires, the initiator is told, and the terminal does not get it later', async () => {
    const { user, phone, toPhone } = await newUser();
    await initiator.push({
      pushId: 'late@pi',
      to: toPhone,
      content: 'too late',
      deliverBefore: Date.now() + 3000,
      notifyTo: server.url,
    });
    expect(await server.about('late@pi')).toMatchObject([{ state: 'expired', code: 4000 }]);
    await using guest = await TerminalGuest.start(gateway, { user, instance: phone });
    await initiator.push({ pushId: 'fresh@pi', to: toPhone, content: 'in time' });
    await gateway.pushBecomes('fresh@pi', 'delivered');
    expect(guest.texts).toEqual(['in time']);
    const push = await gateway.push('late@pi');
    expect(push.recipients[0]?.deliveries).toMatchObject([{ state: 'expired', terminal: 'phone' }]);
  });

  it('a push does not start before deliver-after, even when its terminal is connected', async () => {
    const { user, phone, toPhone } = await newUser();
    await using guest = await TerminalGuest.start(gateway, { user, instance: phone });
    await guest.terminal.connect(PPG_URI);
    const deliverAfter = Math.ceil(Date.now() / 1000) * 1000 + 5000;
    await initiator.push({ pushId: 'later@pi', to: toPhone, content: 'later', deliverAfter });
    await initiator.push({ pushId: 'now@pi', to: toPhone, content: 'now' });
    await gateway.pushBecomes('later@pi', 'delivered');
    expect(guest.texts).toEqual(['now', 'later']);
    expect(guest.all('content')[1]?.at).toBeGreaterThanOrEqual(deliverAfter);
  });
});

describe('the whole story of a push', () => {
  it('names address, decision, SIRs, attempts and result; the address is delivered when one terminal has it', async () => {
    const { user, phone } = await newUser();
    const to = addressOf(user);
    await using _guest = await TerminalGuest.start(gateway, { user, instance: phone });
    await initiator.push({
      pushId: 'story@pi',
      to,
      deliverBefore: Date.now() + 10_000, // what the phone needs on a busy machine; the PC never comes
      notifyTo: server.url,
      contentType: 'text/vnd.wap.si',
    });
    await server.about('story@pi');
    const push = await gateway.pushWhen(
      'story@pi',
      ({ recipients }) => recipients[0]?.result?.state === 'sent',
    );
    expect(push).toMatchObject({
      pushId: 'story@pi',
      content: { contentType: 'text/vnd.wap.si', size: 5 },
      recipients: [
        {
          address: to,
          state: 'delivered',
          code: 1000,
          decision: {
            user,
            multi: true,
            terminals: [
              { terminal: 'pc', selected: true },
              { terminal: 'phone', selected: true },
            ],
          },
          deliveries: [
            {
              terminal: 'pc',
              state: 'expired',
              attempts: 0,
              wakes: [{ bearer: 'sip', outcome: 'failed' }],
            },
            {
              terminal: 'phone',
              state: 'delivered',
              bearer: 'msrp',
              attempts: 1,
              wakes: [{ bearer: 'sip', outcome: 'handed' }],
            },
          ],
          result: { state: 'sent', attempts: 1 },
        },
      ],
    });
    expect(push.recipients[0]?.decision?.terminals.every(({ reasons }) => reasons.length > 0)).toBe(true);
  });
});
