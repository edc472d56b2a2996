/** Targeting rules from JSON: what is taken, in which form it is kept, and how a mistake is named. */
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../src/kernel/errors.js';
import {
  MODE_LETTER,
  SIR_MODES,
  TARGETING_LIMITS,
  targetingRules,
} from '../../src/registry/targeting-rule.js';

const read = (...rules: readonly unknown[]) => targetingRules(rules, 'policy.rules');

function refusal(...rules: readonly unknown[]): string {
  try {
    read(...rules);
  } catch (error) {
    if (error instanceof DecodeError) return error.detail;
    throw error;
  }
  throw new Error('it was taken');
}

describe('a rule', () => {
  it('is kept with what it is for and what it sets apart, patterns in canonical form', () => {
    const rule = {
      when: { applications: ['MMS.ua'], contentTypes: ['Video/*'], users: ['SIP:*@Example.TEST'] },
      target: 'newest-registered',
      terminals: ['pc', 'phone'],
      completion: 'any',
      fallbackSeconds: 60,
      bearers: ['sms', 'sip'],
      mode: 'filtered',
      identityIn: ['body', 'header'],
      activate: { id: 'x-oma-application:dcd.ua', name: 'DCD' },
      return: ['capability', 'rejection'],
      send: ['registration'],
      ppg: 'sip:ppg2@example.test',
    };
    const { when: _, ...set } = rule;
    expect(read(rule)).toEqual([
      {
        when: { applications: ['mms.ua'], contentTypes: ['video/*'], users: ['sip:*@example.test'] },
        set,
      },
    ]);
  });

  it('for everything needs no condition', () => {
    expect(read({ mode: 'open' })).toEqual([{ when: {}, set: { mode: 'open' } }]);
  });

  it.each([
    ['sets nothing', [{ when: { applications: ['mms.ua'] } }], 'policy.rules[0]: sets nothing'],
    ['has a misspelt key', [{ modes: 'open' }], /^policy\.rules\[0\]: /],
    ['has an unknown mode', [{ mode: 'open' }, { mode: 'A' }], /^policy\.rules\[1\]\.mode: /],
    [
      'has a pattern of no scheme',
      [{ when: { users: ['alice'] }, mode: 'open' }],
      /^policy\.rules\[0\]: when\.users\[0\]: /,
    ],
    [
      'has what is no media type',
      [{ when: { contentTypes: ['video'] }, mode: 'open' }],
      /when\.contentTypes\[0\]: not a media type/,
    ],
    ['delegates to nobody', [{ mode: 'delegated' }], /delegate: has to be named/],
    ['has an empty list', [{ terminals: [] }], /^policy\.rules\[0\]\.terminals: /],
    [
      'has a gateway that is no SIP URI',
      [{ ppg: 'http://x/' }],
      /^policy\.rules\[0\]\.ppg: has to be a SIP URI/,
    ],
  ])('that %s is refused by its path', (_what, rules, detail) => {
    if (typeof detail === 'string') expect(refusal(...rules)).toBe(detail);
    else expect(refusal(...rules)).toMatch(detail);
  });

  it('too many are refused', () => {
    const many = Array.from({ length: TARGETING_LIMITS.rules + 1 }, () => ({ mode: 'open' }));
    expect(refusal(...many)).toMatch(/^policy\.rules: /);
  });
});

it('every mode has a letter of its own in the targeting specification', () => {
  expect(new Set(Object.values(MODE_LETTER)).size).toBe(SIR_MODES.length);
});
