/**
 * Terminals that are not ours: sipp plays the SIP legs, a bare socket the MSRP leg, tshark reads what was sent. The gateway is the
 * real process; users are of another domain than its own, as operators have them.
 */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeSia } from '../../src/protocols/sia/index.js';
import { E2eGateway, PPG_URI, when } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance } from '../support/e2e-terminal.js';
import { freePort } from '../support/ports.js';
import { seededRandom } from '../support/seeded-random.js';
import { dissectFields } from '../support/tshark.js';
import { PlainMsrpTerminal } from './sipp/plain-msrp.js';
import { answer, CLEAN, call, type SippCallee, type Transport } from './sipp/run.js';
import { bodyOf, headerOf, openUdpTap, type UdpTap } from './sipp/udp-tap.js';

let gateway: E2eGateway;
let initiator: Initiator;
let users = 0;

beforeAll(async () => {
  gateway = await E2eGateway.start({ CARILLON_PUSH_SESSION_IDLE_SECONDS: '3' });
  initiator = new Initiator(gateway);
});
afterAll(() => gateway[Symbol.asyncDispose]());

const NAMES = ['phone', 'pc', 'pda'] as const;

interface Home {
  readonly user: string;
  readonly instances: Record<(typeof NAMES)[number], string>;
}

/** A user with three terminals; with a SIP password when wanted. */
async function home(sip?: { readonly username: string; readonly password: string }): Promise<Home> {
  users += 1;
  const user = `sip:sipp${users}@example.test`;
  const [phone, pc, pda] = [1, 2, 3].map((number) => instance(50_000 + users * 10 + number)) as [
    string,
    string,
    string,
  ];
  await gateway.addUser(user, { phone, pc, pda }, sip === undefined ? {} : { sip });
  return { user, instances: { phone, pc, pda } };
}

function contact(
  user: string,
  port: number,
  urn: string,
  transport: Transport = 'udp',
  features = '',
): string {
  const uri = `${user.replace(/@.*/, '')}@127.0.0.1:${port};transport=${transport}`;
  return `<${uri}>;+sip.instance="<${urn}>"${features}`;
}

const PUSH_FEATURE = ';+g.oma.pusheventapp="push.sia"';

async function register(
  values: Readonly<Record<string, string>>,
  transport: Transport = 'udp',
): Promise<void> {
  const scenario = 'password' in values ? 'register-digest' : 'register';
  expect(await call(gateway.ports.sip, { scenario, transport, values })).toEqual(CLEAN);
}

