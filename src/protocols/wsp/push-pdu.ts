/**
 * The connectionless Push PDU (WAP-230 §8.2.4.1, WAP-235 §6.1): what travels in a UDP datagram to port 2948 or in the user
 * data of short messages. Other PDU types are refused, as a client drops them. PDUs of sessions are in `session-pdu.ts`.
 */
import { DecodeError, RefusedError } from '../../kernel/errors.js';
import type { ContentType } from '../mime/content-type.js';
import { readHeaders, type WspHeader, writeHeaders } from './headers.js';
import { WSP_LIMITS, type WspLimits } from './limits.js';
import { readMediaType, writeMediaType } from './media-type.js';
import { OctetReader, OctetWriter } from './octets.js';
import { readUintvar, writeUintvar } from './primitives.js';

const PUSH_PDU_TYPE = 0x06;

/** What every PDU with content holds behind its type. */
export interface PushContents {
  readonly contentType: ContentType;
  /** Without the content type. */
  readonly headers: readonly WspHeader[];
  readonly body: Uint8Array;
}

export interface PushPdu extends PushContents {
  /** TID: 0 to 255, any value; a sender counts. */
  readonly transactionId: number;
}

/** Decodes one datagram or reassembled short message. The body is a view into `octets`. */
export function decodePush(octets: Uint8Array, limits: WspLimits = WSP_LIMITS): PushPdu {
  if (octets.length > limits.maxPduBytes)
    throw new DecodeError('push PDU too long', { code: 'limitExceeded' });
  const reader = new OctetReader(octets);
  const transactionId = reader.octet();
  const type = reader.octet();
  if (type !== PUSH_PDU_TYPE) {
    throw new DecodeError(`PDU type 0x${type.toString(16)} is not Push`, {
      offset: 1,
      clause: 'WAP-230 §8.2.4.1',
    });
  }
  return { transactionId, ...readPushContents(reader, limits) };
}

/** Encodes a push. Throws RefusedError when a header cannot be written (control characters). */
export function encodePush(pdu: PushPdu): Uint8Array {
  if (!Number.isInteger(pdu.transactionId) || pdu.transactionId < 0 || pdu.transactionId > 0xff) {
    throw new RefusedError('malformed', 'a push transaction id is one octet');
  }
  const writer = new OctetWriter().octet(pdu.transactionId).octet(PUSH_PDU_TYPE);
  writePushContents(writer, pdu);
  return writer.written();
}

export function readPushContents(reader: OctetReader, limits: WspLimits): PushContents {
  const headersLength = readUintvar(reader);
  if (headersLength > limits.maxHeaderBytes)
    throw new DecodeError('headers too long', { code: 'limitExceeded' });
  const block = reader.nested(headersLength);
  const contentType = readMediaType(block);
  const headers = readHeaders(block, limits);
  return { contentType, headers, body: reader.take(reader.remaining) };
}

export function writePushContents(writer: OctetWriter, { contentType, headers, body }: PushContents): void {
  const block = new OctetWriter();
  writeMediaType(block, contentType);
  writeHeaders(block, headers);
  writeUintvar(writer, block.length);
  writer.append(block.written()).append(body);
}
