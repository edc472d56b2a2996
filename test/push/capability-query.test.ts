/** What an initiator is told of the terminals behind an address. */
import { beforeEach, describe, expect, it } from 'vitest';
import { decodeUaProf } from '../../src/protocols/uaprof/index.js';
import { type CapabilityQuery, queryCapabilities } from '../../src/push/capability-query.js';
import { deviceIdentity } from '../../src/registry/device-identity.js';
import { publicUserIdentity } from '../../src/registry/public-user-identity.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import type { Terminal, User } from '../../src/registry/user.js';
import { NONSENSE, TO_ALICE, TO_NOBODY } from '../support/push-stage.js';
import { ALICE } from '../support/pushes.js';

const IMEI = 'urn:gsma:imei:90420156-025763-0';
const TEAM = publicUserIdentity('sip:team@example.test');
let alice: User;

function terminal(name: string, more: Partial<Terminal>): Terminal {
  return {
    id: terminalId(ALICE, name),
    user: ALICE,
    name,
    identities: [],
    activation: [],
    preferences: {},
    capabilities: {},
    origin: 'provisioned',
    ...more,
  };
}

beforeEach(() => {
  alice = {
    id: ALICE,
    aliases: [],
    policy: { target: 'all-subscribed' },
    terminals: [
      terminal('pc', { subscriptions: ['mms.ua'], capabilities: { accept: ['text/html'] } }),
      terminal('pda', {}),
      terminal('phone', {
        identities: [deviceIdentity('imei', IMEI)],
        subscriptions: ['wml.ua'],
        capabilities: { maxMessageSize: 1400, uaProfUrl: 'http://maker.test/n1' },
      }),
    ],
  };
});

const ask = (query: Partial<CapabilityQuery> = {}) =>
  queryCapabilities(
    { address: TO_ALICE, ...query },
    {
      findUser: async (identity) => (identity === ALICE ? alice : undefined),
      groups: {
        findGroup: async (identity) => (identity === TEAM ? { id: TEAM, members: [ALICE] } : undefined),
      },
      bindings: async () => [],
      domain: 'example.test',
    },
  );

const told = async (query: Partial<CapabilityQuery> = {}) =>
  decodeUaProf(await ask(query)).map(({ url, attributes }) => ({ url, ...Object.fromEntries(attributes) }));

const refused = (code: string) => expect.objectContaining({ name: 'RefusedError', code });

it('of a group is told that there is nothing to tell: its members are not for the initiator to know', async () => {
  await expect(ask({ address: TEAM })).rejects.toEqual(refused('capabilitiesUnknown'));
});

describe('a query', () => {
  it('is answered with one profile for each terminal of which something is known', async () => {
    expect(await told()).toEqual([
      { url: undefined, 'Push-Accept': ['text/html'] },
      { url: 'http://maker.test/n1', 'Push-MsgSize': '1400' },
    ]);
  });

  it('for an application is answered for the terminals that take it', async () => {
    expect(await told({ applicationId: 'x-wap-application:mms.ua' })).toEqual([
      { url: undefined, 'Push-Accept': ['text/html'] },
    ]);
  });

  it('for one terminal is answered for that one', async () => {
    const address = `WAPPUSH=alice/device=${encodeURIComponent(IMEI)}/TYPE=USER@ppg.test`;
    expect(await told({ address })).toHaveLength(1);
  });

  it('tells nothing by which a terminal can be named', async () => {
    expect(Buffer.from(await ask()).toString()).not.toMatch(/90420156|alice|phone/);
  });

  it('for terminals of which nothing is known has no answer', async () => {
    alice = { ...alice, terminals: [terminal('pda', { preferences: { quiet: true } })] };
    await expect(ask()).rejects.toEqual(refused('capabilitiesUnknown'));
  });

  it.each([
    [TO_NOBODY, 'addressNotFound'],
    [NONSENSE, 'addressMalformed'],
    [
      `WAPPUSH=alice/device=${encodeURIComponent('urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6')}/TYPE=USER`,
      'addressNotFound',
    ],
  ])('for %s is refused: %s', async (address, code) => {
    await expect(ask({ address })).rejects.toEqual(refused(code));
  });

  it('for an address that the initiator may not push to is refused, known or not', async () => {
    const access = { rights: { addresses: ['sip:bob@example.test'] } };
    await expect(ask({ access })).rejects.toEqual(refused('forbidden'));
    await expect(ask({ access, address: TO_NOBODY })).rejects.toEqual(refused('forbidden'));
  });

  it('without an application is open to who may push to one application only', async () => {
    expect(await told({ access: { rights: { applicationIds: ['mms.ua'] } } })).toHaveLength(2);
  });
});
