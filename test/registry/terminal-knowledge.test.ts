/** Sources asked one after the other, each with an end, and what becomes of the devices that they name (SIR-34, SIR-40, SIR-42, SIR-166). */
import { beforeEach, describe, expect, it } from 'vitest';
import { newlyAvailable } from '../../src/registry/device-discovery.js';
import { deviceIdentity, parseDeviceIdentity } from '../../src/registry/device-identity.js';
import { publicUserIdentity } from '../../src/registry/public-user-identity.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import { reachOutside, terminalKnowledge } from '../../src/registry/terminal-knowledge.js';
import type {
  DeviceReport,
  OutsideSourceName,
  SourceAnswer,
  SourceMemory,
} from '../../src/registry/terminal-source.js';
import type { Terminal, User } from '../../src/registry/user.js';
import { FakeClock, T0 } from '../support/fake-clock.js';
import { MemoryRegistry } from '../support/memory-registry.js';
import { MemorySourceMemory } from '../support/memory-source-memory.js';

const ALICE = publicUserIdentity('sip:alice@example.test');
const instance = (number: number) => `urn:uuid:00000000-0000-4000-8000-00000000000${number}`;
const DAY = 86_400_000;

const device = (name: string, more: Partial<DeviceReport> = {}): DeviceReport => ({
  identities: [parseDeviceIdentity(name)],
  isAvailable: true,
  ...more,
});
const found = (...devices: DeviceReport[]): SourceAnswer => ({ kind: 'found', at: T0 - 100, devices });
const silence = new Promise<SourceAnswer>(() => {});

class Rig {
  readonly clock = new FakeClock();
  readonly registry = new MemoryRegistry({ now: () => this.clock.now() });
  memory: SourceMemory = new MemorySourceMemory();
  readonly answers: Partial<Record<OutsideSourceName, SourceAnswer | Promise<SourceAnswer>>> = {};
  readonly asked: string[] = [];
  readonly told: string[] = [];
  createsTerminals = true;

  get ports() {
    const sources = Object.fromEntries(
      Object.entries(this.answers).map(([name, answer]) => [
        name,
        {
          source: {
            name: name as OutsideSourceName,
            states: async () => {
              this.asked.push(name);
              return answer;
            },
          },
          timeoutMs: 300,
          createsTerminals: this.createsTerminals,
        },
      ]),
    );
    return {
      sources,
      memory: this.memory,
      clock: this.clock,
      registry: this.registry,
      onUnidentified: () => this.told.push('unidentified'),
      observe: ({ source, state }: { source: string; state: string }) => this.told.push(`${source} ${state}`),
      ownStates: async () => new Map(),
    };
  }

  async user(...names: readonly string[]): Promise<User> {
    await this.registry.putUser({ id: ALICE, aliases: [], policy: { target: 'all-subscribed' } });
    for (const name of names) await this.registry.putTerminal(terminal(name));
    return (await this.registry.findUser(ALICE)) as User;
  }

  async know(user: User, maxTerminals = 64, multiCheck: 'before' | 'after' = 'before') {
    const knowledge = terminalKnowledge(user, this.ports, { maxTerminals, multiCheck });
    await this.clock.advance(700);
    return knowledge;
  }
}

function terminal(urn: string): Terminal {
  return {
    id: terminalId(ALICE, urn),
    user: ALICE,
    name: urn,
    identities: [deviceIdentity('uuid', urn)],
    activation: [{ bearer: 'sip' }],
    preferences: {},
    capabilities: {},
    origin: 'provisioned',
  };
}

const stateOf = (reports: readonly { source: string; state: string; detail: string }[], source: string) =>
  reports.find((report) => report.source === source);

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});