describe('the SIR (FIG 2, FIG 3; SIR-2, SIR-74, SIR-83, SIR-104, SIR-109)', () => {
  const credentials = { username: 'alice', password: 'wonder' };
  it.each([
    ['udp', 'without digest', undefined],
    ['udp', 'with digest', credentials],
    ['tcp', 'without digest', undefined],
    ['tcp', 'with digest', credentials],
  ] as const)(
    'over %s, registered %s: of three terminals the phone alone hears it',
    async (transport, _, sip) => {
      const { user, instances } = await home(sip);
      const callees = new Map<string, SippCallee>();
      try {
        for (const name of NAMES) {
          const values = { user, instance: instances[name], ppg: PPG_URI };
          const callee = await answer({ scenario: 'sir', transport, values });
          callees.set(name, callee);
          await register(
            { user, contact: contact(user, callee.port, instances[name], transport), ...sip },
            transport,
          );
        }
        const pushId = `${user}@pi`;
        await initiator.push({ pushId, to: addressOf(user, instances.phone) });
        expect(await callees.get('phone')?.result).toEqual(CLEAN);
        const push = await gateway.pushWhen(
          pushId,
          ({ recipients }) => (recipients[0]?.deliveries[0]?.wakes.length ?? 0) > 0,
        );
        expect(push.recipients[0]?.deliveries[0]?.wakes).toMatchObject([
          { bearer: 'sip', outcome: 'handed' },
        ]);
        expect(push.recipients[0]?.decision?.multi).toBe(true);
        expect(await callees.get('pc')?.received()).toEqual([]);
        expect(await callees.get('pda')?.received()).toEqual([]);
      } finally {
        for (const callee of callees.values()) await callee.stop();
      }
    },
  );

  it('carries the body of version 1, which our decoder and tshark read alike (SIR-67, SIR-69, SIR-71, SIR-72)', async () => {
    const { user, instances } = await home();
    const values = { user, instance: instances.phone, ppg: PPG_URI };
    const callee = await answer({ scenario: 'sir', transport: 'udp', values });
    await using tap = await openUdpTap(callee.port);
    await register({ user, contact: contact(user, tap.port, instances.phone) });
    const headers = ['X-Wap-Application-Id: x-wap-application:mms.ua'];
    await initiator.push({ pushId: 'body@pi', to: addressOf(user), headers });
    expect(await callee.result).toEqual(CLEAN);
    const [datagram = Buffer.alloc(0)] = tap.inward;
    const sirId = headerOf(datagram, 'Call-ID');
    const sia = decodeSia(bodyOf(datagram));
    expect(sia).toMatchObject({
      version: 1,
      applicationIds: ['x-wap-application:mms.ua'],
      protocolOptions: [256],
      extension: {
        identities: [instances.phone],
        publicUserIdentity: user,
        ppg: PPG_URI,
        id: sirId,
      },
    });
    expect(bodyOf(datagram).toString('latin1')).toContain(`gr=${instances.phone}\r\n`);

    // The dissector knows the body as the content of a WSP push: push PDU 06, two headers B4 and AF 81 (SIR-67).
    const asPush = Buffer.concat([Buffer.from('010603b4af81', 'hex'), bodyOf(datagram)]);
    const frames = [
      { protocol: 'udp', sourcePort: 5060, destinationPort: 5060, payload: datagram },
      { protocol: 'udp', sourcePort: 9200, destinationPort: 2948, payload: asPush },
    ] as const;
    const [inSip, inWsp] = await dissectFields(frames, [
      'sip.Method',
      'sip.to.addr',
      'sip.P-Asserted-Identity',
      'sip.Content-Type',
      'wap.sir.version',
      'wap.sir.app_id_list.length',
      'wap.sir.contact_points.length',
      'wap.sir.protocol_options',
      'wap.sir.cpi_tag.length',
      'wsp.address.ipv4',
      '_ws.malformed',
      '_ws.expert',
    ]);
    const base = {
      'wap.sir.version': ['1'],
      'wap.sir.app_id_list.length': ['2'],
      'wap.sir.contact_points.length': ['8'],
      'wap.sir.protocol_options': ['256'],
      'wap.sir.cpi_tag.length': ['0'],
      'wsp.address.ipv4': ['127.0.0.1'],
      '_ws.malformed': [],
    };
    expect(Object.fromEntries(inSip ?? [])).toMatchObject({
      ...base,
      'sip.Method': ['MESSAGE'],
      'sip.to.addr': [`${user};gr=${instances.phone}`],
      'sip.P-Asserted-Identity': [`<${PPG_URI}>`],
      'sip.Content-Type': ['application/vnd.wap.sia'],
    });
    expect(Object.fromEntries(inWsp ?? [])).toMatchObject({ ...base, '_ws.expert': [] });
    // The dissector shows the port as 0 whatever stands there.
    expect(bodyOf(datagram).readUInt16BE(8)).toBe(gateway.ports.sip);
  });
});

describe('profile S2 (SIR-159)', () => {
  it.each(['udp', 'tcp'] as const)(
    'over %s: REGISTER with the push feature, then content by MESSAGE',
    async (transport) => {
      const { user, instances } = await home();
      const values = {
        ppg: PPG_URI,
        application: 'x-wap-application:emn.ua',
        type: 'text/plain',
        text: 'you have mail',
      };
      const callee = await answer({ scenario: 'content', transport, values });
      try {
        await register(
          { user, contact: contact(user, callee.port, instances.pda, transport, PUSH_FEATURE) },
          transport,
        );
        const pushId = `s2${transport}@pi`;
        await initiator.push({
          pushId,
          to: addressOf(user, instances.pda),
          content: 'you have mail',
          headers: ['X-Wap-Application-Id: x-wap-application:emn.ua'],
        });
        expect(await callee.result).toEqual(CLEAN);
        const push = await gateway.pushBecomes(pushId, 'delivered');
        expect(push.recipients[0]?.deliveries).toMatchObject([
          { terminal: 'pda', bearer: 'sip-message', attempts: 1, wakes: [] },
        ]);
      } finally {
        await callee.stop();
      }
    },
  );

  it('binary content arrives octet for octet, under the uid of the push', async () => {
    const { user, instances } = await home();
    const callee = await answer({ scenario: 'message', transport: 'udp', values: { stay: '0' } });
    await using tap = await openUdpTap(callee.port);
    await register({ user, contact: contact(user, tap.port, instances.phone, 'udp', PUSH_FEATURE) });
    const content = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet));
    const to = addressOf(user, instances.phone);
    await initiator.push({ pushId: 'binary@pi', to, content, contentType: 'application/vnd.wap.emn+wbxml' });
    expect((await callee.result).exitCode).toBe(0);
    const push = await gateway.pushBecomes('binary@pi', 'delivered');
    const [datagram = Buffer.alloc(0)] = tap.inward;
    expect(Buffer.compare(bodyOf(datagram), content)).toBe(0);
    expect(headerOf(datagram, 'Call-ID')).toBe(push.uid);
    expect(headerOf(datagram, 'Content-Type')).toBe('application/vnd.wap.emn+wbxml');
  });
});

