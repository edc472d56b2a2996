/** WTP PDUs to octets (WAP-224 §9). What a PDU cannot hold is a defect of the caller. */
import { InvariantError } from '../../kernel/errors.js';
import { OctetWriter } from '../wsp/index.js';
import { PDU_TYPE, type Tpi, type WtpPdu } from './pdu.js';

const CONTINUES = 0x80;
const LONG_TPI = 0x04;

/** One PDU, which is a datagram of its own. */
export function encodeWtp(pdu: WtpPdu): Uint8Array {
  const writer = new OctetWriter()
    .octet((pdu.tpis.length > 0 ? CONTINUES : 0) | (PDU_TYPE[pdu.kind] << 3) | lowBits(pdu))
    .octet(octet(pdu.transactionId >> 8))
    .octet(pdu.transactionId & 0xff);
  switch (pdu.kind) {
    case 'invoke':
      writer.octet(
        (octet(pdu.version << 6) & 0xc0) |
          (pdu.isNewTid ? 0x20 : 0) |
          (pdu.wantsUserAck ? 0x10 : 0) |
          pdu.transactionClass,
      );
      break;
    case 'abort':
      writer.octet(octet(pdu.reason));
      break;
    case 'segmented-invoke':
    case 'segmented-result':
      writer.octet(octet(pdu.sequenceNumber));
      break;
    case 'negative-ack':
      writer.octet(octet(pdu.missing.length));
      for (const number of pdu.missing) writer.octet(octet(number));
      break;
    default:
  }
  for (const [index, tpi] of pdu.tpis.entries()) writeTpi(writer, tpi, index < pdu.tpis.length - 1);
  return 'payload' in pdu ? writer.append(pdu.payload).written() : writer.written();
}

/** Several PDUs in one datagram. [WAP-224 §9.5] */
export function encodeConcatenated(pdus: readonly WtpPdu[]): Uint8Array {
  const writer = new OctetWriter().octet(0);
  for (const pdu of pdus) {
    const octets = encodeWtp(pdu);
    if (octets.length > 0x7fff) throw new InvariantError('a PDU of more than 32,767 octets stands alone');
    if (octets.length > 0x7f) writer.octet(0x80 | (octets.length >> 8));
    writer.octet(octets.length & 0xff).append(octets);
  }
  return writer.written();
}

/** The three bits behind the type. */
function lowBits(pdu: WtpPdu): number {
  switch (pdu.kind) {
    case 'abort':
      return pdu.by === 'user' ? 1 : 0;
    case 'ack':
      return (pdu.isTidVerification ? 0x04 : 0) | (pdu.isRetransmission ? 0x01 : 0);
    case 'negative-ack':
      return pdu.isRetransmission ? 0x01 : 0;
    default:
      return (pdu.isGroupTrailer ? 0x04 : 0) | (pdu.isTrailer ? 0x02 : 0) | (pdu.isRetransmission ? 0x01 : 0);
  }
}

function writeTpi(writer: OctetWriter, { identity, value }: Tpi, continues: boolean): void {
  const first = (continues ? CONTINUES : 0) | ((identity & 0x0f) << 3);
  if (value.length <= 3) writer.octet(first | value.length);
  else writer.octet(first | LONG_TPI).octet(octet(value.length));
  writer.append(value);
}

function octet(value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 0xff) throw new InvariantError(`${value} is no octet`);
  return value;
}
