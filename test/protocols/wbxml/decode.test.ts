/** The WBXML reader by a small document type of the test's own: every token, every refusal, every limit. */
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import {
  decodeWbxml,
  tokenTable,
  WBXML_LIMITS,
  type WbxmlElement,
  type WbxmlNode,
  xmlOfWbxml,
} from '../../../src/protocols/wbxml/index.js';

const TABLE = tokenTable({
  publicId: 0x1234,
  formalPublicId: '-//TEST//DTD T//EN',
  systemId: 't.dtd',
  version: 0x03,
  tags: [
    { page: 0, code: 0x05, name: 'a' },
    { page: 0, code: 0x06, name: 'b' },
    { page: 1, code: 0x05, name: 'c' },
  ],
  attributes: [
    { page: 0, code: 0x05, name: 'x' },
    { page: 0, code: 0x06, name: 'x', prefix: 'http://' },
    { page: 0, code: 0x07, name: 'y', whole: 'on' },
    { page: 1, code: 0x05, name: 'z' },
    { page: 1, code: 0x06, name: 'when' },
  ],
  values: [
    { page: 0, code: 0x85, text: '.com/' },
    { page: 1, code: 0x85, text: '.org/' },
  ],
  valuesStand: 'anywhere',
  instants: ['when'],
});

/** Version 1.3, public id 0x1234, UTF-8, then the string table and the body. */
const octets = (body: string, strings = '') => {
  const table = Buffer.from(strings, 'latin1');
  return Buffer.concat([
    Buffer.from([0x03, 0xa4, 0x34, 0x6a, table.length]),
    table,
    Buffer.from(body.replaceAll(' ', ''), 'hex'),
  ]);
};
const decode = (body: string, strings = '') => decodeWbxml(octets(body, strings), TABLE).root;
const element = (name: string, ...content: WbxmlNode[]): WbxmlElement => ({
  kind: 'element',
  name,
  attributes: [],
  content,
});
const text = (value: string) => ({ kind: 'text', text: value }) as const;

describe('content', () => {
  it.each<[string, string, WbxmlElement, string?]>([
    ['an empty element', '05', element('a')],
    ['an element with content that is empty', '45 01', element('a')],
    ['elements in elements', '45 46 05 01 06 01', element('a', element('b', element('a')), element('b'))],
    ['an inline string', '45 03 68 69 00 01', element('a', text('hi'))],
    ['a string in UTF-8', '45 03 c3 a4 00 01', element('a', text('ä'))],
    ['a string of the table', '45 83 03 01', element('a', text('ho')), 'hi\0ho\0'],
    ['the end of a string of the table', '45 83 01 01', element('a', text('i')), 'hi\0'],
    ['a string of the table without its zero octet', '45 83 00 01', element('a', text('hi')), 'hi'],
    ['an entity', '45 02 84 20 01', element('a', text('\u0220'))],
    ['pieces of text as one', '45 03 61 00 02 62 83 00 01', element('a', text('abc')), 'c\0'],
    ['an empty string as nothing', '45 03 00 01', element('a')],
    ['opaque octets', '45 c3 02 00 01 01', element('a', { kind: 'opaque', octets: Buffer.from([0, 1]) })],
    [
      'extensions',
      '45 41 68 69 00 82 05 c0 01',
      element(
        'a',
        { kind: 'extension', number: 1, value: 'hi' },
        { kind: 'extension', number: 2, value: 5 },
        { kind: 'extension', number: 0 },
      ),
    ],
    ['a literal tag', '04 00', element('own'), 'own\0'],
    ['a literal tag with content', '44 00 05 01', element('own', element('a')), 'own\0'],
    ['a tag of another code page', '45 00 01 05 00 00 06 01', element('a', element('c'), element('b'))],
    ['a page switch before the root', '00 01 05', element('c')],
    ['a processing instruction, dropped', '43 05 03 68 00 01 45 43 05 01 06 01', element('a', element('b'))],
    ['a processing instruction behind the root', '05 43 05 01', element('a')],
  ])('reads %s', (_, body, expected, strings) => {
    expect(decode(body, strings)).toEqual(expected);
  });
});

