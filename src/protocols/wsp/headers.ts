/**
 * Header blocks of push PDUs (WAP-230 §8.4.1): a sequence of fields, each a well-known number and a typed value or a text
 * name and a text value. Values are text on our side, as in a PAP entity. A value in a form that has no text here keeps
 * its octets and goes out again as it came. Fields of other code pages and unknown numbers have no name: they are read over.
 */
import { DecodeError, GatewayError, RefusedError, unlessBroken } from '../../kernel/errors.js';
import { formatContentType, parseContentType } from '../mime/content-type.js';
import { APPLICATION_ID_BY_CODE, APPLICATION_ID_CODES } from './application-id-table.js';
import { HEADER_CODES, HEADER_FIELDS, type HeaderValueType } from './header-field-table.js';
import { WSP_LIMITS, type WspLimits } from './limits.js';
import { charsetMib, readCharset, readMediaType, writeMediaType } from './media-type.js';
import { OctetReader, OctetWriter } from './octets.js';
import {
  isToken,
  readDate,
  readInteger,
  readQuality,
  readText,
  readValueLength,
  readVersion,
  writeDate,
  writeInteger,
  writeQuality,
  writeText,
  writeValueLength,
  writeVersion,
} from './primitives.js';

export interface WspHeader {
  /** As WSP spells it for a well-known field (`X-Wap-Application-Id`), else as received. */
  readonly name: string;
  /** Text form; `''` when only `octets` can tell. */
  readonly value: string;
  /** The binary value of a well-known field that has no text form here, without the field number. */
  readonly octets?: Uint8Array;
}

const SHIFT_DELIMITER = 0x7f;
const DEFAULT_PAGE = 1;

/** Reads fields up to the end of the reader. */
export function readHeaders(reader: OctetReader, limits: WspLimits = WSP_LIMITS): readonly WspHeader[] {
  const headers: WspHeader[] = [];
  let page = DEFAULT_PAGE;
  let fields = 0;
  while (reader.remaining > 0) {
    fields += 1;
    if (fields > limits.maxHeaders)
      throw new DecodeError('too many header fields', { code: 'limitExceeded' });
    const first = reader.peek();
    if (first === 0) throw new DecodeError('no header field starts with 0', { offset: reader.offset });
    if (first < 0x20) page = reader.octet();
    else if (first === SHIFT_DELIMITER) {
      reader.octet();
      page = reader.octet();
    } else if (first < 0x80) headers.push(readTextField(reader));
    else {
      const header = readWellKnown(reader, page);
      if (header !== undefined) headers.push(header);
    }
  }
  return headers;
}

/** Reads a block of its own, as `decodePush` does for the headers of a PDU. */
export function decodeHeaders(octets: Uint8Array, limits: WspLimits = WSP_LIMITS): readonly WspHeader[] {
  if (octets.length > limits.maxHeaderBytes)
    throw new DecodeError('header block too long', { code: 'limitExceeded' });
  return readHeaders(new OctetReader(octets), limits);
}

/** Writes fields in the order given: well-known ones binary, others, and values without a binary form, as text. */
export function writeHeaders(writer: OctetWriter, headers: Iterable<WspHeader>): void {
  for (const header of headers) {
    const code = HEADER_CODES.get(header.name.toLowerCase());
    const type = code === undefined ? undefined : HEADER_FIELDS[code]?.[1];
    const value =
      type === undefined ? undefined : (header.octets ?? encodeValue(trimBlanks(header.value), type));
    if (code !== undefined && value !== undefined) writer.octet(0x80 | code).append(value);
    else {
      if (!isToken(header.name))
        throw new RefusedError('malformed', `header name "${header.name}" is no token`);
      writeText(writer, header.name);
      writeText(writer, trimBlanks(header.value));
    }
  }
}

export function encodeHeaders(headers: Iterable<WspHeader>): Uint8Array {
  const writer = new OctetWriter();
  writeHeaders(writer, headers);
  return writer.written();
}

function readTextField(reader: OctetReader): WspHeader {
  const start = reader.offset;
  const name = readText(reader);
  if (!isToken(name))
    throw new DecodeError('header name is no token', { offset: start, clause: 'WAP-230 §8.4.2.6' });
  return { name, value: trimBlanks(readText(reader)) };
}

function readWellKnown(reader: OctetReader, page: number): WspHeader | undefined {
  const code = reader.octet() & 0x7f;
  const start = reader.offset;
  const extent = skipValue(reader);
  const field = page === DEFAULT_PAGE ? HEADER_FIELDS[code] : undefined;
  if (field === undefined) return undefined;
  const octets = reader.since(start);
  const [name, type] = field;
  const value = decodeValue(octets, extent, type);
  return value === undefined ? { name, value: '', octets } : { name, value };
}

type Extent = 'short' | 'length' | 'text';

