/**
 * The gateway behind Kamailio, with the files of `deploy/kamailio`: terminals register there and not here; the gateway learns of them by
 * the registration event package and reaches each through the core by its GRUU.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SipHeader } from '../../src/protocols/sip/index.js';
import { createSipStack } from '../../src/transports/sip-stack/create-sip-stack.js';
import { DOMAIN, E2eGateway, PPG_URI, when } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';
import { CORE_DOMAIN, Kamailio, PASSWORD } from '../support/kamailio.js';
import { freePort } from '../support/ports.js';
import { CLEAN, callAndRead } from './sipp/run.js';

const USERS = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace'] as const;
const identityOf = (name: string) => `sip:${name}@${CORE_DOMAIN}`;

let core: Kamailio;
let gateway: E2eGateway;
let initiator: Initiator;

beforeAll(async () => {
  const gatewayPort = await freePort();
  core = await Kamailio.start({ gatewayPort, users: USERS });
  gateway = await E2eGateway.start({
    ...core.gatewaySettings,
    CARILLON_PUSH_SESSION_IDLE_SECONDS: '3',
  });
  initiator = new Initiator(gateway);
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await core?.[Symbol.asyncDispose]();
});

/** A terminal of a user that registers at the core and sends everything through it. */
function guest(user: string, number: number, options: object = {}): Promise<TerminalGuest> {
  return TerminalGuest.start(gateway, { ...core.terminalOf(user, number), ...options });
}

describe('a user whose three terminals are registered at the core', () => {
  let phone: TerminalGuest;
  let pc: TerminalGuest;
  let pda: TerminalGuest;

  beforeAll(async () => {
    await gateway.addUser(identityOf('alice'));
    phone = await guest('alice', 801);
    pc = await guest('alice', 802, { transport: 'tcp' });
    pda = await guest('alice', 803);
  });
  afterAll(async () => {
    for (const one of [phone, pc, pda]) await one?.[Symbol.asyncDispose]();
  });

  it('has them as terminals at the first push, and a push for one reaches that one alone', async () => {
    await initiator.push({
      pushId: 'phone@pi',
      to: addressOf(identityOf('alice'), instance(801)),
      content: 'for the phone',
    });
    const push = await gateway.pushBecomes('phone@pi', 'delivered');
    expect(phone.texts).toEqual(['for the phone']);
    expect([pc, pda].flatMap((other) => other.all('sir'))).toEqual([]);
    const [recipient] = push.recipients;
    expect(recipient?.decision?.terminals.map(({ terminal, selected }) => [terminal, selected])).toEqual([
      [instance(801), true],
      [instance(802), false],
      [instance(803), false],
    ]);
    expect(recipient?.decision?.sources?.find(({ source }) => source === 'reg-event')).toMatchObject({
      state: 'used',
      detail: '3 devices, 3 available',
    });
    expect(recipient?.deliveries[0]?.wakes).toMatchObject([
      { bearer: 'sip', outcome: 'handed', address: `${identityOf('alice')};gr=${instance(801)}` },
    ]);
    const [opened] = phone.all('connected');
    expect(opened?.gateway).toBe(`sip:ppg@${DOMAIN}`);
  });

  it('gets a push that names none at each of them', async () => {
    await initiator.push({ pushId: 'all@pi', to: addressOf(identityOf('alice')), content: 'for all' });
    await gateway.pushBecomes('all@pi', 'delivered');
    expect([phone, pc, pda].map((one) => one.texts.at(-1))).toEqual(['for all', 'for all', 'for all']);
  });

  it('is not known here as registered: no contact was stored', async () => {
    const { body } = await gateway.admin('GET', `/users/${encodeURIComponent(identityOf('alice'))}`);
    expect(JSON.stringify(body)).not.toContain('127.0.0.1');
  });
});

it('a push that waits for a terminal is delivered when it registers at the core', async () => {
  await gateway.addUser(identityOf('bob'), { phone: instance(811) });
  await initiator.push({ pushId: 'waits@pi', to: addressOf(identityOf('bob')), content: 'welcome back' });
  await gateway.laneWhen(identityOf('bob'), 'phone', ({ wakes }) => wakes.length > 0);
  expect((await gateway.lane(identityOf('bob'), 'phone')).wakes).toMatchObject([{ outcome: 'failed' }]);
  await using phone = await guest('bob', 811);
  await gateway.pushBecomes('waits@pi', 'delivered');
  expect(phone.texts).toEqual(['welcome back']);
});

it('a terminal that leaves the core is not woken through it', async () => {
  await gateway.addUser(identityOf('carol'), { phone: instance(821) });
  const phone = await guest('carol', 821);
  await initiator.push({ pushId: 'there@pi', to: addressOf(identityOf('carol')) });
  await gateway.pushBecomes('there@pi', 'delivered');
  await phone.terminal.close();
  await initiator.push({ pushId: 'gone@pi', to: addressOf(identityOf('carol')) });
  // The first attempt may come before the NOTIFY.
  await gateway.laneWhen(identityOf('carol'), 'phone', ({ wakes }) =>
    wakes.some(({ detail }) => detail === 'not registered, neither here nor at the core'),
  );
});