describe('attributes', () => {
  it.each<[string, string, Readonly<Record<string, string>>, string?]>([
    ['a name with a string', '85 05 03 68 69 00 01', { x: 'hi' }],
    ['a name alone', '85 05 01', { x: '' }],
    ['the beginning of a value and its rest', '85 06 03 68 00 01', { x: 'http://h' }],
    ['a whole value', '85 07 01', { y: 'on' }],
    ['parts of a value', '85 05 03 68 00 85 03 69 00 01', { x: 'h.com/i' }],
    ['several attributes', '85 07 05 83 00 01', { y: 'on', x: 'v' }, 'v\0'],
    ['an attribute of another code page', '85 07 00 01 05 85 01', { y: 'on', z: '.org/' }],
    ['a page switch inside a value', '85 05 00 01 85 01', { x: '.org/' }],
    ['a literal attribute', '85 04 00 03 68 00 01', { own: 'h' }, 'own\0'],
    ['attributes of a literal tag', '84 00 07 01', { y: 'on' }, 'own\0'],
    ['an entity in a value', '85 05 02 26 01', { x: '&' }],
    [
      'opaque octets that are an instant',
      '85 00 01 06 c3 04 20 26 08 01 01',
      { when: '2026-08-01T00:00:00Z' },
    ],
    ['an instant as text', '85 00 01 06 03 32 30 00 01', { when: '20' }],
  ])('reads %s', (_, body, expected, strings) => {
    expect(Object.fromEntries(xmlOfWbxml(decode(body, strings), TABLE).attributes)).toEqual(expected);
  });

  it('keeps the attribute page from one element to the next', () => {
    expect(decode('c5 00 01 05 01 86 05 01 01')).toMatchObject({
      attributes: [{ name: 'z' }],
      content: [{ name: 'b', attributes: [{ name: 'z' }] }],
    });
  });

  it('refuses opaque octets and extensions that the type gives no meaning', () => {
    for (const body of ['85 05 c3 01 00 01', '85 05 c0 01', '45 c3 01 00 01', '45 c0 01']) {
      const tree = decode(body);
      expect(() => xmlOfWbxml(tree, TABLE)).toThrow(DecodeError);
    }
  });
});

describe('headers', () => {
  const header = (hex: string) => decodeWbxml(Buffer.from(hex.replaceAll(' ', ''), 'hex'), TABLE);
  const spelled = (name: string) =>
    Buffer.concat([Buffer.from([0x01, 0x00, 0x00, 0x6a, name.length]), Buffer.from(name), Buffer.from([5])]);

  it.each([1, 2, 3])('version octet %i is read', (version) => {
    expect(header(`0${version} a4 34 6a 00 05`).version).toBe(version);
  });

  it.each(['00', '04', '13'])('version octet %s is not supported', (version) => {
    expect(() => header(`${version} a4 34 6a 00 05`)).toThrow(
      expect.objectContaining({ code: 'versionNotSupported' }),
    );
  });

  it.each([
    ['the number of the type', octets('05')],
    ['the unknown identifier', Buffer.from('03016a0005', 'hex')],
    ['the identifier spelled out', spelled('-//TEST//DTD T//EN\0')],
    ['the identifier in another case', spelled('-//test//dtd t//en\0')],
  ])('takes %s', (_, bytes) => {
    expect(decodeWbxml(bytes, TABLE).root.name).toBe('a');
  });

  it.each([
    ['another number', Buffer.from('03056a0005', 'hex')],
    ['another identifier', spelled('-//TEST//DTD U//EN\0')],
    ['an identifier outside the table', Buffer.from('0300096a0005', 'hex')],
  ])('refuses %s', (_, bytes) => {
    expect(() => decodeWbxml(bytes, TABLE)).toThrow(DecodeError);
  });

  it.each([
    ['ISO-8859-1', '04', 'e4', 'ä'],
    ['US-ASCII', '03', '61', 'a'],
    ['UTF-8 where nothing is said', '00', 'c3a4', 'ä'],
  ])('reads strings in %s', (_, charset, string, expected) => {
    const { root } = header(`03 a4 34 ${charset} 00 45 03 ${string} 00 01`);
    expect(root.content).toEqual([text(expected)]);
  });

  it.each([
    ['an octet over 7F in US-ASCII', '03 a4 34 03 00 45 03 e4 00 01'],
    ['an octet that is not UTF-8', '03 a4 34 6a 00 45 03 e4 00 01'],
    ['a character set that we do not read', '03 a4 34 87 68 00 05'],
  ])('refuses %s', (_, hex) => {
    expect(() => header(hex)).toThrow(DecodeError);
  });
});

