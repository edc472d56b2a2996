/** Who may open a push session: the doors of an INVITE before any session exists. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  acceptPushSession,
  type PushSessionOptions,
  type PushSessionPorts,
} from '../../src/endpoints/sip/push-session.js';
import { Sessions } from '../../src/lane/sessions.js';
import { offerMsrp } from '../../src/protocols/sdp/index.js';
import type { SirRecord } from '../../src/push/sir.js';
import type { Binding } from '../../src/registry/binding.js';
import { deviceIdentity } from '../../src/registry/device-identity.js';
import { publicUserIdentity } from '../../src/registry/public-user-identity.js';
import { sipCredentials } from '../../src/registry/sip-credentials.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import type { User } from '../../src/registry/user.js';
import { noLog } from '../../src/telemetry/log.js';
import { createMsrpConnections } from '../../src/transports/msrp-connections/create-msrp-connections.js';
import type { ServerInvite, SipFlow } from '../../src/transports/sip-stack/sip-stack.js';
import { FakeClock } from '../support/fake-clock.js';
import { MemoryLaneStore } from '../support/memory-lane-store.js';
import { TestCa, type TestCertificate } from '../support/test-ca.js';

const ALICE = publicUserIdentity('sip:alice@example.test');
const PHONE = terminalId(ALICE, 'phone');
const INSTANCE = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
const FROM_OUTSIDE: SipFlow = { transport: 'udp', address: '192.0.2.7', port: 5060 };

const SIR_FOR_PHONE: SirRecord = {
  id: `${PHONE}.abc`,
  user: ALICE,
  mode: 'routed',
  bearer: 'sip',
  terminal: PHONE,
  mayOpen: [PHONE],
  applicationId: 'x-wap-application:mms.ua',
  return: [],
  send: [],
  createdAt: 0,
  expiresAt: 60_000,
};
const TABLET = terminalId(ALICE, 'tablet');
const SIR_FOR_ANOTHER: SirRecord = {
  ...SIR_FOR_PHONE,
  id: `${TABLET}.abc`,
  terminal: TABLET,
  mayOpen: [TABLET],
};
const CAR = terminalId(ALICE, 'car');
const SIR_FOR_CAR: SirRecord = { ...SIR_FOR_PHONE, id: `${CAR}.abc`, terminal: CAR, mayOpen: [CAR] };
const SIRS = [SIR_FOR_PHONE, SIR_FOR_ANOTHER, SIR_FOR_CAR];

/** A proxy of the operator. */
const CORE: SipFlow = { transport: 'udp', address: '192.0.2.99', port: 5060 };
const asserts = (...identities: readonly string[]) =>
  identities.map((value) => ({ name: 'P-Asserted-Identity', value }));

const user = (sip?: User['sip']): User => ({
  id: ALICE,
  aliases: [],
  ...(sip === undefined ? {} : { sip }),
  policy: { target: 'all-subscribed' },
  terminals: [
    {
      id: PHONE,
      user: ALICE,
      name: 'phone',
      identities: [deviceIdentity('uuid', INSTANCE)],
      activation: [{ bearer: 'sip' }],
      preferences: {},
      capabilities: {},
      origin: 'provisioned',
    },
  ],
});

interface Call {
  readonly uri?: string;
  readonly from?: string;
  readonly contact?: string;
  readonly headers?: readonly { name: string; value: string }[];
  readonly offer?: Uint8Array;
  /** Whether MSRP is served over TLS too. */
  readonly hasCertificate?: boolean;
  readonly flow?: SipFlow;
  readonly known?: User;
  readonly registered?: Partial<Binding['flow']>;
  /** Path of that registration. */
  readonly path?: readonly string[];
  readonly allowWithoutCredentials?: boolean;
}

const OFFER = offerMsrp({
  host: '192.0.2.7',
  path: ['msrp://192.0.2.7:7000/abcd;tcp'],
  setup: 'active',
  acceptTypes: ['*'],
});

const offered = (attributes: readonly string[]) =>
  offerMsrp({
    host: '192.0.2.7',
    path: ['msrps://192.0.2.7:7000/abcd;tcp'],
    setup: 'active',
    acceptTypes: ['*'],
    isSecure: true,
    attributes,
  });
const SECURE_OFFER = offered([]);
const OVER_TLS: SipFlow = { ...FROM_OUTSIDE, transport: 'tls', connectionId: 'tls-1' };

