/** PDUs of the Wireless Transaction Protocol (WAP-224 §9): values only. */

/** 0: sent once. 1: acknowledged. 2: answered by a result, which is acknowledged. */
export type TransactionClass = 0 | 1 | 2;

interface AnyPdu {
  /**
   * 16 bits as they stand on the wire; the highest one tells the direction: 0 from the initiator, 1 from the responder.
   * [WAP-224 §9.2.4]
   */
  readonly transactionId: number;
  readonly tpis: readonly Tpi[];
}

/** Transport information item: one of the variable parts of a header. [WAP-224 §9.4] */
export interface Tpi {
  readonly identity: number;
  /** At most 255 octets. */
  readonly value: Uint8Array;
}

/** Where a packet stands in its message. Both set: the sender does not segment, and the packet is the whole message. */
interface Trailers {
  readonly isGroupTrailer: boolean;
  readonly isTrailer: boolean;
  /** Sent before. */
  readonly isRetransmission: boolean;
}

export interface InvokePdu extends AnyPdu, Trailers {
  readonly kind: 'invoke';
  /** 0 is version 1.0 and 1.1, the only ones that there are. */
  readonly version: number;
  /** The counter of the initiator began anew: older transaction ids mean nothing any more. */
  readonly isNewTid: boolean;
  /** The user acknowledges, not the provider in its place. */
  readonly wantsUserAck: boolean;
  readonly transactionClass: TransactionClass;
  readonly payload: Uint8Array;
}

export interface ResultPdu extends AnyPdu, Trailers {
  readonly kind: 'result';
  readonly payload: Uint8Array;
}

export interface AckPdu extends AnyPdu {
  readonly kind: 'ack';
  /** From the responder: is this transaction id really yours? From the initiator: it is. */
  readonly isTidVerification: boolean;
  readonly isRetransmission: boolean;
}

export interface AbortPdu extends AnyPdu {
  readonly kind: 'abort';
  /** Who gave up: WTP itself, or what stands on it, and then the reason is one of WSP. */
  readonly by: 'provider' | 'user';
  readonly reason: number;
}

export interface SegmentedPdu extends AnyPdu, Trailers {
  readonly kind: 'segmented-invoke' | 'segmented-result';
  /** 1 is the second packet of the message. */
  readonly sequenceNumber: number;
  readonly payload: Uint8Array;
}

export interface NegativeAckPdu extends AnyPdu {
  readonly kind: 'negative-ack';
  readonly isRetransmission: boolean;
  /** Sequence numbers of packets that have not come. Empty: the whole group is wanted again. */
  readonly missing: readonly number[];
}

export type WtpPdu = InvokePdu | ResultPdu | AckPdu | AbortPdu | SegmentedPdu | NegativeAckPdu;

/** The bit of a transaction id that tells the direction. */
export const RESPONDER_BIT = 0x8000;

export const PDU_TYPE = {
  invoke: 1,
  result: 2,
  ack: 3,
  abort: 4,
  'segmented-invoke': 5,
  'segmented-result': 6,
  'negative-ack': 7,
} as const satisfies Record<WtpPdu['kind'], number>;

/** Items of the variable part of a header. [WAP-224 §8.4] */
export const TPI_OPTION = 0x02;
export const TPI_SEQUENCE_NUMBER = 0x03;

/** The item of an Ack that says up to which packet the message has come. [WAP-224 §9.4.5] */
export function sequenceNumberTpi(sequenceNumber: number): Tpi {
  return { identity: TPI_SEQUENCE_NUMBER, value: Uint8Array.of(sequenceNumber) };
}

export function sequenceNumberOf({ tpis }: Pick<AckPdu, 'tpis'>): number | undefined {
  return tpis.find(({ identity }) => identity === TPI_SEQUENCE_NUMBER)?.value[0];
}
