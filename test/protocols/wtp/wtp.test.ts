/** WTP PDUs: octets that were written out by hand from the drawings of the standard, round trips, concatenation, hostile input. */
import { describe, expect, it } from 'vitest';
import { DecodeError, InvariantError } from '../../../src/kernel/errors.js';
import {
  decodeWtp,
  encodeConcatenated,
  encodeWtp,
  providerAbortName,
  sequenceNumberOf,
  sequenceNumberTpi,
  WTP_LIMITS,
  type WtpPdu,
} from '../../../src/protocols/wtp/index.js';
import { mutated } from '../../support/mutations.js';
import { randomWtp } from '../../support/random-wsp.js';
import { seededRandom } from '../../support/seeded-random.js';

const octets = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const whole = { isGroupTrailer: false, isTrailer: true, isRetransmission: false, tpis: [] };

const PDUS: readonly (readonly [what: string, hex: string, pdu: WtpPdu])[] = [
  [
    'an Invoke of class 2',
    '0a 1234 02 0110',
    {
      kind: 'invoke',
      transactionId: 0x1234,
      ...whole,
      version: 0,
      isNewTid: false,
      wantsUserAck: false,
      transactionClass: 2,
      payload: octets('0110'),
    },
  ],
  [
    'an Invoke of class 1 with user acknowledgement, sent again',
    '0b 0001 31 07',
    {
      kind: 'invoke',
      transactionId: 1,
      ...whole,
      isRetransmission: true,
      version: 0,
      isNewTid: true,
      wantsUserAck: true,
      transactionClass: 1,
      payload: octets('07'),
    },
  ],
  ['a Result', '12 9234 02', { kind: 'result', transactionId: 0x9234, ...whole, payload: octets('02') }],
  [
    'an Ack',
    '18 1234',
    { kind: 'ack', transactionId: 0x1234, isTidVerification: false, isRetransmission: false, tpis: [] },
  ],
  [
    'an Ack that asks for the transaction id',
    '1c 9234',
    { kind: 'ack', transactionId: 0x9234, isTidVerification: true, isRetransmission: false, tpis: [] },
  ],
  [
    'an Ack of a packet group',
    '98 9234 19 05',
    {
      kind: 'ack',
      transactionId: 0x9234,
      isTidVerification: false,
      isRetransmission: false,
      tpis: [sequenceNumberTpi(5)],
    },
  ],
  [
    'an Abort by the user',
    '21 1234 eb',
    { kind: 'abort', transactionId: 0x1234, by: 'user', reason: 0xeb, tpis: [] },
  ],
  [
    'an Abort by WTP',
    '20 1234 08',
    { kind: 'abort', transactionId: 0x1234, by: 'provider', reason: 8, tpis: [] },
  ],
  [
    'a packet in the middle',
    '2c 1234 03 aabb',
    {
      kind: 'segmented-invoke',
      transactionId: 0x1234,
      ...whole,
      isGroupTrailer: true,
      isTrailer: false,
      sequenceNumber: 3,
      payload: octets('aabb'),
    },
  ],
  [
    'a Negative Ack',
    '38 9234 02 0203',
    { kind: 'negative-ack', transactionId: 0x9234, isRetransmission: false, missing: [2, 3], tpis: [] },
  ],
];