describe('profile S1 (SIR-158)', () => {
  /** The phone is woken: its user, the id of its SIR, and the address where it can be called back. */
  async function woken(pushId: string, content: Uint8Array) {
    const { user, instances } = await home();
    const callee = await answer({ scenario: 'message', transport: 'udp', values: { stay: '0' } });
    const tap = await openUdpTap(callee.port);
    await register({ user, contact: contact(user, tap.port, instances.phone) });
    const contentType = 'application/vnd.wap.mms-message';
    await initiator.push({ pushId, to: addressOf(user, instances.phone), content, contentType });
    expect((await callee.result).exitCode).toBe(0);
    const sirId = headerOf(tap.inward[0] ?? Buffer.alloc(0), 'Call-ID') ?? '';
    await tap[Symbol.asyncDispose]();
    return { user, instances, sirId };
  }

  /** The INVITE, and what it came to. */
  async function openSession(
    { user, instances, sirId }: Home & { readonly sirId: string },
    media: string,
    contactPort: number,
  ) {
    const tap = await openUdpTap(gateway.ports.sip);
    const callId = `session-${sirId}`;
    const values = {
      ...{ user, ppg: PPG_URI, tag: `tag-${contactPort}`, sirId, media },
      contact: contact(user, contactPort, instances.phone),
    };
    expect(await call(tap.port, { scenario: 'invite', transport: 'udp', values, callId })).toEqual(CLEAN);
    const ok =
      tap.outward.find((datagram) => /^SIP\/2\.0 200 /.test(datagram.toString('latin1'))) ?? Buffer.alloc(0);
    return {
      tap,
      callId,
      values: {
        ...values,
        target: /<([^>]+)>/.exec(headerOf(ok, 'Contact') ?? '')?.[1] ?? '',
        peerTag: /tag=([^;]+)/.exec(headerOf(ok, 'To') ?? '')?.[1] ?? '',
      },
      gatewayPath: /^a=path:(\S+)/m.exec(bodyOf(ok).toString('latin1'))?.[1] ?? '',
    };
  }

  const offer = (msrp: PlainMsrpTerminal, setup: 'active' | 'passive') =>
    [
      `m=message ${new URL(msrp.path.replace(/^msrp:/, 'http:')).port} TCP/MSRP *`,
      'a=accept-types:*',
      `a=setup:${setup}`,
      `a=path:${msrp.path}`,
    ].join('\r\n');

  const sha256 = (octets: Uint8Array) => createHash('sha256').update(octets).digest('hex');

  it('1 MiB in chunks to a terminal that connects; the terminal ends the session', async () => {
    const content = randomBytes(1_048_576);
    const phone = await woken('s1active@pi', content);
    await using msrp = await PlainMsrpTerminal.open(await freePort());
    const session = await openSession(phone, offer(msrp, 'active'), await freePort());
    await using _tap = session.tap;
    await msrp.connect(session.gatewayPath);
    const [message] = await msrp.after(1);
    expect(message?.content.length).toBe(content.length);
    expect(sha256(message?.content ?? Buffer.alloc(0))).toBe(sha256(content));
    expect(message?.chunks).toBeGreaterThan(1);
    expect(message?.headers.get('content-type')).toBe('application/vnd.wap.mms-message');
    const push = await gateway.pushBecomes('s1active@pi', 'delivered');
    expect(message?.id).toBe(push.uid);
    expect(push.recipients[0]?.deliveries).toMatchObject([{ bearer: 'msrp', attempts: 1 }]);

    const { callId, values } = session;
    expect(await call(gateway.ports.sip, { scenario: 'bye', transport: 'udp', values, callId })).toEqual(
      CLEAN,
    );
    await gateway.laneWhen(phone.user, 'phone', ({ connections }) => connections.session === undefined);
  });

  it.each(['udp', 'tcp'] as const)(
    'over %s, to a terminal that waits to be connected to; a second push needs no SIR; the idle gateway ends it (SIR-161)',
    async (transport) => {
      const contents = [randomBytes(70_000), randomBytes(2000)] as const;
      const phone = await woken(`first-${transport}@pi`, contents[0]);
      const port = await freePort();
      const tag = `tag-${port}`;
      const farewell = await answer({ scenario: 'await-bye', transport, values: { tag }, port });
      await using msrp = await PlainMsrpTerminal.open(await freePort());
      const values = {
        ...{ user: phone.user, ppg: PPG_URI, tag, sirId: phone.sirId, media: offer(msrp, 'passive') },
        contact: contact(phone.user, port, phone.instances.phone, transport),
      };
      expect(await call(gateway.ports.sip, { scenario: 'invite', transport, values })).toEqual(CLEAN);
      await msrp.after(1);
      const to = addressOf(phone.user, phone.instances.phone);
      await initiator.push({ pushId: `second-${transport}@pi`, to, content: contents[1] });
      const messages = await msrp.after(2);
      expect(messages.map(({ content }) => sha256(content))).toEqual(contents.map(sha256));
      const second = await gateway.pushBecomes(`second-${transport}@pi`, 'delivered');
      expect(second.recipients[0]?.deliveries).toMatchObject([{ bearer: 'msrp', wakes: [] }]);
      expect(await farewell.result).toEqual(CLEAN);
      await gateway.laneWhen(phone.user, 'phone', ({ connections }) => connections.session === undefined);
    },
  );

  it('to a terminal that never registered, after it has proved who it is by digest (SIR-162)', async () => {
    const credentials = { username: 'alice', password: 'wonder' };
    const { user, instances } = await home(credentials);
    await initiator.push({ pushId: 'digest@pi', to: addressOf(user, instances.pc), content: 'for the PC' });
    await using msrp = await PlainMsrpTerminal.open(await freePort());
    const values = {
      ...{ user, ppg: PPG_URI, tag: 'x', media: offer(msrp, 'passive'), ...credentials },
      contact: contact(user, 9, instances.pc),
    };
    const open = (password: string, status: string) =>
      call(gateway.ports.sip, {
        scenario: 'invite-digest',
        transport: 'udp',
        values: { ...values, password, status },
      });
    expect(await open('guessed', '401')).toEqual(CLEAN);
    expect(msrp.messages).toEqual([]);
    expect(await open(credentials.password, '200')).toEqual(CLEAN);
    const [message] = await msrp.after(1);
    expect(message?.content.toString()).toBe('for the PC');
    await gateway.pushBecomes('digest@pi', 'delivered');
  });
});

