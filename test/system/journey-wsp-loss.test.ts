/**
 * WSP over a network that loses 30 % of all datagrams in both directions: SIRs, sessions, pushes small and large. Everything arrives and is shown
 * once; tshark reads all that passed.
 */
import { expect, it } from 'vitest';
import { E2eGateway } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';
import { seededRandom } from '../support/seeded-random.js';
import { dissectFields } from '../support/tshark.js';
import { UdpRelay } from '../support/udp-relay.js';

const USER = 'sip:lossy@example.test';
const UUID = instance(41_000);
const RETRANSMIT_MS = 100;

it('loses nothing, shows nothing twice, and is without a malformed mark', async () => {
  const random = seededRandom(2948);
  const loses = () => random.below(100) < 30;
  let wspPort = 0;
  let phonePort = 0;
  await using sessions = await UdpRelay.start({
    farEnd: () => ({ address: '127.0.0.1', port: wspPort }),
    loses,
  });
  await using datagrams = await UdpRelay.start({
    farEnd: () => ({ address: '127.0.0.1', port: phonePort }),
    loses,
  });
  await using gateway = await E2eGateway.start({
    CARILLON_BEARERS_WSP_ENABLED: 'true',
    CARILLON_BEARERS_WSP_PORT: '0',
    CARILLON_BEARERS_WSP_ALLOW_PRIVATE_ADDRESSES: 'true',
    CARILLON_WSP_ENABLED: 'true',
    CARILLON_WSP_PORT: '0',
    CARILLON_WSP_ADVERTISE: `127.0.0.1:${sessions.port}`,
    CARILLON_WSP_RETRANSMIT_MS: String(RETRANSMIT_MS),
    CARILLON_WSP_MAX_RETRANSMISSIONS: '20',
    CARILLON_WAKE_RETRY_SECONDS: '[1]',
  });
  wspPort = gateway.ports.wsp;
  const initiator = new Initiator(gateway);
  await gateway.addUser(USER, { phone: UUID });
  await using guest = await TerminalGuest.start(gateway, {
    user: USER,
    instance: UUID,
    profile: 'S1',
    wsp: { host: '127.0.0.1', port: 0, retransmitMs: RETRANSMIT_MS, maxRetransmissions: 20 },
  });
  phonePort = Number(guest.all('listening')[0]?.url.split(':').at(-1));
  await gateway.addTerminal(USER, 'phone', {
    identities: [{ kind: 'uuid', value: UUID }],
    activation: [{ bearer: 'wsp', address: `127.0.0.1:${datagrams.port}`, carries: 'sir' }],
  });

  const contents = Array.from({ length: 40 }, (_, index) =>
    index % 8 === 7 ? `${index}: ${'large; '.repeat(3000)}` : `number ${index}`,
  );
  for (const [index, content] of contents.entries())
    await initiator.push({
      pushId: `${index}@pi`,
      to: addressOf(USER, UUID),
      content,
      deliveryMethod: 'confirmed',
    });
  for (const index of contents.keys()) await gateway.pushBecomes(`${index}@pi`, 'delivered');

  const shown = guest.all('content').filter(({ isDuplicate }) => !isDuplicate);
  const texts = shown.map(({ content }) => Buffer.from(content.bytes).toString());
  expect([...texts].sort()).toEqual([...contents].sort());
  expect(sessions.lost).toBeGreaterThan(20);

  const wtp = await dissectFields(
    sessions.passed,
    ['wtp.pdu_type', 'wsp.pdu_type', '_ws.malformed'],
    ['-d', `udp.port==${wspPort},wtp`, '-d', `udp.port==${sessions.port},wtp`],
  );
  expect(wtp.flatMap((frame) => frame.get('_ws.malformed') ?? [])).toEqual([]);
  expect(wtp.every((frame) => (frame.get('wtp.pdu_type') ?? []).length > 0)).toBe(true);
  const seen = new Set(wtp.flatMap((frame) => frame.get('wsp.pdu_type') ?? []));
  for (const type of ['0x01', '0x02', '0x07']) expect(seen).toContain(type);

  const sirs = await dissectFields(
    datagrams.passed,
    ['wsp.pdu_type', 'wap.sir.version', '_ws.malformed'],
    ['-d', `udp.port==${phonePort},wsp`],
  );
  expect(sirs.flatMap((frame) => frame.get('_ws.malformed') ?? [])).toEqual([]);
  expect(new Set(sirs.flatMap((frame) => frame.get('wap.sir.version') ?? []))).toEqual(new Set(['1']));
}, 120_000);
