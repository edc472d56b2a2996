/** Third-party REGISTER (3GPP TS 24.229 §5.4.1.7): from whom it is taken, what its body tells, and what is answered when. */
import { describe, expect, it } from 'vitest';
import {
  isThirdPartyRegister,
  receiveThirdPartyRegister,
  type ThirdPartyRegisterPorts,
} from '../../src/endpoints/sip/third-party-register.js';
import { DeliveryError } from '../../src/kernel/errors.js';
import { ToldRegistrations } from '../../src/peers/reg-event/told-registrations.js';
import { decodeSipMessage, type SipRequest } from '../../src/protocols/sip/index.js';
import { publicUserIdentity } from '../../src/registry/public-user-identity.js';
import type { DeviceReport } from '../../src/registry/terminal-source.js';
import type { User } from '../../src/registry/user.js';
import { noLog } from '../../src/telemetry/log.js';
import type { ResponseOptions, SipFlow } from '../../src/transports/sip-stack/sip-stack.js';
import { MemorySourceMemory } from '../support/memory-source-memory.js';

const ALICE = publicUserIdentity('sip:alice@example.test');
const CORE: SipFlow = { transport: 'udp', address: '192.0.2.99', port: 5060 };
const ELSEWHERE: SipFlow = { ...CORE, address: '192.0.2.7' };
const NOW = 1_700_000_000_000;
const urn = (number: number) => `urn:uuid:00000000-0000-4000-8000-00000000000${number}`;

interface Register {
  readonly from?: string;
  readonly to?: string;
  readonly expires?: string;
  readonly contentType?: string;
  readonly body?: string;
}