/** What becomes of one INVITE: the status of its refusal, `challenged`, or `accepted`. */
async function outcome(call: Call): Promise<number | 'challenged' | 'accepted'> {
  const { flow = FROM_OUTSIDE, known = user(), registered } = call;
  let answer: number | 'challenged' | 'accepted' | undefined;
  const invite = {
    message: {
      kind: 'request',
      method: 'INVITE',
      uri: call.uri ?? 'sip:ppg@example.test',
      headers: [
        { name: 'From', value: call.from ?? '<sip:alice@example.test>;tag=1' },
        { name: 'Contact', value: call.contact ?? `<sip:alice@192.0.2.7>;+sip.instance="<${INSTANCE}>"` },
        { name: 'Content-Type', value: 'application/sdp' },
        ...(call.headers ?? []),
      ],
      body: call.offer ?? OFFER,
    },
    flow,
    respond: (status: number) => {
      answer = status;
    },
    accept: () => {
      answer = 'accepted';
      return new Promise(() => {}); // the ACK is not waited for here
    },
    onCancel: () => {},
  } as unknown as ServerInvite;
  const binding = {
    terminal: PHONE,
    path: call.path ?? [],
    flow: { ...FROM_OUTSIDE, node: 'n', ...registered },
  } as Binding;
  const clock = new FakeClock();
  const store = new MemoryLaneStore({ now: () => clock.now(), leastSirIntervalMs: 0 });
  const ports: PushSessionPorts = {
    findUser: async (identity) =>
      identity === known.id || known.aliases.includes(identity) ? known : undefined,
    isTrusted: ({ address }) => address === CORE.address,
    findSir: async (id) => SIRS.find((sir) => sir.id === id),
    bindings: async () => (registered === undefined ? [] : [binding]),
    authentication: {
      authenticate: () => {
        answer = 'challenged';
        return false;
      },
    },
    sessions: new Sessions({ store, node: 'n', wakeLane: () => {} }),
    msrp: createMsrpConnections(call.hasCertificate === true ? { tls: { own: certificate } } : {}),
    clock,
    log: noLog,
    observe: () => {},
  };
  const options: PushSessionOptions = {
    ppgUser: 'ppg',
    allowWithoutCredentials: call.allowWithoutCredentials ?? true,
    sessionId: () => 'session',
    window: 8,
    idleMs: 60_000,
    host: '192.0.2.1',
  };
  const handled = acceptPushSession(invite, ports, options);
  await Promise.race([handled, new Promise((resolve) => setImmediate(resolve))]);
  for (let turn = 0; answer === undefined && turn < 100; turn += 1)
    await new Promise((resolve) => setImmediate(resolve));
  await ports.msrp.close();
  if (answer === undefined) throw new Error('the INVITE was not answered');
  return answer;
}

let ca: TestCa;
let certificate: TestCertificate;
beforeAll(() => {
  ca = new TestCa();
  certificate = ca.issue('gateway', '/CN=gateway');
});
afterAll(() => ca[Symbol.dispose]());

const WITH_PASSWORD = user(sipCredentials('alice', 'example.test', 'secret'));

