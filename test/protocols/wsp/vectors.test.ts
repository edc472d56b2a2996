/** Captured and published WSP octets: every one decodes to its meaning, and encodes back where it was in the shortest form. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatContentType, parseContentType } from '../../../src/protocols/mime/content-type.js';
import { decodeHeaders, encodeHeaders } from '../../../src/protocols/wsp/headers.js';
import { readCharset, readMediaType, writeMediaType } from '../../../src/protocols/wsp/media-type.js';
import { OctetReader, OctetWriter } from '../../../src/protocols/wsp/octets.js';
import * as wsp from '../../../src/protocols/wsp/primitives.js';
import { decodePush, encodePush } from '../../../src/protocols/wsp/push-pdu.js';

interface Vector {
  readonly name: string;
  readonly input: string;
  readonly hex: string;
  readonly layer: string;
  readonly type?: string;
}

const VECTORS: readonly Vector[] = JSON.parse(
  readFileSync(new URL('../../vectors/push.json', import.meta.url), 'utf8'),
);
const ofLayer = (layer: string) => VECTORS.filter((vector) => vector.layer === layer);
const named = (name: string): Buffer => {
  const vector = VECTORS.find((candidate) => candidate.name === name);
  if (vector === undefined) throw new Error(`no vector ${name}`);
  return Buffer.from(vector.hex, 'hex');
};
const hexOf = (octets: Uint8Array) => Buffer.from(octets).toString('hex');
const written = (write: (writer: OctetWriter) => void) => {
  const writer = new OctetWriter();
  write(writer);
  return hexOf(writer.written());
};

const READERS: Readonly<Record<string, (reader: OctetReader) => string | number>> = {
  uintvar: wsp.readUintvar,
  'value-length': wsp.readValueLength,
  'long-integer': wsp.readLongInteger,
  'q-value': wsp.readQuality,
  'text-string': wsp.readText,
  'quoted-string': wsp.readTextValue,
};
const WRITERS: Readonly<Record<string, (writer: OctetWriter, text: string) => void>> = {
  uintvar: (writer, text) => wsp.writeUintvar(writer, Number(text)),
  'value-length': (writer, text) => wsp.writeValueLength(writer, Number(text)),
  'long-integer': (writer, text) => wsp.writeLongInteger(writer, Number(text)),
  'q-value': wsp.writeQuality,
  'text-string': wsp.writeText,
  'quoted-string': wsp.writeTextValue,
};

describe('primitives', () => {
  for (const { name, type = '', input, hex } of ofLayer('wsp-primitive')) {
    // The vector file prints the unprintable U+0080 as nothing.
    const meaning = name === 'moz-text-quote' ? '\u0080' : input;

    it(`${name} is read`, () => {
      const reader = new OctetReader(Buffer.from(hex, 'hex'));
      expect(String(READERS[type]?.(reader))).toBe(meaning);
      expect(reader.remaining).toBe(0);
    });

    // One vector has a leading zero group, which nobody writes.
    if (name !== 'moz-uintvar-leading80') {
      it(`${name} is written`, () => {
        expect(written((writer) => WRITERS[type]?.(writer, meaning))).toBe(hex);
      });
    }
  }
});

describe('header fields', () => {
  const EXPECTED: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
    'moz-hdr-pushflag0': [['Push-Flag', '0']],
    'moz-hdr-app': [['A', 'B']],
    'moz-hdr-age-appid': [
      ['Age', '9000'],
      ['X-Wap-Application-Id', 'x-wap-application:mms.ua'],
    ],
  };
  for (const { name, hex } of ofLayer('wsp-header')) {
    it(`${name} decodes and encodes back`, () => {
      const headers = decodeHeaders(Buffer.from(hex, 'hex'));
      expect(headers.map((header) => [header.name, header.value])).toEqual(EXPECTED[name]);
      expect(hexOf(encodeHeaders(headers))).toBe(hex);
    });
  }
});

describe('header values', () => {
  it('an application id is one octet', () => {
    expect(decodeHeaders(Buffer.from(`af${hexOf(named('moz-appid-short'))}`, 'hex'))).toEqual([
      { name: 'X-Wap-Application-Id', value: 'x-wap-application:mms.ua' },
    ]);
  });

  it('a content type in general form with a parameter token as long-integer and an untyped parameter', () => {
    const { mediaType, parameters } = readMediaType(new OctetReader(named('moz-ct-general')));
    expect(formatContentType(mediaType, parameters)).toBe(
      'application/vnd.wap.mms-message; start="<smil>"; a=B',
    );
  });

  it('a content type that is one octet', () => {
    const octets = named('moz-ct-related');
    const value = readMediaType(new OctetReader(octets));
    expect(value).toEqual({ mediaType: 'application/vnd.wap.multipart.related', parameters: new Map() });
    expect(written((writer) => writeMediaType(writer, value))).toBe(hexOf(octets));
  });

  it('a charset in general form', () => {
    const octets = Buffer.concat([Buffer.from('81', 'hex'), named('moz-charset-utf8-general')]);
    expect(decodeHeaders(octets)).toEqual([{ name: 'Accept-Charset', value: 'utf-8' }]);
  });

  it('covers every vector of the layer', () => {
    expect(ofLayer('wsp-header-value').map(({ name }) => name)).toEqual([
      'moz-appid-short',
      'moz-ct-general',
      'moz-ct-related',
      'moz-charset-utf8-general',
    ]);
  });
});

describe('push PDUs', () => {
  const EXPECTED: Readonly<
    Record<
      string,
      { tid: number; type: string; headers: readonly (readonly [string, string])[]; bodyLength: number }
    >
  > = {
    'mmsd-mms-push-1': {
      tid: 1,
      type: 'application/vnd.wap.mms-message',
      headers: [
        ['X-Wap-Application-Id', 'x-wap-application:mms.ua'],
        ['Push-Flag', '6'],
      ],
      bodyLength: 68,
    },
    'mmsd-cp-push': {
      tid: 0xc4,
      type: 'application/vnd.wap.connectivity-wbxml; sec=USERPIN; mac=59D36D14E88499A3D56EBA6D4F94A67041BD2A9C',
      headers: [],
      bodyLength: 65,
    },
    'pym-mms-notif-wsp': {
      tid: 1,
      type: 'application/vnd.wap.mms-message',
      headers: [['X-Wap-Application-Id', 'x-wap-application:mms.ua']],
      bodyLength: 145,
    },
    'pym-si-vodafone-wsp': {
      tid: 1,
      type: 'application/vnd.wap.sic; charset=utf-8',
      headers: [
        ['Encoding-Version', '1.5'],
        ['Content-Length', '162'],
        ['Push-Flag', '4'],
      ],
      bodyLength: 162,
    },
    'smspr-si': { tid: 0x25, type: 'application/vnd.wap.sic; charset=utf-8', headers: [], bodyLength: 73 },
    'neo-si': { tid: 1, type: 'application/vnd.wap.sic', headers: [], bodyLength: 33 },
  };
  /** A phone network may spell out what has a number; those come back shorter. */
  const SPELT_OUT = new Set(['mmsd-mms-push-1', 'pym-mms-notif-wsp']);

  for (const { name, hex } of ofLayer('wsp-push-pdu')) {
    const octets = Buffer.from(hex, 'hex');

    it(`${name} decodes`, () => {
      const pdu = decodePush(octets);
      expect({
        tid: pdu.transactionId,
        type: formatContentType(pdu.contentType.mediaType, pdu.contentType.parameters),
        headers: pdu.headers.map((header) => [header.name, header.value]),
        bodyLength: pdu.body.length,
      }).toEqual(EXPECTED[name]);
    });

    it(`${name} encodes back ${SPELT_OUT.has(name) ? 'to the same meaning' : 'byte-exactly'}`, () => {
      const pdu = decodePush(octets);
      const again = encodePush(pdu);
      if (SPELT_OUT.has(name)) expect(decodePush(Buffer.from(again))).toEqual(pdu);
      else expect(hexOf(again)).toBe(hex);
    });

    it(`${name} cut anywhere in its headers is refused`, () => {
      const headersEnd = octets.length - decodePush(octets).body.length;
      for (let length = 0; length < headersEnd; length += 1) {
        expect(() => decodePush(octets.subarray(0, length))).toThrow();
      }
    });
  }

  it('a prefix: the header part of a service loading push', () => {
    const octets = named('emclient-sl-hdr');
    const pdu = decodePush(octets);
    expect(pdu).toMatchObject({
      transactionId: 0x0a,
      contentType: parseContentType('application/vnd.wap.slc; charset=utf-8'),
    });
    expect(hexOf(encodePush(pdu))).toBe(hexOf(octets));
  });

  it('a header block whose media type has a long number', () => {
    const octets = named('supl-hdr-1');
    const reader = new OctetReader(octets);
    const contentType = readMediaType(reader);
    expect(contentType.mediaType).toBe('application/vnd.omaloc-supl-init');
    const headers = decodeHeaders(reader.take(reader.remaining));
    expect(headers).toEqual([{ name: 'X-Wap-Application-Id', value: 'x-oma-application:ulp.ua' }]);
    expect(written((writer) => writeMediaType(writer, contentType)) + hexOf(encodeHeaders(headers))).toBe(
      hexOf(octets),
    );
  });

  it('the SIR header of the wire format: B4 AF 81', () => {
    const contentType = parseContentType('application/vnd.wap.sia');
    const headers = [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:push.sia' }];
    expect(hexOf(encodePush({ transactionId: 1, contentType, headers, body: new Uint8Array() }))).toBe(
      '010603b4af81',
    );
  });
});

it('reads a charset by its text name', () => {
  expect(readCharset(new OctetReader(Buffer.from('UTF-8\0')))).toBe('utf-8');
});
