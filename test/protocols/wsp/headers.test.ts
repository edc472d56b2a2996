/** WSP header blocks: text and binary forms of each value type, unknown fields, code pages, limits, hostile input. */
import { describe, expect, it } from 'vitest';
import { DecodeError, RefusedError } from '../../../src/kernel/errors.js';
import { parseContentType } from '../../../src/protocols/mime/content-type.js';
import { decodeHeaders, encodeHeaders } from '../../../src/protocols/wsp/headers.js';
import { WSP_LIMITS } from '../../../src/protocols/wsp/limits.js';
import { readMediaType, writeMediaType } from '../../../src/protocols/wsp/media-type.js';
import { OctetReader, OctetWriter } from '../../../src/protocols/wsp/octets.js';
import * as wsp from '../../../src/protocols/wsp/primitives.js';
import { decodePush, encodePush } from '../../../src/protocols/wsp/push-pdu.js';

const octets = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const textHex = (text: string) => `${Buffer.from(text, 'latin1').toString('hex')}00`;

const FIELDS: readonly (readonly [what: string, name: string, value: string, hex: string])[] = [
  ['an application id with a number', 'X-Wap-Application-Id', 'x-wap-application:wml.ua', 'af82'],
  ['an application id of its own', 'X-Wap-Application-Id', 'x-acme:meter', `af${textHex('x-acme:meter')}`],
  ['an application id whose number we do not know', 'X-Wap-Application-Id', 'x-number:36965', 'af029065'],
  ['Accept-Application', 'Accept-Application', 'x-wap-application:*', 'b280'],
  ['a small integer', 'Push-Flag', '7', 'b487'],
  ['a large integer', 'Content-Length', '65536', '8d03010000'],
  ['a date', 'Expires', 'Tue, 15 Nov 1994 08:12:31 GMT', '94042ec86d6f'],
  ['a text', 'X-Wap-Content-URI', 'http://a.example/', `b0${textHex('http://a.example/')}`],
  ['a text that starts above 7F', 'User-Agent', '\u00e9toile', `a97f${textHex('\u00e9toile')}`],
  ['a token with a number', 'Content-Encoding', 'deflate', '8b82'],
  ['a token without one', 'Content-Encoding', 'br', `8b${textHex('br')}`],
  ['a version', 'Encoding-Version', '1.3', 'c393'],
  ['a version without a minor', 'Encoding-Version', '1', 'c39f'],
  ['a charset', 'Accept-Charset', 'utf-8', 'bbea'],
  ['a charset with a large number', 'Accept-Charset', 'utf-16', 'bb030203f7'],
  ['a charset with a weight', 'Accept-Charset', 'utf-8;q=0.5', 'bb02ea33'],
  ['a media type', 'Accept', 'text/vnd.wap.wml', '8088'],
  ['a media type with a weight', 'Accept', 'text/vnd.wap.wml; q=0.5', '8003888033'],
  [
    'a field without a number',
    'X-Acme-Hint',
    'night shift',
    `${textHex('X-Acme-Hint')}${textHex('night shift')}`,
  ],
];

describe('fields', () => {
  for (const [what, name, value, hex] of FIELDS) {
    it(`writes ${what}`, () => {
      expect(hexOf(encodeHeaders([{ name, value }]))).toBe(hex);
    });
    it(`reads ${what}`, () => {
      expect(decodeHeaders(octets(hex))).toEqual([{ name, value }]);
    });
  }

  it('names are compared without case', () => {
    expect(hexOf(encodeHeaders([{ name: 'x-wap-application-id', value: 'X-WAP-Application:WML.ua' }]))).toBe(
      'af82',
    );
  });

  it('a value outside the type of its field goes as text, name and all', () => {
    expect(hexOf(encodeHeaders([{ name: 'Expires', value: 'soon' }]))).toBe(
      textHex('Expires') + textHex('soon'),
    );
  });

  it('a field with a binary form that push does not need goes as text', () => {
    expect(hexOf(encodeHeaders([{ name: 'Cache-Control', value: 'no-cache' }]))).toBe(
      textHex('Cache-Control') + textHex('no-cache'),
    );
  });

  it('keeps the octets of a value that has no text here, and writes them back', () => {
    const block = octets('bd 03 82 81 0a');
    const headers = decodeHeaders(block);
    expect(headers).toEqual([{ name: 'Cache-Control', value: '', octets: octets('0382810a') }]);
    expect(hexOf(encodeHeaders(headers))).toBe(hexOf(block));
  });

  it('keeps the octets of a value that is not of the type of its field', () => {
    expect(decodeHeaders(octets('b4 02 8101'))).toEqual([{ name: 'Push-Flag', value: '33025' }]);
    expect(decodeHeaders(octets('94 81'))).toEqual([{ name: 'Expires', value: '', octets: octets('81') }]);
  });

  it('reads a value of the older field number of the same name', () => {
    expect(decodeHeaders(octets('81ea'))).toEqual([{ name: 'Accept-Charset', value: 'utf-8' }]);
  });

  it('reads over unknown numbers', () => {
    expect(decodeHeaders(octets('ff 81 fe 03 010203 fd 616200 b481'))).toEqual([
      { name: 'Push-Flag', value: '1' },
    ]);
  });

  it('reads over other code pages, entered by either shift, and comes back', () => {
    expect(decodeHeaders(octets('7f02 b481 01 b482 05 b483 7f01 b484'))).toEqual([
      { name: 'Push-Flag', value: '2' },
      { name: 'Push-Flag', value: '4' },
    ]);
  });
});

