/** The table of the choice: what is known and what the rules say, and which terminals get the push in which order. */
import { describe, expect, it } from 'vitest';
import { targetingFor } from '../../src/push/targeting.js';
import type { TerminalState } from '../../src/push/terminal-choice.js';
import { type ChoiceSubject, chooseTerminals } from '../../src/push/terminal-choice.js';
import { targetingRules } from '../../src/registry/targeting-rule.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import type { Terminal } from '../../src/registry/user.js';
import { ALICE } from '../support/pushes.js';

const T = 1_000_000;
const MMS = 'x-wap-application:mms.ua';

function terminal(name: string, more: Partial<Terminal> = {}): Terminal {
  return {
    id: terminalId(ALICE, name),
    user: ALICE,
    name,
    identities: [],
    activation: [{ bearer: 'sip' }],
    preferences: {},
    capabilities: {},
    origin: 'provisioned',
    ...more,
  };
}

interface Scene {
  readonly terminals?: readonly Terminal[];
  readonly rules?: readonly unknown[];
  readonly states?: Readonly<Record<string, Partial<TerminalState>>>;
  readonly subject?: Partial<ChoiceSubject>;
}

function choose({
  terminals = [terminal('phone'), terminal('pc'), terminal('pda')],
  rules = [],
  states = {},
  subject = {},
}: Scene) {
  const contentType = subject.contentType ?? 'text/plain';
  const targeting = targetingFor(
    { user: ALICE, applicationId: MMS, contentType },
    {},
    targetingRules([...rules, { target: 'all-subscribed' }], 'rules'),
  );
  const known = new Map<TerminalId, TerminalState>(
    Object.entries(states).map(([name, state]) => [
      terminalId(ALICE, name),
      { isConnected: false, ...state },
    ]),
  );
  const full = {
    applicationId: MMS,
    contentType,
    targeting,
    startsAt: T,
    isMulti: terminals.length > 1,
    ...subject,
  };
  return chooseTerminals({ terminals }, full, known);
}

/** `name` for a terminal that gets it at once, `name+60` for one whose turn comes after 60 s. */
function chosen(scene: Scene): string {
  const { completion, terminals } = choose(scene);
  const names = terminals
    .filter(({ selected }) => selected)
    .map(({ name, startsAt }) => (startsAt === undefined ? name : `${name}+${(startsAt - T) / 1000}`));
  return `${names.join(' ')}${completion === undefined ? '' : ' (any)'}`;
}

const reasons = (scene: Scene) =>
  choose(scene).terminals.map(({ name, reasons: why }) => `${name}: ${why.join('; ')}`);

describe('which terminals', () => {
  it.each<readonly [string, Scene, string]>([
    ['no rule', {}, 'phone pc pda'],
    ['named ones', { rules: [{ terminals: ['pda', 'phone'] }] }, 'phone pda'],
    ['names that nobody has', { rules: [{ terminals: ['fridge'] }] }, ''],
    [
      'connected ones',
      { rules: [{ target: 'connected-first' }], states: { pc: { isConnected: true } } },
      'pc',
    ],
    ['connected ones, and nobody is', { rules: [{ target: 'connected-first' }] }, 'phone pc pda'],
    [
      'available ones, as a source outside says',
      {
        rules: [{ target: 'available-first' }],
        states: { pc: { isAvailable: false, isConnected: true }, pda: { isAvailable: true } },
      },
      'pda',
    ],
    [
      'available ones, where no source says anything',
      { rules: [{ target: 'available-first' }], states: { pc: { isConnected: true } } },
      'pc',
    ],
    [
      'the newest (SIR-33)',
      {
        rules: [{ target: 'newest-registered' }],
        states: { pc: { registeredAt: 5 }, pda: { registeredAt: 7 } },
      },
      'pda',
    ],
    [
      'the newest of the named ones',
      {
        rules: [{ target: 'newest-registered', terminals: ['phone', 'pc'] }],
        states: { pc: { registeredAt: 5 }, pda: { registeredAt: 7 } },
      },
      'pc',
    ],
    [
      'all, by the word of the initiator (SIR-175)',
      { rules: [{ terminals: ['pc'], completion: 'any' }], subject: { isForAll: true } },
      'phone pc pda',
    ],
    [
      'all of those that take it, by the word of the initiator',
      {
        terminals: [terminal('phone'), terminal('pc', { subscriptions: ['wml.ua'] })],
        subject: { isForAll: true },
      },
      'phone',
    ],
  ])('%s', (_what, scene, result) => {
    expect(chosen(scene)).toBe(result);
  });
});

