/** Where a request for one terminal goes: Request-URI and next hop, for every way of having registered. */
import { describe, expect, it } from 'vitest';
import { sipTarget } from '../../src/bearers/sip-target.js';
import type { Binding } from '../../src/registry/binding.js';
import { type DeviceIdentity, parseDeviceIdentity } from '../../src/registry/device-identity.js';
import type { PublicUserIdentity } from '../../src/registry/public-user-identity.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import type { Terminal } from '../../src/registry/user.js';

const ALICE = 'sip:alice@example.test' as PublicUserIdentity;
const URN = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
const UUID: DeviceIdentity = parseDeviceIdentity(URN);
const terminal: Terminal = {
  id: 't1' as TerminalId,
  user: ALICE,
  name: 'phone',
  identities: [UUID],
  activation: [{ bearer: 'sip' }],
  preferences: {},
  capabilities: {},
  origin: 'provisioned',
};

function binding(more: Partial<Omit<Binding, 'flow'>> & { flow?: Partial<Binding['flow']> } = {}): Binding {
  const { flow, ...rest } = more;
  return {
    user: ALICE,
    terminal: terminal.id,
    key: 'k',
    contact: 'sip:alice@192.0.2.7:5070',
    path: [],
    callId: 'c',
    cseq: 1,
    expiresAt: 2,
    registeredAt: 1,
    features: {},
    ...rest,
    flow: { transport: 'udp', address: '192.0.2.7', port: 40_000, node: 'n1', ...flow },
  };
}

const target = (
  registered: Binding | undefined,
  more: { carried?: DeviceIdentity; address?: string; outboundProxy?: string } = {},
) =>
  sipTarget(terminal, more.carried, {
    binding: registered,
    address: more.address,
    self: 'n1',
    outboundProxy: more.outboundProxy,
  });

describe('Request-URI (SIR-12, SIR-68)', () => {
  it('is the address of record with the instance as gr', () => {
    expect(target(binding(), { carried: UUID })?.uri).toBe(`${ALICE};gr=${URN}`);
  });

  it('is the GRUU that the registrar gave', () => {
    const publicGruu = `sip:alice@other.test;gr=${URN}`;
    expect(target(binding({ publicGruu }), { carried: UUID })?.uri).toBe(publicGruu);
  });

  it('is the contact when the SIR names no device', () => {
    expect(target(binding())?.uri).toBe('sip:alice@192.0.2.7:5070');
  });
});

describe('next hop on UDP', () => {
  it('is the contact, wherever the REGISTER was sent from', () => {
    expect(target(binding())).toMatchObject({
      destination: { transport: 'udp', address: '192.0.2.7', port: 5070 },
    });
  });

  it('is the transport that the contact names', () => {
    expect(target(binding({ contact: 'sip:alice@192.0.2.7:5070;transport=TCP' }))?.destination).toEqual({
      transport: 'tcp',
      address: '192.0.2.7',
      port: 5070,
    });
  });

  it('is the source of the REGISTER behind a NAT, and when the terminal does outbound', () => {
    const source = { transport: 'udp', address: '192.0.2.7', port: 40_000 };
    expect(target(binding({ contact: 'sip:alice@10.0.0.1:5070' }))?.destination).toEqual(source);
    expect(target(binding({ regId: 1 }))?.destination).toEqual(source);
  });
});

describe('next hop on TCP', () => {
  const flow = { transport: 'tcp', connectionId: 'c7' } as const;
  const connection = { transport: 'tcp', address: '192.0.2.7', port: 40_000, connectionId: 'c7' };
  const contact = { transport: 'tcp', address: '192.0.2.7', port: 5070 };

  it('is the connection of the REGISTER, and the contact once that is closed', () => {
    expect(target(binding({ flow }))).toMatchObject({ destination: connection, otherwise: contact });
  });

  it('is the connection alone when the terminal does outbound or sits behind a NAT', () => {
    for (const registered of [
      binding({ flow, regId: 1 }),
      binding({ flow, contact: 'sip:alice@10.0.0.1:5070' }),
    ]) {
      expect(target(registered)?.destination).toEqual(connection);
      expect(target(registered)?.otherwise).toBeUndefined();
    }
  });

  it('is the contact when another node had the connection, and that node when only the flow will do', () => {
    const other = { ...flow, node: 'n2' };
    expect(target(binding({ flow: other }))).toMatchObject({ destination: contact });
    expect(target(binding({ flow: other, regId: 1 }))).toMatchObject({ elsewhere: 'n2' });
  });
});

describe('other ways', () => {
  it('goes along the Path of the registration', () => {
    const path = ['<sip:edge.example.test;lr>'];
    expect(target(binding({ path }))).toMatchObject({ route: path });
    expect(target(binding({ path }))?.destination).toBeUndefined();
  });

  it('goes to an address of its own through the outbound proxy when it is not registered', () => {
    expect(
      target(undefined, { address: 'sip:alice@phone.test', outboundProxy: 'sip:proxy.test;lr' }),
    ).toEqual({
      uri: 'sip:alice@phone.test',
      route: ['<sip:proxy.test;lr>'],
      address: 'sip:alice@phone.test',
    });
  });

  it('is nowhere without either', () => {
    expect(target(undefined)).toBeUndefined();
  });
});
