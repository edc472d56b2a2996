/**
 * Capture files for tshark, written by the test itself: payloads in UDP datagrams (or bare TCP segments) over IPv4, one frame
 * each, link type 101 (raw IP). Checksums are computed, so that no dissector has a reason to complain.
 */
export interface CapturedPacket {
  readonly protocol: 'udp' | 'tcp';
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
  /** Sequence number of a TCP segment; default 1. */
  readonly sequence?: number;
}

const LINK_TYPE_RAW_IP = 101;
const SOURCE = [192, 0, 2, 1];
const DESTINATION = [192, 0, 2, 2];

/** A complete pcap file (little-endian, microseconds); frames are one millisecond apart. */
export function pcapFile(packets: Iterable<CapturedPacket>): Uint8Array {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65_535, 16);
  header.writeUInt32LE(LINK_TYPE_RAW_IP, 20);
  const parts: Uint8Array[] = [header];
  let index = 0;
  for (const packet of packets) {
    const frame = ipv4Frame(packet);
    const record = Buffer.alloc(16);
    record.writeUInt32LE(Math.floor(index / 1000), 0);
    record.writeUInt32LE((index % 1000) * 1000, 4);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    parts.push(record, frame);
    index += 1;
  }
  return Buffer.concat(parts);
}

function ipv4Frame(packet: CapturedPacket): Buffer {
  const segment = packet.protocol === 'udp' ? udpDatagram(packet) : tcpSegment(packet);
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(20 + segment.length, 2);
  header[8] = 64;
  header[9] = packet.protocol === 'udp' ? 17 : 6;
  header.set(SOURCE, 12);
  header.set(DESTINATION, 16);
  header.writeUInt16BE(checksum(header), 10);
  return Buffer.concat([header, segment]);
}

function udpDatagram({ sourcePort, destinationPort, payload }: CapturedPacket): Buffer {
  const datagram = Buffer.concat([Buffer.alloc(8), payload]);
  datagram.writeUInt16BE(sourcePort, 0);
  datagram.writeUInt16BE(destinationPort, 2);
  datagram.writeUInt16BE(datagram.length, 4);
  datagram.writeUInt16BE(checksum(withPseudoHeader(datagram, 17)) || 0xffff, 6);
  return datagram;
}

function tcpSegment({ sourcePort, destinationPort, payload, sequence = 1 }: CapturedPacket): Buffer {
  const segment = Buffer.concat([Buffer.alloc(20), payload]);
  segment.writeUInt16BE(sourcePort, 0);
  segment.writeUInt16BE(destinationPort, 2);
  segment.writeUInt32BE(sequence >>> 0, 4);
  segment.writeUInt32BE(1, 8);
  segment[12] = 0x50;
  segment[13] = 0x18;
  segment.writeUInt16BE(65_535, 14);
  segment.writeUInt16BE(checksum(withPseudoHeader(segment, 6)), 16);
  return segment;
}

function withPseudoHeader(segment: Buffer, protocol: number): Buffer {
  const pseudo = Buffer.from([
    ...SOURCE,
    ...DESTINATION,
    0,
    protocol,
    segment.length >> 8,
    segment.length & 0xff,
  ]);
  return Buffer.concat([pseudo, segment]);
}

/** One's complement sum of RFC 1071. */
function checksum(octets: Buffer): number {
  let sum = 0;
  for (let index = 0; index < octets.length; index += 2)
    sum += ((octets[index] ?? 0) << 8) | (octets[index + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return ~sum & 0xffff;
}
