/** E-Mail Notification: what its XML means, what is refused, what is written. */
import { expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import { EMN } from '../../../src/protocols/emn/index.js';
import { contentValidator as validator } from '../../support/content.js';

const decodeXml = (xml: string) => EMN.decodeXml(Buffer.from(xml), { validator });

it('names a mailbox and a moment', () => {
  expect(decodeXml('<emn mailbox="mailat:u@example.com" timestamp="2026-08-01T10:00:00Z"/>')).toEqual({
    mailbox: 'mailat:u@example.com',
    timestamp: Date.UTC(2026, 7, 1, 10),
  });
});

it.each([
  ['mailat:u', '07'],
  ['pop://u', '08'],
  ['imap://u', '09'],
  ['http://u', '0a'],
  ['http://www.u', '0b'],
  ['https://u', '0c'],
  ['https://www.u', '0d'],
  ['u', '06'],
])('%s begins with token %s', (mailbox, token) => {
  expect(Buffer.from(EMN.encode({ mailbox })).toString('hex')).toBe(`030d6a0085${token}03750001`);
});

it('a domain has no slash in its token', () => {
  expect(Buffer.from(EMN.encode({ mailbox: 'mailat:u@a.com' })).toString('hex')).toBe(
    '030d6a00850703754061008501',
  );
});

it('its XML form is read again', () => {
  const notification = { mailbox: 'imap://u@example.org/<INBOX>', timestamp: 0 };
  expect(EMN.decodeXml(EMN.encodeXml(notification), { validator })).toEqual(notification);
});

it.each([
  ['no mailbox', '<emn/>'],
  ['a moment that is none', '<emn mailbox="" timestamp="now"/>'],
])('refuses %s', (_, xml) => {
  expect(() => decodeXml(xml)).toThrow(DecodeError);
});

it('refuses WBXML without a mailbox', () => {
  expect(() => EMN.decode(Buffer.from('030d6a0005', 'hex'))).toThrow(DecodeError);
});
