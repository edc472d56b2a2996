/**
 * PDUs of a WSP session (WAP-230 §8.2): what its two sides say to open, suspend, resume and end it, the pushes in it, and the methods that
 * a browser would call. They travel as payload of WTP transactions; which PDU goes with which class is for the session.
 */
import { DecodeError, RefusedError } from '../../kernel/errors.js';
import { type ContactPoint, readContactPoints, writeContactPoints } from './address-record.js';
import { readCapabilities, type WspCapabilities, writeCapabilities } from './capabilities.js';
import { encodeHeaders, readHeaders, type WspHeader } from './headers.js';
import { WSP_LIMITS, type WspLimits } from './limits.js';
import { readMediaType } from './media-type.js';
import { OctetReader, OctetWriter } from './octets.js';
import { latin1, readUintvar, textOctets, writeUintvar } from './primitives.js';
import { type PushContents, readPushContents, writePushContents } from './push-pdu.js';

export type WspPdu =
  | ConnectPdu
  | ConnectReplyPdu
  | RedirectPdu
  | SessionIdPdu
  | ResumePdu
  | ContentPdu
  | ReplyPdu
  | GetPdu
  | PostPdu;

export interface ConnectPdu {
  readonly kind: 'connect';
  /** 0x10 is 1.0, which every version of WSP writes. */
  readonly version: number;
  readonly capabilities: WspCapabilities;
  readonly headers: readonly WspHeader[];
}

export interface ConnectReplyPdu {
  readonly kind: 'connect-reply';
  readonly sessionId: number;
  readonly capabilities: WspCapabilities;
  readonly headers: readonly WspHeader[];
}

export interface RedirectPdu {
  readonly kind: 'redirect';
  readonly isPermanent: boolean;
  readonly reusesSecuritySession: boolean;
  readonly addresses: readonly ContactPoint[];
}

export interface SessionIdPdu {
  readonly kind: 'disconnect' | 'suspend';
  readonly sessionId: number;
}

export interface ResumePdu {
  readonly kind: 'resume';
  readonly sessionId: number;
  readonly capabilities: WspCapabilities;
  readonly headers: readonly WspHeader[];
}

export interface ContentPdu extends PushContents {
  readonly kind: 'push' | 'confirmed-push';
}

export interface ReplyPdu {
  readonly kind: 'reply';
  /** As WSP numbers them: 0x20 is 200, 0x40 is 400, 0x60 is 500. */
  readonly status: number;
  /** Absent when there is no content. */
  readonly contents?: PushContents;
}

export interface GetPdu {
  readonly kind: 'get';
  readonly method: 'GET' | 'OPTIONS' | 'HEAD' | 'DELETE' | 'TRACE';
  readonly uri: string;
  readonly headers: readonly WspHeader[];
}

export interface PostPdu extends PushContents {
  readonly kind: 'post';
  readonly method: 'POST' | 'PUT';
  readonly uri: string;
}

export const WSP_VERSION = 0x10;

const TYPE = {
  connect: 0x01,
  connectReply: 0x02,
  redirect: 0x03,
  reply: 0x04,
  disconnect: 0x05,
  push: 0x06,
  confirmedPush: 0x07,
  suspend: 0x08,
  resume: 0x09,
} as const;
const GET_TYPE = 0x40;
const POST_TYPE = 0x60;
const GET_METHODS = ['GET', 'OPTIONS', 'HEAD', 'DELETE', 'TRACE'] as const;
const POST_METHODS = ['POST', 'PUT'] as const;
const CLAUSE = 'WAP-230 §8.2';

/** Decodes one PDU. Contents are views into `octets`. */
export function decodeWsp(octets: Uint8Array, limits: WspLimits = WSP_LIMITS): WspPdu {
  if (octets.length > limits.maxPduBytes) throw new DecodeError('PDU too long', { code: 'limitExceeded' });
  const reader = new OctetReader(octets);
  const type = reader.octet();
  switch (type) {
    case TYPE.connect:
      return { kind: 'connect', version: reader.octet(), ...readSession(reader, limits) };
    case TYPE.connectReply:
      return { kind: 'connect-reply', sessionId: readUintvar(reader), ...readSession(reader, limits) };
    case TYPE.redirect: {
      const flags = reader.octet();
      return {
        kind: 'redirect',
        isPermanent: (flags & 0x80) !== 0,
        reusesSecuritySession: (flags & 0x40) !== 0,
        addresses: readContactPoints(reader, limits),
      };
    }
    case TYPE.disconnect:
      return { kind: 'disconnect', sessionId: readUintvar(reader) };
    case TYPE.suspend:
      return { kind: 'suspend', sessionId: readUintvar(reader) };
    case TYPE.resume: {
      const sessionId = readUintvar(reader);
      const capabilities = readCapabilities(block(reader, readUintvar(reader), limits), limits);
      return {
        kind: 'resume',
        sessionId,
        capabilities,
        headers: readHeaders(block(reader, reader.remaining, limits), limits),
      };
    }
    case TYPE.push:
    case TYPE.confirmedPush:
      return {
        kind: type === TYPE.push ? 'push' : 'confirmed-push',
        ...readPushContents(reader, limits),
      };
    case TYPE.reply:
      return readReply(reader, limits);
    default:
      return readMethod(type, reader, limits);
  }
}