describe('an INVITE', () => {
  it.each<[string, Call, number | 'challenged' | 'accepted']>([
    ['from the terminal of a user without credentials, where that is allowed', {}, 'accepted'],
    ['from it where that is not allowed', { allowWithoutCredentials: false }, 403],
    ['to the gateway without a user part', { uri: 'sip:192.0.2.1:5060' }, 'accepted'],
    ['to somebody else', { uri: 'sip:bob@example.test' }, 404],
    ['to a telephone number', { uri: 'tel:+431' }, 404],
    ['from an unknown user', { from: '<sip:eve@example.test>;tag=1' }, 403],
    ['from nobody that can be read', { from: 'nonsense' }, 403],
    ['without an instance', { contact: '<sip:alice@192.0.2.7>' }, 403],
    [
      'of another instance',
      { contact: `<sip:a@192.0.2.7>;+sip.instance="<${INSTANCE.replace('f81d', 'f81e')}>"` },
      403,
    ],
    [
      'that cites a SIR made for it',
      { headers: [{ name: 'In-Reply-To', value: SIR_FOR_PHONE.id }] },
      'accepted',
    ],
    [
      'that cites a SIR made for another terminal',
      { headers: [{ name: 'In-Reply-To', value: SIR_FOR_ANOTHER.id }] },
      403,
    ],
    [
      'that cites something that is not kept as a SIR',
      { headers: [{ name: 'In-Reply-To', value: 'other.abc' }] },
      'accepted',
    ],
    [
      'without an MSRP offer',
      { offer: Buffer.from('v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nt=0 0\r\n') },
      488,
    ],
    ['with an offer of MSRP over TLS, where none is served', { offer: SECURE_OFFER }, 488],
    ['with one, where it is', { offer: SECURE_OFFER, hasCertificate: true }, 'accepted'],
    [
      'with one whose certificate is described by a broken hash function',
      { offer: offered(['fingerprint:md5 00:11']), hasCertificate: true },
      488,
    ],
    ['with an offer that is none', { offer: Buffer.from('nonsense') }, 488],
    ['of a user with a password', { known: WITH_PASSWORD }, 'challenged'],
    [
      'of one that is registered from the same address and port',
      { known: WITH_PASSWORD, registered: {} },
      'accepted',
    ],
    [
      'of one that is registered from another port behind the same address',
      { known: WITH_PASSWORD, registered: { port: 5062 } },
      'challenged',
    ],
    [
      'over TLS of one that is registered on that connection',
      { known: WITH_PASSWORD, flow: OVER_TLS, registered: OVER_TLS },
      'accepted',
    ],
    [
      'over TLS of one that is registered on another connection from the same address and port',
      { known: WITH_PASSWORD, flow: OVER_TLS, registered: { ...OVER_TLS, connectionId: 'tls-2' } },
      'challenged',
    ],
    [
      'over UDP of one that is registered over WebSocket from the same address and port',
      { known: WITH_PASSWORD, registered: { ...FROM_OUTSIDE, transport: 'ws', connectionId: 'ws-1' } },
      'challenged',
    ],
    [
      'of one that is registered from another address',
      { known: WITH_PASSWORD, registered: { address: '192.0.2.8' } },
      'challenged',
    ],
    [
      'on loopback of one that is registered from another port there',
      {
        known: WITH_PASSWORD,
        flow: { transport: 'udp', address: '127.0.0.1', port: 5070 },
        registered: { address: '127.0.0.1', port: 5062 },
      },
      'accepted',
    ],
    [
      'of one that is registered through the proxy that it comes from',
      { known: WITH_PASSWORD, registered: {}, path: ['<sip:edge.test;lr>'] },
      'challenged',
    ],
    [
      'from a trusted peer that asserts the user',
      { known: WITH_PASSWORD, flow: CORE, headers: asserts('<sip:alice@example.test>') },
      'accepted',
    ],
    [
      'from a trusted peer that asserts the user where nobody may come without credentials',
      { allowWithoutCredentials: false, flow: CORE, headers: asserts('"Alice" <sip:alice@example.test>') },
      'accepted',
    ],
    [
      'from a trusted peer that asserts a telephone number of the user and something else',
      {
        known: { ...WITH_PASSWORD, aliases: ['tel:+43664123'] },
        flow: CORE,
        from: '<sip:anonymous@anonymous.invalid>;tag=1',
        headers: asserts('<urn:service:sos>, <tel:+43-664-123>'),
      },
      'accepted',
    ],
    [
      'from a trusted peer that asserts somebody else than From says',
      { flow: CORE, headers: asserts('<sip:eve@example.test>') },
      403,
    ],
    ['from a trusted peer that asserts nobody', { known: WITH_PASSWORD, flow: CORE }, 'challenged'],
    [
      'from anybody else who asserts the user',
      { known: WITH_PASSWORD, headers: asserts('<sip:alice@example.test>') },
      'challenged',
    ],
    [
      'whose Contact is the GRUU of the terminal',
      { contact: `<sip:alice@example.test;gr=${INSTANCE}>` },
      'accepted',
    ],
    [
      'whose Contact is the GRUU of another terminal',
      { contact: `<sip:alice@example.test;gr=${INSTANCE.replace('f81d', 'f81e')}>` },
      403,
    ],
    [
      'whose Contact was rewritten by a proxy, parameters and all of the URI',
      { contact: `<sip:alice@10.0.0.1:1;alias=192.0.2.7~5060~1>;+sip.instance="<${INSTANCE}>"` },
      'accepted',
    ],
  ])('%s', async (_, call, expected) => {
    expect(await outcome(call)).toBe(expected);
  });
});

describe('an INVITE for a terminal that is known by a name which no Contact carries (SIR-23)', () => {
  const withCar = (origin: 'provisioned' | 'registered'): User => {
    const { terminals, ...rest } = user();
    const car = { id: CAR, name: 'car', identities: [deviceIdentity('esn', '2BAB12CD')] };
    return {
      ...rest,
      terminals: terminals.flatMap((phone) => [
        { ...phone, origin },
        { ...phone, ...car },
      ]),
    };
  };
  const citing = (id: string, ...names: readonly string[]) => [
    { name: 'In-Reply-To', value: id },
    ...names.map((value) => ({ name: 'X-Push-Device-Identity', value })),
  ];

  it.each<[string, User, Call['headers'], number | 'accepted']>([
    [
      'is taken from whoever says it has the name',
      withCar('registered'),
      citing(SIR_FOR_CAR.id, '04311211469'),
      'accepted',
    ],
    ['is not taken from who does not say so', withCar('registered'), citing(SIR_FOR_CAR.id), 403],
    [
      'is not taken from who has another name',
      withCar('registered'),
      citing(SIR_FOR_CAR.id, '2BAB12CE'),
      403,
    ],
    [
      'is not taken with a name that nobody can read',
      withCar('registered'),
      citing(SIR_FOR_CAR.id, '@'),
      403,
    ],
    [
      'is not taken from a terminal that was provisioned',
      withCar('provisioned'),
      citing(SIR_FOR_CAR.id, '2BAB12CD'),
      403,
    ],
    [
      'is not taken without the SIR for it',
      withCar('registered'),
      citing(SIR_FOR_ANOTHER.id, '2BAB12CD'),
      403,
    ],
  ])('%s', async (_, known, headers, expected) => {
    expect(await outcome({ known, ...(headers === undefined ? {} : { headers }) })).toBe(expected);
  });
});