describe('how many have to have it', () => {
  it.each<readonly [string, Scene, string]>([
    ['the first is enough where a rule says so', { rules: [{ completion: 'any' }] }, 'phone pc pda (any)'],
    [
      'the first is enough where every terminal decides by itself',
      { rules: [{ mode: 'open' }] },
      'phone pc pda (any)',
    ],
    ['unless a rule says otherwise', { rules: [{ mode: 'open', completion: 'all' }] }, 'phone pc pda'],
  ])('%s', (_what, scene, result) => {
    expect(chosen(scene)).toBe(result);
  });
});

describe('one after the other (SIR-137)', () => {
  it.each<readonly [string, Scene, string]>([
    [
      "in the order of the user's terminals",
      { rules: [{ fallbackSeconds: 60 }] },
      'phone pc+60 pda+120 (any)',
    ],
    [
      'in the order of the rule',
      { rules: [{ fallbackSeconds: 60, terminals: ['pda', 'phone'] }] },
      'phone+60 pda (any)',
    ],
    [
      'whom the policy prefers first',
      { rules: [{ fallbackSeconds: 60, target: 'connected-first' }], states: { pda: { isConnected: true } } },
      'phone+60 pc+120 pda (any)',
    ],
    [
      'those that take it',
      {
        rules: [{ fallbackSeconds: 60 }],
        terminals: [terminal('phone', { subscriptions: [] }), terminal('pc')],
      },
      'pc (any)',
    ],
  ])('%s', (_what, scene, result) => {
    expect(chosen(scene)).toBe(result);
  });

  it('with the turn of each among its reasons', () => {
    expect(
      reasons({ rules: [{ fallbackSeconds: 60 }], terminals: [terminal('phone'), terminal('pc')] }),
    ).toEqual([
      "phone: takes every application; the operator's rule 1: the first in turn",
      "pc: takes every application; the operator's rule 1: in turn after 60 s",
    ]);
  });
});

describe('what a terminal wants (SIR-27, SIR-63 … SIR-65, SIR-176)', () => {
  const off = { applications: { 'mms.ua': false } };
  it.each<readonly [string, Partial<Terminal>, string]>([
    [
      'an application that its provisioned preferences switch off',
      { preferences: off },
      'its preferences switch x-wap-application:mms.ua off',
    ],
    [
      'an application that its returned preferences switch off',
      { returned: { preference: { version: 1, at: 1, information: off } } },
      'its preferences switch x-wap-application:mms.ua off',
    ],
    ['a kind of content', { preferences: { refusedTypes: ['text/*'] } }, 'its preferences refuse text/plain'],
    [
      'what it has no subscription for, as it returned',
      { returned: { subscription: { version: 1, at: 1, information: { applications: ['wml.ua'] } } } },
      'not subscribed to x-wap-application:mms.ua',
    ],
    [
      'what comes from a gateway that it does not trust',
      { returned: { security: { version: 1, at: 1, information: { trustedGateways: ['sip:other@x'] } } } },
      'the terminal does not trust this gateway',
    ],
  ])('not: %s', (_what, more, reason) => {
    const scene = {
      terminals: [terminal('phone', more), terminal('pc')],
      subject: { gateway: 'sip:ppg@example.test' },
    };
    expect(chosen(scene)).toBe('pc');
    expect(reasons(scene)[0]).toContain(reason);
  });

  it.each<readonly [string, Partial<Terminal>]>([
    [
      'an application that is not switched off',
      { preferences: { applications: { 'mms.ua': true, 'wml.ua': false } } },
    ],
    [
      'what the operator switched on though the terminal switched it off',
      {
        preferences: { applications: {} },
        returned: { preference: { version: 1, at: 1, information: off } },
      },
    ],
    [
      'what it returned a subscription for',
      {
        returned: {
          subscription: {
            version: 1,
            at: 1,
            information: { applications: [{ id: 'mms.ua', state: 'active' }] },
          },
        },
      },
    ],
    [
      'what comes from a gateway that it trusts',
      {
        returned: {
          security: { version: 1, at: 1, information: { trustedGateways: ['sip:ppg@example.test'] } },
        },
      },
    ],
    [
      'anything, when what it returned makes no sense',
      {
        returned: { preference: { version: 1, at: 1, information: 'none' } },
        preferences: { applications: 7, refusedTypes: 'all' },
      },
    ],
  ])('%s', (_what, more) => {
    expect(
      chosen({ terminals: [terminal('phone', more)], subject: { gateway: 'sip:ppg@example.test' } }),
    ).toBe('phone');
  });
});
