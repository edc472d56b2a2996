/** Which terminals of a user a push is for, how the gateway says so in the SIR, and that nobody else hears of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { E2eGateway } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';

let gateway: E2eGateway;
let initiator: Initiator;
let users = 0;

beforeAll(async () => {
  gateway = await E2eGateway.start();
  initiator = new Initiator(gateway);
});
afterAll(() => gateway[Symbol.asyncDispose]());

const NAMES = ['phone', 'pc', 'pda'] as const;

/** A user with three terminals that are registered and ready, without any session. */
async function household(subscriptions: Partial<Record<(typeof NAMES)[number], readonly string[]>> = {}) {
  users += 1;
  const user = `sip:home${users}@example.test`;
  await gateway.addUser(user);
  const guests: TerminalGuest[] = [];
  const start = async (name: (typeof NAMES)[number], number: number) => {
    const urn = instance(users * 10 + number);
    const wanted = subscriptions[name];
    await gateway.addTerminal(user, name, {
      identities: [{ kind: 'uuid', value: urn }],
      ...(wanted === undefined ? {} : { subscriptions: wanted }),
    });
    const guest = await TerminalGuest.start(gateway, { user, instance: urn });
    guests.push(guest);
    return guest;
  };
  const phone = await start('phone', 1);
  const pc = await start('pc', 2);
  const pda = await start('pda', 3);
  return {
    ...{ user, phone, pc, pda },
    sirs: () => [phone, pc, pda].map((guest) => guest.all('sir').length),
    contents: () => [phone, pc, pda].map((guest) => guest.texts.length),
    [Symbol.asyncDispose]: async () =>
      void (await Promise.all(guests.map((guest) => guest.terminal.close()))),
  };
}

describe('a push that names a terminal (SIR-4, SIR-74, SIR-109)', () => {
  it('by /device= wakes and reaches that one; the others get neither SIR nor content', async () => {
    await using home = await household();
    const to = addressOf(home.user, instance(users * 10 + 1));
    await initiator.push({ pushId: 'device@pi', to, content: 'for the phone' });
    const push = await gateway.pushBecomes('device@pi', 'delivered');
    expect(home.phone.texts).toEqual(['for the phone']);
    expect([home.sirs(), home.contents()]).toEqual([
      [1, 0, 0],
      [1, 0, 0],
    ]);
    expect(push.recipients[0]?.decision).toMatchObject({ multi: true, policy: 'named by the initiator' });
  });

  it('by a GRUU reaches the terminal of that instance (SIR-164)', async () => {
    await using home = await household();
    const to = addressOf(`${home.user};gr=${instance(users * 10 + 2)}`);
    await initiator.push({ pushId: 'gruu@pi', to });
    await gateway.pushBecomes('gruu@pi', 'delivered');
    expect([home.sirs(), home.contents()]).toEqual([
      [0, 1, 0],
      [0, 1, 0],
    ]);
  });

  it('by an identity in another spelling reaches it as well', async () => {
    await using home = await household();
    const to = addressOf(home.user, instance(users * 10 + 3).replace('urn:uuid', 'URN:UUID'));
    await initiator.push({ pushId: 'spelling@pi', to });
    await gateway.pushBecomes('spelling@pi', 'delivered');
    expect(home.contents()).toEqual([0, 0, 1]);
  });
});

describe('other device identities (SIR-12)', () => {
  it('an IMEI is found whatever its spelling, and names the terminal in the SIR', async () => {
    const user = 'sip:erin@example.test';
    const imei = 'urn:gsma:imei:35209900-176148-0';
    await gateway.addUser(user, { tablet: instance(9101) });
    await gateway.addTerminal(user, 'phone', { identities: [{ kind: 'imei', value: imei }] });
    await using phone = await TerminalGuest.start(gateway, { user, instance: imei });
    await using tablet = await TerminalGuest.start(gateway, { user, instance: instance(9101) });
    await initiator.push({ pushId: 'imei@pi', to: addressOf(user, imei), content: 'by IMEI' });
    await gateway.pushBecomes('imei@pi', 'delivered');
    expect([phone.texts, tablet.texts, tablet.all('sir')]).toEqual([['by IMEI'], [], []]);
    expect(phone.all('sir')[0]?.sir.devices.map(({ kind }) => kind)).toContain('imei');
  });
});