describe('a source (SIR-141)', () => {
  it('that answers is used, with its age', async () => {
    rig.answers['reg-event'] = found(device(instance(1)));
    const { sources } = await rig.know(await rig.user(instance(1), instance(2)));
    expect(stateOf(sources, 'reg-event')).toEqual({
      source: 'reg-event',
      state: 'used',
      detail: '1 devices, 1 available',
      ageMs: 100,
    });
    expect(stateOf(sources, 'presence')).toMatchObject({ state: 'missing', detail: 'not configured' });
  });

  it('that is silent costs its time-out and no more', async () => {
    rig.answers.presence = silence;
    const user = await rig.user(instance(1), instance(2));
    let isDone = false;
    void terminalKnowledge(user, rig.ports, { maxTerminals: 64, multiCheck: 'before' }).then(() => {
      isDone = true;
    });
    await rig.clock.advance(299);
    expect(isDone).toBe(false);
    await rig.clock.advance(1);
    expect(isDone).toBe(true);
    expect(rig.clock.pending).toBe(0);
  });

  it('that is silent is replaced by what it said last', async () => {
    await rig.memory.save(ALICE, 'presence', { at: T0 - 5000, devices: [device(instance(1), { since: 7 })] });
    rig.answers.presence = silence;
    const { sources, states } = await rig.know(await rig.user(instance(1), instance(2)));
    expect(stateOf(sources, 'presence')).toMatchObject({
      state: 'stale',
      detail: 'timeout: no answer within 300 ms; 1 devices, 1 available',
    });
    expect([...states.values()].map(({ isAvailable }) => isAvailable)).toEqual([true, undefined]);
  });

  it.each<[string, Partial<DeviceReport>, number]>([
    ['over a day ago', {}, T0 - DAY - 1000],
    ['about a registration that has lapsed', { expiresAt: T0 - 1 }, T0 - 5000],
  ])('that is silent is not replaced by what it said %s', async (_, more, at) => {
    await rig.memory.save(ALICE, 'reg-event', { at, devices: [device(instance(1), more)] });
    rig.answers['reg-event'] = { kind: 'missing', why: 'timeout', detail: 'away' };
    const { states } = await rig.know(await rig.user(instance(1), instance(2)));
    expect([...states.values()].map(({ isAvailable }) => isAvailable)).toEqual([undefined, undefined]);
  });

  it('that is silent while its memory is away is missing', async () => {
    rig.memory = {
      save: async () => undefined,
      load: () => Promise.reject(new Error('away')),
    };
    rig.answers.presence = { kind: 'missing', why: 'refused', detail: '403 Forbidden' };
    const { sources } = await rig.know(await rig.user(instance(1), instance(2)));
    expect(stateOf(sources, 'presence')).toMatchObject({
      state: 'missing',
      detail: 'refused: 403 Forbidden',
    });
  });

  it('is not asked for presence when the user has one terminal (SIR-42)', async () => {
    rig.answers['reg-event'] = found(device(instance(1)));
    rig.answers.presence = found();
    const { sources } = await rig.know(await rig.user(instance(1)));
    expect(rig.asked).toEqual(['reg-event']);
    expect(stateOf(sources, 'presence')).toMatchObject({ detail: 'not asked: the user has one terminal' });
  });

  it('is asked for presence when the core knows a second terminal (SIR-45)', async () => {
    rig.answers['reg-event'] = found(device(instance(1)), device(instance(2)));
    rig.answers.presence = found();
    await rig.know(await rig.user(instance(1)));
    expect(rig.asked).toEqual(['reg-event', 'presence']);
  });

  it('is asked for presence also about one terminal when the check comes after the look-up; the decision is the same (SIR-48)', async () => {
    rig.answers['reg-event'] = found(device(instance(1)));
    rig.answers.presence = found(device(instance(1)));
    const user = await rig.user(instance(1));
    const before = await rig.know(user, 64, 'before');
    expect(rig.asked).toEqual(['reg-event']);
    const after = await rig.know(user, 64, 'after');
    expect(rig.asked).toEqual(['reg-event', 'reg-event', 'presence']);
    const available = ({ user: known, states }: typeof before) =>
      known.terminals.map(({ id }) => [id, states.get(id)?.isAvailable]);
    expect(available(after)).toEqual(available(before));
    expect(available(after)).toEqual([[terminalId(ALICE, instance(1)), true]]);
  });

  it('leaves a line for the metrics each time', async () => {
    rig.answers.presence = silence;
    await rig.know(await rig.user(instance(1), instance(2)));
    expect(rig.told).toEqual(['presence missing']);
  });
});

