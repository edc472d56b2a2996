/** SIA bodies (SIR-51 … SIR-73): worked octets, both readings of the application list, the extension block, hostile input. */
import { describe, expect, it } from 'vitest';
import { DecodeError, InvariantError, RefusedError } from '../../../src/kernel/errors.js';
import {
  decodeSia,
  encodeSia,
  ipContactPoint,
  ipOfContactPoint,
  OTA_HTTP_CPITAG,
  OTA_SIP,
  SIA_LIMITS,
  type Sia,
  type SiaExtension,
  signedOctets,
} from '../../../src/protocols/sia/index.js';
import { randomSia, seeded } from './random-sia.js';

const octets = (hex: string) => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const UUID = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
const GR_LINE = `gr=${UUID}`;

const EMPTY: Sia = {
  version: 1,
  applicationIds: [],
  wspContactPoints: [],
  contactPoints: [],
  protocolOptions: [],
  provisioningUrl: '',
  cpiTags: [],
};
const NO_LINES: SiaExtension = { identities: [], return: [], send: [], unknown: [] };
const extensionOf = (text: string) => {
  const body = Buffer.from(text, 'utf8');
  const length = body.length < 128 ? [body.length] : [0x80 | (body.length >> 7), body.length & 0x7f];
  return decodeSia(Buffer.concat([octets('01 00 00 00 00 00 00'), Buffer.from(length), body])).extension;
};

describe('worked examples', () => {
  const TABLE_2: Sia = {
    ...EMPTY,
    applicationIds: ['x-wap-application:wml.ua'],
    contactPoints: [{ bearer: 0x0b, port: 5060, address: octets('0A000005') }],
    protocolOptions: [OTA_SIP],
    extension: { ...NO_LINES, identities: [UUID] },
  };
  const TABLE_2_OCTETS = `0102b2820008c40b13c40a000005018200000030${Buffer.from(GR_LINE).toString('hex')}`;

  it('the extension block of Table 2 is its line and nothing else: 48 octets', () => {
    expect(hexOf(encodeSia(TABLE_2))).toBe(TABLE_2_OCTETS);
  });

  it('Table 2 decodes', () => {
    expect(decodeSia(octets(TABLE_2_OCTETS))).toEqual(TABLE_2);
  });

  it('version 0 for a WSP session on port 9201', () => {
    const sia: Sia = {
      ...EMPTY,
      version: 0,
      applicationIds: ['x-wap-application:wml.ua'],
      wspContactPoints: [{ bearer: 0x0b, port: 9201, address: octets('C000020A') }],
    };
    const hex = '0002af8208c40b23f1c000020a';
    expect(decodeSia(octets(hex))).toEqual(sia);
    expect(hexOf(encodeSia(sia, { applicationIdForm: 'x-wap-application-id' }))).toBe(hex);
  });

  it('version 1 for OTA-HTTP on port 4035 with a CPITag', () => {
    const sia: Sia = {
      ...EMPTY,
      applicationIds: ['x-wap-application:wml.ua'],
      contactPoints: [{ bearer: 0x0b, port: 4035, address: octets('C000020A') }],
      protocolOptions: [OTA_HTTP_CPITAG],
      cpiTags: [octets('01020304')],
    };
    const hex = '0102af820008c40b0fc3c000020a0101000101020304';
    expect(decodeSia(octets(hex))).toEqual(sia);
    expect(hexOf(encodeSia(sia, { applicationIdForm: 'x-wap-application-id' }))).toBe(hex);
  });
});

describe('the application id list', () => {
  const ids = ['x-wap-application:wml.ua', 'x-acme:meter', 'x-number:36965'];
  const list = (hex: string) =>
    decodeSia(octets(`00${(hex.length / 2).toString(16).padStart(2, '0')}${hex}00`)).applicationIds;

  for (const form of ['accept-application', 'x-wap-application-id', 'bare'] as const) {
    it(`is read in the form ${form}`, () => {
      expect(
        decodeSia(encodeSia({ ...EMPTY, applicationIds: ids }, { applicationIdForm: form })).applicationIds,
      ).toEqual(ids);
    });
  }

  it('may mix forms', () => {
    expect(list('af8284b286')).toEqual([
      'x-wap-application:wml.ua',
      'x-wap-application:mms.ua',
      'x-wap-application:loc.ua',
    ]);
  });

  it('may spell the field name out', () => {
    expect(list(`${Buffer.from('X-Wap-Application-Id\0x-acme:meter\0').toString('hex')}84`)).toEqual([
      'x-acme:meter',
      'x-wap-application:mms.ua',
    ]);
  });
});

