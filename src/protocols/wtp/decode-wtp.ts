/** Octets of a datagram to WTP PDUs (WAP-224 §9). Reserved bits are not looked at. */
import { DecodeError } from '../../kernel/errors.js';
import { OctetReader } from '../wsp/index.js';
import { WTP_LIMITS, type WtpLimits } from './limits.js';
import { PDU_TYPE, type Tpi, type TransactionClass, type WtpPdu } from './pdu.js';

const CONTINUES = 0x80;
const LONG_TPI = 0x04;
const LONG_LENGTH = 0x80;
const CLAUSE = 'WAP-224 §9';

/** The PDUs of one datagram, one or several (WAP-224 §9.5). The payloads are views into `octets`. */
export function decodeWtp(octets: Uint8Array, limits: WtpLimits = WTP_LIMITS): readonly WtpPdu[] {
  if (octets.length > limits.maxDatagramBytes)
    throw new DecodeError('datagram too long', { code: 'limitExceeded' });
  const reader = new OctetReader(octets);
  if (reader.peek() !== 0) return [readPdu(reader, limits)];
  reader.octet();
  const pdus: WtpPdu[] = [];
  while (reader.remaining > 0) {
    if (pdus.length >= limits.maxPdus) {
      throw new DecodeError('too many PDUs in one datagram', {
        offset: reader.offset,
        code: 'limitExceeded',
      });
    }
    pdus.push(readPdu(reader.nested(readLength(reader)), limits));
  }
  return pdus;
}

/** 7 bits in one octet, or 15 in two. */
function readLength(reader: OctetReader): number {
  const first = reader.octet();
  return (first & LONG_LENGTH) === 0 ? first : (first & 0x7f) * 256 + reader.octet();
}

function readPdu(reader: OctetReader, limits: WtpLimits): WtpPdu {
  const start = reader.offset;
  const first = reader.octet();
  const transactionId = reader.octet() * 256 + reader.octet();
  const readTpis = () => ((first & CONTINUES) === 0 ? [] : tpis(reader, limits));
  const isRetransmission = (first & 0x01) !== 0;
  const trailers = {
    isGroupTrailer: (first & 0x04) !== 0,
    isTrailer: (first & 0x02) !== 0,
    isRetransmission,
  };
  switch ((first >> 3) & 0x0f) {
    case PDU_TYPE.invoke: {
      const flags = reader.octet();
      return {
        kind: 'invoke',
        transactionId,
        ...trailers,
        version: flags >> 6,
        isNewTid: (flags & 0x20) !== 0,
        wantsUserAck: (flags & 0x10) !== 0,
        transactionClass: transactionClass(flags & 0x03, start),
        tpis: readTpis(),
        payload: reader.take(reader.remaining),
      };
    }
    case PDU_TYPE.result:
      return {
        kind: 'result',
        transactionId,
        ...trailers,
        tpis: readTpis(),
        payload: reader.take(reader.remaining),
      };
    case PDU_TYPE.ack:
      return {
        kind: 'ack',
        transactionId,
        isTidVerification: (first & 0x04) !== 0,
        isRetransmission,
        tpis: readTpis(),
      };
    case PDU_TYPE.abort: {
      const type = first & 0x07;
      if (type > 1) throw new DecodeError(`abort type ${type}`, { offset: start, clause: CLAUSE });
      return {
        kind: 'abort',
        transactionId,
        by: type === 0 ? 'provider' : 'user',
        reason: reader.octet(),
        tpis: readTpis(),
      };
    }
    case PDU_TYPE['segmented-invoke']:
    case PDU_TYPE['segmented-result']:
      return {
        kind:
          ((first >> 3) & 0x0f) === PDU_TYPE['segmented-invoke'] ? 'segmented-invoke' : 'segmented-result',
        transactionId,
        ...trailers,
        sequenceNumber: reader.octet(),
        tpis: readTpis(),
        payload: reader.take(reader.remaining),
      };
    case PDU_TYPE['negative-ack']:
      return {
        kind: 'negative-ack',
        transactionId,
        isRetransmission,
        missing: [...reader.take(reader.octet())],
        tpis: readTpis(),
      };
    default:
      throw new DecodeError(`PDU type ${(first >> 3) & 0x0f}`, { offset: start, clause: CLAUSE });
  }
}

function transactionClass(value: number, offset: number): TransactionClass {
  if (value === 0 || value === 1 || value === 2) return value;
  throw new DecodeError('transaction class 3', { offset, clause: CLAUSE });
}

function tpis(reader: OctetReader, limits: WtpLimits): readonly Tpi[] {
  const items: Tpi[] = [];
  for (;;) {
    if (items.length >= limits.maxTpis) {
      throw new DecodeError('too many transport information items', {
        offset: reader.offset,
        code: 'limitExceeded',
      });
    }
    const first = reader.octet();
    const length = (first & LONG_TPI) === 0 ? first & 0x03 : reader.octet();
    items.push({ identity: (first >> 3) & 0x0f, value: reader.take(length) });
    if ((first & CONTINUES) === 0) return items;
  }
}
