/** Short messages: the vectors from networks and other stacks, parts in every order, alphabets, and headers that cannot be. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DecodeError, RefusedError } from '../../../src/kernel/errors.js';
import {
  decodeGsmText,
  decodeText,
  decodeUserData,
  encodeGsmText,
  encodeHeader,
  partCount,
  segment,
  WAP_PUSH_PORTS,
} from '../../../src/protocols/sms/index.js';
import { decodePush } from '../../../src/protocols/wsp/index.js';
import { userDataOf } from '../../support/sms-tpdu.js';

interface Vector {
  readonly name: string;
  readonly layer: string;
  readonly hex: string;
}

const VECTORS: readonly Vector[] = JSON.parse(
  readFileSync(new URL('../../vectors/push.json', import.meta.url), 'utf8'),
);
const of = (...layers: readonly string[]) => VECTORS.filter(({ layer }) => layers.includes(layer));
const named = (name: string) => {
  const found = VECTORS.find((vector) => vector.name === name);
  if (!found) throw new Error(`no vector ${name}`);
  return Buffer.from(found.hex, 'hex');
};

describe('user data headers of the vectors', () => {
  const ports = { destination: 2948, source: 9200 };

  it('kannel-ug-udh: ports alone, and the same octets come back', () => {
    const octets = named('kannel-ug-udh');
    expect(decodeUserData(octets).header).toEqual({ ports });
    expect(Buffer.from(encodeHeader({ ports }))).toEqual(octets);
  });

  it.each([
    ['pym-udh-1', { ports, part: { reference: 40846, referenceBits: 16, total: 2, number: 1 } }],
    ['pym-udh-2', { part: { reference: 25, referenceBits: 8, total: 2, number: 1 } }],
  ])('%s, which has no length in front', (name, expected) => {
    const octets = named(name);
    const withLength = Buffer.concat([Buffer.of(octets.length), octets]);
    expect(decodeUserData(withLength)).toEqual({ header: expected, data: Buffer.alloc(0) });
    expect(Buffer.from(encodeHeader(expected as Parameters<typeof encodeHeader>[0]))).toEqual(withLength);
  });
});

describe('short messages of the vectors', () => {
  it.each(of('sms-user-data').map(({ name }) => [name]))(
    '%s is a push of an SI to the port of WAP push',
    (name) => {
      const octets = named(name);
      const { header, data } = decodeUserData(octets);
      expect(header).toEqual({ ports: WAP_PUSH_PORTS });
      expect(decodePush(data).contentType.mediaType).toBe('application/vnd.wap.sic');
      expect(
        segment(data, WAP_PUSH_PORTS, { reference: 0, referenceBits: 8 }).map((part) => Buffer.from(part)),
      ).toEqual([octets]);
    },
  );

  it('pdufactory-si-submit is a push of an SI in an SMS-SUBMIT', () => {
    const { hasHeader, dataCoding, octets } = userDataOf(named('pdufactory-si-submit'));
    expect({ hasHeader, dataCoding, size: octets.length }).toEqual({
      hasHeader: true,
      dataCoding: 0xf5,
      size: 87,
    });
    const { header, data } = decodeUserData(octets);
    expect(header).toEqual({ ports: WAP_PUSH_PORTS });
    expect(decodePush(data).contentType.mediaType).toBe('application/vnd.wap.sic');
  });

  it.each([
    ['pym-mms-a-tpdu2', 'pym-mms-notif-wsp', { reference: 0x9f8e, referenceBits: 16, total: 2, number: 2 }],
    ['pym-mms-b-tpdu2', undefined, { reference: 0xdfd3, referenceBits: 16, total: 2, number: 2 }],
    [
      'pym-si-vodafone-tpdu2',
      'pym-si-vodafone-wsp',
      { reference: 0x96, referenceBits: 8, total: 2, number: 2 },
    ],
  ])('%s is the second part of a push', (name, whole, part) => {
    const { header, data } = decodeUserData(userDataOf(named(name)).octets);
    expect(header).toEqual({ ports: WAP_PUSH_PORTS, part });
    if (whole === undefined) return;
    const push = named(whole);
    // The network cut where we cut.
    expect(Buffer.from(data)).toEqual(push.subarray(push.length - data.length));
    const ours = segment(push, WAP_PUSH_PORTS, {
      reference: part.reference,
      referenceBits: part.referenceBits as 8 | 16,
    });
    expect(ours).toHaveLength(2);
    expect(Buffer.from(decodeUserData(ours[1] ?? Buffer.alloc(0)).data)).toEqual(Buffer.from(data));
  });
});

describe('parts', () => {
  it.each([
    [0, 1],
    [133, 1],
    [134, 2],
    [256, 2],
    [257, 3],
    [300, 3],
    [128 * 255, 255],
  ])('%d octets with a short reference take %d', (octets, parts) => {
    expect(partCount(octets, WAP_PUSH_PORTS, 8)).toBe(parts);
    expect(segment(new Uint8Array(octets), WAP_PUSH_PORTS, { reference: 1, referenceBits: 8 })).toHaveLength(
      parts,
    );
  });

  it.each([8, 16] as const)(
    'with a reference of %d bits fill a short message and give the same octets again',
    (referenceBits) => {
      const octets = Buffer.from(Array.from({ length: 1000 }, (_, index) => index & 0xff));
      const parts = segment(octets, WAP_PUSH_PORTS, { reference: 77, referenceBits });
      const read = parts.map(decodeUserData);
      expect(parts.slice(0, -1).every(({ length }) => length === 140)).toBe(true);
      expect(Buffer.concat(read.map(({ data }) => data))).toEqual(octets);
      expect(read.map(({ header }) => header.part?.number)).toEqual(parts.map((_, index) => index + 1));
      expect(read.every(({ header }) => header.ports?.destination === 2948)).toBe(true);
    },
  );

  it('beyond 255 are refused', () => {
    expect(() =>
      segment(new Uint8Array(128 * 255 + 1), WAP_PUSH_PORTS, { reference: 0, referenceBits: 8 }),
    ).toThrow(RefusedError);
  });

  it('that cannot be are not written', () => {
    const part = { reference: 256, referenceBits: 8, total: 2, number: 1 } as const;
    expect(() => encodeHeader({ part })).toThrow(RefusedError);
    expect(() => encodeHeader({ part: { ...part, reference: 1, number: 3 } })).toThrow(RefusedError);
  });
});

describe('a header', () => {
  it('may have its elements in either order, and others that nobody knows among them', () => {
    const octets = Buffer.from('10' + '2401aa' + '05040b8423f0' + '0003960201' + '7000', 'hex');
    expect(decodeUserData(octets).header).toEqual({
      ports: WAP_PUSH_PORTS,
      part: { reference: 0x96, referenceBits: 8, total: 2, number: 1 },
    });
  });

  it.each([
    ['number 0', '0500030a0200'],
    ['a number beyond the total', '0500030a0203'],
    ['a total of 0', '0500030a0000'],
    ['a wrong length', '0400020a02'],
  ])('that names a part with %s names none', (_, hex) => {
    expect(decodeUserData(Buffer.from(hex, 'hex')).header).toEqual({});
  });

  it('with ports of 8 bits is read', () => {
    expect(decodeUserData(Buffer.from('040402f0f1', 'hex')).header).toEqual({
      ports: { destination: 0xf0, source: 0xf1 },
    });
  });

  it.each([
    ['none at all', ''],
    ['one longer than the message', '0605'],
    ['an element that ends behind it', '030005aa'],
    ['an element without its length', '0100'],
  ])('that is %s is refused', (_, hex) => {
    expect(() => decodeUserData(Buffer.from(hex, 'hex'))).toThrow(DecodeError);
  });
});

describe('text', () => {
  it('in the default alphabet has braces behind an escape, and comes back', () => {
    const text = '{"sir":"a[1]","kind":"rejection"} €~^|\\ äöüß@£Δ\n';
    const septets = encodeGsmText(text);
    expect(septets).toBeDefined();
    expect(
      Buffer.from(septets ?? [])
        .subarray(0, 3)
        .toString('hex'),
    ).toBe('1b2822');
    expect(decodeGsmText(septets ?? new Uint8Array())).toBe(text);
  });

  it('that the alphabet does not have is not written in it', () => {
    expect(encodeGsmText('日本')).toBeUndefined();
    expect(encodeGsmText('\u001b')).toBeUndefined();
  });

  it('with an escape that leads nowhere is shown without it', () => {
    expect(decodeGsmText(Buffer.of(0x1b, 0x41, 0x42, 0x1b))).toBe('AB ');
  });

  it.each([
    [0x00, '1b28', '{'],
    [0x01, '7b', '{'],
    [0x03, 'e9', 'é'],
    [0x04, 'c3a9', 'é'],
    [0x08, '20ac', '€'],
    [0x18, '20ac', '€'],
    [0xf0, '1b65', '€'],
    [0xf5, 'c3a9', 'é'],
  ])('of data_coding %i is read as such', (coding, hex, text) => {
    expect(decodeText(Buffer.from(hex, 'hex'), coding)).toBe(text);
  });

  it('of the SMSC’s default alphabet is read as the operator says', () => {
    expect(decodeText(Buffer.of(0x7b), 0, 'latin1')).toBe('{');
    expect(decodeText(Buffer.of(0x7b), 0)).toBe('ä');
  });
});