describe('the extension block', () => {
  it('has every line in its place, the signature last', () => {
    const sia: Sia = {
      ...EMPTY,
      extension: {
        identities: [UUID, 'sip:a@b.example;gr=urn:foo:x', '80AB12CD'],
        publicUserIdentity: 'sip:+43-8323546@mobilkom.example',
        application: { id: 'x-oma-application:dcd.ua', name: 'The "D"' },
        return: ['capability', 'rejection'],
        send: ['registration'],
        ppg: 'sip:ppg2.operator.example;transport=tcp',
        id: 't.1',
        expiresAtSeconds: 1_700_000_000,
        signature: 'abc',
        unknown: [{ name: 'later', value: 'x=y' }],
      },
    };
    const text = Buffer.from(encodeSia(sia)).subarray(9).toString('utf8');
    expect(text.split('\r\n')).toEqual([
      GR_LINE,
      'dev=sip:a@b.example;gr=urn:foo:x',
      'dev=80AB12CD',
      'impu=sip:+43-8323546@mobilkom.example',
      'app=x-oma-application:dcd.ua;name="The \\"D\\""',
      'return=capability,rejection',
      'send=registration',
      'ppg=sip:ppg2.operator.example;transport=tcp',
      'id=t.1',
      'exp=1700000000',
      'later=x=y',
      'sig=abc',
    ]);
    expect(decodeSia(encodeSia(sia))).toEqual(sia);
  });

  it('keeps unknown lines and ignores lines that assign nothing (SIR-73)', () => {
    expect(extensionOf(`${GR_LINE}\r\nnoise\r\n=x\r\nnew=1\r\n`)).toEqual({
      ...NO_LINES,
      identities: [UUID],
      unknown: [{ name: 'new', value: '1' }],
    });
  });

  it('ignores unknown flags and the order of flags', () => {
    expect(extensionOf('return=rejection, teleport,capability')?.return).toEqual(['capability', 'rejection']);
  });

  it('lets the first of repeated lines count', () => {
    expect(extensionOf('id=1\r\nid=2')?.id).toBe('1');
  });

  it('is absent from a body that ends with the base fields (SIR-72)', () => {
    expect(decodeSia(octets('01 00 00 00 00 00 00'))).not.toHaveProperty('extension');
  });

  it('may be followed by octets of a later version', () => {
    expect(decodeSia(octets('01 00 00 00 00 00 00 04 69643d31 ffff')).extension?.id).toBe('1');
  });

  it('is ignored by a reader of version 0', () => {
    expect(decodeSia(octets('00 00 00 04 69643d31'))).toEqual({ ...EMPTY, version: 0 });
  });

  it('signs the same octets with and without the signature', () => {
    const unsigned: Sia = { ...EMPTY, extension: { ...NO_LINES, identities: [UUID], id: '1' } };
    const signed: Sia = { ...EMPTY, extension: { ...NO_LINES, identities: [UUID], id: '1', signature: 'x' } };
    const expected = Buffer.concat([octets('01 00 00 00 00 00 00'), Buffer.from(`${GR_LINE}\r\nid=1`)]);
    expect(hexOf(signedOctets(encodeSia(unsigned)))).toBe(hexOf(expected));
    expect(hexOf(signedOctets(encodeSia(signed)))).toBe(hexOf(expected));
  });

  it('signs other octets when another line is different', () => {
    const withId = (id: string) =>
      hexOf(signedOctets(encodeSia({ ...EMPTY, extension: { ...NO_LINES, id, signature: 'x' } })));
    expect(withId('1')).not.toBe(withId('2'));
  });

  it('does not write a line break inside a value', () => {
    expect(() => encodeSia({ ...EMPTY, extension: { ...NO_LINES, id: '1\r\nsig=forged' } })).toThrow(
      RefusedError,
    );
  });
});

