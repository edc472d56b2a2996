/** Canonical public user identities (SIR-8; RFC 3261 §10.3, RFC 3966 §5). */
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../src/kernel/errors.js';
import { publicUserIdentity } from '../../src/registry/public-user-identity.js';
import { terminalId } from '../../src/registry/terminal-id.js';

const CANONICAL: readonly (readonly [string, string])[] = [
  ['sip:alice@example.test', 'sip:alice@example.test'],
  ['SIP:user@COMPANY.com', 'sip:user@company.com'],
  ['sip:Alice@example.test', 'sip:Alice@example.test'],
  ['sip:+43-8323546@mobilkom.example', 'sip:+43-8323546@mobilkom.example'],
  ['sip:%2B43664@example.test', 'sip:+43664@example.test'],
  ['sip:%61lice@example.test', 'sip:alice@example.test'],
  ['sip:a%20b@example.test', 'sip:a%20b@example.test'],
  ['sip:a%c3%bc@example.test', 'sip:a%C3%BC@example.test'],
  ['sip:aü@example.test', 'sip:a%C3%BC@example.test'],
  ['sip:alice:secret@example.test', 'sip:alice@example.test'],
  ['sip:alice@example.test:5060;user=phone?subject=x', 'sip:alice@example.test'],
  ['sip:alice@example.test:5070', 'sip:alice@example.test:5070'],
  ['sips:alice@example.test:5061', 'sips:alice@example.test'],
  ['sip:alice;tag=1@example.test', 'sip:alice;tag=1@example.test'],
  ['sip:alice@[2001:DB8::1]', 'sip:alice@[2001:db8::1]'],
  ['sip:alice@example.test.', 'sip:alice@example.test'],
  [`sip:alice@example.test;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6`, 'sip:alice@example.test'],
  ['TEL:+43 664'.replace(' ', '-'), 'tel:+43664'],
  ['tel:+43-(664).1;ext=7', 'tel:+436641'],
  ['tel:%2B43664', 'tel:+43664'],
  ['tel:7042;phone-context=EXAMPLE.com', 'tel:7042;phone-context=example.com'],
  ['mailto:Alice@Example.TEST?subject=hi', 'mailto:Alice@example.test'],
];

describe('canonical form', () => {
  for (const [text, canonical] of CANONICAL) {
    it(`of ${text} is ${canonical}`, () => {
      expect(publicUserIdentity(text)).toBe(canonical);
    });
    it(`${canonical} is stable`, () => {
      expect(publicUserIdentity(canonical)).toBe(canonical);
    });
  }
});

describe('refused', () => {
  for (const text of [
    '',
    'alice',
    'alice@example.test',
    'http://example.test/',
    'sip:',
    'sip:@example.test',
    'sip:example.test',
    'sip:alice@',
    'sip:alice@exa mple.test',
    'sip:al ice@example.test',
    'sip:al\nice@example.test',
    'sip:al%0aice@example.test',
    'sip:a%zz@example.test',
    'sip:alice@example.test:0',
    'sip:alice@example.test:65536',
    'sip:alice@example.test;a;a',
    'tel:',
    'tel:7042',
    'tel:+',
    'tel:+43x',
    'mailto:alice',
    'mailto:@example.test',
    'sip:alice@-example.test',
    `sip:${'a'.repeat(600)}@example.test`,
    'sip:a\ud800@example.test',
  ]) {
    it(JSON.stringify(text).slice(0, 60), () => {
      expect(() => publicUserIdentity(text)).toThrow(DecodeError);
    });
  }
});

describe('terminal id', () => {
  const alice = publicUserIdentity('sip:alice@example.test');

  it('is the published function of user and name', () => {
    expect(terminalId(alice, 'phone')).toBe('oInlQlH46xRqwvRfzeIQwQ');
  });

  it('differs by user and by name', () => {
    const ids = [
      terminalId(alice, 'phone'),
      terminalId(alice, 'pc'),
      terminalId(publicUserIdentity('sip:bob@example.test'), 'phone'),
    ];
    expect(new Set(ids).size).toBe(3);
  });
});
