/** From an address to terminals: who is meant, which terminals get it, and with what reasons. */
import { beforeEach, describe, expect, it } from 'vitest';
import { RefusedError } from '../../src/kernel/errors.js';
import {
  DEFAULT_APPLICATION_ID,
  type ResolutionPorts,
  resolveTarget,
  type TerminalStates,
} from '../../src/push/target-resolution.js';
import type { TerminalState } from '../../src/push/terminal-choice.js';
import { type DeviceIdentityKind, deviceIdentity } from '../../src/registry/device-identity.js';
import type { TargetPolicy } from '../../src/registry/targeting-rule.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import type { SourceReport } from '../../src/registry/terminal-source.js';
import type { Terminal, User } from '../../src/registry/user.js';
import { NO_RULES } from '../support/push-stage.js';
import { ALICE } from '../support/pushes.js';

const UUID = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
const IMEI = 'urn:gsma:imei:90420156-025763-0';
const MMS = 'x-wap-application:mms.ua';

function terminal(
  name: string,
  identities: readonly (readonly [DeviceIdentityKind, string])[] = [],
  subscriptions?: readonly string[],
): Terminal {
  return {
    id: terminalId(ALICE, name),
    user: ALICE,
    name,
    identities: identities.map(([kind, value]) => deviceIdentity(kind, value)),
    activation: [{ bearer: 'sip' }],
    preferences: {},
    capabilities: {},
    origin: 'provisioned',
    ...(subscriptions === undefined ? {} : { subscriptions }),
  };
}

class Directory implements ResolutionPorts {
  readonly domain = 'example.test';
  targeting = NO_RULES;
  readonly states = new Map<TerminalId, TerminalState>();
  readonly asked: string[] = [];
  stateLookUps = 0;
  asksOutside = false;
  sources: readonly SourceReport[] = [];
  /** The user with what a source brings. */
  discovered: User | undefined;
  user: User = { id: ALICE, aliases: [], policy: { target: 'all-subscribed' }, terminals: [] };
  known: readonly string[] = [ALICE, 'tel:+43664123456', 'sip:alice@mail.test'];

  async findUser(identity: string): Promise<User | undefined> {
    this.asked.push(identity);
    return this.known.includes(identity) ? this.user : undefined;
  }

  async terminalStates(user: User): Promise<TerminalStates> {
    this.stateLookUps += 1;
    return { user: this.discovered ?? user, states: this.states, sources: this.sources };
  }

  has(terminals: readonly Terminal[], target: TargetPolicy = 'all-subscribed'): void {
    this.user = { ...this.user, terminals, policy: { target } };
  }
}

let directory: Directory;
beforeEach(() => {
  directory = new Directory();
});

const phone = terminal('phone', [
  ['imei', IMEI],
  ['uuid', UUID],
]);
const pc = terminal('pc');
const pda = terminal('pda', [['mac', '00-11-22-33-44-55']]);

const TO_ALICE = 'WAPPUSH=sip%3Aalice%40example.test/TYPE=USER@ppg.test';
const resolve = (address = TO_ALICE, applicationId = DEFAULT_APPLICATION_ID) =>
  resolveTarget(address, { applicationId, contentType: 'text/plain', startsAt: 1000 }, directory);

async function selected(address?: string, applicationId?: string): Promise<string[]> {
  const decision = await resolve(address, applicationId);
  return decision.terminals.filter((choice) => choice.selected).map((choice) => choice.name);
}

describe('who is meant', () => {
  beforeEach(() => directory.has([phone]));

  it.each([
    ['a SIP identity as USER value', TO_ALICE],
    ['a bare SIP URI', 'sip:alice@example.test'],
    ['a bare SIPS URI', 'sips:alice@example.test'],
    ['a user name of our own domain', 'WAPPUSH=alice/TYPE=USER@ppg.test'],
    ['a telephone number', 'WAPPUSH=+43664123456/TYPE=PLMN@ppg.test'],
    ['a bare telephone URI', 'tel:+43664123456'],
    ['a mail-like name that is a SIP identity', 'WAPPUSH=alice%40mail.test/TYPE=USER@ppg.test'],
  ])('%s finds the user', async (_what, address) => {
    expect((await resolve(address)).user).toBe(ALICE);
  });

  it.each([
    ['nobody of that name', 'WAPPUSH=bob/TYPE=USER@ppg.test', 'addressNotFound'],
    ['an IP address, which no user has', 'WAPPUSH=192.0.2.1/TYPE=IPv4@ppg.test', 'addressNotFound'],
    ['an unknown number', 'WAPPUSH=+15550100/TYPE=PLMN@ppg.test', 'addressNotFound'],
    ['no address at all', 'hello', 'addressMalformed'],
    ['a type that there is not', 'WAPPUSH=x/TYPE=PIGEON@ppg.test', 'addressMalformed'],
    ['a device that is of no kind', 'WAPPUSH=alice/device=@@@/TYPE=USER@ppg.test', 'addressMalformed'],
  ])('%s is refused', async (_what, address, code) => {
    const refusal = await resolve(address).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(RefusedError);
    expect(refusal).toMatchObject({ code });
  });

  it('a user without terminals is refused, with words that say so', async () => {
    directory.has([]);
    await expect(resolve()).rejects.toMatchObject({
      code: 'addressNotFound',
      detail: 'the user has no terminal yet',
    });
  });

  it('a failing look-up is no refusal', async () => {
    directory.findUser = async () => {
      throw new Error('the store is away');
    };
    await expect(resolve()).rejects.not.toBeInstanceOf(RefusedError);
  });
});

