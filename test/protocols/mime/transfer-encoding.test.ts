/** Undoing Content-Transfer-Encoding: exact, or refused. */
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import { decodeTransferEncoding } from '../../../src/protocols/mime/index.js';

const decode = (text: string, encoding: string | undefined) =>
  Buffer.from(decodeTransferEncoding(Buffer.from(text, 'latin1'), encoding)).toString('latin1');

describe('decodeTransferEncoding', () => {
  it.each([undefined, '7bit', '8BIT', ' binary '])('leaves content as it is for %j', (encoding) => {
    expect(decode('a=3D\0\xff', encoding)).toBe('a=3D\0\xff');
  });

  it.each([
    ['', ''],
    ['aGk=', 'hi'],
    ['aA==', 'h'],
    ['aGVsbG8h\r\n', 'hello!'],
    ['aGVs\r\nbG8h', 'hello!'],
    ['//79', '\xff\xfe\xfd'],
  ])('reads the base64 %j', (text, expected) => {
    expect(decode(text, 'Base64')).toBe(expected);
  });

  it.each(['aGk', 'aGk*', 'aG=k', '=aGk', 'aGk==', 'aGl=', 'aGk=aGk=', 'aGk-', 'a'])(
    'refuses %j as base64',
    (text) => {
      expect(() => decode(text, 'base64')).toThrow(DecodeError);
    },
  );

  it.each([
    ['', ''],
    ['plain text\r\n', 'plain text\r\n'],
    ['=3D=ff=00', '=\xff\0'],
    ['a=\r\nb', 'ab'],
    ['a= \t\r\nb', 'ab'],
    ['a=\nb', 'ab'],
  ])('reads the quoted-printable %j', (text, expected) => {
    expect(decode(text, 'quoted-printable')).toBe(expected);
  });

  it.each(['=', '=3', '=G0', 'a\xff', 'a\0', '= x'])('refuses %j as quoted-printable', (text) => {
    expect(() => decode(text, 'quoted-printable')).toThrow(DecodeError);
  });

  it('refuses an encoding that it does not know', () => {
    expect(() => decode('x', 'x-uuencode')).toThrow(DecodeError);
  });
});
