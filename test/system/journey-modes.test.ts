/**
 * How a SIR finds its terminal, through the whole gateway and with terminals that register at it: what targeting saves, every placement of the
 * device identity, every kind of identity that a terminal can register with, and the user's own word on who is woken and how.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { E2eGateway } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';

let gateway: E2eGateway;
let initiator: Initiator;
let users = 0;
beforeAll(async () => {
  gateway = await E2eGateway.start({ CARILLON_BEARERS_OTA_HTTP_ALLOW_PRIVATE_ADDRESSES: 'true' });
  initiator = new Initiator(gateway);
});
afterAll(() => gateway?.[Symbol.asyncDispose]());

const NAMES = ['phone', 'pc', 'pda'] as const;
type Name = (typeof NAMES)[number];

/** A user with these rules and three terminals that have registered. */
async function household(
  rules: readonly object[],
  instances: Partial<Record<Name, string>> = {},
  identities: Partial<Record<Name, object>> = {},
) {
  users += 1;
  const user = `sip:modes${users}@example.test`;
  await gateway.addUser(user, {}, { policy: { rules } });
  const guests: TerminalGuest[] = [];
  for (const [index, name] of NAMES.entries()) {
    const urn = instances[name] ?? instance(60_000 + users * 10 + index);
    const identity = identities[name] ?? { kind: 'uuid', value: urn };
    await gateway.addTerminal(user, name, { identities: [identity] });
    guests.push(
      await TerminalGuest.start(gateway, {
        user,
        instance: urn,
        profile: 'S1',
        otaHttp: { host: '127.0.0.1', port: 0 },
      }),
    );
  }
  const [phone, pc, pda] = guests as [TerminalGuest, TerminalGuest, TerminalGuest];
  return {
    ...{ user, phone, pc, pda, pushId: `modes${users}@pi` },
    uuid: (index: number) => instance(60_000 + users * 10 + index),
    count: (kind: 'sir' | 'connected' | 'content') => guests.map((guest) => guest.all(kind).length),
    [Symbol.asyncDispose]: async () => void (await Promise.all(guests.map((one) => one.terminal.close()))),
  };
}

describe('what targeting saves (SIR-2, SIR-6)', () => {
  it('with it, a push for one of three terminals costs one SIR, one session, one delivery', async () => {
    await using home = await household([]);
    await initiator.push({ pushId: home.pushId, to: addressOf(home.user, home.uuid(0)), content: 'news' });
    await gateway.pushBecomes(home.pushId, 'delivered');
    expect([home.count('sir'), home.count('connected'), home.count('content')]).toEqual([
      [1, 0, 0],
      [1, 0, 0],
      [1, 0, 0],
    ]);
  });

  it('without it, as ever, every terminal is asked, and every one comes', async () => {
    await using home = await household([{ mode: 'plain', completion: 'all' }]);
    await initiator.push({ pushId: home.pushId, to: addressOf(home.user), content: 'news' });
    await gateway.pushWhen(home.pushId, ({ recipients }) =>
      (recipients[0]?.deliveries ?? []).every(({ state }) => state === 'delivered'),
    );
    expect(home.count('connected')).toEqual([1, 1, 1]);
    expect(home.count('content')).toEqual([1, 1, 1]);
  });
});

describe('a SIR to all that names the phone (SIR-75, SIR-94, SIR-143)', () => {
  it.each([
    [['header']],
    [['value']],
    [['body']],
    [['header', 'value']],
    [['header', 'body']],
    [['value', 'body']],
    [['header', 'value', 'body']],
  ])('in %j is followed by the phone and by nobody else (SIR-49 … SIR-52)', async (identityIn) => {
    await using home = await household([{ mode: 'filtered', identityIn, terminals: ['phone'] }]);
    await initiator.push({ pushId: home.pushId, to: addressOf(home.user), content: 'for the phone' });
    const push = await gateway.pushBecomes(home.pushId, 'delivered');
    expect(push.recipients[0]?.deliveries[0]?.wakes).toMatchObject([{ mode: 'filtered' }]);
    await home.pc.after('sir');
    await home.pda.after('sir');
    const reasons = [home.phone, home.pc, home.pda].map((guest) => guest.all('sir')[0]?.judgement.reason);
    expect(reasons).toEqual(['matched', 'otherDevice', 'otherDevice']);
    expect(home.count('content')).toEqual([1, 0, 0]);
  });
});

