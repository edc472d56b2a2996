/** Cache Operation: what its XML means, what is refused. */
import { expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import { CO } from '../../../src/protocols/co/index.js';
import { contentValidator as validator } from '../../support/content.js';

const decodeXml = (xml: string) => CO.decodeXml(Buffer.from(xml), { validator });

it('keeps the operations in their order', () => {
  expect(
    decodeXml('<co>\n<invalidate-service uri="http://a/"/><invalidate-object uri="http://b/c"/></co>'),
  ).toEqual({
    invalidations: [
      { kind: 'service', uri: 'http://a/' },
      { kind: 'object', uri: 'http://b/c' },
    ],
  });
});

it.each([
  ['no operation', '<co/>'],
  ['an operation without a URI', '<co><invalidate-object/></co>'],
  ['an unknown operation', '<co><invalidate-all uri=""/></co>'],
])('refuses %s', (_, xml) => {
  expect(() => decodeXml(xml)).toThrow(DecodeError);
});

it.each([
  ['no operation', '05'],
  ['an operation without a URI', '450601'],
])('refuses WBXML with %s', (_, body) => {
  expect(() => CO.decode(Buffer.from(`02076a00${body}`, 'hex'))).toThrow(DecodeError);
});
