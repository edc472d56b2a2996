/** PDUs of WSP sessions: octets written out by hand, round trips, capabilities, hostile input; and the one table of abort reasons. */
import { describe, expect, it } from 'vitest';
import { DecodeError, RefusedError } from '../../../src/kernel/errors.js';
import { PUSH_STATUS } from '../../../src/protocols/ota-http/push-status-table.js';
import {
  ABORT,
  ABORT_REASONS,
  abortName,
  decodeWsp,
  encodeWsp,
  WSP_LIMITS,
  type WspPdu,
} from '../../../src/protocols/wsp/index.js';
import { mutated } from '../../support/mutations.js';
import { randomWsp } from '../../support/random-wsp.js';
import { seededRandom } from '../../support/seeded-random.js';

const octets = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const SIC = { mediaType: 'application/vnd.wap.sic', parameters: new Map() };

const PDUS: readonly (readonly [what: string, hex: string, pdu: WspPdu])[] = [
  [
    'a Connect',
    '01 10 0a 02 03808800 0282f0 028404 b280',
    {
      kind: 'connect',
      version: 0x10,
      capabilities: { clientSduBytes: 1024, protocolOptions: 0xf0, pushMor: 4, others: [] },
      headers: [{ name: 'Accept-Application', value: 'x-wap-application:*' }],
    },
  ],
  [
    'a ConnectReply',
    '02 8148 03 00 0282c0',
    {
      kind: 'connect-reply',
      sessionId: 200,
      capabilities: { protocolOptions: 0xc0, others: [] },
      headers: [],
    },
  ],
  [
    'a Redirect',
    '03 80 c4 0b 23f1 c000020a',
    {
      kind: 'redirect',
      isPermanent: true,
      reusesSecuritySession: false,
      addresses: [{ bearer: 0x0b, port: 9201, address: octets('c000020a') }],
    },
  ],
  ['a Disconnect', '05 07', { kind: 'disconnect', sessionId: 7 }],
  ['a Suspend', '08 07', { kind: 'suspend', sessionId: 7 }],
  ['a Resume', '09 07 00', { kind: 'resume', sessionId: 7, capabilities: { others: [] }, headers: [] }],
  [
    'a Push',
    '06 03 ae af82 0102',
    {
      kind: 'push',
      contentType: SIC,
      headers: [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:wml.ua' }],
      body: octets('0102'),
    },
  ],
  [
    'a ConfirmedPush',
    '07 01 ae 01',
    { kind: 'confirmed-push', contentType: SIC, headers: [], body: octets('01') },
  ],
  ['a Reply without content', '04 61 00', { kind: 'reply', status: 0x61 }],
  [
    'a Get',
    '40 03 612f62 b280',
    {
      kind: 'get',
      method: 'GET',
      uri: 'a/b',
      headers: [{ name: 'Accept-Application', value: 'x-wap-application:*' }],
    },
  ],
  [
    'a Post',
    '60 01 01 61 ae 09',
    { kind: 'post', method: 'POST', uri: 'a', contentType: SIC, headers: [], body: octets('09') },
  ],
];

describe('PDUs', () => {
  for (const [what, hex, pdu] of PDUS) {
    it(`reads ${what}`, () => {
      expect(plain(decodeWsp(octets(hex)))).toEqual(plain(pdu));
    });
    it(`writes ${what}`, () => {
      expect(hexOf(encodeWsp(pdu))).toBe(hex.replaceAll(' ', ''));
    });
  }

  it('5,000 random ones come back', () => {
    const random = seededRandom(0x10);
    for (let round = 0; round < 5000; round += 1) {
      const pdu = randomWsp(random);
      expect(plain(decodeWsp(encodeWsp(pdu)))).toEqual(plain(pdu));
    }
  });

  it('a Reply may end behind its status, as some end it', () => {
    expect(decodeWsp(octets('0420'))).toEqual({ kind: 'reply', status: 0x20 });
  });
});

describe('capabilities', () => {
  const read = (hex: string) => {
    const block = octets(hex);
    const pdu = decodeWsp(Buffer.concat([octets('0110'), Buffer.of(block.length, 0), block]));
    return pdu.kind === 'connect' ? pdu.capabilities : undefined;
  };

  it('of one kind the first counts', () => {
    expect(read('028404 028409')).toMatchObject({ pushMor: 4 });
  });

  it('without a value, and of other kinds, are kept as they are', () => {
    expect(plain(read('0184 0385aabb 04612d6200'))).toEqual({
      others: [
        { identifier: 4, value: '' },
        { identifier: 5, value: 'aabb' },
        { identifier: 'a-b', value: '' },
      ],
    });
  });
});

describe('hostile input', () => {
  it.each([
    ['nothing', ''],
    ['a type that there is not', '30'],
    ['lengths behind the end', '01 10 7f 7f'],
    ['a capability behind the end of its block', '01 10 02 00 0580'],
    ['an empty capability', '01 10 01 00 00'],
    ['a capability whose name is no token', '01 10 04 00 03 612000'],
    ['headers that are too long', '06 c001'],
    ['content without a type', '04 20 00 01'],
    ['a control character in a URI', '40 01 0a'],
    ['an address behind the end', '03 00 04 01'],
    ['a session id of more than 32 bits', '05 ffffffffff7f'],
  ])('%s is refused', (_, hex) => {
    expect(() => decodeWsp(octets(hex))).toThrow(DecodeError);
  });

  it('more capabilities than there can be are refused', () => {
    const block = '028404'.repeat(WSP_LIMITS.maxEntries + 1);
    expect(() => decodeWsp(octets(`0110 ${(block.length / 2).toString(16)} 00 ${block}`))).toThrow(
      /too many capabilities/,
    );
  });

  it('a PDU that is too long is refused before anything is read', () => {
    const limits = { ...WSP_LIMITS, maxPduBytes: 10 };
    expect(() => decodeWsp(Buffer.alloc(11), limits)).toThrow(/too long/);
  });

  it('control characters are not written', () => {
    expect(() => encodeWsp({ kind: 'get', method: 'GET', uri: 'a\nb', headers: [] })).toThrow(RefusedError);
  });

  it('variations of PDUs are read and written again, or refused', () => {
    const random = seededRandom(0x5a);
    const seeds = Array.from({ length: 200 }, () => encodeWsp(randomWsp(random)));
    let read = 0;
    for (let round = 0; round < 20_000; round += 1) {
      const input = mutated(seeds[round % seeds.length] ?? Buffer.alloc(0), random);
      let pdu: WspPdu;
      try {
        pdu = decodeWsp(input);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
        continue;
      }
      read += 1;
      const again = decodeWsp(encodeWsp(pdu));
      expect(plain(decodeWsp(encodeWsp(again)))).toEqual(plain(again));
    }
    expect(read).toBeGreaterThan(2000);
  });
});

describe('abort reasons', () => {
  it('have the names and PAP codes of the standard', () => {
    const told = [...ABORT_REASONS].filter(([, { papCode }]) => papCode !== undefined);
    expect(told.map(([reason, { name, papCode }]) => [reason, name, papCode])).toEqual([
      [0xea, 'USERREQ', 5026],
      [0xeb, 'USERRFS', 5027],
      [0xec, 'USERPND', 5028],
      [0xed, 'USERDCR', 5029],
      [0xee, 'USERDCU', 5030],
    ]);
    for (const reason of Object.values(ABORT)) expect(ABORT_REASONS.has(reason)).toBe(true);
    expect(abortName(0xff)).toBe('0xff');
  });

  it('are those of OTA-HTTP', () => {
    for (const [reason, entry] of ABORT_REASONS) expect(PUSH_STATUS.get(reason)).toEqual(entry);
  });
});

/** Octets as hex and parameters as lists, so that views and copies compare. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Map) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}
