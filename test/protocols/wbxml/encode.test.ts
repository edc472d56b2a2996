/** The WBXML writer: which token it takes, and what it refuses to write. */
import { describe, expect, it } from 'vitest';
import { InvariantError, RefusedError } from '../../../src/kernel/errors.js';
import {
  decodeOpaqueInstant,
  decodeWbxml,
  encodeOpaqueInstant,
  encodeWbxml,
  type TokenTableRows,
  tokenTable,
  type WbxmlElement,
  type WbxmlNode,
  type WbxmlPiece,
  wbxmlOfXml,
} from '../../../src/protocols/wbxml/index.js';

const ROWS: TokenTableRows = {
  publicId: 0x05,
  formalPublicId: '-//TEST//DTD T//EN',
  systemId: 't.dtd',
  version: 0x02,
  tags: [
    { page: 0, code: 0x05, name: 'a' },
    { page: 1, code: 0x06, name: 'b' },
    { page: 1, code: 0x05, name: 'a' },
  ],
  attributes: [
    { page: 0, code: 0x05, name: 'x' },
    { page: 0, code: 0x06, name: 'x', prefix: 'http://' },
    { page: 0, code: 0x07, name: 'x', prefix: 'http://www.' },
    { page: 0, code: 0x08, name: 'x', whole: 'on' },
    { page: 0, code: 0x09, name: 'y', whole: 'only' },
    { page: 1, code: 0x05, name: 'z' },
    { page: 1, code: 0x06, name: 'x' },
    { page: 0, code: 0x0a, name: 'when' },
  ],
  values: [
    { page: 0, code: 0x85, text: '.com/' },
    { page: 0, code: 0x86, text: '.com/mail' },
    { page: 1, code: 0x87, text: 'page one' },
  ],
  valuesStand: 'anywhere',
  instants: ['when'],
};
const ANYWHERE = tokenTable(ROWS);
const ALONE = tokenTable({ ...ROWS, valuesStand: 'alone' });

const text = (value: string) => ({ kind: 'text', text: value }) as const;
const element = (
  name: string,
  attributes: Readonly<Record<string, string | readonly WbxmlPiece[]>> = {},
  ...content: WbxmlNode[]
): WbxmlElement => ({
  kind: 'element',
  name,
  attributes: Object.entries(attributes).map(([attribute, value]) => ({
    name: attribute,
    value: typeof value === 'string' ? (value === '' ? [] : [text(value)]) : value,
  })),
  content,
});
const HEADER = '02056a00';
const body = (root: WbxmlElement, table = ANYWHERE) => {
  const hex = Buffer.from(encodeWbxml(root, table)).toString('hex');
  expect(hex.slice(0, HEADER.length)).toBe(HEADER);
  return hex.slice(HEADER.length);
};
const hex = (value: string) => Buffer.from(value).toString('hex');
const string = (value: string) => `03${hex(value)}00`;

describe('writes', () => {
  it.each<[string, WbxmlElement, string]>([
    ['an empty element', element('a'), '05'],
    ['text as UTF-8', element('a', {}, text('ä😀')), `45${string('ä😀')}01`],
    ['text that looks like a value, as text', element('a', {}, text('.com/')), `45${string('.com/')}01`],
    ['a tag on the page that is current', element('b', {}, element('a')), '0001460501'],
    ['an empty value', element('a', { x: '' }), '850501'],
    ['the longest beginning that fits', element('a', { x: 'http://www.h' }), `8507${string('h')}01`],
    ['a beginning without a rest', element('a', { x: 'http://' }), '850601'],
    ['a whole value', element('a', { x: 'on' }), '850801'],
    ['a longer value without the whole one', element('a', { x: 'once' }), `8505${string('once')}01`],
    ['parts of a value', element('a', { x: 'a.com/b' }), `8505${string('a')}85${string('b')}01`],
    ['the longest part that fits', element('a', { x: 'a.com/mail' }), `8505${string('a')}8601`],
    ['an attribute of another page', element('a', { z: 'v' }), `85000105${string('v')}01`],
    ['a name on the page that is current', element('a', { z: '', x: 'v' }), `8500010506${string('v')}01`],
    ['a page switch before an attribute rather than in it', element('a', { x: 'page one' }), '850001068701'],
    [
      'opaque octets',
      element('a', { x: [{ kind: 'opaque', octets: Buffer.from([1, 0]) }] }),
      '8505c302010001',
    ],
    [
      'pieces of a value',
      element('a', { x: [text('http://'), { kind: 'opaque', octets: Buffer.from([7]) }, text('on')] }),
      `8506c30107${string('on')}01`,
    ],
    [
      'extensions',
      element(
        'a',
        {},
        { kind: 'extension', number: 0, value: 'v' },
        { kind: 'extension', number: 1, value: 200 },
        { kind: 'extension', number: 2 },
      ),
      '45407600818148c201',
    ],
  ])('%s', (_, root, expected) => {
    expect(body(root)).toBe(expected);
  });

  it('a value token for a whole value only, where the type says so', () => {
    expect(body(element('a', { x: 'a.com/' }), ALONE)).toBe(`8505${string('a.com/')}01`);
    expect(body(element('a', { x: '.com/' }), ALONE)).toBe('85058501');
  });

  it('what it reads again', () => {
    const root = element(
      'a',
      { x: [text('http://www.'), { kind: 'opaque', octets: Uint8Array.of(0) }], z: 'page one', when: '' },
      text('t'),
      element('b', {}, { kind: 'extension', number: 1, value: 'w' }),
    );
    expect(decodeWbxml(encodeWbxml(root, ANYWHERE), ANYWHERE)).toEqual({
      version: 2,
      publicId: 5,
      charset: 106,
      root,
    });
  });
});