describe('a push that names the user only', () => {
  it('goes to every terminal, each woken by a SIR of its own that names it and the user (SIR-47, SIR-53)', async () => {
    await using home = await household();
    await initiator.push({ pushId: 'all@pi', to: addressOf(home.user), content: 'for all' });
    const push = await gateway.pushBecomes('all@pi', 'delivered');
    await gateway.pushWhen('all@pi', ({ recipients }) =>
      (recipients[0]?.deliveries ?? []).every(({ state }) => state === 'delivered'),
    );
    expect([home.sirs(), home.contents()]).toEqual([
      [1, 1, 1],
      [1, 1, 1],
    ]);
    const sirs = [home.phone, home.pc, home.pda].map((guest) => guest.all('sir')[0]);
    expect(sirs.map((event) => event?.judgement.reason)).toEqual(['matched', 'matched', 'matched']);
    expect(sirs.map((event) => event?.sir.user)).toEqual(Array(3).fill(home.user));
    expect(new Set(sirs.map((event) => event?.sir.id)).size).toBe(3);
    expect(push.recipients[0]?.decision).toMatchObject({ multi: true, policy: 'all-subscribed' });
  });

  it('goes only to terminals that subscribe to its application, with reasons (SIR-28)', async () => {
    await using home = await household({ phone: ['mms.ua'], pc: ['x-wap-application:wml.ua'], pda: ['*'] });
    await initiator.push({
      pushId: 'mms@pi',
      to: addressOf(home.user),
      headers: ['X-Wap-Application-Id: x-wap-application:mms.ua'],
    });
    await gateway.pushBecomes('mms@pi', 'delivered');
    const { recipients } = await gateway.push('mms@pi');
    expect(
      recipients[0]?.decision?.terminals.map(({ terminal, selected, reasons }) => [
        terminal,
        selected,
        reasons[0],
      ]),
    ).toEqual([
      ['pc', false, 'not subscribed to x-wap-application:mms.ua'],
      ['pda', true, 'subscribed to x-wap-application:mms.ua'],
      ['phone', true, 'subscribed to x-wap-application:mms.ua'],
    ]);
    await gateway.pushWhen('mms@pi', (push) =>
      (push.recipients[0]?.deliveries ?? []).every(({ state }) => state === 'delivered'),
    );
    expect(home.sirs()).toEqual([1, 0, 1]);
  });

  it('goes to the connected terminal alone when the user wants that (SIR-25, SIR-37)', async () => {
    await using home = await household();
    await gateway.admin('PUT', `/users/${encodeURIComponent(home.user)}`, {
      policy: { target: 'connected-first' },
    });
    await home.pc.terminal.connect('sip:ppg@carillon.test');
    await gateway.laneWhen(home.user, 'pc', ({ connections }) => connections.session !== undefined);
    await initiator.push({ pushId: 'connected@pi', to: addressOf(home.user) });
    await gateway.pushBecomes('connected@pi', 'delivered');
    expect([home.sirs(), home.contents()]).toEqual([
      [0, 0, 0],
      [0, 1, 0],
    ]);
  });

  it('sends no SIR to a terminal that is connected and one to each that is not (SIR-123)', async () => {
    await using home = await household();
    await home.pda.terminal.connect('sip:ppg@carillon.test');
    await gateway.laneWhen(home.user, 'pda', ({ connections }) => connections.session !== undefined);
    await initiator.push({ pushId: 'some@pi', to: addressOf(home.user) });
    await gateway.pushWhen('some@pi', (push) =>
      (push.recipients[0]?.deliveries ?? []).every(({ state }) => state === 'delivered'),
    );
    expect([home.sirs(), home.contents()]).toEqual([
      [1, 1, 0],
      [1, 1, 1],
    ]);
  });
});

describe('a user with one terminal', () => {
  it('that only registered, and was never provisioned, gets its pushes (SIR-166)', async () => {
    const user = 'sip:carol@example.test';
    await gateway.addUser(user);
    await using guest = await TerminalGuest.start(gateway, { user, instance: instance(9001) });
    await initiator.push({ pushId: 'registered@pi', to: addressOf(user), content: 'found you' });
    const push = await gateway.pushBecomes('registered@pi', 'delivered');
    expect(guest.texts).toEqual(['found you']);
    expect(push.recipients[0]?.decision?.terminals).toMatchObject([{ terminal: instance(9001) }]);
  });

  it('is woken by a SIR without a device identity (SIR-43, SIR-46)', async () => {
    const user = 'sip:dave@example.test';
    await gateway.addUser(user, { only: instance(9002) });
    await using guest = await TerminalGuest.start(gateway, { user, instance: instance(9002) });
    await initiator.push({ pushId: 'single@pi', to: addressOf(user) });
    const push = await gateway.pushBecomes('single@pi', 'delivered');
    const [sir] = guest.all('sir');
    expect(sir?.sir).toMatchObject({ devices: [], user });
    expect(sir?.judgement.reason).toBe('accepted');
    expect(push.recipients[0]?.decision?.multi).toBe(false);
  });
});
