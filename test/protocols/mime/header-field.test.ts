/** Header blocks: lines, folding, line ends, limits. */
import { describe, expect, it } from 'vitest';
import { DecodeError, InvariantError } from '../../../src/kernel/errors.js';
import { decodeHeaderBlock, encodeHeaderBlock, headerValue } from '../../../src/protocols/mime/index.js';

const LIMITS = { maxHeaderBytes: 1000, maxHeaders: 5 };
const decode = (text: string | Uint8Array) => decodeHeaderBlock(Buffer.from(text), 0, LIMITS);

describe('decodeHeaderBlock', () => {
  it('keeps names, values and their order', () => {
    expect(
      decode('Content-Type: a/b\r\nX-Wap-Application-Id:  x-wap-application:wml.ua \r\n\r\nbody').fields,
    ).toEqual([
      { name: 'Content-Type', value: 'a/b' },
      { name: 'X-Wap-Application-Id', value: 'x-wap-application:wml.ua' },
    ]);
  });

  it('ends right behind the empty line', () => {
    expect(decode('A: b\r\n\r\nbody').end).toBe(8);
  });

  it('reads a block without fields', () => {
    expect(decode('\r\nbody')).toEqual({ fields: [], end: 2 });
  });

  it('reads lines that end in a bare line feed', () => {
    expect(decode('A: b\nC: d\n\nbody')).toEqual({
      fields: [
        { name: 'A', value: 'b' },
        { name: 'C', value: 'd' },
      ],
      end: 11,
    });
  });

  it('joins folded lines with one space', () => {
    expect(decode('A: b\r\n\t c\r\n d\r\n\r\n').fields).toEqual([{ name: 'A', value: 'b c d' }]);
  });

  it('reads an empty value', () => {
    expect(decode('A:\r\n\r\n').fields).toEqual([{ name: 'A', value: '' }]);
  });

  it('drops white space before the colon', () => {
    expect(decode('A : b\r\n\r\n').fields).toEqual([{ name: 'A', value: 'b' }]);
  });

  it('reads UTF-8', () => {
    expect(decode('A: grüß\r\n\r\n').fields).toEqual([{ name: 'A', value: 'grüß' }]);
  });

  it('reads octets that are not UTF-8 as ISO-8859-1', () => {
    expect(decode(Buffer.from('A: gr\xfc\xdf\r\n\r\n', 'latin1')).fields).toEqual([
      { name: 'A', value: 'grüß' },
    ]);
  });

  it.each([
    ['a line without a colon', 'nonsense\r\n\r\n'],
    ['an empty name', ': b\r\n\r\n'],
    ['a space inside a name', 'A B: c\r\n\r\n'],
    ['a folded first line', ' A: b\r\n\r\n'],
    ['a NUL in a value', 'A: b\0c\r\n\r\n'],
    ['a bare carriage return in a value', 'A: b\rc\r\n\r\n'],
    ['an octet over 7F in a name', 'Ä: b\r\n\r\n'],
    ['a line that is cut off', 'A: b\r\nC: d'],
  ])('refuses %s', (_, text) => {
    expect(() => decode(text)).toThrow(DecodeError);
  });

  it('refuses more fields than its limit', () => {
    expect(() => decode(`${'A: b\r\n'.repeat(6)}\r\n`)).toThrow(
      expect.objectContaining({ code: 'limitExceeded' }),
    );
  });

  it('refuses a block longer than its limit', () => {
    expect(() => decode(`A: ${'x'.repeat(2000)}\r\n\r\n`)).toThrow(
      expect.objectContaining({ code: 'limitExceeded' }),
    );
  });
});

describe('encodeHeaderBlock', () => {
  it('writes what is read again', () => {
    const fields = [
      { name: 'Content-Type', value: 'text/plain; charset=utf-8' },
      { name: 'X-Name', value: 'grüß' },
    ];
    expect(decode(encodeHeaderBlock(fields)).fields).toEqual(fields);
  });

  it('refuses a value that would start another line', () => {
    expect(() => encodeHeaderBlock([{ name: 'A', value: 'b\r\nC: d' }])).toThrow(InvariantError);
  });

  it('refuses a name that is none', () => {
    expect(() => encodeHeaderBlock([{ name: 'A B', value: 'c' }])).toThrow(InvariantError);
  });
});

describe('headerValue', () => {
  it('ignores case and takes the first', () => {
    const fields = [
      { name: 'content-TYPE', value: 'a/b' },
      { name: 'Content-Type', value: 'c/d' },
    ];
    expect(headerValue(fields, 'Content-Type')).toBe('a/b');
  });

  it('is undefined for an absent field', () => {
    expect(headerValue([], 'Content-Type')).toBeUndefined();
  });
});
