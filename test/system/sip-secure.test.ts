/**
 * Terminals that are connected by TLS and by WebSocket, with no core in front: each is woken on the connection on which it
 * registered, and no other hears anything.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSipStack } from '../../src/transports/sip-stack/create-sip-stack.js';
import { E2eGateway, PPG_URI } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';
import { TestCa } from '../support/test-ca.js';

const ALICE = 'sip:alice@carillon.test';
const PASSWORD = 'wonderland';
const ALL = ['udp', 'tcp', 'tls', 'ws'] as const;

let ca: TestCa;
let gateway: E2eGateway;
let initiator: Initiator;
beforeAll(async () => {
  ca = new TestCa();
  const { certFile, keyFile } = ca.issue('gateway', '/CN=gateway');
  gateway = await E2eGateway.start({
    CARILLON_SIP_TLS_PORT: '0',
    CARILLON_SIP_TLS_CERT_FILE: certFile,
    CARILLON_SIP_TLS_KEY_FILE: keyFile,
    CARILLON_SIP_CA_FILE: ca.caFile,
    CARILLON_MSRP_TLS_PORT: '0',
    CARILLON_MSRP_TLS_CERT_FILE: certFile,
    CARILLON_MSRP_TLS_KEY_FILE: keyFile,
    CARILLON_WAKE_RETRY_SECONDS: '2',
  });
  initiator = new Initiator(gateway);
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  ca?.[Symbol.dispose]();
});

function guest(user: string, number: number, transport: (typeof ALL)[number], options: object = {}) {
  const { sip, sips, http } = gateway.ports;
  const port = { udp: sip, tcp: sip, tls: sips, ws: http }[transport];
  return TerminalGuest.start(gateway, {
    user,
    instance: instance(number),
    transport,
    at: { host: '127.0.0.1', port },
    tls: { ca: ca.ca },
    ...options,
  });
}

describe('a user with a terminal on each transport', () => {
  const guests = new Map<string, TerminalGuest>();
  beforeAll(async () => {
    await gateway.addUser(ALICE);
    for (const [index, transport] of ALL.entries())
      guests.set(transport, await guest(ALICE, 900 + index, transport));
  });
  afterAll(async () => {
    for (const one of guests.values()) await one[Symbol.asyncDispose]();
  });

  it.each(ALL.map((transport, index) => [transport, 900 + index] as const))(
    'has a push for that on %s woken and delivered there, and the others hear nothing',
    async (transport, number) => {
      const before = new Map([...guests].map(([name, { events }]) => [name, events.length]));
      const pushId = `${transport}@pi`;
      await initiator.push({ pushId, to: addressOf(ALICE, instance(number)), content: `by ${transport}` });
      await gateway.pushBecomes(pushId, 'delivered');
      expect(guests.get(transport)?.texts).toEqual([`by ${transport}`]);
      expect(guests.get(transport)?.all('sir')).toHaveLength(1);
      for (const [name, { events }] of guests) {
        if (name !== transport) expect([name, events.length]).toEqual([name, before.get(name)]);
      }
    },
  );
});

describe('a terminal whose connection has gone', () => {
  it.each(['tls', 'ws'] as const)(
    'over %s is not registered any more, and is served when it comes back',
    async (transport) => {
      const user = `sip:gone-${transport}@carillon.test`;
      await gateway.addUser(user, { phone: instance(920) });
      const before = await guest(user, 920, transport);
      await before.terminal.abandon();
      const pushId = `gone-${transport}@pi`;
      await initiator.push({ pushId, to: addressOf(user), content: 'there you are' });
      await gateway.laneWhen(user, 'phone', ({ wakes }) => wakes.some(({ outcome }) => outcome === 'failed'));
      await using back = await guest(user, 920, transport);
      await gateway.pushBecomes(pushId, 'delivered');
      expect(back.texts).toEqual(['there you are']);
    },
  );
});

describe('a registration over TLS', () => {
  const credentials = { username: 'carol', password: PASSWORD };
  const carol = 'sip:carol@carillon.test';
  const invite = async (given: object) => {
    const stack = createSipStack({ listen: [], tls: { ca: ca.ca }, product: 'somebody' });
    await stack.listen();
    try {
      return await stack
        .invite({
          method: 'INVITE',
          uri: PPG_URI,
          from: `<${carol}>`,
          to: `<${PPG_URI}>`,
          headers: [{ name: 'Contact', value: `<sip:carol@x.invalid>;+sip.instance="<${instance(930)}>"` }],
          body: Buffer.from('v=0\r\n'),
          contentType: 'application/sdp',
          destination: { transport: 'tls', address: '127.0.0.1', port: gateway.ports.sips },
          ...given,
        })
        .then(() => 200)
        .catch((error: { readonly response?: { readonly status: number } }) => error.response?.status);
    } finally {
      await stack.close();
    }
  };
  beforeAll(() =>
    gateway.addUser(carol, { phone: instance(930) }, { sip: { username: 'carol', password: PASSWORD } }),
  );

  it('vouches for a session on its own connection', async () => {
    await using phone = await guest(carol, 930, 'tls', { credentials });
    await initiator.push({ pushId: 'carol@pi', to: addressOf(carol), content: 'hello' });
    await gateway.pushBecomes('carol@pi', 'delivered');
    expect(phone.texts).toEqual(['hello']);
  });

  it('vouches for nobody on another connection from the same host', async () => {
    await using _phone = await guest(carol, 930, 'tls', { credentials });
    expect(await invite({})).toBe(401);
    expect(await invite({ credentials })).toBe(488); // proved it, and its offer has no media
  });
});

describe('a push session over TLS', () => {
  it('is had by a terminal that asks for one, from the SIR to the content', async () => {
    const user = 'sip:dora@carillon.test';
    await gateway.addUser(user, { phone: instance(940) });
    await using phone = await guest(user, 940, 'tls', { secureSessions: true });
    const content = 'x'.repeat(100_000);
    await initiator.push({ pushId: 'dora@pi', to: addressOf(user), content });
    await gateway.pushBecomes('dora@pi', 'delivered');
    expect(phone.texts).toEqual([content]);
    expect(phone.all('content')[0]?.content.via).toBe('msrp');
  });
});

// Last, for the gateway is another process afterwards.
describe('a gateway that was killed', () => {
  it.each(['tls', 'ws'] as const)(
    'has its terminal on %s back by itself, and delivers what was held',
    async (transport) => {
      const user = `sip:back-${transport}@carillon.test`;
      await gateway.addUser(user);
      await using phone = await guest(user, transport === 'tls' ? 951 : 952, transport);
      await gateway.crashAndRestart();
      const pushId = `back-${transport}@pi`;
      await initiator.push({ pushId, to: addressOf(user), content: 'after the crash' });
      await gateway.pushBecomes(pushId, 'delivered');
      expect(phone.texts).toEqual(['after the crash']);
      expect(phone.all('registered').length).toBeGreaterThan(1);
    },
  );
});