describe('refused', () => {
  for (const [what, hex, code] of [
    ['no octets', '', 'malformed'],
    ['version 2', '02 00 00', 'versionNotSupported'],
    ['a list longer than the body', '00 05 82', 'malformed'],
    ['an address longer than its list', '00 00 02 44 00', 'malformed'],
    ['a uintvar that does not end', '00 80808080808080', 'malformed'],
    ['a count without entries', '01 00 00 00 03 00', 'malformed'],
    ['a huge count', '01 00 00 00 8fffffff7f 00', 'limitExceeded'],
    ['a CPITag of three octets', '01 00 00 00 00 00 01 010203', 'malformed'],
    ['a provisioning URL with a line break', '01 00 00 00 00 01 0a 00', 'malformed'],
    ['an extension block longer than the body', '01 00 00 00 00 00 00 05 69', 'malformed'],
    ['an extension block that is not UTF-8', '01 00 00 00 00 00 00 02 c328', 'malformed'],
    ['a control character in a line', '01 00 00 00 00 00 00 05 69643d0a31', 'malformed'],
    ['an expiry time that is no number', '01 00 00 00 00 00 00 05 6578703d78', 'malformed'],
    [
      'too many contact points',
      `00 00 ${(SIA_LIMITS.maxEntries + 1).toString(16)} ${'00'.repeat(SIA_LIMITS.maxEntries + 1)}`,
      'limitExceeded',
    ],
  ] as const) {
    it(what, () => {
      expect(() => decodeSia(octets(hex))).toThrow(expect.objectContaining({ name: 'DecodeError', code }));
    });
  }

  it('a body longer than allowed', () => {
    expect(() => decodeSia(new Uint8Array(SIA_LIMITS.maxBytes + 1))).toThrow(DecodeError);
  });

  it('more lines than allowed', () => {
    expect(() => extensionOf('a=1\r\n'.repeat(SIA_LIMITS.maxExtensionLines + 1))).toThrow(DecodeError);
  });

  it('version 0 with fields of version 1, when encoding', () => {
    expect(() => encodeSia({ ...EMPTY, version: 0, protocolOptions: [0] })).toThrow(InvariantError);
  });
});

describe('contact points of IP addresses', () => {
  for (const [text, hex, back] of [
    ['10.0.0.5', '0a000005', '10.0.0.5'],
    ['2001:db8::1', '20010db8000000000000000000000001', '2001:db8:0:0:0:0:0:1'],
    ['[::1]', '00000000000000000000000000000001', '0:0:0:0:0:0:0:1'],
    ['fe80:1:2:3:4:5:6:7', 'fe800001000200030004000500060007', 'fe80:1:2:3:4:5:6:7'],
  ] as const) {
    it(`${text} goes there and back`, () => {
      const point = ipContactPoint(text, 5060);
      expect(point).toEqual({ bearer: 0x0b, port: 5060, address: octets(hex) });
      expect(ipOfContactPoint(point ?? { address: octets('') })).toBe(back);
    });
  }

  for (const text of [
    'ppg.example',
    '1.2.3',
    '256.1.1.1',
    '01.2.3.4',
    '1::2::3',
    '1:2:3:4:5:6:7:8:9',
    'g::',
    ':::',
  ]) {
    it(`${text} is none`, () => {
      expect(ipContactPoint(text, 1)).toBeUndefined();
    });
  }
});

it('10,000 random bodies come back as they were (SIR-71)', () => {
  const random = seeded(71);
  const plain = (sia: Sia) =>
    JSON.stringify(sia, (_, value) => (value instanceof Uint8Array ? hexOf(value) : value));
  for (let round = 0; round < 10_000; round += 1) {
    const sia = randomSia(random);
    const encoded = encodeSia(sia, {
      applicationIdForm: round % 2 === 0 ? 'accept-application' : 'x-wap-application-id',
    });
    const decoded = decodeSia(encoded);
    if (plain(sia).length !== plain(decoded).length) expect(decoded).toEqual(sia);
    if (round % 20 === 0) expect(decoded).toEqual(sia);
    expect(
      hexOf(
        encodeSia(decoded, {
          applicationIdForm: round % 2 === 0 ? 'accept-application' : 'x-wap-application-id',
        }),
      ),
    ).toBe(hexOf(encoded));
  }
});

it('answers mutated bodies with a value that it can write, or a DecodeError', () => {
  const random = seeded(72);
  let read = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const body = Uint8Array.from(encodeSia(randomSia(random)));
    for (let change = random(4); change >= 0; change -= 1) body[random(body.length)] = random(256);
    const cut = body.subarray(0, random(8) === 0 ? random(body.length + 1) : body.length);
    try {
      const sia = decodeSia(cut);
      read += 1;
      expect(hexOf(encodeSia(decodeSia(encodeSia(sia))))).toBe(hexOf(encodeSia(sia)));
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError);
    }
  }
  expect(read).toBeGreaterThan(5_000);
});