function register({
  from = '<sip:scscf@core.test>;tag=1',
  to = `<${ALICE}>`,
  expires = '600',
  contentType,
  body = '',
}: Register = {}) {
  const lines = [
    'REGISTER sip:as.example.test SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.99;branch=z9hG4bK1',
    `From: ${from}`,
    `To: ${to}`,
    'Call-ID: c1',
    'CSeq: 1 REGISTER',
    'Contact: <sip:scscf@core.test>',
    `Expires: ${expires}`,
    ...(contentType === undefined ? [] : [`Content-Type: ${contentType}`]),
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return decodeSipMessage(Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`)) as SipRequest;
}

const isTrusted = ({ address }: SipFlow) => address === CORE.address;

describe('a REGISTER is a third party’s', () => {
  it.each<[string, Register, SipFlow, boolean]>([
    ['when a trusted peer sends it about somebody else', {}, CORE, true],
    ['not when a trusted proxy passes on the user’s own', { from: `<${ALICE}>;tag=1` }, CORE, false],
    ['not when anybody else sends it', {}, ELSEWHERE, false],
    ['not when nobody can tell about whom it is', { to: 'nonsense' }, CORE, false],
  ])('%s', (_, given, flow, expected) => {
    expect(isThirdPartyRegister({ message: register(given), flow }, isTrusted)).toBe(expected);
  });
});

interface Told {
  readonly user: string;
  readonly devices: readonly DeviceReport[] | undefined;
  readonly isWhole: boolean | undefined;
}

async function received(given: Register, ports: Partial<ThirdPartyRegisterPorts> = {}) {
  const told: Told[] = [];
  const answers: { readonly status: number; readonly options: ResponseOptions }[] = [];
  await receiveThirdPartyRegister(
    {
      message: register(given),
      flow: CORE,
      respond: (status, options = {}) => answers.push({ status, options }),
    },
    {
      findOrCreateUser: async (identity) => (identity === ALICE ? ({ id: ALICE } as User) : undefined),
      isTrusted,
      onRegistration: async (user, what) => {
        expect(answers).toEqual([]); // what is told is kept before the core is answered
        told.push({ user, devices: what?.devices, isWhole: what?.isWhole });
      },
      clock: { now: () => NOW },
      log: noLog,
      ...ports,
    },
  );
  expect(answers).toHaveLength(1);
  return { status: answers[0]?.status, headers: answers[0]?.options.headers ?? [], told };
}

const OWN_REGISTER = [
  'REGISTER sip:example.test SIP/2.0',
  'Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK2',
  `From: <${ALICE}>;tag=u`,
  `To: <${ALICE}>`,
  'Call-ID: ue',
  'CSeq: 7 REGISTER',
  `Contact: <sip:alice@10.0.0.1>;+sip.instance="<${urn(1)}>";expires=500`,
  'Content-Length: 0',
  '',
  '',
].join('\r\n');
const ITS_ANSWER = [
  'SIP/2.0 200 OK',
  'Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK2',
  `From: <${ALICE}>;tag=u`,
  `To: <${ALICE}>;tag=r`,
  'Call-ID: ue',
  'CSeq: 7 REGISTER',
  `Contact: <sip:alice@10.0.0.1>;+sip.instance="<${urn(1)}>";expires=400;pub-gruu="${ALICE};gr=${urn(1)}"`,
  `Contact: <sip:alice@10.0.0.2>;+sip.instance="<${urn(2)}>";expires=100`,
  'Content-Length: 0',
  '',
  '',
].join('\r\n');
const REGINFO = `<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="0" state="full"><registration aor="${ALICE}" id="r" state="active"><contact id="c" state="active" event="registered" expires="300"><uri>sip:alice@10.0.0.3</uri><unknown-param name="+sip.instance">"&lt;${urn(3)}&gt;"</unknown-param></contact></registration></reginfo>`;
const both = (...parts: readonly (readonly [string, string])[]) =>
  `${parts.map(([type, body]) => `--b\r\nContent-Type: ${type}\r\n\r\n${body}`).join('\r\n')}\r\n--b--\r\n`;

const instances = (told: readonly Told[]) =>
  told[0]?.devices?.map(({ identities, expiresAt }) => [
    identities[0]?.value,
    ((expiresAt ?? 0) - NOW) / 1000,
  ]);

describe('a third-party REGISTER', () => {
  it('is answered with what it brought, and tells that something has changed', async () => {
    const { status, headers, told } = await received({});
    expect(status).toBe(200);
    expect(headers).toContainEqual({ name: 'Contact', value: '<sip:scscf@core.test>' });
    expect(headers).toContainEqual({ name: 'Expires', value: '600' });
    expect(told).toEqual([{ user: ALICE, devices: undefined, isWhole: undefined }]);
  });

  it('of a user that has left says that nothing is registered', async () => {
    expect((await received({ expires: '0' })).told).toEqual([{ user: ALICE, devices: [], isWhole: true }]);
  });

  it('names every device by registration information', async () => {
    const { told } = await received({ contentType: 'application/reginfo+xml', body: REGINFO });
    expect(told[0]?.isWhole).toBe(true);
    expect(instances(told)).toEqual([[urn(3), 300]]);
  });

  it('names one device by the REGISTER of that device', async () => {
    const { told } = await received({ contentType: 'message/sip', body: OWN_REGISTER });
    expect(told[0]?.isWhole).toBe(false);
    expect(instances(told)).toEqual([[urn(1), 500]]);
  });

  it('names every device by the answer to it, with what was granted', async () => {
    const body = both(['message/sip', OWN_REGISTER], ['message/sip', ITS_ANSWER]);
    const { told } = await received({ contentType: 'multipart/mixed; boundary=b', body });
    expect(told[0]?.isWhole).toBe(true);
    expect(instances(told)).toEqual([
      [urn(1), 400],
      [urn(2), 100],
    ]);
    expect(told[0]?.devices?.[0]?.gruu).toBe(`${ALICE};gr=${urn(1)}`);
  });

  it('finds registration information among other parts', async () => {
    const body = both(['text/plain', 'x'], ['application/reginfo+xml', REGINFO]);
    expect(instances((await received({ contentType: 'multipart/mixed; boundary=b', body })).told)).toEqual([
      [urn(3), 300],
    ]);
  });

  it.each([
    ['cannot be read', 'application/reginfo+xml', '<reginfo'],
    ['is cut short', 'message/sip', OWN_REGISTER.slice(0, 40)],
    ['has no such boundary', 'multipart/mixed; boundary=c', both(['message/sip', OWN_REGISTER])],
    ['is of another type', 'application/3gpp-ims+xml', '<ims-3gpp/>'],
  ])('whose body %s still tells that something has changed', async (_, contentType, body) => {
    const { status, told } = await received({ contentType, body });
    expect(status).toBe(200);
    expect(told).toEqual([{ user: ALICE, devices: undefined, isWhole: undefined }]);
  });

  it.each<[string, Register, Partial<ThirdPartyRegisterPorts>, number]>([
    ['about somebody who is no user', { to: '<sip:nobody@example.test>' }, {}, 404],
    ['about an address of another kind', { to: '<urn:service:sos>' }, {}, 400],
    [
      'that cannot be kept',
      {},
      { onRegistration: () => Promise.reject(new DeliveryError('busy', 'the store is away')) },
      503,
    ],
  ])('%s is answered %i', async (_, given, ports, status) => {
    expect((await received(given, ports)).status).toBe(status);
  });
});

describe('a core that only tells', () => {
  const device = (number: number, expiresIn = 1000): DeviceReport => ({
    identities: [{ kind: 'uuid', value: urn(number), canonical: urn(number) }],
    isAvailable: true,
    expiresAt: NOW + expiresIn,
  });
  const source = () => {
    const clock = { at: NOW, now: () => clock.at };
    return { clock, told: new ToldRegistrations({ memory: new MemorySourceMemory(), clock }) };
  };
  const names = async (told: ToldRegistrations) => {
    const answer = await told.states(ALICE);
    return answer.kind === 'found'
      ? answer.devices.map(({ identities }) => identities[0]?.value)
      : answer.why;
  };

  it('has nothing to say of a user that it never told of', async () => {
    expect(await names(source().told)).toBe('notConfigured');
  });

  it('is believed until a registration lapses', async () => {
    const { told, clock } = source();
    await told.tell(ALICE, { devices: [device(1), device(2, 5000)], isWhole: true });
    expect(await names(told)).toEqual([urn(1), urn(2)]);
    clock.at += 1000;
    expect(await names(told)).toEqual([urn(2)]);
  });

  it('changes one device by the REGISTER of that one, and all by the whole', async () => {
    const { told } = source();
    await told.tell(ALICE, { devices: [device(1), device(2)], isWhole: true });
    await told.tell(ALICE, { devices: [device(2, 0), device(3)], isWhole: false });
    expect(await names(told)).toEqual([urn(1), urn(3)]);
    const { before, state } = await told.tell(ALICE, { devices: [], isWhole: true });
    expect([before.length, state.devices.length]).toEqual([2, 0]);
    expect(await names(told)).toEqual([]);
  });
});