describe('a device that nobody knew', () => {
  it.each<OutsideSourceName>(['reg-event', 'presence'])(
    'becomes a terminal of the user (%s)',
    async (source) => {
      rig.answers[source] = found(device(instance(1)), device(instance(2)));
      const { user, states } = await rig.know(await rig.user());
      expect(user.terminals).toEqual(
        [1, 2].map((number) => ({ ...terminal(instance(number)), origin: 'registered' })),
      );
      expect(states.size).toBe(2);
      expect((await rig.registry.findUser(ALICE))?.terminals).toHaveLength(2);
    },
  );

  it('becomes one by the instance in its GRUU', async () => {
    rig.answers['reg-event'] = found(device(`sip:alice@example.test;gr=${instance(3)}`));
    const { user } = await rig.know(await rig.user());
    expect(user.terminals.map(({ name }) => name)).toEqual([instance(3)]);
  });

  it.each<[string, DeviceReport]>([
    ['that cannot be reached now', device(instance(1), { isAvailable: false })],
    ['of which only a contact is known', device('sip:alice@192.0.2.7')],
    ['that is known only by a temporary GRUU', device('sip:tgruu.x@example.test;gr')],
  ])('and %s becomes none', async (_, stranger) => {
    rig.answers['reg-event'] = found(stranger);
    expect((await rig.know(await rig.user())).user.terminals).toEqual([]);
  });

  it('becomes none where the source creates none', async () => {
    rig.createsTerminals = false;
    rig.answers['reg-event'] = found(device(instance(1)));
    expect((await rig.know(await rig.user())).user.terminals).toEqual([]);
  });

  it('becomes none when the user has enough', async () => {
    rig.answers['reg-event'] = found(device(instance(1)), device(instance(2)), device(instance(3)));
    expect((await rig.know(await rig.user(), 2)).user.terminals).toHaveLength(2);
    expect(rig.told).toContain('unidentified');
  });

  it('is one terminal when both sources name it', async () => {
    rig.answers['reg-event'] = found(device(instance(1)), device(instance(2)));
    rig.answers.presence = found(device(instance(1).toUpperCase().replace('URN:UUID', 'urn:uuid')));
    expect((await rig.know(await rig.user())).user.terminals).toHaveLength(2);
  });
});

describe('a terminal that was provisioned', () => {
  it('keeps its name and all that was provisioned when a source names it', async () => {
    rig.answers['reg-event'] = found(device(instance(1)));
    const { user } = await rig.know(await rig.user(instance(1)));
    expect(user.terminals).toEqual([terminal(instance(1))]);
  });
});

describe('the way to a terminal that is registered elsewhere', () => {
  const phone = terminal(instance(1));
  const gruu = `sip:alice@example.test;gr=${instance(1)}`;
  const reach = (mayTry = false) => reachOutside(phone, rig.ports, { mayTry });

  it('is the GRUU that its registrar gave', async () => {
    rig.answers['reg-event'] = found(
      device(instance(1), {
        gruu: 'sip:tgruu@example.test;gr',
        contact: 'sip:a@192.0.2.1',
        features: { audio: '' },
      }),
    );
    expect(await reach()).toEqual({
      kind: 'reachable',
      uri: 'sip:tgruu@example.test;gr',
      features: { audio: '' },
    });
  });

  it('is its instance when there is no GRUU', async () => {
    rig.answers['reg-event'] = found(device(instance(1), { contact: 'sip:a@192.0.2.1', bearer: 'sip' }));
    expect(await reach()).toMatchObject({ uri: gruu });
  });

  it('is its contact when nothing else names it', async () => {
    const tv = { ...phone, identities: [deviceIdentity('uri', 'sip:tv@192.0.2.1')] };
    rig.answers['reg-event'] = found(
      device('sip:tv@192.0.2.1', { contact: 'sip:tv@192.0.2.1', bearer: 'sip' }),
    );
    expect(await reachOutside(tv, rig.ports, { mayTry: false })).toMatchObject({
      uri: 'sip:tv@192.0.2.1',
    });
  });

  it('is what presence says when no registration does', async () => {
    rig.answers.presence = found(device(instance(1)));
    expect(await reach()).toMatchObject({ uri: gruu });
  });

  it('is none when the core answers and does not name it, and nobody else is asked', async () => {
    rig.answers['reg-event'] = found(device(instance(2)));
    rig.answers.presence = found(device(instance(1)));
    expect(await reach(true)).toEqual({ kind: 'absent' });
    expect(rig.asked).toEqual(['reg-event']);
  });

  it('is not known when nobody answers', async () => {
    rig.answers['reg-event'] = { kind: 'missing', why: 'timeout', detail: 'away' };
    expect(await reach()).toEqual({ kind: 'unknown' });
  });

  it('is tried by its instance when nobody answers and the core may be tried', async () => {
    rig.answers['reg-event'] = { kind: 'missing', why: 'timeout', detail: 'away' };
    expect(await reach(true)).toEqual({ kind: 'reachable', uri: gruu, features: {} });
  });
});

describe('devices that can be reached again', () => {
  it('are those that could not before, under whatever name', () => {
    const before = [device(instance(1)), device(instance(2), { isAvailable: false })];
    const after = [
      device(`sip:alice@example.test;gr=${instance(1)}`),
      device(instance(2)),
      device(instance(3)),
    ];
    expect(newlyAvailable(before, after)).toEqual(after.slice(1));
  });

  it('are none when they only went away', () => {
    expect(newlyAvailable([device(instance(1))], [device(instance(1), { isAvailable: false })])).toEqual([]);
  });
});
