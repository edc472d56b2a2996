/** Service Loading: what its XML means, what is refused, what is written. */
import { expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import { SL } from '../../../src/protocols/sl/index.js';
import { contentValidator as validator } from '../../support/content.js';

const decodeXml = (xml: string) => SL.decodeXml(Buffer.from(xml), { validator });
const hexOf = (octets: Uint8Array) => Buffer.from(octets).toString('hex');

it('has a default action', () => {
  expect(decodeXml('<sl href="http://a.example/"/>')).toEqual({
    href: 'http://a.example/',
    action: 'execute-low',
  });
});

it.each([
  ['execute-low', '02066a00850801'],
  ['execute-high', '02066a0085080601'],
  ['cache', '02066a0085080701'],
] as const)('the action %s is written as %s', (action, octets) => {
  expect(hexOf(SL.encode({ href: '', action }))).toBe(octets);
  expect(SL.decode(Buffer.from(octets, 'hex'))).toEqual({ href: '', action });
});

it.each([
  ['no href', '<sl/>'],
  ['an unknown action', '<sl href="" action="delete"/>'],
  ['content', '<sl href="">text</sl>'],
  ['another root', '<si href=""/>'],
])('refuses %s', (_, xml) => {
  expect(() => decodeXml(xml)).toThrow(DecodeError);
});

it('refuses WBXML without href', () => {
  expect(() => SL.decode(Buffer.from('02066a0005', 'hex'))).toThrow(DecodeError);
});
