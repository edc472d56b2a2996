/** Content-Type values: what is read, what is refused, and what comes out again. */
import { describe, expect, it } from 'vitest';
import { DecodeError, InvariantError } from '../../../src/kernel/errors.js';
import { formatContentType, parseContentType } from '../../../src/protocols/mime/index.js';

const READ: readonly [string, string, Record<string, string>][] = [
  ['text/plain', 'text/plain', {}],
  ['Application/XML', 'application/xml', {}],
  ['application/xml; charset=UTF-8', 'application/xml', { charset: 'UTF-8' }],
  [
    'multipart/related; type="application/xml"; boundary=b1',
    'multipart/related',
    { type: 'application/xml', boundary: 'b1' },
  ],
  ['multipart/related;boundary="a b"', 'multipart/related', { boundary: 'a b' }],
  ['multipart/related; BOUNDARY = b1 ;', 'multipart/related', { boundary: 'b1' }],
  [
    'multipart/related; boundary=b1; type=application/xml',
    'multipart/related',
    { boundary: 'b1', type: 'application/xml' },
  ],
  ['multipart/related; boundary=----=_Part_12.34', 'multipart/related', { boundary: '----=_Part_12.34' }],
  ['a/b; c="x\\"y\\\\z"', 'a/b', { c: 'x"y\\z' }],
  ['a/b; c=""', 'a/b', { c: '' }],
  ['a/b;; c=d', 'a/b', { c: 'd' }],
  ['\ta/b\r\n ; c=d', 'a/b', { c: 'd' }],
  ['application/vnd.wap.sic', 'application/vnd.wap.sic', {}],
];

const REFUSED: readonly [string, string][] = [
  ['nothing', ''],
  ['no subtype', 'text'],
  ['an empty subtype', 'text/'],
  ['a space in the type', 'te xt/plain'],
  ['no separator before a parameter', 'text/plain charset=x'],
  ['a parameter without a value', 'text/plain; charset'],
  ['a parameter with an empty bare value', 'text/plain; charset='],
  ['an unfinished quoted string', 'text/plain; charset="x'],
  ['a quoted string that ends in an escape', 'text/plain; charset="x\\'],
  ['text after a quoted string', 'text/plain; charset="x"y'],
  ['one parameter twice', 'multipart/related; boundary=a; Boundary=b'],
  ['a NUL in a value', 'text/plain; charset=a\0b'],
];

describe('parseContentType', () => {
  it.each(READ)('reads %j', (text, mediaType, parameters) => {
    const value = parseContentType(text);
    expect(value.mediaType).toBe(mediaType);
    expect(Object.fromEntries(value.parameters)).toEqual(parameters);
  });

  it.each(REFUSED)('refuses %s', (_, text) => {
    expect(() => parseContentType(text)).toThrow(DecodeError);
  });

  it('refuses more parameters than its limit', () => {
    const text = `a/b${Array.from({ length: 40 }, (_, index) => `; p${index}=x`).join('')}`;
    expect(() => parseContentType(text)).toThrow(expect.objectContaining({ code: 'limitExceeded' }));
  });

  it('refuses a value longer than its limit', () => {
    expect(() => parseContentType(`a/b; c=${'x'.repeat(5000)}`)).toThrow(
      expect.objectContaining({ code: 'limitExceeded' }),
    );
  });
});

describe('formatContentType', () => {
  it('quotes what is no token', () => {
    expect(
      formatContentType('a/b', [
        ['c', 'd'],
        ['e', 'f g'],
        ['h', 'i"j\\k'],
        ['l', ''],
      ]),
    ).toBe('a/b; c=d; e="f g"; h="i\\"j\\\\k"; l=""');
  });

  it('writes what it reads again', () => {
    const parameters: [string, string][] = [
      ['boundary', "x'()+_,-./:=? y"],
      ['type', 'application/xml'],
    ];
    const value = parseContentType(formatContentType('multipart/related', parameters));
    expect([...value.parameters]).toEqual(parameters);
  });

  it('refuses to write a line break', () => {
    expect(() => formatContentType('a/b', [['c', 'd\r\nX: y']])).toThrow(InvariantError);
  });
});
