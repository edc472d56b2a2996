/**
 * A presence server that is Kamailio's, with the files of `deploy/kamailio`, and terminals that sipp publishes the state of: what it says
 * changes who gets a push, with nothing provisioned anew; and when it is gone, pushes go on (SIR-31, SIR-40).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { E2eGateway } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';
import { CORE_DOMAIN, Kamailio, PASSWORD } from '../support/kamailio.js';
import { freePort } from '../support/ports.js';
import { callAndRead } from './sipp/run.js';

const USERS = ['alice', 'bob'] as const;
const ALICE = `sip:alice@${CORE_DOMAIN}`;
const BOB = `sip:bob@${CORE_DOMAIN}`;
const PHONE = instance(901);
const PC = instance(902);

let server: Kamailio;
let gateway: E2eGateway;
let initiator: Initiator;
let phone: TerminalGuest;
let pc: TerminalGuest;

beforeAll(async () => {
  const gatewayPort = await freePort();
  server = await Kamailio.start({ gatewayPort, users: USERS, host: '127.0.0.3' });
  gateway = await E2eGateway.start({
    CARILLON_SIP_PORT: String(gatewayPort),
    CARILLON_SOURCES_PRESENCE_URI: server.uri,
    CARILLON_SOURCES_PRESENCE_TIMEOUT_MS: '5000', // this machine may be busy
  });
  initiator = new Initiator(gateway);
  for (const user of [ALICE, BOB]) {
    await gateway.addUser(user, {}, { policy: { target: 'newest-registered' } });
  }
  await gateway.addTerminal(ALICE, 'phone', PHONE);
  await gateway.addTerminal(ALICE, 'pc', PC);
  await gateway.addTerminal(BOB, 'phone', instance(911));
  await gateway.addTerminal(BOB, 'pc', instance(912));
  phone = await TerminalGuest.start(gateway, { user: ALICE, instance: PHONE });
  pc = await TerminalGuest.start(gateway, { user: ALICE, instance: PC });
});
afterAll(async () => {
  for (const one of [phone, pc, gateway, server]) await one?.[Symbol.asyncDispose]();
});

const tuple = (id: string, urn: string, basic: string) =>
  `<tuple id="${id}"><status><basic>${basic}</basic></status><dm:deviceID>${urn}</dm:deviceID></tuple>`;

/** Publishes the state of both devices, in place of what was published before; the entity tag of the publication. */
async function publish(
  states: { readonly phone: string; readonly pc: string },
  replaces?: string,
): Promise<string> {
  const pidf =
    '<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"' +
    ` entity="${ALICE}">${tuple('a', PHONE, states.phone)}${tuple('b', PC, states.pc)}</presence>`;
  const { exitCode, errors, received } = await callAndRead(server.port, {
    scenario: 'publish',
    transport: 'udp',
    host: server.host,
    values: {
      user: ALICE,
      username: 'alice',
      password: PASSWORD,
      condition: replaces === undefined ? 'Supported: nothing' : `SIP-If-Match: ${replaces}`,
      pidf,
    },
  });
  expect([exitCode, errors]).toEqual([0, '']);
  return /^SIP-ETag: *(\S+)/im.exec(received.at(-1) ?? '')?.[1] ?? '';
}

/** Pushes to a user; who was chosen, and what the presence server contributed. */
async function pushed(pushId: string, user = ALICE) {
  await initiator.push({ pushId, to: addressOf(user), content: pushId });
  const push = await gateway.push(pushId);
  const decision = push.recipients[0]?.decision;
  return {
    chosen: decision?.terminals.filter(({ selected }) => selected).map(({ terminal }) => terminal),
    presence: decision?.sources?.find(({ source }) => source === 'presence'),
  };
}

/** Pushes until the decision looks like this: a NOTIFY of what was published may be on its way. */
async function pushedUntil(chosen: readonly string[]): Promise<Awaited<ReturnType<typeof pushed>>> {
  for (let attempt = 0; ; attempt += 1) {
    const decision = await pushed(`${chosen.join()} ${attempt} ${Date.now()}@pi`);
    if (decision.chosen?.join() === chosen.join() || attempt === 200) return decision;
  }
}

describe('presence', () => {
  let etag: string;

  it('chooses the device that is open', async () => {
    etag = await publish({ phone: 'open', pc: 'closed' });
    expect(await pushed('first@pi')).toMatchObject({
      chosen: ['phone'],
      presence: { state: 'used', detail: '2 devices, 1 available' },
    });
    await gateway.pushBecomes('first@pi', 'delivered');
    expect(phone.texts).toContain('first@pi');
    expect(pc.texts).not.toContain('first@pi');
  });

  it('chooses another one as soon as that is published', async () => {
    await publish({ phone: 'closed', pc: 'open' }, etag);
    expect(await pushedUntil(['pc'])).toMatchObject({ chosen: ['pc'], presence: { state: 'used' } });
  });

  it('is not asked about a user with one terminal (SIR-42)', async () => {
    await gateway.addUser(
      'sip:carol@example.test',
      { phone: instance(921) },
      { policy: { target: 'newest-registered' } },
    );
    expect((await pushed('single@pi', 'sip:carol@example.test')).presence).toMatchObject({
      state: 'missing',
      detail: 'not asked: the user has one terminal',
    });
  });
});

describe('when the presence server is gone', () => {
  beforeAll(async () => {
    await pushedUntil(['pc']);
    await server.kill();
  });

  it('a push goes on after the time-out, to whom the policy says without it', async () => {
    const { chosen, presence } = await pushed('gone@pi', BOB);
    expect(chosen).toEqual(['pc', 'phone']);
    expect(presence).toEqual({
      source: 'presence',
      state: 'missing',
      detail: 'timeout: no answer within 5000 ms',
    });
  });

  it('what it said last counts, also after a crash of the gateway', async () => {
    await gateway.crashAndRestart();
    const { chosen, presence } = await pushed('stale@pi');
    expect(chosen).toEqual(['pc']);
    expect(presence).toMatchObject({
      state: 'stale',
      detail: 'timeout: no answer within 5000 ms; 2 devices, 1 available',
    });
  });
});