describe('refuses', () => {
  it.each<[string, string, string?]>([
    ['nothing', ''],
    ['a tag that the type does not have', '07'],
    ['a tag of another page', '00 01 06'],
    ['a second root', '05 05'],
    ['text around the root', '03 61 00 05'],
    ['an element without its end', '45 05'],
    ['attributes without their end', '85 07'],
    ['a string without its end', '45 03 61'],
    ['opaque octets that are cut off', '45 c3 05 00'],
    ['an attribute that the type does not have', '85 08 01'],
    ['a value that the type does not have', '85 05 86 01'],
    ['a value without an attribute', '85 85 01'],
    ['text without an attribute', '85 03 61 00 01'],
    ['an attribute twice', '85 05 05 01'],
    ['the same attribute by another token', '85 05 06 01'],
    ['an instruction inside attributes', '85 05 43 01'],
    ['a literal tag inside attributes', '85 05 84 00 01', 'own\0'],
    ['an instruction without a target', '43 01 05'],
    ['an instruction with two targets', '43 05 07 01 05'],
    ['a string outside the table', '45 83 04 01', 'hi\0'],
    ['a literal that is no name', '04 00', '1 <\0'],
    ['an empty literal', '04 00', '\0'],
    ['the character zero', '45 02 00 01'],
    ['half a surrogate pair', '45 02 83 b0 00 01'],
    ['a character beyond Unicode', '45 02 c4 80 00 01'],
    ['an integer of more than 32 bits', '45 02 ff ff ff ff ff 7f 01'],
  ])('%s', (_, body, strings) => {
    expect(() => decode(body, strings)).toThrow(expect.objectContaining({ code: 'malformed' }));
  });

  it('a string table that is longer than the document', () => {
    expect(() => decodeWbxml(Buffer.from('03a4346a7f05', 'hex'), TABLE)).toThrow(DecodeError);
  });

  it('at the octet where it stopped', () => {
    expect(() => decode('45 05 07')).toThrow(expect.objectContaining({ offset: 7 }));
  });
});

describe('limits', () => {
  const over = (bytes: Uint8Array, limits = WBXML_LIMITS) =>
    expect(() => decodeWbxml(bytes, TABLE, limits)).toThrow(
      expect.objectContaining({ code: 'limitExceeded' }),
    );

  it('octets of the document', () => over(octets('05'), { ...WBXML_LIMITS, maxBytes: 5 }));
  it('octets of the string table', () =>
    over(octets('05', 'a'.repeat(100)), { ...WBXML_LIMITS, maxStringTableBytes: 99 }));
  it('elements inside each other', () => over(octets('45'.repeat(WBXML_LIMITS.maxDepth + 1))));
  it('elements beside each other', () => over(octets(`45${'05'.repeat(WBXML_LIMITS.maxNodes)}01`)));
  it('attributes', () => over(octets('850507000105 01'), { ...WBXML_LIMITS, maxNodes: 3 }));
  it('pieces that are not text', () => over(octets(`45${'c0'.repeat(WBXML_LIMITS.maxNodes)}01`)));
  it('a long string of the table, named again and again', () =>
    over(octets(`45${'8300'.repeat(2100)}01`, 'a'.repeat(127))));
  it('a long inline extension', () =>
    over(octets(`45 40 ${'61'.repeat(100)} 00 01`), { ...WBXML_LIMITS, maxTextLength: 99 }));

  it('as deep as allowed is read', () => {
    const depth = WBXML_LIMITS.maxDepth;
    expect(decode(`${'45'.repeat(depth - 1)}05${'01'.repeat(depth - 1)}`).name).toBe('a');
  });
});