describe('a push session is refused (SIR-162)', () => {
  const MEDIA = 'm=message 9 TCP/MSRP *\r\na=accept-types:*\r\na=path:msrp://127.0.0.1:9/x;tcp';
  const AUDIO = 'm=audio 40000 RTP/AVP 0';

  const refused = async (
    status: number,
    more: Partial<Record<'user' | 'urn' | 'sirId' | 'media', string>>,
  ) => {
    const { user, instances } = await home();
    const values = {
      ...{ user, ppg: PPG_URI, tag: 'x', sirId: 'none', media: MEDIA, status: String(status) },
      ...more,
      contact: contact(user, 9, more.urn ?? instances.phone),
    };
    const run = { scenario: 'invite-refused', transport: 'udp', values } as const;
    expect(await call(gateway.ports.sip, run)).toEqual(CLEAN);
  };

  it('403: an instance that the user does not have', () => refused(403, { urn: instance(99_999) }));

  it('403: a user that nobody knows', () => refused(403, { user: 'sip:nobody@example.test' }));

  it('488: a session without MSRP', () => refused(488, { media: AUDIO }));

  it('403: the PC cites the SIR that was sent to the phone', async () => {
    const { user, instances } = await home();
    const values = { user, instance: instances.phone, ppg: PPG_URI };
    const callee = await answer({ scenario: 'sir', transport: 'udp', values });
    await using tap = await openUdpTap(callee.port);
    await register({ user, contact: contact(user, tap.port, instances.phone) });
    await initiator.push({ pushId: 'cited@pi', to: addressOf(user, instances.phone) });
    await callee.result;
    const sirId = headerOf(tap.inward[0] ?? Buffer.alloc(0), 'Call-ID') ?? 'none';
    const session = { user, ppg: PPG_URI, tag: 'x', sirId, media: MEDIA };
    const asPc = { ...session, status: '403', contact: contact(user, 9, instances.pc) };
    const run = { scenario: 'invite-refused', transport: 'udp', values: asPc } as const;
    expect(await call(gateway.ports.sip, run)).toEqual(CLEAN);
    const asPhone = { ...session, contact: contact(user, 9, instances.phone) };
    expect(await call(gateway.ports.sip, { ...run, scenario: 'invite', values: asPhone })).toEqual(CLEAN);
  });

  it('487: the caller cancels, and no session is left', async () => {
    const { user, instances } = await home();
    const values = { user, ppg: PPG_URI, tag: 'x', media: MEDIA, contact: contact(user, 9, instances.phone) };
    const run = { scenario: 'invite-cancel', transport: 'udp', values } as const;
    await using tap = await openUdpTap(gateway.ports.sip);
    // Both at once, or the INVITE would be answered before the CANCEL is there.
    const outcome = await gateway.whileFrozen(async () => {
      const running = call(tap.port, run);
      await when(
        () => tap.inward.length,
        (count) => count === 2,
        'what sipp sent',
      );
      return { running };
    });
    expect(await outcome.running).toEqual(CLEAN);
    await gateway.laneWhen(user, 'phone', ({ connections }) => connections.session === undefined);
  });
});

