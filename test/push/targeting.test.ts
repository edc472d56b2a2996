/** The rules that apply to one push: whose come first, and where each setting comes from. */
import { describe, expect, it } from 'vitest';
import { targetingFor } from '../../src/push/targeting.js';
import { targetingRules } from '../../src/registry/targeting-rule.js';
import type { UserPolicy } from '../../src/registry/user.js';
import { ALICE } from '../support/pushes.js';

const VIDEO = { user: ALICE, applicationId: 'x-wap-application:mms.ua', contentType: 'Video/MP4; x=y' };
const rules = (...list: readonly unknown[]) => targetingRules(list, 'rules');
const apply = (policy: UserPolicy, operator: readonly unknown[] = [], subject = VIDEO) =>
  targetingFor(subject, policy, rules(...operator));

describe('for each setting', () => {
  it('the first rule that is for the push and says anything counts', () => {
    const { settings, from } = apply({}, [
      { when: { applications: ['wml.ua'] }, mode: 'plain' },
      { when: { applications: ['mms.ua'] }, mode: 'filtered' },
      { mode: 'open', completion: 'any' },
    ]);
    expect(settings).toEqual({ mode: 'filtered', completion: 'any' });
    expect(from).toEqual({ mode: "the operator's rule 2", completion: "the operator's rule 3" });
  });

  it("the user's rules go first, then the user's policy, then the operator's rules (SIR-36)", () => {
    const policy: UserPolicy = {
      target: 'connected-first',
      rules: rules({ when: { contentTypes: ['video/*'] }, terminals: ['pc'] }),
    };
    const operator = [{ target: 'newest-registered', terminals: ['phone'], mode: 'open' }];
    expect(apply(policy, operator)).toEqual({
      settings: { terminals: ['pc'], target: 'connected-first', mode: 'open' },
      from: { terminals: "the user's rule 1", target: "the user's policy", mode: "the operator's rule 1" },
    });
  });

  it('nothing is set where no rule says anything', () => {
    expect(apply({})).toEqual({ settings: {}, from: {} });
  });
});

describe('a rule is for a push', () => {
  it.each([
    [{ applications: ['x-wap-application:mms.ua'] }, true],
    [{ applications: ['MMS.UA'] }, true],
    [{ applications: ['wml.ua', 'mms.*'] }, true],
    [{ applications: ['wml.ua'] }, false],
    [{ contentTypes: ['video/mp4'] }, true],
    [{ contentTypes: ['video/*'] }, true],
    [{ contentTypes: ['vid/*'] }, false],
    [{ contentTypes: ['video/mp'] }, false],
    [{ users: ['sip:*@example.test'] }, true],
    [{ users: ['sip:bob@example.test'] }, false],
    [{ applications: ['mms.ua'], contentTypes: ['text/*'] }, false],
  ])('when %j is %s', (when, isMet) => {
    expect(apply({}, [{ when, mode: 'open' }]).settings.mode).toBe(isMet ? 'open' : undefined);
  });
});