describe('a terminal that registers as', () => {
  it.each([
    [
      'a UUID (SIR-13)',
      { kind: 'uuid', value: 'URN:UUID:F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6' },
      'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
    ],
    ['an IMEI (SIR-14)', { kind: 'imei', value: '90-420156-025763-9' }, 'urn:gsma:imei:90420156-025763-0'],
    ['a URN (SIR-16)', { kind: 'urn', value: 'URN:nbn:de:bsz-21' }, 'urn:nbn:de:bsz-21'],
    [
      'an RFID tag (SIR-17)',
      { kind: 'rfid', value: '3034257bf400b7800004cb2f' },
      'urn:epc:raw:96.x3034257BF400B7800004CB2F',
    ],
    ['a MAC (SIR-19)', { kind: 'mac', value: '00:24:BE:80:4F:F1' }, 'urn:dev:mac:0024befffe804ff1'],
  ])(
    '%s is the one that the SIR names, and it opens the session (SIR-4, SIR-5)',
    async (_, identity, urn) => {
      await using home = await household(
        [{ mode: 'filtered', terminals: ['phone'] }],
        { phone: urn },
        { phone: identity },
      );
      await initiator.push({
        pushId: home.pushId,
        to: addressOf(home.user, identity.value),
        content: 'for it',
      });
      await gateway.pushBecomes(home.pushId, 'delivered');
      const [sir] = home.phone.all('sir');
      expect(sir?.sir.devices.length).toBeGreaterThan(0);
      expect(sir?.judgement.reason).toBe('matched');
      expect(home.count('content')).toEqual([1, 0, 0]);
    },
  );
});

describe('a terminal that is known by a name that no Contact carries (SIR-23)', () => {
  it.each([
    ['a MAC (SIR-19)', { kind: 'mac', value: '00:24:BE:80:4F:F1' }, 'urn:dev:mac:0024befffe804ff1'],
    ['an ESN (SIR-18)', { kind: 'esn', value: '2BAB12CD' }, '04311211469'],
    [
      'an RFID tag (SIR-17)',
      { kind: 'rfid', value: '3034257BF400B7800004CB2F' },
      'urn:epc:raw:96.x3034257BF400B7800004CB2F',
    ],
    [
      'a fingerprint (SIR-20)',
      { kind: 'fingerprint', value: 'ni:///sha-256;ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0' },
      'ni:///sha-256;ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0',
    ],
    [
      'a kind of the operator (SIR-21)',
      { kind: 'other', value: 'x-vin:WDB9066571S123456' },
      'x-vin:WDB9066571S123456',
    ],
  ])(
    '%s: the SIR goes to all, the one that has the name comes and says so, and what it returns counts',
    async (_, identity, own) => {
      users += 1;
      const user = `sip:modes${users}@example.test`;
      const pushId = `modes${users}@pi`;
      await gateway.addUser(
        user,
        { car: { identities: [identity] } },
        { policy: { rules: [{ return: ['preference'] }] } },
      );
      const start = (number: number, identities: readonly string[]) =>
        TerminalGuest.start(gateway, {
          user,
          instance: instance(60_000 + users * 10 + number),
          identities,
          profile: 'S1',
          policy: { information: { preference: { refusedTypes: ['video/*'] } } },
        });
      await using car = await start(0, [own]);
      await using other = await start(1, []);
      await initiator.push({ pushId, to: addressOf(user, identity.value), content: 'for the car' });
      const push = await gateway.pushBecomes(pushId, 'delivered');
      expect(push.recipients[0]?.deliveries[0]).toMatchObject({
        terminal: 'car',
        wakes: [{ mode: 'filtered' }],
      });
      expect(car.texts).toEqual(['for the car']);
      const [heard] = await other.after('sir');
      expect([heard?.judgement.reason, other.texts]).toEqual(['otherDevice', []]);
      expect(await car.after('returned')).toMatchObject([{ information: 'preference', status: 200 }]);
      const { body } = await gateway.admin('GET', `/users/${encodeURIComponent(user)}/terminals/car`);
      expect(body).toMatchObject({ returned: { preference: { version: 1 } } });
    },
  );

  it('has no SIR sent to terminals that were provisioned: none of them can be it', async () => {
    await using home = await household([]);
    await gateway.addTerminal(home.user, 'car', { identities: [{ kind: 'esn', value: '2BAB12CD' }] });
    await initiator.push({
      pushId: home.pushId,
      to: addressOf(home.user, '2BAB12CD'),
      content: 'for the car',
    });
    const push = await gateway.pushWhen(
      home.pushId,
      ({ recipients }) => (recipients[0]?.deliveries[0]?.wakes.length ?? 0) > 0,
    );
    expect(push.recipients[0]?.deliveries[0]?.wakes).toMatchObject([{ mode: 'routed', outcome: 'failed' }]);
    expect(home.count('sir')).toEqual([0, 0, 0]);
  });
});