/** Throws RefusedError when a header cannot be written (control characters). */
export function encodeWsp(pdu: WspPdu): Uint8Array {
  const writer = new OctetWriter();
  switch (pdu.kind) {
    case 'connect':
      writeSession(writer.octet(TYPE.connect).octet(pdu.version), pdu);
      break;
    case 'connect-reply':
      writeUintvar(writer.octet(TYPE.connectReply), pdu.sessionId);
      writeSession(writer, pdu);
      break;
    case 'redirect':
      writer
        .octet(TYPE.redirect)
        .octet((pdu.isPermanent ? 0x80 : 0) | (pdu.reusesSecuritySession ? 0x40 : 0))
        .append(writeContactPoints(pdu.addresses));
      break;
    case 'disconnect':
    case 'suspend':
      writeUintvar(writer.octet(TYPE[pdu.kind]), pdu.sessionId);
      break;
    case 'resume': {
      const capabilities = writeCapabilities(pdu.capabilities);
      writeUintvar(writer.octet(TYPE.resume), pdu.sessionId);
      writeUintvar(writer, capabilities.length);
      writer.append(capabilities).append(encodeHeaders(pdu.headers));
      break;
    }
    case 'push':
    case 'confirmed-push':
      writePushContents(writer.octet(pdu.kind === 'push' ? TYPE.push : TYPE.confirmedPush), pdu);
      break;
    case 'reply':
      writer.octet(TYPE.reply).octet(pdu.status);
      if (pdu.contents === undefined) writer.octet(0);
      else writePushContents(writer, pdu.contents);
      break;
    case 'get': {
      const uri = uriOctets(pdu.uri);
      writeUintvar(writer.octet(GET_TYPE + GET_METHODS.indexOf(pdu.method)), uri.length);
      writer.append(uri).append(encodeHeaders(pdu.headers));
      break;
    }
    case 'post':
      writePost(writer, pdu);
      break;
  }
  return writer.written();
}

function readSession(reader: OctetReader, limits: WspLimits): Pick<ConnectPdu, 'capabilities' | 'headers'> {
  const capabilitiesLength = readUintvar(reader);
  const headersLength = readUintvar(reader);
  const capabilities = readCapabilities(block(reader, capabilitiesLength, limits), limits);
  return { capabilities, headers: readHeaders(block(reader, headersLength, limits), limits) };
}

function writeSession(writer: OctetWriter, pdu: Pick<ConnectPdu, 'capabilities' | 'headers'>): void {
  const [capabilities, headers] = [writeCapabilities(pdu.capabilities), encodeHeaders(pdu.headers)];
  writeUintvar(writer, capabilities.length);
  writeUintvar(writer, headers.length);
  writer.append(capabilities).append(headers);
}

function readReply(reader: OctetReader, limits: WspLimits): ReplyPdu {
  const status = reader.octet();
  // A reply without content has no headers at all, whatever the grammar says. [Kannel answers a Resume so]
  if (reader.remaining === 0) return { kind: 'reply', status };
  if (reader.peek() !== 0) return { kind: 'reply', status, contents: readPushContents(reader, limits) };
  reader.octet();
  if (reader.remaining > 0) {
    throw new DecodeError('content without a type', { offset: reader.offset, clause: CLAUSE });
  }
  return { kind: 'reply', status };
}

function readMethod(type: number, reader: OctetReader, limits: WspLimits): GetPdu | PostPdu {
  const [get, post] = [GET_METHODS[type - GET_TYPE], POST_METHODS[type - POST_TYPE]];
  if (get !== undefined) {
    const uri = readUri(reader, readUintvar(reader), limits);
    const headers = readHeaders(block(reader, reader.remaining, limits), limits);
    return { kind: 'get', method: get, uri, headers };
  }
  if (post === undefined) {
    throw new DecodeError(`PDU type 0x${type.toString(16)}`, { offset: 0, clause: CLAUSE });
  }
  const [uriLength, headersLength] = [readUintvar(reader), readUintvar(reader)];
  const uri = readUri(reader, uriLength, limits);
  const fields = block(reader, headersLength, limits);
  const contentType = readMediaType(fields);
  const headers = readHeaders(fields, limits);
  return { kind: 'post', method: post, uri, contentType, headers, body: reader.take(reader.remaining) };
}

/** Here the length of the headers stands in front of the URI. */
function writePost(writer: OctetWriter, { method, uri, ...contents }: PostPdu): void {
  const octets = uriOctets(uri);
  const withLength = new OctetWriter();
  writePushContents(withLength, contents);
  const reader = new OctetReader(withLength.written());
  writeUintvar(writer.octet(POST_TYPE + POST_METHODS.indexOf(method)), octets.length);
  writeUintvar(writer, readUintvar(reader));
  writer.append(octets).append(reader.take(reader.remaining));
}

function readUri(reader: OctetReader, length: number, limits: WspLimits): string {
  if (length > limits.maxUriBytes) throw new DecodeError('URI too long', { code: 'limitExceeded' });
  const start = reader.offset;
  const uri = latin1(reader.take(length));
  if (CONTROL.test(uri)) throw new DecodeError('control character in a URI', { offset: start });
  return uri;
}

function uriOctets(uri: string): Uint8Array {
  if (CONTROL.test(uri)) throw new RefusedError('malformed', 'control character in a URI');
  return textOctets(uri);
}

const CONTROL = /[\0-\x1f\x7f]/;

function block(reader: OctetReader, length: number, limits: WspLimits): OctetReader {
  if (length > limits.maxHeaderBytes)
    throw new DecodeError('headers or capabilities too long', { code: 'limitExceeded' });
  return reader.nested(length);
}