describe('refuses', () => {
  it.each<[string, WbxmlElement, string]>([
    ['an unknown element', element('a', {}, element('blink')), 'no token for the element blink'],
    ['an unknown attribute', element('a', { own: '1' }), 'no token for the attribute own with this value'],
    [
      'a value outside a closed list',
      element('a', { y: 'other' }),
      'no token for the attribute y with this value',
    ],
    [
      'no value where there is a closed list',
      element('a', { y: '' }),
      'no token for the attribute y with this value',
    ],
    ['the character zero in text', element('a', {}, text('a\0b')), 'character U+0000 in a text'],
    ['the character zero in a value', element('a', { x: '\0' }), 'character U+0000 in a text'],
    [
      'the character zero in an extension',
      element('a', {}, { kind: 'extension', number: 0, value: '\0' }),
      'character U+0000 in an extension',
    ],
    ['a fourth extension', element('a', {}, { kind: 'extension', number: 3 }), 'no extension 3'],
    [
      'elements too deep',
      Array.from({ length: 40 }).reduce<WbxmlElement>((inner) => element('a', {}, inner), element('a')),
      'elements too deep',
    ],
  ])('%s', (_, root, detail) => {
    expect(() => encodeWbxml(root, ANYWHERE)).toThrow(
      expect.objectContaining({ code: 'transformationFailed', detail }),
    );
  });

  it('an instant that is none', () => {
    const given = { name: 'a', attributes: new Map([['when', 'soon']]), children: [], text: '' };
    expect(() => wbxmlOfXml(given, ANYWHERE)).toThrow(RefusedError);
  });
});

describe('token tables', () => {
  it.each<[string, Partial<TokenTableRows>]>([
    ['a tag twice', { tags: [...ROWS.tags, { page: 0, code: 0x05, name: 'd' }] }],
    ['a tag in the global tokens', { tags: [{ page: 0, code: 0x04, name: 'd' }] }],
    ['a tag with a flag', { tags: [{ page: 0, code: 0x45, name: 'd' }] }],
    ['an attribute in the values', { attributes: [{ page: 0, code: 0x85, name: 'd' }] }],
    ['an attribute in the global tokens', { attributes: [{ page: 0, code: 0x43, name: 'd' }] }],
    ['a value in the global tokens', { values: [{ page: 0, code: 0xc3, text: 'd' }] }],
    ['a value in the attributes', { values: [{ page: 0, code: 0x05, text: 'd' }] }],
  ])('refuse %s', (_, rows) => {
    expect(() => tokenTable({ ...ROWS, ...rows })).toThrow(InvariantError);
  });
});

describe('instants', () => {
  it.each([
    ['2026-08-01T00:00:00Z', '20260801'],
    ['1999-06-25T15:00:00Z', '1999062515'],
    ['2002-04-16T06:40:00Z', '200204160640'],
    ['1999-06-25T15:23:15Z', '19990625152315'],
    ['1999-06-25T00:00:01Z', '19990625000001'],
    ['2010-10-10T00:10:00Z', '201010100010'],
  ])('%s is %s', (instant, octets) => {
    expect(Buffer.from(encodeOpaqueInstant(Date.parse(instant))).toString('hex')).toBe(octets);
    expect(decodeOpaqueInstant(Buffer.from(octets, 'hex'))).toBe(Date.parse(instant));
  });

  it('zero octets at the end may be there', () => {
    expect(decodeOpaqueInstant(Buffer.from('20260801000000', 'hex'))).toBe(Date.UTC(2026, 7, 1));
  });

  it('fractions of a second are dropped', () => {
    expect(encodeOpaqueInstant(Date.UTC(2026, 7, 1, 0, 0, 0, 999))).toHaveLength(4);
  });

  it.each([
    '',
    '2026',
    '202608',
    '2026080a',
    '20261301',
    '20260230',
    '2026080124',
    '2026080100000000',
    '2026080112600000',
  ])('%j is none', (octets) => {
    expect(() => decodeOpaqueInstant(Buffer.from(octets, 'hex'))).toThrow(
      expect.objectContaining({ code: 'malformed' }),
    );
  });
});