describe('PDUs', () => {
  for (const [what, hex, pdu] of PDUS) {
    it(`reads ${what}`, () => {
      expect(decodeWtp(octets(hex)).map(plain)).toEqual([plain(pdu)]);
    });
    it(`writes ${what}`, () => {
      expect(hexOf(encodeWtp(pdu))).toBe(hex.replaceAll(' ', ''));
    });
  }

  it('5,000 random ones come back', () => {
    const random = seededRandom(0x77);
    for (let round = 0; round < 5000; round += 1) {
      const pdu = randomWtp(random);
      expect(decodeWtp(encodeWtp(pdu)).map(plain)).toEqual([plain(pdu)]);
    }
  });

  it('items of more than three octets have a length of their own', () => {
    const pdu: WtpPdu = {
      kind: 'ack',
      transactionId: 1,
      isTidVerification: false,
      isRetransmission: false,
      tpis: [{ identity: 1, value: octets('01020304') }],
    };
    expect(hexOf(encodeWtp(pdu))).toBe('9800010c0401020304');
  });

  it('the packet that an Ack is for is told from other items', () => {
    expect(sequenceNumberOf({ tpis: [{ identity: 2, value: octets('0105') }, sequenceNumberTpi(9)] })).toBe(
      9,
    );
    expect(sequenceNumberOf({ tpis: [] })).toBeUndefined();
  });

  it('what a PDU cannot hold is not written', () => {
    const abort: WtpPdu = { kind: 'abort', transactionId: 0x1_0000_00, by: 'user', reason: 1, tpis: [] };
    expect(() => encodeWtp(abort)).toThrow(InvariantError);
    expect(() => encodeWtp({ ...abort, transactionId: 1, reason: 256 })).toThrow(InvariantError);
  });

  it('reasons have names', () => {
    expect([0x08, 0x0a, 0x7f].map(providerAbortName)).toEqual(['NORESPONSE', 'NOTIMPLEMENTEDESAR', '0x7f']);
  });
});

describe('concatenation', () => {
  it('several PDUs of one datagram are read in order, with lengths of one octet and of two', () => {
    const random = seededRandom(3);
    const [, , result] = PDUS[2] ?? [];
    const long: WtpPdu = {
      ...(result as Extract<WtpPdu, { kind: 'result' }>),
      payload: Buffer.alloc(300, 7),
    };
    const pdus = [randomWtp(random), long, randomWtp(random)];
    expect(decodeWtp(encodeConcatenated(pdus)).map(plain)).toEqual(pdus.map(plain));
  });

  it('has an end', () => {
    const ack = PDUS[3]?.[2] as WtpPdu;
    const many = Array.from({ length: WTP_LIMITS.maxPdus + 1 }, () => ack);
    expect(() => decodeWtp(encodeConcatenated(many))).toThrow(/too many PDUs/);
  });
});

describe('hostile input', () => {
  it.each([
    ['nothing', ''],
    ['half a header', '0a12'],
    ['a PDU type that there is not', '40 1234'],
    ['class 3', '0a 1234 03'],
    ['an abort of nobody', '22 1234 00'],
    ['a Negative Ack that names fewer packets than it says', '38 9234 05 01'],
    ['an item that goes on behind the end', '98 1234 1b 01'],
    ['items without end', '98 1234 99 01'],
    ['a length in a concatenation behind the end', '00 05 18 1234'],
    ['an empty PDU in a concatenation', '00 00'],
  ])('%s is refused', (_, hex) => {
    expect(() => decodeWtp(octets(hex))).toThrow(DecodeError);
  });

  it('more items than a header can need are refused', () => {
    const items = '9901'.repeat(WTP_LIMITS.maxTpis);
    expect(() => decodeWtp(octets(`98 1234 ${items} 1901`))).toThrow(/too many transport/);
  });

  it('variations of PDUs are read and written again, or refused', () => {
    const random = seededRandom(0xa5);
    const seeds = Array.from({ length: 100 }, () => {
      const pdu = randomWtp(random);
      return random.below(4) === 0 ? encodeConcatenated([pdu, randomWtp(random)]) : encodeWtp(pdu);
    });
    let read = 0;
    for (let round = 0; round < 10_000; round += 1) {
      const input = mutated(seeds[round % seeds.length] ?? Buffer.alloc(0), random);
      let pdus: readonly WtpPdu[];
      try {
        pdus = decodeWtp(input);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
        continue;
      }
      read += 1;
      for (const pdu of pdus) expect(decodeWtp(encodeWtp(pdu)).map(plain)).toEqual([plain(pdu)]);
    }
    expect(read).toBeGreaterThan(1000);
  });
});

/** Octets as hex, so that views and copies compare. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}
