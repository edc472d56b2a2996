/** One state for each terminal out of what several sources say: a table of who wins (SIR-25, SIR-35). */
import { describe, expect, it } from 'vitest';
import type { SourceFinding } from '../../src/registry/ask-source.js';
import type { Binding } from '../../src/registry/binding.js';
import { deviceIdentity, parseDeviceIdentity } from '../../src/registry/device-identity.js';
import { mergeSources, type OwnState } from '../../src/registry/merge-sources.js';
import { publicUserIdentity } from '../../src/registry/public-user-identity.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import type { DeviceReport, OutsideSourceName } from '../../src/registry/terminal-source.js';
import type { Terminal, User } from '../../src/registry/user.js';

const ALICE = publicUserIdentity('sip:alice@example.test');
const PHONE = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
const OTHER = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6b00';
const NOW = 1_700_000_000_000;

const phone: Terminal = {
  id: terminalId(ALICE, 'phone'),
  user: ALICE,
  name: 'phone',
  identities: [deviceIdentity('uuid', PHONE)],
  activation: [],
  preferences: {},
  capabilities: {},
  origin: 'provisioned',
};
const user: User = { id: ALICE, aliases: [], policy: { target: 'all-subscribed' }, terminals: [phone] };

const device = (isAvailable: boolean | undefined, since?: number, name = PHONE): DeviceReport => ({
  identities: [parseDeviceIdentity(name)],
  ...(isAvailable === undefined ? {} : { isAvailable }),
  ...(since === undefined ? {} : { since }),
});
const fresh = (source: OutsideSourceName, ...devices: DeviceReport[]): SourceFinding => ({
  report: { source, state: 'used', detail: '', ageMs: 1 },
  isFresh: true,
  devices,
});
const stale = (source: OutsideSourceName, ...devices: DeviceReport[]): SourceFinding => ({
  report: { source, state: 'stale', detail: '', ageMs: 1 },
  isFresh: false,
  devices,
});
const missing = (source: OutsideSourceName): SourceFinding => ({
  report: { source, state: 'missing', detail: '' },
  isFresh: false,
  devices: [],
});

const away: OwnState = { isConnected: false, bindings: [] };
const connected: OwnState = { ...away, isConnected: true };
const registered: OwnState = { ...away, bindings: [{ registeredAt: NOW - 500 } as Binding] };

const merged = (own: OwnState, ...findings: SourceFinding[]) =>
  mergeSources(user, new Map([[phone.id, own]]), findings, NOW).states.get(phone.id);

describe('a terminal', () => {
  const yes = device(true, NOW - 100);
  it.each<[string, OwnState, SourceFinding[], boolean | undefined, number | undefined]>([
    ['of which nobody says anything', away, [], undefined, undefined],
    [
      'of which all sources are missing',
      away,
      [missing('reg-event'), missing('presence')],
      undefined,
      undefined,
    ],
    ['that is connected here', connected, [], true, undefined],
    [
      'that is connected here and closed in presence',
      connected,
      [fresh('presence', device(false))],
      true,
      undefined,
    ],
    ['that is registered here', registered, [], true, NOW - 500],
    [
      'that is registered here and closed in presence',
      registered,
      [fresh('presence', device(false))],
      false,
      undefined,
    ],
    [
      'that is registered here and was closed in presence',
      registered,
      [stale('presence', device(false))],
      true,
      NOW - 500,
    ],
    ['that is registered here and not at the core', registered, [fresh('reg-event')], true, NOW - 500],
    ['that is registered at the core', away, [fresh('reg-event', yes)], true, NOW - 100],
    ['that is registered in both places', registered, [fresh('reg-event', yes)], true, NOW - 100],
    ['that the core does not name', away, [fresh('reg-event', device(true, NOW, OTHER))], false, undefined],
    [
      'that the core does not name and presence calls open',
      away,
      [fresh('reg-event'), fresh('presence', yes)],
      true,
      NOW - 100,
    ],
    [
      'that the core does not name and presence called open',
      away,
      [fresh('reg-event'), stale('presence', yes)],
      false,
      undefined,
    ],
    [
      'that is registered at the core and closed in presence',
      away,
      [fresh('reg-event', yes), fresh('presence', device(false))],
      false,
      undefined,
    ],
    ['that is open in presence', away, [fresh('presence', yes)], true, NOW - 100],
    ['that is closed in presence', away, [fresh('presence', device(false, NOW))], false, undefined],
    ['that presence only describes', away, [fresh('presence', device(undefined))], undefined, undefined],
    [
      'that presence does not name',
      away,
      [fresh('presence', device(true, NOW, OTHER))],
      undefined,
      undefined,
    ],
    ['that was open in presence', away, [stale('presence', yes)], true, NOW - 100],
    ['that was closed in presence', away, [stale('presence', device(false))], false, undefined],
    ['that was registered at the core', away, [stale('reg-event', yes)], true, NOW - 100],
    ['that was not registered at the core', away, [stale('reg-event')], undefined, undefined],
    [
      'that was registered at the core and closed in presence',
      away,
      [stale('reg-event', yes), stale('presence', device(false))],
      false,
      undefined,
    ],
  ])('%s', (_, own, findings, isAvailable, registeredAt) => {
    const state = merged(own, ...findings);
    expect([state?.isAvailable, state?.registeredAt]).toEqual([isAvailable, registeredAt]);
    expect(state).toMatchObject(own);
  });

  it('is recognised by any of its names, a GRUU for its instance too (SIR-22)', () => {
    const gruu = device(
      true,
      NOW,
      `sip:alice@example.test;gr=${PHONE.toUpperCase().replace('URN:UUID', 'urn:uuid')}`,
    );
    expect(merged(away, fresh('presence', gruu))?.isAvailable).toBe(true);
  });

  it('is available when one of its contacts is, since the newest of them', () => {
    const state = merged(away, fresh('reg-event', device(true, 10), device(true, 30), device(false, 90)));
    expect(state).toMatchObject({ isAvailable: true, registeredAt: 30 });
  });
});

describe('the sources of a decision', () => {
  it('are named with what became of them, our own first', () => {
    const findings = [missing('reg-event'), stale('presence', device(true))];
    const { sources } = mergeSources(user, new Map([[phone.id, registered]]), findings, NOW);
    expect(sources).toEqual([
      { source: 'registry', state: 'used', detail: '1 terminals, 1 registered here, 0 connected', ageMs: 0 },
      { source: 'reg-event', state: 'missing', detail: '' },
      { source: 'presence', state: 'stale', detail: '', ageMs: 1 },
    ]);
  });

  it('include what terminals returned, when any did', () => {
    const talkative = { ...user, terminals: [{ ...phone, reported: { returned: { at: NOW - 40 } } }] };
    expect(mergeSources(talkative, new Map(), [], NOW).sources.at(-1)).toEqual({
      source: 'returned',
      state: 'used',
      detail: '1 terminals reported what they can do',
      ageMs: 40,
    });
  });
});
