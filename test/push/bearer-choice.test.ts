/** Ways to a terminal: in which order they are tried, and what goes out by each. */
import { describe, expect, it } from 'vitest';
import { type BearerWishes, waysTo } from '../../src/push/bearer-choice.js';
import type { Bearer } from '../../src/push/ports.js';
import type { BearerName } from '../../src/registry/bearer-name.js';
import type { ActivationMethod } from '../../src/registry/user.js';

const wakes = (down?: string): Bearer => ({
  wake: async () => ({ kind: 'handed', detail: '' }),
  isDown: (address) => address !== undefined && address === down,
});
const carries = (down?: string): Bearer => ({ ...wakes(down), carry: async () => ({ kind: 'confirmed' }) });

const SIP: ActivationMethod = { bearer: 'sip' };
const SMS: ActivationMethod = { bearer: 'sms', address: '+436641234567' };
const WSP: ActivationMethod = { bearer: 'wsp', address: '192.0.2.7:2948' };
const USSD: ActivationMethod = { bearer: 'ussd', address: '+436641234567' };

const BEARERS = new Map<BearerName, Bearer>([
  ['sip', wakes()],
  ['sms', carries()],
  ['wsp', carries()],
  ['ussd', wakes()],
]);

function ways(
  activation: readonly ActivationMethod[],
  quality: { bearer?: string; bearerRequired: boolean } = { bearerRequired: false },
  bearers: ReadonlyMap<BearerName, Bearer> = BEARERS,
): readonly string[] {
  return waysTo({ activation }, quality, bearers).map((way) => `${way.bearer} ${way.carries}`);
}

describe('what goes out', () => {
  it('to a terminal that is reached by SIP too is a SIR, by every bearer', () => {
    expect(ways([SIP, SMS, WSP])).toEqual(['sip sir', 'sms sir', 'wsp sir']);
  });

  it('to a plain handset is the push itself, where the bearer can carry it', () => {
    expect(ways([SMS, WSP, USSD])).toEqual(['sms content', 'wsp content', 'ussd sir']);
  });

  it('is what the activation method says, where the bearer can', () => {
    const said: readonly ActivationMethod[] = [
      SIP,
      { ...SMS, carries: 'content' },
      { ...USSD, carries: 'content' },
    ];
    expect(ways(said)).toEqual(['sip sir', 'sms content', 'ussd sir']);
    expect(ways([{ ...SMS, carries: 'sir' }])).toEqual(['sms sir']);
  });

  it('by a bearer that the gateway does not have is a SIR that will fail in front of the operator', () => {
    expect(ways([SMS, SIP], undefined, new Map([['sip', wakes()]]))).toEqual(['sms sir', 'sip sir']);
  });
});

describe('the order', () => {
  it('is that of the terminal (SIR-29)', () => {
    expect(ways([WSP, SMS])).toEqual(['wsp content', 'sms content']);
  });

  it('puts the bearer first that the initiator wishes', () => {
    expect(ways([WSP, SMS], { bearer: 'SMS', bearerRequired: false })).toEqual([
      'sms content',
      'wsp content',
    ]);
    expect(ways([SMS, WSP], { bearer: 'gprs', bearerRequired: false })).toEqual([
      'wsp content',
      'sms content',
    ]);
  });

  it('has nothing but the bearer that the initiator requires', () => {
    expect(ways([WSP, SMS], { bearer: 'SMS', bearerRequired: true })).toEqual(['sms content']);
    expect(ways([WSP, SMS], { bearer: 'MPAK', bearerRequired: true })).toEqual([]);
  });

  it('has all of them when any is required', () => {
    expect(ways([WSP, SMS], { bearer: 'Any', bearerRequired: true })).toHaveLength(2);
  });

  it('is by cost where nobody has another one', () => {
    const costs = { sms: 4, ussd: 1 };
    const order = (wishes: BearerWishes) =>
      waysTo({ activation: [SMS, USSD, WSP, SIP] }, undefined, BEARERS, { costs, ...wishes }).map(
        ({ bearer }) => bearer,
      );
    expect(order({})).toEqual(['wsp', 'sip', 'ussd', 'sms']);
    expect(order({ liked: ['sms'] })).toEqual(['sms', 'wsp', 'sip', 'ussd']);
    expect(order({ only: ['sms', 'ussd'] })).toEqual(['sms', 'ussd']);
  });

  it('puts last what is known to be down, also when it is wished', () => {
    const bearers = new Map(BEARERS).set('sms', carries(SMS.address));
    const wish = { bearer: 'SMS', bearerRequired: false };
    expect(ways([SMS, WSP], wish, bearers)).toEqual(['wsp content', 'sms content']);
  });
});