/** Reads over one value of whatever type: its first octet tells how far it goes. [WAP-230 §8.4.1.2] */
function skipValue(reader: OctetReader): Extent {
  const first = reader.peek();
  if (first >= 0x80) {
    reader.octet();
    return 'short';
  }
  if (first <= 0x1f) {
    reader.take(readValueLength(reader));
    return 'length';
  }
  reader.untilZero();
  return 'text';
}

/** The text form; undefined when the value is not of the field's type, which is then kept as octets. */
function decodeValue(octets: Uint8Array, extent: Extent, type: HeaderValueType): string | undefined {
  if (extent === 'text' && type !== 'media-type') return trimBlanks(readText(new OctetReader(octets)));
  const reader = new OctetReader(octets);
  const value = unlessBroken(() => decodeTyped(reader, extent, type));
  return reader.remaining === 0 ? value : undefined;
}

function decodeTyped(reader: OctetReader, extent: Extent, type: HeaderValueType): string | undefined {
  switch (type) {
    case 'integer':
      return String(readInteger(reader));
    case 'date':
      return extent === 'length' ? readDate(reader) : undefined;
    case 'version':
      return extent === 'short' ? readVersion(reader) : undefined;
    case 'application-id':
      return readApplicationId(reader);
    case 'media-type': {
      const { mediaType, parameters } = readMediaType(reader);
      return formatContentType(mediaType, parameters);
    }
    case 'charset':
      return extent === 'short' ? readCharset(reader) : readGeneralCharset(reader);
    case 'text':
    case 'opaque':
      return undefined;
    default:
      return extent === 'short' ? type[reader.octet() & 0x7f] : undefined;
  }
}

/** An application id: a number of the table, `x-number:<n>` for another one, or a URI. */
export function readApplicationId(reader: OctetReader): string {
  const first = reader.peek();
  if (first > 0x1f && first < 0x80) return readText(reader);
  const code = readInteger(reader);
  return APPLICATION_ID_BY_CODE.get(code) ?? `x-number:${code}`;
}

export function writeApplicationId(writer: OctetWriter, id: string): void {
  const number = /^x-number:([0-9]{1,15})$/i.exec(id)?.[1];
  const code = number === undefined ? APPLICATION_ID_CODES.get(id.toLowerCase()) : Number(number);
  if (code === undefined) writeText(writer, id);
  else writeInteger(writer, code);
}

/** Blanks around a value mean nothing. Not `trim()`: that would take U+00A0, an octet of the value, with them. */
function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function readGeneralCharset(reader: OctetReader): string {
  const value = reader.nested(readValueLength(reader));
  const name = readCharset(value);
  return value.remaining === 0 ? name : `${name};q=${readQuality(value)}`;
}

/** The binary value; undefined when the text has none, so that the field goes as text. */
function encodeValue(text: string, type: HeaderValueType): Uint8Array | undefined {
  const writer = new OctetWriter();
  try {
    return writeTyped(writer, text, type) ? writer.written() : undefined;
  } catch (error) {
    // A value outside the type's grammar is the initiator's own: it reaches the terminal as text.
    if (error instanceof GatewayError && error.code === 'malformed') return undefined;
    throw error;
  }
}

function writeTyped(writer: OctetWriter, text: string, type: HeaderValueType): boolean {
  switch (type) {
    case 'text':
      writeText(writer, text);
      return true;
    case 'integer':
      if (!/^[0-9]{1,15}$/.test(text)) return false;
      writeInteger(writer, Number(text));
      return true;
    case 'date':
      writeDate(writer, text);
      return true;
    case 'version':
      writeVersion(writer, text);
      return true;
    case 'application-id':
      writeApplicationId(writer, text);
      return true;
    case 'media-type':
      writeMediaType(writer, parseContentType(text));
      return true;
    case 'charset':
      return writeCharset(writer, text);
    case 'opaque':
      return false;
    default:
      return writeToken(writer, text, type);
  }
}

function writeCharset(writer: OctetWriter, text: string): boolean {
  const match = /^([^;\s]+)\s*(?:;\s*q=(0(?:\.[0-9]{1,3})?)\s*)?$/i.exec(text);
  const mib = match?.[1] === undefined ? undefined : charsetMib(match[1]);
  if (match === null || mib === undefined) return false;
  if (match[2] === undefined && mib <= 0x7f) {
    writeInteger(writer, mib);
    return true;
  }
  const general = new OctetWriter();
  writeInteger(general, mib);
  if (match[2] !== undefined) writeQuality(general, match[2]);
  writeValueLength(writer, general.length);
  writer.append(general.written());
  return true;
}

function writeToken(writer: OctetWriter, token: string, tokens: readonly string[]): boolean {
  const index = tokens.indexOf(token.toLowerCase());
  if (index >= 0) writer.octet(0x80 | index);
  else if (isToken(token)) writeText(writer, token);
  return index >= 0 || isToken(token);
}
