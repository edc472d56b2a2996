import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../src/kernel/errors.js';
import {
  addressPattern,
  applicationPattern,
  matchesApplication,
  matchesPattern,
} from '../../src/registry/initiator-pattern.js';
import { seededRandom } from '../support/seeded-random.js';

describe('a pattern', () => {
  it.each([
    ['*', ''],
    ['*', 'tel:+43664'],
    ['tel:+43*', 'tel:+43'],
    ['tel:+43*', 'tel:+436641234567'],
    ['sip:*@example.test', 'sip:alice@example.test'],
    ['*@example.test', 'sips:alice@example.test'],
    ['a*b*c', 'aXbXbc'],
    ['a**c', 'ac'],
    ['sip:a.c@x', 'sip:a.c@x'],
  ])('%s fits %j', (pattern, text) => {
    expect(matchesPattern(pattern, text)).toBe(true);
  });

  it.each([
    ['', 'x'],
    ['tel:+43*', 'tel:+44'],
    ['tel:+43', 'tel:+436'],
    ['sip:*@example.test', 'sip:alice@example.test.evil'],
    ['sip:*@example.test', 'sips:alice@example.test'],
    ['sip:alice@x', 'sip:Alice@x'],
    ['sip:a.c@x', 'sip:abc@x'],
    ['a*b', 'a*bc'],
  ])('%s does not fit %j', (pattern, text) => {
    expect(matchesPattern(pattern, text)).toBe(false);
  });

  it('agrees with a regular expression on any text', () => {
    const random = seededRandom(7);
    const draw = (letters: string, most: number) =>
      Array.from({ length: random.below(most) }, () => letters[random.below(letters.length)]).join('');
    for (let count = 0; count < 3000; count += 1) {
      const pattern = draw('ab*', 7);
      const text = draw('ab', 9);
      const expected = new RegExp(`^${pattern.replace(/\*+/g, '.*')}$`).test(text);
      expect([pattern, text, matchesPattern(pattern, text)]).toEqual([pattern, text, expected]);
    }
  });

  it('that was made to be slow is not', () => {
    expect(matchesPattern('*a'.repeat(128), 'a'.repeat(1000).concat('b'))).toBe(false);
  });
});

describe('a pattern of addresses', () => {
  it.each([
    ['TEL:+43*', 'tel:+43*'],
    ['SIP:Alice*@Example.TEST', 'sip:Alice*@example.test'],
    ['*@Example.test', '*@example.test'],
    ['*', '*'],
    ['*:*@Example.test', '*:*@example.test'],
    ['ipv4:192.0.2.*', 'ipv4:192.0.2.*'],
  ])('%s is kept as %s', (text, kept) => {
    expect(addressPattern(text)).toBe(kept);
  });

  it.each(['', 'alice', '+43*', 'tel:+43 664*', 'tel:+43-664*', 'x'.repeat(300)])('%j is refused', (text) => {
    expect(() => addressPattern(text)).toThrow(DecodeError);
  });
});

describe('a pattern of application ids', () => {
  it('fits the full id and its last part, whatever the case', () => {
    expect(matchesApplication(applicationPattern('MMS.ua'), 'x-wap-application:mms.ua')).toBe(true);
    expect(matchesApplication('x-wap-application:*', 'X-WAP-Application:mms.ua')).toBe(true);
    expect(matchesApplication('mms.ua', 'mms.UA')).toBe(true);
  });

  it('fits no other', () => {
    expect(matchesApplication('mms.ua', 'x-wap-application:wml.ua')).toBe(false);
    expect(matchesApplication('mms.ua', 'x-wap-application:mms.uax')).toBe(false);
  });

  it.each(['', 'a b', 'mms.ua; app-encoding=x'])('%j is refused', (text) => {
    expect(() => applicationPattern(text)).toThrow(DecodeError);
  });
});