describe('a network that loses three datagrams in ten, each way', () => {
  it('brings every SIR and every content, each once', async () => {
    const { user, instances } = await home();
    const random = seededRandom(7);
    const loses = () => random.below(10) < 3;
    const callees: SippCallee[] = [];
    const join = async (name: (typeof NAMES)[number], features: string) => {
      const values = { stay: '40000' };
      const callee = await answer({ scenario: 'message', transport: 'udp', values, calls: 100 });
      callees.push(callee);
      const tap = await openUdpTap(callee.port, { loses });
      const registered = { user, contact: contact(user, tap.port, instances[name], 'udp', features) };
      await using way = await openUdpTap(gateway.ports.sip, { loses });
      const run = { scenario: 'register', transport: 'udp', values: registered } as const;
      expect((await call(way.port, run)).exitCode).toBe(0);
      return tap;
    };
    const push = (pushId: string, name: (typeof NAMES)[number]) =>
      initiator.push({ pushId, to: addressOf(user, instances[name]), content: pushId });
    const contents = (tap: UdpTap) => [...new Set(tap.inward.map((datagram) => bodyOf(datagram).toString()))];
    const callIds = (tap: UdpTap) => [
      ...new Set(tap.inward.map((datagram) => headerOf(datagram, 'Call-ID'))),
    ];
    try {
      const [phone, pc, pda] = await Promise.all([
        join('phone', ''),
        join('pc', PUSH_FEATURE),
        join('pda', PUSH_FEATURE),
      ]);
      await using _phone = phone;
      await using _pc = pc;
      await using _pda = pda;
      await push('sir@pi', 'phone');
      for (const number of [0, 1]) {
        await push(`pc${number}@pi`, 'pc');
        await push(`pda${number}@pi`, 'pda');
      }
      for (const pushId of ['pc0@pi', 'pc1@pi', 'pda0@pi', 'pda1@pi']) {
        const { recipients } = await gateway.pushBecomes(pushId, 'delivered');
        expect(recipients[0]?.deliveries).toMatchObject([{ attempts: 1 }]);
      }
      await gateway.pushWhen('sir@pi', ({ recipients }) =>
        (recipients[0]?.deliveries[0]?.wakes ?? []).some(({ outcome }) => outcome === 'handed'),
      );
      expect([contents(pc), contents(pda)]).toEqual([
        ['pc0@pi', 'pc1@pi'],
        ['pda0@pi', 'pda1@pi'],
      ]);
      expect([phone, pc, pda].map((tap) => callIds(tap).length)).toEqual([1, 2, 2]);
      expect(phone.lost + pc.lost + pda.lost).toBeGreaterThan(0);
    } finally {
      for (const callee of callees) await callee.stop();
    }
  });
});