describe('how many terminals the user has (SIR-41, SIR-44 … SIR-47, SIR-144)', () => {
  it('one: it is taken, and no state is looked up (SIR-42)', async () => {
    directory.has([phone], 'newest-registered');
    const decision = await resolve();
    expect(decision.multi).toBe(false);
    expect(decision.terminals[0]?.reasons).toEqual([
      'takes every application; the only terminal of the user',
    ]);
    expect(directory.stateLookUps).toBe(0);
  });

  it('several: the decision says so', async () => {
    directory.has([phone, pc]);
    expect((await resolve()).multi).toBe(true);
  });

  it.each([
    ['provisioned', true, 'SIR-44'],
    ['registered', false, 'SIR-45'],
  ] as const)(
    'counted as %s, three of which one has registered: several is %s (%s)',
    async (count, multi, _id) => {
      directory.has([phone, pc, pda]);
      directory.targeting = { ...directory.targeting, countTerminals: count };
      directory.states.set(phone.id, { isConnected: false, isAvailable: true });
      expect((await resolve()).multi).toBe(multi);
    },
  );
});

describe('a terminal that the push names', () => {
  beforeEach(() => directory.has([phone, pc, pda], 'newest-registered'));

  it.each([
    ['an IMEI', `WAPPUSH=alice/device=${encodeURIComponent(IMEI)}/TYPE=USER@ppg.test`, 'phone'],
    ['an IMEI in bare digits', 'WAPPUSH=alice/device=904201560257630/TYPE=USER@ppg.test', 'phone'],
    ['a UUID', `WAPPUSH=alice/device=${encodeURIComponent(UUID)}/TYPE=USER@ppg.test`, 'phone'],
    ['a MAC in another spelling', 'WAPPUSH=alice/device=001122334455/TYPE=USER@ppg.test', 'pda'],
    ['a GRUU', `sip:alice@example.test;gr=${UUID}`, 'phone'],
    [
      'a GRUU as USER value',
      `WAPPUSH=${encodeURIComponent(`sip:alice@example.test;gr=${UUID}`)}/TYPE=USER@ppg.test`,
      'phone',
    ],
  ])('by %s gets it alone (SIR-164)', async (_what, address, name) => {
    expect(await selected(address)).toEqual([name]);
  });

  it('is taken without a look at policy, state or subscription', async () => {
    directory.has([terminal('phone', [['uuid', UUID]], ['mms.ua']), pc], 'connected-first');
    expect(await selected(`sip:alice@example.test;gr=${UUID}`)).toEqual(['phone']);
    expect(directory.stateLookUps).toBe(0);
  });

  it('gives every other terminal its reason', async () => {
    const decision = await resolve(`sip:alice@example.test;gr=${UUID}`);
    expect(decision.policy).toBe('named by the initiator');
    expect(decision.terminals.map(({ name, reasons }) => [name, reasons])).toEqual([
      ['phone', ['the push names this terminal']],
      ['pc', ['the push names another terminal']],
      ['pda', ['the push names another terminal']],
    ]);
  });

  it('that the user does not have is refused, and no other one gets it', async () => {
    const other = 'urn:uuid:00000000-0000-4000-8000-000000000000';
    await expect(resolve(`sip:alice@example.test;gr=${other}`)).rejects.toMatchObject({
      code: 'addressNotFound',
      detail: 'the user has no such terminal',
    });
  });
});

describe('subscriptions (SIR-26, SIR-32, SIR-37)', () => {
  it('two pushes of different applications go to different terminals', async () => {
    directory.has([terminal('phone', [], ['mms.ua']), terminal('pc', [], ['wml.ua'])]);
    expect(await selected(TO_ALICE, MMS)).toEqual(['phone']);
    expect(await selected(TO_ALICE, DEFAULT_APPLICATION_ID)).toEqual(['pc']);
  });

  it.each([
    ['in full', [MMS], true],
    ['by its last part', ['mms.ua'], true],
    ['in other case', ['X-WAP-Application:MMS.UA'], true],
    ['by the star', ['*'], true],
    ['not at all', ['wml.ua'], false],
    ['as an empty list', [], false],
  ])('an application named %s', async (_how, subscriptions, isTaken) => {
    directory.has([terminal('phone', [], subscriptions), pc]);
    expect((await selected(TO_ALICE, MMS)).includes('phone')).toBe(isTaken);
  });

  it('a terminal without a list takes everything', async () => {
    directory.has([phone, pc]);
    expect(await selected(TO_ALICE, 'x-wap-application:whatever')).toEqual(['phone', 'pc']);
  });

  it('when nobody subscribes the address is refused', async () => {
    directory.has([terminal('phone', [], ['wml.ua'])]);
    await expect(resolve(TO_ALICE, MMS)).rejects.toMatchObject({
      code: 'addressNotFound',
      detail: 'no terminal of the user takes this push',
    });
  });
});

