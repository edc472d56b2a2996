/** How a SIR finds its terminal: the decision as a table (SIR-74 … SIR-81), and where the device identity stands. */
import { describe, expect, it } from 'vitest';
import { identityToCarry, planSir, type SirSubject } from '../../src/push/sir-plan.js';
import { NO_TARGETING, type Targeting } from '../../src/push/targeting.js';
import { deviceIdentity } from '../../src/registry/device-identity.js';
import type { SirMode, TargetingSettings } from '../../src/registry/targeting-rule.js';

const UUID = deviceIdentity('uuid', 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6');
const GRUU = deviceIdentity(
  'gruu',
  'sip:alice@example.test;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
);
const SERIAL = deviceIdentity('esn', '80AB12CD');

const wants = (settings: TargetingSettings): Targeting => ({
  settings,
  from: Object.fromEntries(Object.keys(settings).map((setting) => [setting, "the user's rule 1"])),
});

const subject = (more: Partial<SirSubject> = {}): SirSubject => ({
  terminal: { identities: [UUID] },
  bearer: 'sip',
  presence: 'alone',
  isMulti: true,
  isNamed: false,
  alwaysIncludeIdentity: false,
  targeting: NO_TARGETING,
  ...more,
});

const modes: Record<string, Partial<SirSubject>> = {
  'alone, identity': {},
  'alone, none': { terminal: { identities: [] } },
  'hidden, identity': { presence: 'hidden' },
  'hidden, serial': { presence: 'hidden', terminal: { identities: [SERIAL] } },
  'hidden, none': { presence: 'hidden', terminal: { identities: [] } },
  'absent, identity': { presence: 'absent' },
  'sms, none': { bearer: 'sms', terminal: { identities: [] } },
  'sms, identity': { bearer: 'sms' },
};

describe('the mode, also of terminals whose names cannot be routed (SIR-23)', () => {
  it.each<[situation: string, nothing: SirMode, ...wanted: [SirMode, SirMode][]]>([
    // situation            nothing wanted   wanted → had
    [
      'alone, identity',
      'routed',
      ['filtered', 'filtered'],
      ['open', 'open'],
      ['plain', 'plain'],
      ['proxy-routed', 'proxy-routed'],
    ],
    ['alone, none', 'routed', ['filtered', 'routed'], ['proxy-routed', 'routed'], ['open', 'open']],
    [
      'hidden, identity',
      'filtered',
      ['routed', 'filtered'],
      ['proxy-routed', 'proxy-routed'],
      ['open', 'open'],
    ],
    ['hidden, serial', 'filtered', ['proxy-routed', 'filtered'], ['routed', 'filtered']],
    ['hidden, none', 'open', ['routed', 'open'], ['filtered', 'open'], ['plain', 'plain']],
    ['absent, identity', 'routed', ['routed', 'routed'], ['filtered', 'filtered']],
    ['sms, none', 'routed', ['filtered', 'routed'], ['proxy-routed', 'routed'], ['open', 'open']],
    ['sms, identity', 'routed', ['filtered', 'filtered'], ['proxy-routed', 'routed']],
  ])('%s: without a wish %s, with one %j %j %j %j', (situation, nothing, ...wanted) => {
    const known = modes[situation];
    expect(planSir(subject(known)).mode).toBe(nothing);
    for (const [wish, had] of wanted) {
      const plan = planSir(subject({ ...known, targeting: wants({ mode: wish }) }));
      expect([wish, plan.mode]).toEqual([wish, had]);
      expect(plan.reasons.join('; ')).toContain("the user's rule 1");
    }
  });

  it.each<[Partial<SirSubject>, SirMode]>([
    [{}, 'plain'],
    [{ isNamed: true }, 'routed'],
    [{ alwaysIncludeIdentity: true }, 'routed'],
    [{ targeting: wants({ mode: 'routed' }) }, 'routed'],
    [{ bearer: 'sms' }, 'plain'],
  ])('of the only terminal with %j is %s', (more, mode) => {
    expect(planSir(subject({ isMulti: false, ...more })).mode).toBe(mode);
  });
});

describe('a plan', () => {
  it.each<[SirMode, string, string | undefined, string]>([
    ['routed', 'terminal', UUID.value, 'header,body'],
    ['proxy-routed', 'terminal', UUID.value, 'value,body'],
    ['filtered', 'user', UUID.value, 'header,body'],
    ['open', 'user', undefined, ''],
    ['plain', 'user', undefined, ''],
  ])('of mode %s goes to the %s', (mode, audience, device, places) => {
    const plan = planSir(subject({ targeting: wants({ mode }) }));
    expect([plan.audience, plan.device?.value, plan.identityIn.join()]).toEqual([audience, device, places]);
  });

  it('puts the identity where a rule wants it, and nowhere in a SIR without one', () => {
    const identityIn = ['body'] as const;
    expect(planSir(subject({ targeting: wants({ identityIn }) })).identityIn).toEqual(['body']);
    expect(planSir(subject({ targeting: wants({ identityIn, mode: 'open' }) })).identityIn).toEqual([]);
  });

  it('puts it into the body by bearers that have no other place, and says so', () => {
    const targeting = wants({ mode: 'filtered', identityIn: ['header', 'value'] });
    const plan = planSir(subject({ bearer: 'sms', targeting }));
    expect(plan).toMatchObject({ mode: 'filtered', device: UUID, identityIn: ['body'] });
    expect(plan.reasons).toContain('the identity stands in the body, which is all that comes by sms');
    expect(planSir(subject({ bearer: 'ussd' })).identityIn).toEqual(['body']);
  });

  it('of the plain kind goes to the terminal where it is the only one', () => {
    expect(planSir(subject({ isMulti: false }))).toMatchObject({ mode: 'plain', audience: 'terminal' });
  });
});

describe('the identity that is carried', () => {
  it.each([
    [[SERIAL, UUID, GRUU], GRUU],
    [[SERIAL, UUID], UUID],
    [[SERIAL], SERIAL],
    [[], undefined],
  ])('of %j is %j', (identities, carried) => {
    expect(identityToCarry({ identities })).toEqual(carried);
  });
});
