/**
 * Content-type values (WAP-230 §8.4.2.24): constrained form (a number or a text) or general form (a length, the media type,
 * its parameters). Accept values share the grammar. Parameters that have a token are typed, all others go as name and text.
 */
import { DecodeError } from '../../kernel/errors.js';
import type { ContentType } from '../mime/content-type.js';
import { CHARSET_BY_MIB, CHARSET_MIBS } from './charset-table.js';
import { MEDIA_TYPE_BY_CODE, MEDIA_TYPE_CODES } from './content-type-table.js';
import { type OctetReader, OctetWriter } from './octets.js';
import { PARAMETER_BY_TOKEN, PARAMETER_TOKENS, type ParameterType, SEC_VALUES } from './parameter-table.js';
import {
  isToken,
  readDate,
  readInteger,
  readQuality,
  readText,
  readTextValue,
  readValueLength,
  readVersion,
  writeDate,
  writeInteger,
  writeQuality,
  writeText,
  writeTextValue,
  writeValueLength,
  writeVersion,
} from './primitives.js';

const CLAUSE = 'WAP-230 §8.4.2.24';
const NO_PARAMETERS: ReadonlyMap<string, string> = new Map();

/** Reads a content-type value. The media type comes out in lower case, also when it was a number. */
export function readMediaType(reader: OctetReader): ContentType {
  const first = reader.peek();
  if (first > 0x1f) return { mediaType: readMedia(reader), parameters: NO_PARAMETERS };
  const length = readValueLength(reader);
  const value = reader.nested(length);
  const mediaType = readMedia(value);
  const parameters = new Map<string, string>();
  while (value.remaining > 0) {
    const [name, text] = readParameter(value);
    // The first one wins: a later one cannot change what an earlier reader has decided on.
    if (!parameters.has(name)) parameters.set(name, text);
  }
  return { mediaType, parameters };
}

/** Writes the shortest form: one octet or text without parameters, the general form with them. */
export function writeMediaType(writer: OctetWriter, value: ContentType): void {
  const code = MEDIA_TYPE_CODES.get(value.mediaType.toLowerCase());
  if (value.parameters.size === 0 && (code === undefined || code <= 0x7f)) {
    writeMedia(writer, value.mediaType, code);
    return;
  }
  const general = new OctetWriter();
  writeMedia(general, value.mediaType, code);
  for (const [name, text] of value.parameters)
    writeParameter(general, name.toLowerCase(), text, value.mediaType);
  writeValueLength(writer, general.length);
  writer.append(general.written());
}

/** A charset as text: its name, or `x-mib-<number>` for one that has none here. */
export function readCharset(reader: OctetReader): string {
  const first = reader.peek();
  if (first > 0x1f && first < 0x80) return readText(reader).toLowerCase();
  const mib = readInteger(reader);
  return CHARSET_BY_MIB.get(mib) ?? `x-mib-${mib}`;
}

/** The number of a charset; undefined for a name that must go as text. */
export function charsetMib(name: string): number | undefined {
  const lower = name.toLowerCase();
  const number = /^x-mib-([0-9]{1,9})$/.exec(lower)?.[1];
  return number === undefined ? CHARSET_MIBS.get(lower) : Number(number);
}

function readMedia(reader: OctetReader): string {
  const start = reader.offset;
  const first = reader.peek();
  if (first > 0x1f && first < 0x80) {
    const text = readText(reader).toLowerCase();
    const [type = '', subtype = '', ...more] = text.split('/');
    if (isToken(type) && isToken(subtype) && more.length === 0) return text;
    throw new DecodeError('not a media type', { offset: start, clause: CLAUSE });
  }
  const code = readInteger(reader);
  const known = MEDIA_TYPE_BY_CODE.get(code);
  if (known === undefined) {
    throw new DecodeError(`unknown media type number ${code}`, { offset: start, clause: CLAUSE });
  }
  return known;
}

function writeMedia(writer: OctetWriter, mediaType: string, code: number | undefined): void {
  if (code === undefined) writeText(writer, mediaType);
  else writeInteger(writer, code);
}

function readParameter(reader: OctetReader): readonly [string, string] {
  const start = reader.offset;
  const first = reader.peek();
  if (first > 0x1f && first < 0x80) {
    const name = readText(reader).toLowerCase();
    if (!isToken(name))
      throw new DecodeError('parameter name is no token', { offset: start, clause: CLAUSE });
    return [name, readUntyped(reader)];
  }
  const token = readInteger(reader);
  const known = PARAMETER_BY_TOKEN.get(token);
  if (known === undefined) {
    throw new DecodeError(`unknown parameter number ${token}`, { offset: start, clause: CLAUSE });
  }
  return [known.name, readTyped(reader, known.type)];
}

function readUntyped(reader: OctetReader): string {
  const first = reader.peek();
  if (first >= 0x80 || (first > 0 && first < 0x1f)) return String(readInteger(reader));
  return readTextValue(reader);
}

function readTyped(reader: OctetReader, type: ParameterType): string {
  switch (type) {
    case 'quality':
      return readQuality(reader);
    case 'charset':
      return readCharset(reader);
    case 'version':
      return readVersion(reader);
    case 'integer':
      return String(readInteger(reader));
    case 'security': {
      const method = readInteger(reader);
      return SEC_VALUES[method] ?? String(method);
    }
    case 'media':
      return readMedia(reader);
    case 'date':
      return readDate(reader);
    case 'none':
      if (reader.octet() !== 0)
        throw new DecodeError('a value where there is none', { offset: reader.offset });
      return '';
    case 'text':
      return readTextValue(reader);
  }
}

function writeParameter(writer: OctetWriter, name: string, text: string, mediaType: string): void {
  const token = PARAMETER_TOKENS.get(name);
  const value = new OctetWriter();
  // Token 0x09 says "type" for related parts alone (WAP-230 table 38); other media types name it in full.
  const isTyped = token !== undefined && (name !== 'type' || /multipart[/.]related$/i.test(mediaType));
  if (isTyped && writeTyped(value, token.type, text)) writeInteger(writer, token.code);
  else {
    writeText(writer, name);
    writeTextValue(value, text);
  }
  writer.append(value.written());
}

/** False, and nothing written, when the text has no form of that type. */
function writeTyped(writer: OctetWriter, type: ParameterType, text: string): boolean {
  switch (type) {
    case 'quality':
      if (!/^0(?:\.[0-9]{1,3})?$/.test(text)) return false;
      writeQuality(writer, text);
      return true;
    case 'charset': {
      const mib = charsetMib(text);
      if (mib !== undefined) writeInteger(writer, mib);
      return mib !== undefined;
    }
    case 'version':
      writeVersion(writer, text);
      return true;
    case 'integer':
      if (!/^[0-9]{1,15}$/.test(text)) return false;
      writeInteger(writer, Number(text));
      return true;
    case 'security': {
      const method = /^[0-9]{1,3}$/.test(text) ? Number(text) : SEC_VALUES.indexOf(text.toUpperCase());
      if (method < 0 || method > 0x7f) return false;
      writeInteger(writer, method);
      return true;
    }
    case 'media': {
      const code = MEDIA_TYPE_CODES.get(text.toLowerCase());
      writeMedia(writer, text, code);
      return true;
    }
    case 'date':
      if (Number.isNaN(Date.parse(text)) || Date.parse(text) < 0) return false;
      writeDate(writer, text);
      return true;
    case 'none':
      writer.octet(0);
      return true;
    case 'text':
      writeText(writer, text);
      return true;
  }
}
