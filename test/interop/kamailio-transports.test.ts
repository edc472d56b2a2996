/**
 * Behind Kamailio with the files of `deploy/kamailio`, terminals on TLS, WebSocket and IPv6 (SIR-172): each registers at the core, is
 * woken through it by its instance (mode A′, SIR-81: address of record, Accept-Contact demands the instance), and no other hears anything.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { E2eGateway } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';
import { CORE_DOMAIN, Kamailio } from '../support/kamailio.js';
import { freePort } from '../support/ports.js';
import { TestCa } from '../support/test-ca.js';

const ALICE = `sip:alice@${CORE_DOMAIN}`;
const BOB = `sip:bob@${CORE_DOMAIN}`;

let ca: TestCa;
let core: Kamailio;
let ports: { readonly tls: number; readonly ws: number; readonly wss: number };
let gateway: E2eGateway;
let initiator: Initiator;

beforeAll(async () => {
  ca = new TestCa();
  const certificate = ca.issue('core', '/CN=core', `DNS:${CORE_DOMAIN},IP:127.0.0.5,IP:::1`);
  const [gatewayPort, tls, ws, wss] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  ports = { tls, ws, wss };
  const users = ['alice', 'bob'];
  core = await Kamailio.start({ gatewayPort, users, host: '127.0.0.5', open: { certificate, ports } });
  gateway = await E2eGateway.start({
    ...core.gatewaySettings,
    CARILLON_MSRP_MORE_HOSTS: '["::1"]',
  });
  initiator = new Initiator(gateway);
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await core?.[Symbol.asyncDispose]();
  ca?.[Symbol.dispose]();
});

const WAYS = [
  ['UDP', 'udp', 4],
  ['TLS', 'tls', 4],
  ['WebSocket', 'ws', 4],
  ['WebSocket over TLS', 'wss', 4],
  ['UDP on IPv6', 'udp', 6],
  ['TCP on IPv6', 'tcp', 6],
  ['TLS on IPv6', 'tls', 6],
  ['WebSocket on IPv6', 'ws', 6],
] as const;

function guest(
  user: string,
  number: number,
  [, transport, family]: (typeof WAYS)[number],
): Promise<TerminalGuest> {
  const port = { udp: core.port, tcp: core.port, ...ports }[transport];
  return TerminalGuest.start(gateway, {
    ...core.terminalOf(user.slice(4, user.indexOf('@')), number),
    local: { host: family === 6 ? '::1' : '127.0.0.1' },
    at: { host: family === 6 ? '::1' : core.host, port },
    transport,
    tls: { ca: ca.ca },
  });
}

describe('a user with a terminal on every transport of the core', () => {
  const guests: TerminalGuest[] = [];
  beforeAll(async () => {
    await gateway.addUser(ALICE, {}, { policy: { rules: [{ mode: 'proxy-routed' }] } });
    for (const [index, way] of WAYS.entries()) guests.push(await guest(ALICE, 700 + index, way));
  });
  afterAll(async () => {
    for (const one of guests) await one[Symbol.asyncDispose]();
  });

  it.each(WAYS.map(([name], index) => [name, index] as const))(
    'has the one on %s woken by Accept-Contact, and the others hear nothing',
    async (name, index) => {
      const before = guests.map(({ events }) => events.length);
      const pushId = `way${index}@pi`;
      await initiator.push({ pushId, to: addressOf(ALICE, instance(700 + index)), content: `by ${name}` });
      const push = await gateway.pushBecomes(pushId, 'delivered');
      expect(push.recipients[0]?.deliveries[0]?.wakes).toMatchObject([
        { bearer: 'sip', outcome: 'handed', address: ALICE },
      ]);
      expect(guests[index]?.texts).toEqual([`by ${name}`]);
      for (const [other, { events }] of guests.entries()) {
        if (other !== index) expect([other, events.slice(before[other])]).toEqual([other, []]);
      }
    },
  );

  it('gets a push for all at each of them', async () => {
    await initiator.push({ pushId: 'all@pi', to: addressOf(ALICE), content: 'for all' });
    await gateway.pushBecomes('all@pi', 'delivered');
    expect(guests.map(({ texts }) => texts.at(-1))).toEqual(WAYS.map(() => 'for all'));
  });
});

it('the core has complained about nothing so far', () => {
  expect(core.complaints).toEqual([]);
});

describe('a terminal on WebSocket behind the core', () => {
  it('that hangs up is reached when it is back', async () => {
    await gateway.addUser(BOB, { phone: instance(720) });
    const before = await guest(BOB, 720, ['WebSocket', 'ws', 4]);
    await initiator.push({ pushId: 'bob1@pi', to: addressOf(BOB), content: 'first' });
    await gateway.pushBecomes('bob1@pi', 'delivered');
    expect(before.texts).toEqual(['first']);
    await before.terminal.abandon();
    await initiator.push({ pushId: 'bob2@pi', to: addressOf(BOB), content: 'second' });
    await using back = await guest(BOB, 720, ['WebSocket over TLS', 'wss', 4]);
    await gateway.pushBecomes('bob2@pi', 'delivered');
    expect(back.texts).toEqual(['second']);
  });
});