describe('the core', () => {
  const text = async (user: string, headers: readonly SipHeader[], content: string, uri = user) => {
    const stack = createSipStack({
      listen: [{ transport: 'udp', host: '127.0.0.1', port: await freePort() }],
      product: 'somebody',
    });
    await stack.listen();
    try {
      const { status } = await stack.request({
        method: 'MESSAGE',
        uri,
        from: `<${identityOf('dave')}>`,
        to: `<${user}>`,
        headers,
        destination: { transport: 'udp', address: core.host, port: core.port },
        credentials: { username: 'dave', password: PASSWORD },
        contentType: 'text/plain',
        body: Buffer.from(content),
      });
      return status;
    } finally {
      await stack.close();
    }
  };

  let guests: readonly TerminalGuest[];
  beforeAll(async () => {
    await gateway.addUser(identityOf('erin'));
    guests = await Promise.all([831, 832, 833].map((number) => guest('erin', number)));
  });
  afterAll(async () => {
    for (const one of guests) await one[Symbol.asyncDispose]();
  });
  const texts = () => guests.map(({ texts: received }) => received.at(-1));

  it('forks a MESSAGE to the address of record to every contact (mode B, mode C)', async () => {
    expect(await text(identityOf('erin'), [], 'all of you')).toBe(200);
    await when(texts, (all) => all.every((one) => one === 'all of you'), 'texts');
  });

  it('takes a MESSAGE to a GRUU to that instance alone (mode A)', async () => {
    expect(await text(identityOf('erin'), [], 'you', `${identityOf('erin')};gr=${instance(832)}`)).toBe(200);
    await when(texts, (all) => all[1] === 'you', 'texts');
    expect(texts()).toEqual(['all of you', 'you', 'all of you']);
  });

  it('takes one to the address of record that demands an instance to that instance (SIR-81: mode A with RFC 3841)', async () => {
    const accept = {
      name: 'Accept-Contact',
      value: `*;+sip.instance="<${instance(833)}>";require;explicit`,
    };
    expect(await text(identityOf('erin'), [accept], 'and you')).toBe(200);
    await when(texts, (all) => all[2] === 'and you', 'texts');
    expect(texts()).toEqual(['all of you', 'you', 'and you']);
  });

  it('says that an instance is not there', async () => {
    expect(await text(identityOf('erin'), [], 'you', `${identityOf('erin')};gr=${instance(839)}`)).toBe(480);
  });
});

describe('an asserted identity', () => {
  const values = {
    ppg: PPG_URI,
    asserted: identityOf('frank'),
    contact: `<sip:frank@127.0.0.1:9>;+sip.instance="<${instance(841)}>"`,
    media: 'm=message 9 TCP/MSRP *\na=path:msrp://127.0.0.1:9/x;tcp\na=accept-types:*',
    status: '403',
  };
  beforeAll(() => gateway.addUser(identityOf('frank'), { phone: instance(841) }));

  it('is believed from the core, which has proved it', async () => {
    await using phone = await guest('frank', 841);
    await phone.terminal.connect(PPG_URI);
    expect(phone.all('connected')).toHaveLength(1);
    // The gateway ends an idle session: its BYE takes the route of the INVITE.
    expect(await phone.after('closed')).toMatchObject([{ gateway: PPG_URI }]);
  });

  it('is not believed from anybody else', async () => {
    const run = { scenario: 'invite-asserted-refused', transport: 'udp' } as const;
    const direct = { ...values, user: identityOf('frank') };
    const { received, ...result } = await callAndRead(gateway.ports.sip, { ...run, values: direct });
    expect(result).toEqual(CLEAN);
    expect(received.at(-1)).toContain('the user has no SIP credentials');
  });

  it('does not come through the core from one who is somebody else', async () => {
    const run = { scenario: 'invite-core-refused', transport: 'udp', host: core.host } as const;
    const asDave = { ...values, user: identityOf('dave'), username: 'dave', password: PASSWORD };
    const { received, ...result } = await callAndRead(core.port, { ...run, values: asDave });
    expect(result).toEqual(CLEAN);
    expect(received.at(-1)).toContain('the user is not known');
  });
});

describe('a core that was restarted', () => {
  it('is subscribed to again, and its terminals are reached as they come back', async () => {
    await gateway.addUser(identityOf('grace'), { phone: instance(851) });
    const before = await guest('grace', 851);
    await initiator.push({ pushId: 'before@pi', to: addressOf(identityOf('grace')), content: 'before' });
    await gateway.pushBecomes('before@pi', 'delivered');
    await before.terminal.abandon();
    expect(core.complaints).toEqual([]); // so far; it complains about being stopped
    const { port } = core;
    await core[Symbol.asyncDispose]();
    core = await Kamailio.start({ gatewayPort: gateway.ports.sip, users: USERS, port });
    await using phone = await guest('grace', 851);
    await initiator.push({ pushId: 'after@pi', to: addressOf(identityOf('grace')), content: 'after' });
    await gateway.pushBecomes('after@pi', 'delivered');
    expect(phone.texts).toEqual(['after']);
  });
});

it('the core complained about nothing', async () => {
  expect(core.complaints).toEqual([]);
});