describe('the word of the user', () => {
  it('"wake my phone by HTTP" does exactly that (SIR-29, SIR-36, SIR-38)', async () => {
    await using home = await household([{ terminals: ['phone'], bearers: ['ota-http'] }]);
    await gateway.addTerminal(home.user, 'phone', {
      identities: [{ kind: 'uuid', value: home.uuid(0) }],
      activation: [
        { bearer: 'sip' },
        { bearer: 'ota-http', address: home.phone.all('listening')[0]?.url, carries: 'sir' },
      ],
    });
    await initiator.push({ pushId: home.pushId, to: addressOf(home.user), content: 'by HTTP' });
    const push = await gateway.pushBecomes(home.pushId, 'delivered');
    expect(home.phone.all('sir')).toMatchObject([{ sir: { carrier: 'http' } }]);
    expect(home.count('sir')).toEqual([1, 0, 0]);
    expect(push.recipients[0]?.deliveries.map(({ terminal }) => terminal)).toEqual(['phone']);
    expect(push.recipients[0]?.deliveries[0]?.wakes).toMatchObject([{ bearer: 'ota-http' }]);
  });
});

describe('one push for two terminals', () => {
  it('has its SIRs encapsulated as each terminal takes them, and the third hears nothing (SIR-39, SIR-95, SIR-108)', async () => {
    await using home = await household([{ terminals: ['phone', 'pc'] }]);
    await gateway.addTerminal(home.user, 'pc', {
      identities: [{ kind: 'uuid', value: home.uuid(1) }],
      activation: [{ bearer: 'ota-http', address: home.pc.all('listening')[0]?.url, carries: 'sir' }],
    });
    await initiator.push({ pushId: home.pushId, to: addressOf(home.user), content: 'for two' });
    await gateway.pushWhen(home.pushId, ({ recipients }) =>
      (recipients[0]?.deliveries ?? []).every(({ state }) => state === 'delivered'),
    );
    const carriers = [home.phone, home.pc, home.pda].map((guest) =>
      guest.all('sir').map(({ sir }) => sir.carrier),
    );
    expect(carriers).toEqual([['sip'], ['http'], []]);
    const named = [home.phone, home.pc].map((guest) =>
      guest.all('sir')[0]?.sir.devices.map(({ canonical }) => canonical),
    );
    expect(named.map((names) => names?.at(-1))).toEqual([home.uuid(0), home.uuid(1)]);
    expect(home.count('content')).toEqual([1, 1, 0]);
  });
});

describe('a push for a subset, and for all (SIR-175)', () => {
  it('goes to two of three, then to all of them by the word of the initiator', async () => {
    await using home = await household([{ terminals: ['phone', 'pc'] }]);
    const all = `WAPPUSH=${encodeURIComponent(home.user)}/scope=all/TYPE=USER@ppg.carillon.test`;
    const everybody = (pushId: string) =>
      gateway.pushWhen(pushId, ({ recipients }) =>
        (recipients[0]?.deliveries ?? []).every(({ state }) => state === 'delivered'),
      );
    await initiator.push({ pushId: home.pushId, to: addressOf(home.user), content: 'for two' });
    await everybody(home.pushId);
    expect(home.count('content')).toEqual([1, 1, 0]);
    await initiator.push({ pushId: `all-${home.pushId}`, to: all, content: 'for all' });
    await everybody(`all-${home.pushId}`);
    expect(home.count('content')).toEqual([2, 2, 1]);
  });
});
