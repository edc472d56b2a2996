/** Preferences out of free-form records; quiet hours. */
import { describe, expect, it } from 'vitest';
import { quietUntil, statedPreferences } from '../../src/registry/stated-preferences.js';

const stated = (preferences: Record<string, unknown>, returned?: unknown) =>
  statedPreferences({
    preferences,
    ...(returned === undefined
      ? {}
      : { returned: { preference: { version: 1, at: 1, information: returned } } }),
  });

describe('for each key', () => {
  it('what was provisioned counts before what the terminal returned', () => {
    const returned = { bearers: ['sip'], refusedTypes: ['video/*'] };
    expect(stated({ bearers: ['sms'] }, returned)).toEqual({ bearers: ['sms'], refusedTypes: ['video/*'] });
  });

  it('what is of another shape states nothing', () => {
    const nonsense = {
      applications: ['mms.ua'],
      refusedTypes: [1],
      bearers: 'sms',
      quietHours: { from: '22', to: '06:00' },
    };
    expect(stated(nonsense)).toEqual({});
    expect(
      stated({
        applications: { a: 'no' },
        quietHours: { from: '22:00', to: '06:00', timeZone: 'Moon/Base' },
      }),
    ).toEqual({});
  });

  it('bearers of other names are passed over', () => {
    expect(stated({ bearers: ['pigeon', 'sms'] })).toEqual({ bearers: ['sms'] });
  });
});

describe('quiet hours', () => {
  const at = (text: string) => Date.parse(`2026-03-01T${text}Z`);
  const until = (hours: object, text: string) => {
    const end = quietUntil(stated({ quietHours: hours }), at(text));
    return end === undefined ? undefined : new Date(end).toISOString().slice(0, 16);
  };
  const night = { from: '22:00', to: '06:30' };

  it.each([
    ['21:59:59', undefined],
    ['22:00:00', '2026-03-02T06:30'],
    ['23:59:59', '2026-03-02T06:30'],
    ['00:00:00', '2026-03-01T06:30'],
    ['06:29:59', '2026-03-01T06:30'],
    ['06:30:00', undefined],
  ])('over midnight at %s hold until %s', (text, end) => {
    expect(until(night, text)).toBe(end);
  });

  it.each([
    ['11:59:00', undefined],
    ['12:00:00', '2026-03-01T13:00'],
    ['13:00:00', undefined],
  ])('of a day at %s hold until %s', (text, end) => {
    expect(until({ from: '12:00', to: '13:00' }, text)).toBe(end);
  });

  it('are those of the time zone', () => {
    expect(until({ ...night, timeZone: 'Asia/Tokyo' }, '14:00:00')).toBe('2026-03-01T21:30');
    expect(until({ ...night, timeZone: 'Asia/Tokyo' }, '22:00:00')).toBeUndefined();
  });

  it('that nobody stated hold never', () => {
    expect(quietUntil(stated({}), at('03:00:00'))).toBeUndefined();
  });
});
