/** tshark as referee of WTP and of WSP sessions: what we write is what an independent dissector reads, segments put together. */
import { describe, expect, it } from 'vitest';
import { parseContentType } from '../../src/protocols/mime/content-type.js';
import { ABORT_REASONS, encodeWsp, type WspPdu } from '../../src/protocols/wsp/index.js';
import { encodeConcatenated, encodeWtp, type InvokePdu, type WtpPdu } from '../../src/protocols/wtp/index.js';
import type { CapturedPacket } from '../support/pcap.js';
import { randomWsp, randomWtp } from '../support/random-wsp.js';
import { seededRandom } from '../support/seeded-random.js';
import { dissect, dissectFields } from '../support/tshark.js';

const packet = (payload: Uint8Array): CapturedPacket => ({
  protocol: 'udp',
  sourcePort: 9201,
  destinationPort: 2948,
  payload,
});
const invoke = (payload: Uint8Array, transactionId: number): InvokePdu => ({
  kind: 'invoke',
  transactionId,
  isGroupTrailer: false,
  isTrailer: true,
  isRetransmission: false,
  version: 0,
  isNewTid: false,
  wantsUserAck: true,
  transactionClass: 1,
  tpis: [],
  payload,
});
const decoded = ['-d', 'udp.port==2948,wtp', '-d', 'udp.port==9201,wtp'];

describe('WTP', () => {
  const random = seededRandom(9201);
  /** PDUs alone, with no WSP inside that the dissector could complain of. */
  const pdus = Array.from({ length: 2000 }, (): WtpPdu => {
    const pdu = randomWtp(random);
    const filled =
      'payload' in pdu ? { ...pdu, payload: encodeWsp({ kind: 'disconnect', sessionId: 7 }) } : pdu;
    return 'isTrailer' in filled
      ? { ...filled, isTrailer: true, isGroupTrailer: false, isRetransmission: false }
      : filled;
  });
  const TYPES = [
    'invoke',
    'result',
    'ack',
    'abort',
    'segmented-invoke',
    'segmented-result',
    'negative-ack',
  ] as const;

  it('2,000 PDUs are read as we meant them, without a complaint', async () => {
    const frames = await dissectFields(
      pdus.map((pdu) => packet(encodeWtp(pdu))),
      [
        'wtp.pdu_type',
        'wtp.TID',
        'wtp.TID.response',
        'wtp.inv.transaction_class',
        'wtp.header.UP',
        'wtp.header.TIDNew',
        'wtp.ack.tvetok',
        'wtp.abort.type',
        'wtp.header.missing_packets',
        '_ws.malformed',
      ],
      decoded,
    );
    const bit = (value: boolean | undefined) => (value === undefined ? [] : [value ? '1' : '0']);
    for (const [index, pdu] of pdus.entries()) {
      const frame = frames[index];
      const seen = (field: string) => frame?.get(field) ?? [];
      expect(seen('_ws.malformed'), `frame ${index + 1}`).toEqual([]);
      expect(seen('wtp.pdu_type').map(Number)).toEqual([TYPES.indexOf(pdu.kind) + 1]);
      expect(Number(seen('wtp.TID')[0])).toBe(pdu.transactionId & 0x7fff);
      expect(Number(seen('wtp.TID.response')[0])).toBe(pdu.transactionId >> 15);
      if (pdu.kind === 'invoke') {
        expect(Number(seen('wtp.inv.transaction_class')[0])).toBe(pdu.transactionClass);
        expect(seen('wtp.header.UP')).toEqual(bit(pdu.wantsUserAck));
        expect(seen('wtp.header.TIDNew')).toEqual(bit(pdu.isNewTid));
      }
      if (pdu.kind === 'ack') expect(seen('wtp.ack.tvetok')).toEqual(bit(pdu.isTidVerification));
      if (pdu.kind === 'abort') expect(Number(seen('wtp.abort.type')[0])).toBe(pdu.by === 'user' ? 1 : 0);
      if (pdu.kind === 'negative-ack')
        expect(Number(seen('wtp.header.missing_packets')[0])).toBe(pdu.missing.length);
    }
  });

  it('the reasons of aborts have our names', async () => {
    const reasons = [...ABORT_REASONS.keys()];
    const text = await dissect(
      reasons.map((reason) =>
        packet(encodeWtp({ kind: 'abort', transactionId: 1, by: 'user', reason, tpis: [] })),
      ),
      ['-V', ...decoded],
    );
    const seen = [...text.matchAll(/Abort Reason: .*\(0x(e[0-9a-f])\)/g)].map((match) => match[1]);
    expect(seen).toEqual(reasons.map((reason) => reason.toString(16)));
  });

  it('concatenated PDUs are told apart', async () => {
    const pair = [
      invoke(encodeWsp({ kind: 'disconnect', sessionId: 7 }), 1),
      { kind: 'ack', transactionId: 0x8002, isTidVerification: false, isRetransmission: false, tpis: [] },
    ] as const;
    const [frame] = await dissectFields(
      [packet(encodeConcatenated(pair))],
      ['wtp.pdu_type', '_ws.malformed'],
      decoded,
    );
    expect(frame?.get('wtp.pdu_type')).toEqual(['0x01', '0x03']);
    expect(frame?.get('_ws.malformed')).toEqual([]);
  });

  it('a push in segments is put together to the octet', async () => {
    const body = Buffer.alloc(5000, 'large content; ');
    const contentType = parseContentType('text/plain');
    const whole = encodeWsp({ kind: 'confirmed-push', contentType, headers: [], body });
    const pieces = Array.from({ length: Math.ceil(whole.length / 1400) }, (_, index) =>
      whole.subarray(index * 1400, (index + 1) * 1400),
    );
    const packets = pieces.map((payload, index): WtpPdu => {
      const isTrailer = index === pieces.length - 1;
      if (index === 0) return { ...invoke(payload, 5), isTrailer, isGroupTrailer: false };
      const { transactionId, isRetransmission, tpis } = invoke(payload, 5);
      return {
        kind: 'segmented-invoke',
        transactionId,
        isRetransmission,
        tpis,
        isTrailer,
        isGroupTrailer: false,
        sequenceNumber: index,
        payload,
      };
    });
    const frames = await dissectFields(
      packets.map((pdu) => packet(encodeWtp(pdu))),
      ['wtp.reassembled.length', 'wsp.pdu_type', '_ws.malformed'],
      decoded,
    );
    expect(frames.at(-1)?.get('wtp.reassembled.length')).toEqual([String(whole.length)]);
    expect(frames.at(-1)?.get('wsp.pdu_type')).toEqual(['0x07']);
    expect(frames.flatMap((frame) => frame.get('_ws.malformed') ?? [])).toEqual([]);
  });
});

