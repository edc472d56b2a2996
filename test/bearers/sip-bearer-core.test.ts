/** A terminal that is registered at the SIP core and not here: where its SIRs and its small content go (SIR-12, SIR-74, SIR-159). */
import { describe, expect, it } from 'vitest';
import { SipBearer } from '../../src/bearers/sip-bearer.js';
import type { Sir } from '../../src/push/sir.js';
import type { Binding } from '../../src/registry/binding.js';
import { deviceIdentity } from '../../src/registry/device-identity.js';
import type { OutsideReach } from '../../src/registry/outside-reach.js';
import type { PublicUserIdentity } from '../../src/registry/public-user-identity.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import type { Terminal } from '../../src/registry/user.js';
import type { ClientRequest } from '../../src/transports/sip-stack/sip-stack.js';

const ALICE = 'sip:alice@example.test' as PublicUserIdentity;
const PHONE = 't1' as TerminalId;
const UUID = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
const GRUU = `${ALICE};gr=${UUID}`;
const PROXY = 'sip:core.test;lr';

const terminal: Terminal = {
  id: PHONE,
  user: ALICE,
  name: 'phone',
  identities: [deviceIdentity('uuid', UUID)],
  activation: [{ bearer: 'sip' }],
  preferences: {},
  capabilities: {},
  origin: 'registered',
};
const sir: Sir = {
  id: 't1.x',
  user: ALICE,
  mode: 'routed',
  audience: 'terminal',
  identityIn: ['header', 'body'],
  return: [],
  send: [],
  device: deviceIdentity('uuid', UUID),
  applicationId: 'x-wap-application:mms.ua',
  createdAt: 1,
  expiresAt: 2,
};
const binding = {
  terminal: PHONE,
  contact: 'sip:alice@192.0.2.7:5070',
  path: [],
  flow: { transport: 'udp', address: '192.0.2.7', port: 5070, node: 'n1' },
  features: {},
} as unknown as Binding;

function rig(
  reach: OutsideReach,
  bindings: readonly Binding[] = [],
  statusOf: (uri: string) => number = () => 200,
  owner: Terminal = terminal,
) {
  const sent: ClientRequest[] = [];
  let asked = 0;
  const bearer = new SipBearer(
    {
      stack: {
        request: async (request) => {
          sent.push(request);
          const status = statusOf(request.uri);
          return { kind: 'response', status, reason: 'R', headers: [], body: new Uint8Array() };
        },
        sizeOf: () => 500,
      },
      bindings: async () => bindings,
      findTerminal: async () => owner,
      reachOutside: async () => {
        asked += 1;
        return reach;
      },
      now: () => 1,
    },
    {
      ppgUri: 'sip:ppg@example.test',
      contactPoint: { address: '192.0.2.1', port: 5060 },
      node: 'n1',
      outboundProxy: PROXY,
    },
  );
  return { bearer, sent, asked: () => asked };
}

const there: OutsideReach = { kind: 'reachable', uri: GRUU, features: {} };

describe('a SIR', () => {
  it('goes to its GRUU by the outbound proxy', async () => {
    const { bearer, sent } = rig(there);
    expect(await bearer.wake(terminal, sir, undefined)).toMatchObject({ kind: 'handed', address: GRUU });
    expect(sent).toMatchObject([{ uri: GRUU, to: `<${GRUU}>`, route: [`<${PROXY}>`] }]);
  });

  it.each([
    ['absent', 'not registered, neither here nor at the core'],
    ['unknown', 'nobody knows where it is registered'],
  ] as const)('is not sent when the terminal is %s', async (kind, detail) => {
    const { bearer, sent } = rig({ kind });
    expect(await bearer.wake(terminal, sir, undefined)).toEqual({ kind: 'failed', detail });
    expect(sent).toEqual([]);
  });

  it('goes to a terminal that is registered here without asking anybody', async () => {
    const { bearer, sent, asked } = rig(there, [binding]);
    await bearer.wake(terminal, sir, undefined);
    expect(sent[0]?.destination).toMatchObject({ address: '192.0.2.7', port: 5070 });
    expect(asked()).toBe(0);
  });

  it('goes to the address that the terminal was given without asking anybody (SIR-15)', async () => {
    const { bearer, sent, asked } = rig(there);
    await bearer.wake(terminal, sir, 'sip:alice@elsewhere.test');
    expect([sent[0]?.uri, asked()]).toEqual(['sip:alice@elsewhere.test', 0]);
  });
});