describe('policies', () => {
  const state = (terminal: Terminal, isConnected: boolean, registeredAt?: number) =>
    directory.states.set(terminal.id, {
      isConnected,
      ...(registeredAt === undefined ? {} : { registeredAt }),
    });

  it('all-subscribed: every eligible terminal, without a look at states', async () => {
    directory.has([phone, pc, pda]);
    expect(await selected()).toEqual(['phone', 'pc', 'pda']);
    expect(directory.stateLookUps).toBe(0);
  });

  it('connected-first: those that are connected', async () => {
    directory.has([phone, pc, pda], 'connected-first');
    state(pc, true);
    state(pda, true);
    state(phone, false);
    expect(await selected()).toEqual(['pc', 'pda']);
  });

  it('connected-first with nobody connected: all, with the reason', async () => {
    directory.has([phone, pc], 'connected-first');
    expect(await selected()).toEqual(['phone', 'pc']);
    expect((await resolve()).terminals[0]?.reasons).toContain(
      "connected-first (the user's policy): none qualifies, all are kept",
    );
  });

  it('newest-registered: the one that registered last', async () => {
    directory.has([phone, pc, pda], 'newest-registered');
    state(phone, false, 100);
    state(pc, true, 50);
    state(pda, false, 200);
    expect(await selected()).toEqual(['pda']);
  });

  it('newest-registered with nobody registered: all', async () => {
    directory.has([phone, pc], 'newest-registered');
    expect(await selected()).toEqual(['phone', 'pc']);
  });

  it('a connected terminal that does not subscribe is not chosen for being connected', async () => {
    directory.has([phone, terminal('pc', [], ['wml.ua'])], 'connected-first');
    state(pc, true);
    expect(await selected(TO_ALICE, MMS)).toEqual(['phone']);
  });

  it('every terminal has its reasons, also those that were not chosen (SIR-28)', async () => {
    directory.has([phone, pc, terminal('tv', [], ['wml.ua'])], 'connected-first');
    state(pc, true);
    const decision = await resolve(TO_ALICE, MMS);
    expect(decision.terminals.map(({ name, selected, reasons }) => [name, selected, reasons])).toEqual([
      ['phone', false, ['takes every application', "connected-first (the user's policy): another one"]],
      ['pc', true, ['takes every application', "connected-first (the user's policy): this one"]],
      ['tv', false, [`not subscribed to ${MMS}`]],
    ]);
  });
});

describe('sources outside the gateway', () => {
  const report: SourceReport = { source: 'reg-event', state: 'stale', detail: 'timeout', ageMs: 7 };

  it('are not asked when there are none and provisioning decides', async () => {
    directory.has([phone, pc]);
    expect(await resolve()).not.toHaveProperty('sources');
    expect(directory.stateLookUps).toBe(0);
  });

  it('are asked for every user when there are any, and stand in the decision (SIR-35)', async () => {
    directory.has([phone, pc]);
    directory.asksOutside = true;
    directory.sources = [report];
    expect((await resolve()).sources).toEqual([report]);
  });

  it('may bring the first terminal of a user (SIR-166)', async () => {
    directory.has([]);
    directory.asksOutside = true;
    directory.discovered = { ...directory.user, terminals: [phone] };
    expect(await selected()).toEqual(['phone']);
  });

  it('make a user with one provisioned terminal one with several (SIR-45)', async () => {
    directory.has([phone]);
    directory.asksOutside = true;
    directory.discovered = { ...directory.user, terminals: [phone, pc] };
    expect((await resolve()).multi).toBe(true);
  });

  it('are not asked about a terminal that is named and known', async () => {
    directory.has([phone, pc]);
    directory.asksOutside = true;
    await resolve(`${TO_ALICE.replace('/TYPE', `/device=${encodeURIComponent(UUID)}/TYPE`)}`);
    expect(directory.stateLookUps).toBe(0);
  });

  it('are asked about a terminal that is named and not known', async () => {
    directory.has([pc]);
    directory.asksOutside = true;
    directory.discovered = { ...directory.user, terminals: [phone, pc] };
    expect(await selected(TO_ALICE.replace('/TYPE', `/device=${encodeURIComponent(UUID)}/TYPE`))).toEqual([
      'phone',
    ]);
  });
});
