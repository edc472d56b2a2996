/** A gateway on IPv4 and IPv6 (SIR-172): terminals of either family, by every transport, in sessions and by MESSAGE. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { E2eGateway } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';
import { TestCa } from '../support/test-ca.js';

const TRANSPORTS = ['udp', 'tcp', 'tls'] as const;

let ca: TestCa;
let gateway: E2eGateway;
let initiator: Initiator;
beforeAll(async () => {
  ca = new TestCa();
  const { certFile, keyFile } = ca.issue('gateway', '/CN=gateway');
  gateway = await E2eGateway.start({
    CARILLON_SIP_MORE_HOSTS: '["::1"]',
    CARILLON_SIP_TLS_PORT: '0',
    CARILLON_SIP_TLS_CERT_FILE: certFile,
    CARILLON_SIP_TLS_KEY_FILE: keyFile,
    CARILLON_MSRP_MORE_HOSTS: '["::1"]',
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

function guest(
  user: string,
  number: number,
  host: string,
  transport: (typeof TRANSPORTS)[number],
  options: object = {},
) {
  const { sip, sips } = gateway.ports;
  return TerminalGuest.start(gateway, {
    user,
    instance: instance(number),
    transport,
    at: { host, port: transport === 'tls' ? sips : sip },
    tls: { ca: ca.ca },
    ...options,
  });
}

describe.each([
  ['IPv6', '::1', 960],
  ['IPv4', '127.0.0.1', 970],
])('a terminal on %s', (family, host, first) => {
  it.each(TRANSPORTS.map((transport, index) => [transport, first + index] as const))(
    'by %s is woken and has its session',
    async (transport, number) => {
      const user = `sip:${family.toLowerCase()}-${transport}@carillon.test`;
      await gateway.addUser(user);
      await using phone = await guest(user, number, host, transport, {
        profile: 'S1',
        secureSessions: transport === 'tls',
      });
      const pushId = `${family}-${transport}@pi`;
      await initiator.push({ pushId, to: addressOf(user), content: `over ${family}` });
      await gateway.pushBecomes(pushId, 'delivered');
      expect(phone.texts).toEqual([`over ${family}`]);
      const contact = transport === 'tls' ? '.invalid;transport=tls' : `@${host === '::1' ? '[::1]' : host}:`;
      expect(phone.all('registered')[0]?.contact).toContain(contact);
    },
  );

  it('has content by MESSAGE on its registration (profile S2)', async () => {
    const user = `sip:${family.toLowerCase()}-s2@carillon.test`;
    await gateway.addUser(user);
    await using phone = await guest(user, first + 5, host, 'udp', {
      profile: 'S2',
      features: ['+g.oma.pusheventapp="push.sia"'],
    });
    const pushId = `${family}-s2@pi`;
    await initiator.push({ pushId, to: addressOf(user), content: 'small' });
    await gateway.pushBecomes(pushId, 'delivered');
    expect(phone.all('content')[0]?.content.via).toBe('message');
  });
});

it('a user with a terminal on each family has both reached', async () => {
  const user = 'sip:both@carillon.test';
  await gateway.addUser(user);
  await using four = await guest(user, 981, '127.0.0.1', 'udp');
  await using six = await guest(user, 982, '::1', 'udp');
  await initiator.push({ pushId: 'both@pi', to: addressOf(user), content: 'both' });
  await gateway.pushBecomes('both@pi', 'delivered');
  expect([four.texts, six.texts]).toEqual([['both'], ['both']]);
});
