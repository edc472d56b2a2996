/** A terminal that a source calls available again: what its lane does with that. */
import { describe, expect, it } from 'vitest';
import { devicesArrived } from '../../src/push/arrivals.js';
import { deviceIdentity, parseDeviceIdentity } from '../../src/registry/device-identity.js';
import { publicUserIdentity } from '../../src/registry/public-user-identity.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import type { DeviceReport, OutsideSourceName } from '../../src/registry/terminal-source.js';
import type { User } from '../../src/registry/user.js';

const ALICE = publicUserIdentity('sip:alice@example.test');
const PHONE = terminalId(ALICE, 'phone');
const UUID = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
const STRANGER = UUID.replace('f81d', 'f81e');
const NOW = 1_700_000_000_000;

const user: User = {
  id: ALICE,
  aliases: [],
  policy: { target: 'all-subscribed' },
  terminals: [
    {
      id: PHONE,
      user: ALICE,
      name: 'phone',
      identities: [deviceIdentity('uuid', UUID)],
      activation: [],
      preferences: {},
      capabilities: {},
      origin: 'provisioned',
    },
  ],
};
const device = (name: string, more: Partial<DeviceReport> = {}): DeviceReport => ({
  identities: [parseDeviceIdentity(name)],
  isAvailable: true,
  ...more,
});

async function lanes(
  source: OutsideSourceName,
  after: readonly DeviceReport[],
  before: readonly DeviceReport[] = [],
) {
  const told: unknown[] = [];
  await devicesArrived(
    { source, user: ALICE, before, after },
    {
      findUser: async () => user,
      lanes: {
        view: async (terminal) => ({ terminal, wake: {}, connections: {} }) as never,
        connected: async (terminal, connections) => {
          told.push([terminal, connections]);
          return { held: 1, dueAt: 7 };
        },
      },
      wakeLane: (terminal, dueAt) => told.push(['wake', terminal, dueAt]),
      now: () => NOW,
    },
  );
  return told;
}

describe('a terminal that is there again', () => {
  it.each<OutsideSourceName>(['reg-event', 'presence'])('has its lane looked at (%s)', async (source) => {
    expect(await lanes(source, [device(UUID)])).toEqual([
      [PHONE, {}],
      ['wake', PHONE, 7],
    ]);
  });

  it('takes content by MESSAGE when its registration at the core announces that (SIR-159)', async () => {
    const announcing = device(UUID, {
      features: { '+g.oma.pusheventapp': 'push.sia' },
      expiresAt: NOW + 60_000,
    });
    expect(await lanes('reg-event', [announcing])).toContainEqual([PHONE, { messageUntil: NOW + 60_000 }]);
  });

  it.each<[string, DeviceReport[], DeviceReport[]]>([
    ['was there all the time', [device(UUID)], [device(UUID)]],
    ['has gone', [device(UUID, { isAvailable: false })], [device(UUID)]],
    ['nobody knows', [device(STRANGER)], []],
  ])('is none that %s', async (_, after, before) => {
    expect(await lanes('reg-event', after, before)).toEqual([]);
  });
});
