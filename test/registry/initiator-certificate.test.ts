import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../src/kernel/errors.js';
import {
  certificateFingerprint,
  certificateSubject,
  subjectFromLines,
} from '../../src/registry/initiator-certificate.js';

describe('the fingerprint of a certificate', () => {
  const DIGITS = '0123456789abcdef'.repeat(4);

  it('is kept in lower case without colons', () => {
    expect(certificateFingerprint(DIGITS.toUpperCase())).toBe(DIGITS);
    expect(certificateFingerprint(DIGITS.replace(/(..)(?=.)/g, '$1:'))).toBe(DIGITS);
  });

  it.each(['', DIGITS.slice(1), `${DIGITS}0`, DIGITS.replace('f', 'g')])('is not %j', (text) => {
    expect(() => certificateFingerprint(text)).toThrow(DecodeError);
  });
});

describe('the subject of a certificate', () => {
  it('reads from the most specific part to the least', () => {
    expect(subjectFromLines('C=AT\nO=Example\nCN=pi.example.test')).toBe('CN=pi.example.test,O=Example,C=AT');
  });

  it('keeps several values of one part together, and escapes as they are', () => {
    expect(subjectFromLines('O=Example\\, Inc.\nCN=pi + UID=a \\+ b')).toBe(
      'CN=pi+UID=a \\+ b,O=Example\\, Inc.',
    );
  });

  it('is taken as it is written', () => {
    expect(certificateSubject('CN=pi,O=Example')).toBe('CN=pi,O=Example');
  });

  it.each(['', 'pi', 'subject=', 'CN=a\nO=b', `CN=${'x'.repeat(1100)}`])('is not %j', (text) => {
    expect(() => certificateSubject(text)).toThrow(DecodeError);
  });
});