describe('a SIR to all terminals of the user (SIR-143)', () => {
  const toAll: Sir = { ...sir, mode: 'filtered', audience: 'user' };
  const unknown: Binding = { ...binding, contact: 'sip:alice@192.0.2.8:5080' };
  delete (unknown as { terminal?: TerminalId }).terminal;
  const answering = (statuses: Readonly<Record<string, number>>) => (uri: string) => statuses[uri] ?? 200;

  it('goes to every contact that is registered here, and to the core, which forks', async () => {
    const { bearer, sent } = rig(there, [binding, unknown]);
    const outcome = await bearer.wake(terminal, toAll, undefined);
    expect(outcome.kind).toBe('handed');
    expect(sent.map(({ uri }) => uri)).toEqual([binding.contact, unknown.contact, ALICE]);
    expect(sent[2]?.route).toEqual([`<${PROXY}>`]);
  });

  it('is handed when one of them has taken it', async () => {
    const { bearer } = rig(there, [binding, unknown], answering({ [unknown.contact]: 480, [ALICE]: 404 }));
    const { kind, detail } = await bearer.wake(terminal, toAll, undefined);
    expect([kind, detail]).toEqual([
      'handed',
      `${binding.contact}: 200 R; ${unknown.contact}: 480 R; ${ALICE}: 404 R`,
    ]);
  });

  it('has failed when none has', async () => {
    const statuses = { [binding.contact]: 486, [ALICE]: 404 };
    const { bearer } = rig(there, [binding], answering(statuses));
    expect((await bearer.wake(terminal, toAll, undefined)).kind).toBe('failed');
  });

  it.each([
    ['the terminal that it is for', binding.contact, 'refused'],
    ['another terminal', unknown.contact, 'handed'],
  ])('that %s declines is %s', async (_who, contact, kind) => {
    const { bearer } = rig(there, [binding, unknown], answering({ [contact]: 603 }));
    expect((await bearer.wake(terminal, toAll, undefined)).kind).toBe(kind);
  });
});

it('an open SIR is refused by those that say no, whatever the others say', async () => {
  const { device: _, ...unnamed } = sir;
  const open: Sir = { ...unnamed, mode: 'open', audience: 'user', identityIn: [] };
  const other = { ...binding, terminal: 't2' as TerminalId, contact: 'sip:alice@192.0.2.9:5090' };
  const { bearer } = rig({ kind: 'absent' }, [binding, other], (uri) => (uri === other.contact ? 603 : 200));
  expect(await bearer.wake(terminal, open, undefined)).toMatchObject({
    kind: 'handed',
    refusals: [{ terminal: 't2', detail: '603 R' }],
  });
});

describe('where the terminal is', () => {
  const { terminal: _, ...nobodys } = binding;
  it.each([
    ['registered here', 'absent', [binding], 'alone'],
    ['reachable through the core', 'reachable', [], 'alone'],
    ['not there', 'absent', [], 'absent'],
    ['perhaps a contact without an instance', 'absent', [nobodys as Binding], 'hidden'],
    ['known to nobody', 'unknown', [], 'hidden'],
  ] as const)('%s', async (_where, kind, bindings, presence) => {
    const reach = kind === 'reachable' ? there : { kind };
    expect(await rig(reach, bindings).bearer.presence(terminal, undefined)).toBe(presence);
  });
});

describe('small content', () => {
  const item = {
    id: '1',
    contentType: 'text/plain',
    headers: [],
    content: new Uint8Array(3),
    expiresAt: 100,
    confirmation: 'wanted',
  } as const;

  it('goes by MESSAGE to the GRUU of a terminal that takes such', async () => {
    const { bearer, sent } = rig({ ...there, features: { '+g.oma.pusheventapp': 'push.sia' } });
    const connection = await bearer.message(PHONE, { messageUntil: 100 });
    expect(await connection?.deliver(item)).toEqual({ kind: 'confirmed' });
    expect(sent).toMatchObject([{ method: 'MESSAGE', uri: GRUU, route: [`<${PROXY}>`], callId: '1' }]);
  });

  it('has no way to a terminal that has left the core', async () => {
    expect(await rig({ kind: 'absent' }).bearer.message(PHONE, { messageUntil: 100 })).toBeUndefined();
  });
});

describe('a terminal known by a name under which nobody registers may be behind (SIR-23)', () => {
  const car: Terminal = {
    ...terminal,
    id: 't9' as TerminalId,
    identities: [deviceIdentity('esn', '2BAB12CD')],
  };
  it.each([
    ['the contact of a terminal known by its registration', 'registered', car, 'hidden'],
    ['no contact of one that was provisioned', 'provisioned', car, 'absent'],
    [
      'none at all when it has a name to register under too',
      'registered',
      { ...car, identities: [...car.identities, deviceIdentity('imei', '90420156025763 9')] },
      'absent',
    ],
    ['none at all when it has no name', 'registered', { ...car, identities: [] }, 'absent'],
  ] as const)('%s', async (_, origin, wanted, presence) => {
    const owner = { ...terminal, origin };
    const { bearer } = rig({ kind: 'absent' }, [binding], undefined, owner);
    expect(await bearer.presence(wanted, undefined)).toBe(presence);
  });
});