describe('WSP sessions', () => {
  const random = seededRandom(9203);
  const pdus = Array.from({ length: 2000 }, (): WspPdu => randomWsp(random));
  const TYPES: Readonly<Record<string, readonly number[]>> = {
    connect: [1],
    'connect-reply': [2],
    redirect: [3],
    reply: [4],
    disconnect: [5],
    push: [6],
    'confirmed-push': [7],
    suspend: [8],
    resume: [9],
    get: [0x40, 0x41, 0x42, 0x43, 0x44],
    post: [0x60, 0x61],
  };

  it('2,000 PDUs are read as we meant them, without a complaint', async () => {
    const frames = await dissectFields(
      pdus.map((pdu, index) => packet(encodeWtp(invoke(encodeWsp(pdu), index)))),
      [
        'wsp.pdu_type',
        'wsp.server.session_id',
        'wsp.capability.client_sdu_size',
        'wsp.capability.server_sdu_size',
        'wsp.capability.method_mor',
        'wsp.capability.push_mor',
        'wsp.capability.protocol_opt',
        'wsp.header.user_agent',
        'wsp.header.push_flag',
        'wsp.uri',
        'wsp.reply.status',
        'wsp.redirect.flags',
        '_ws.malformed',
      ],
      decoded,
    );
    for (const [index, pdu] of pdus.entries()) {
      const frame = frames[index];
      const seen = (field: string) => frame?.get(field) ?? [];
      const number = (field: string) => seen(field).map(Number);
      expect(seen('_ws.malformed'), `frame ${index + 1}: ${pdu.kind}`).toEqual([]);
      expect(TYPES[pdu.kind]).toContain(Number(seen('wsp.pdu_type')[0]));
      if ('sessionId' in pdu) expect(number('wsp.server.session_id')).toEqual([pdu.sessionId]);
      if (pdu.kind === 'connect' || pdu.kind === 'connect-reply') {
        const { clientSduBytes, serverSduBytes, methodMor, pushMor } = pdu.capabilities;
        const given = (value: number | undefined) => (value === undefined ? [] : [value]);
        expect(number('wsp.capability.client_sdu_size')).toEqual(given(clientSduBytes));
        expect(number('wsp.capability.server_sdu_size')).toEqual(given(serverSduBytes));
        expect(number('wsp.capability.method_mor')).toEqual(given(methodMor));
        expect(number('wsp.capability.push_mor')).toEqual(given(pushMor));
      }
      if (pdu.kind === 'get' || pdu.kind === 'post') expect(seen('wsp.uri')).toEqual([pdu.uri]);
      if (pdu.kind === 'reply') expect(number('wsp.reply.status')).toEqual([pdu.status]);
      const headers =
        'headers' in pdu ? pdu.headers : pdu.kind === 'reply' ? (pdu.contents?.headers ?? []) : [];
      const agent = headers.find(({ name }) => name === 'User-Agent');
      expect(seen('wsp.header.user_agent')).toEqual(agent === undefined ? [] : [agent.value]);
    }
  });
});
