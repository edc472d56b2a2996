/**
 * A message in the packets of its segments (WAP-224 §7.14): the first is an Invoke, the others Segmented Invokes. They go in groups; the
 * last of a group asks for an acknowledgement.
 */
import type { InvokePdu, SegmentedPdu } from '../../protocols/wtp/index.js';

export type Packet = InvokePdu | SegmentedPdu;

/** Packets that go out before an answer is waited for. */
const GROUP = 8;
/** First octet, transaction id, and flags or sequence number. */
const HEADER_BYTES = 4;
/** Sequence numbers are one octet. */
const MAX_PACKETS = 256;

/** Undefined when the message needs more packets than there are numbers. */
export function packetsOf(
  whole: Omit<InvokePdu, 'isGroupTrailer' | 'isTrailer' | 'isRetransmission'>,
  maxDatagramBytes: number,
): readonly Packet[] | undefined {
  const size = maxDatagramBytes - HEADER_BYTES;
  const count = Math.max(1, Math.ceil(whole.payload.length / size));
  if (count > MAX_PACKETS) return undefined;
  return Array.from({ length: count }, (_, index): Packet => {
    const isTrailer = index === count - 1;
    const trailers = {
      isTrailer,
      isGroupTrailer: !isTrailer && index % GROUP === GROUP - 1,
      isRetransmission: false,
    };
    const payload = whole.payload.subarray(index * size, (index + 1) * size);
    if (index === 0) return { ...whole, ...trailers, payload };
    const { transactionId, tpis } = whole;
    return { kind: 'segmented-invoke', transactionId, tpis, ...trailers, sequenceNumber: index, payload };
  });
}

/** Number of the last packet of the group that begins with packet `from`. */
export function groupEnd(from: number, count: number): number {
  return Math.min(from - (from % GROUP) + GROUP, count) - 1;
}