describe('content types', () => {
  const TYPES: readonly (readonly [string, string])[] = [
    ['application/vnd.wap.sic', 'ae'],
    ['application/vnd.wap.sic; charset=utf-8', '03ae81ea'],
    ['application/vnd.omaloc-supl-init', '03020312'],
    ['text/x-acme', textHex('text/x-acme')],
    ['text/plain; charset=x-klingon', `1383${textHex('charset')}${textHex('x-klingon')}`],
    ['application/vnd.wap.multipart.related; type=application/smil', `13b389${textHex('application/smil')}`],
    ['application/x-acme; type=1', `1a${textHex('application/x-acme')}${textHex('type')}${textHex('1')}`],
    ['text/plain; name="a b"', `068385${textHex('a b')}`],
    ['text/plain; x="a b"', `0883${textHex('x')}22${textHex('a b')}`],
  ];
  for (const [text, hex] of TYPES) {
    it(`${text} round trips`, () => {
      const writer = new OctetWriter();
      writeMediaType(writer, parseContentType(text));
      expect(hexOf(writer.written())).toBe(hex);
      expect(readMediaType(new OctetReader(octets(hex)))).toEqual(parseContentType(text));
    });
  }

  it('a long parameter makes the length two octets and more', () => {
    const value = parseContentType(`text/plain; name=${'n'.repeat(200)}`);
    const writer = new OctetWriter();
    writeMediaType(writer, value);
    expect(hexOf(writer.written().subarray(0, 5))).toBe('1f814b8385');
    expect(readMediaType(new OctetReader(writer.written()))).toEqual(value);
  });

  for (const [what, hex] of [
    ['an unknown number', 'ff'],
    ['an unknown number in general form', '02027fff'],
    ['a text without a slash', textHex('text')],
    ['a text with a line break', textHex('a/b\r\nX: y')],
    ['an unknown parameter token', '03ae9f80'],
    ['a length beyond the end', '05ae81ea'],
    ['an empty general form', '00'],
  ] as const) {
    it(`refuses ${what}`, () => {
      expect(() => readMediaType(new OctetReader(octets(hex)))).toThrow(DecodeError);
    });
  }
});

describe('limits', () => {
  it('refuses a block with more fields than allowed', () => {
    const block = octets('b481'.repeat(WSP_LIMITS.maxHeaders + 1));
    expect(() => decodeHeaders(block)).toThrow(expect.objectContaining({ code: 'limitExceeded' }));
  });

  it('counts page shifts as fields', () => {
    expect(() => decodeHeaders(new Uint8Array(100).fill(1))).toThrow(
      expect.objectContaining({ code: 'limitExceeded' }),
    );
  });

  it('refuses a block longer than allowed', () => {
    const block = new Uint8Array(WSP_LIMITS.maxHeaderBytes + 1).fill(0x81);
    expect(() => decodeHeaders(block)).toThrow(expect.objectContaining({ code: 'limitExceeded' }));
  });

  it('refuses a PDU that is not Push', () => {
    expect(() => decodePush(octets('010700'))).toThrow(/not Push/);
  });

  it('refuses a uintvar of more than 32 bits', () => {
    expect(() => wsp.readUintvar(new OctetReader(octets('9080808000')))).toThrow(DecodeError);
    expect(() => wsp.readUintvar(new OctetReader(octets('808080808001')))).toThrow(DecodeError);
  });

  it('reads and writes every boundary of a uintvar', () => {
    for (const value of [
      0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455, 268_435_456, 0xffff_ffff,
    ]) {
      const writer = new OctetWriter();
      wsp.writeUintvar(writer, value);
      expect(wsp.readUintvar(new OctetReader(writer.written()))).toBe(value);
    }
  });

  it('refuses a long-integer that loses precision', () => {
    expect(() => wsp.readInteger(new OctetReader(octets('0720000000000000')))).toThrow(DecodeError);
  });

  it('does not write a control character, a bad name or a bad transaction id', () => {
    expect(() => encodeHeaders([{ name: 'From', value: 'a\nb' }])).toThrow(RefusedError);
    expect(() => encodeHeaders([{ name: 'a b', value: '' }])).toThrow(RefusedError);
    const pdu = { contentType: parseContentType('text/plain'), headers: [], body: new Uint8Array() };
    expect(() => encodePush({ transactionId: 256, ...pdu })).toThrow(RefusedError);
  });

  it('writes text above U+00FF as UTF-8', () => {
    expect(hexOf(encodeHeaders([{ name: 'User-Agent', value: '€' }]))).toBe('a97fe282ac00');
  });
});

it('answers mutated pushes with a value or a DecodeError, and what it reads it can write', () => {
  let state = 987_654_321;
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const seeds = FIELDS.map(([, , , hex]) => octets(hex));
  let read = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const block = Buffer.concat([
      octets(random(2) === 0 ? 'ae' : '03ae81ea'),
      ...Array.from({ length: random(4) }, () => seeds[random(seeds.length)] ?? octets('')),
    ]);
    const pdu = Buffer.concat([octets('0106'), Buffer.from([block.length]), block, octets('0102')]);
    for (let change = random(4); change > 0; change -= 1) pdu[random(pdu.length)] = random(256);
    const cut = pdu.subarray(0, random(8) === 0 ? random(pdu.length) : pdu.length);
    try {
      const push = decodePush(cut);
      read += 1;
      expect(decodePush(Buffer.from(encodePush(push)))).toEqual(push);
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError);
    }
  }
  expect(read).toBeGreaterThan(5_000);
});
