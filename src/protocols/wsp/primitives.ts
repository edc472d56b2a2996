/**
 * The value types that WSP headers are made of (WAP-230 §8.1.2, §8.4.2): uintvar, integers, text, lengths, q-values, versions
 * and dates. Text is octets without a stated charset: it is read one octet to one character, so that nothing is lost, and
 * written so too unless it holds characters above U+00FF, which go as UTF-8.
 */
import { DecodeError, RefusedError } from '../../kernel/errors.js';
import type { OctetReader, OctetWriter } from './octets.js';

const TEXT_QUOTE = 0x7f;
const STRING_QUOTE = 0x22;
const LENGTH_QUOTE = 0x1f;
const MAX_UINTVAR = 0xffff_ffff;
const NO_MINOR_VERSION = 0xf;
/** C0 controls and DEL, but for the tab. */
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/;

/** uintvar: seven bits per octet, high bit means more. At most five octets and 32 bits. [WAP-230 §8.1.2] */
export function readUintvar(reader: OctetReader): number {
  const start = reader.offset;
  let value = 0;
  for (let count = 0; count < 5; count += 1) {
    const octet = reader.octet();
    value = value * 128 + (octet & 0x7f);
    if ((octet & 0x80) === 0) {
      if (value > MAX_UINTVAR) break;
      return value;
    }
  }
  throw new DecodeError('uintvar of more than 32 bits', { offset: start, clause: 'WAP-230 §8.1.2' });
}

export function writeUintvar(writer: OctetWriter, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > MAX_UINTVAR) throw unwritable('uintvar', value);
  for (let shift = 4; shift > 0; shift -= 1) {
    const group = Math.floor(value / 128 ** shift);
    if (group > 0) writer.octet(0x80 | (group & 0x7f));
  }
  writer.octet(value & 0x7f);
}

/** An integer-value: short (high bit set) or long (length octet, then big-endian octets). Safe integers only. */
export function readInteger(reader: OctetReader): number {
  return (reader.peek() & 0x80) !== 0 ? reader.octet() & 0x7f : readLongInteger(reader);
}

export function readLongInteger(reader: OctetReader): number {
  const start = reader.offset;
  const length = reader.octet();
  if (length < 1 || length > 30) {
    throw new DecodeError('long-integer length outside 1 to 30', {
      offset: start,
      clause: 'WAP-230 §8.4.2.1',
    });
  }
  let value = 0;
  for (const octet of reader.take(length)) value = value * 256 + octet;
  if (!Number.isSafeInteger(value)) {
    throw new DecodeError('long-integer of more than 53 bits', { offset: start, code: 'limitExceeded' });
  }
  return value;
}

/** The shortest form: one octet up to 127, else a long-integer. */
export function writeInteger(writer: OctetWriter, value: number): void {
  if (value >= 0 && value <= 0x7f) writer.octet(0x80 | value);
  else writeLongInteger(writer, value);
}

export function writeLongInteger(writer: OctetWriter, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw unwritable('long-integer', value);
  const octets: number[] = [];
  for (let rest = value; rest > 0 || octets.length === 0; rest = Math.floor(rest / 256))
    octets.unshift(rest % 256);
  writer.octet(octets.length);
  for (const octet of octets) writer.octet(octet);
}

/**
 * A text-string; the quote octet in front of text that starts above 0x7F is taken off. Control characters are outside the
 * grammar, and could break a line wherever the value is shown or passed on: refused.
 */
export function readText(reader: OctetReader): string {
  if (reader.peek() === TEXT_QUOTE) reader.octet();
  const start = reader.offset;
  const text = latin1(reader.untilZero());
  if (CONTROL.test(text)) throw new DecodeError('control character in text', { offset: start });
  return text;
}

export function writeText(writer: OctetWriter, text: string): void {
  const octets = textOctets(text);
  if ((octets[0] ?? 0) >= TEXT_QUOTE) writer.octet(TEXT_QUOTE);
  writer.append(octets).octet(0);
}

/** A text-value: no-value (`''`), token or quoted-string, which opens with a quote and has no closing one. */
export function readTextValue(reader: OctetReader): string {
  if (reader.peek() === STRING_QUOTE) reader.octet();
  return readText(reader);
}

/** A token of RFC 2616: what names of header fields and parameters are made of. */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text);
}

/** A token as it is, anything else as a quoted-string. */
export function writeTextValue(writer: OctetWriter, text: string): void {
  if (text === '' || isToken(text)) {
    writeText(writer, text);
    return;
  }
  writer.octet(STRING_QUOTE).append(textOctets(text)).octet(0);
}

/** A value-length: 0 to 30 in one octet, or 0x1F and a uintvar. */
export function readValueLength(reader: OctetReader): number {
  const start = reader.offset;
  const first = reader.octet();
  if (first < LENGTH_QUOTE) return first;
  if (first === LENGTH_QUOTE) return readUintvar(reader);
  throw new DecodeError('no value-length', { offset: start, clause: 'WAP-230 §8.4.2.2' });
}

export function writeValueLength(writer: OctetWriter, length: number): void {
  if (length < LENGTH_QUOTE) {
    writer.octet(length);
    return;
  }
  writer.octet(LENGTH_QUOTE);
  writeUintvar(writer, length);
}

/** A q-value as text: `0.5`, `0.999`. One or two digits are stored as hundredths + 1, three as thousandths + 100. */
export function readQuality(reader: OctetReader): string {
  const start = reader.offset;
  const value = readUintvar(reader);
  if (value < 1 || value > 1099) {
    throw new DecodeError('q-value out of range', { offset: start, clause: 'WAP-230 §8.4.2.3' });
  }
  const quality = value <= 100 ? (value - 1) / 100 : (value - 100) / 1000;
  return String(quality);
}

export function writeQuality(writer: OctetWriter, text: string): void {
  const digits = /^0(?:\.([0-9]{1,3}))?$/.exec(text);
  if (digits === null) throw unwritable('q-value', text);
  const thousandths = Number((digits[1] ?? '').padEnd(3, '0'));
  writeUintvar(writer, thousandths % 10 === 0 ? thousandths / 10 + 1 : thousandths + 100);
}

/** A version-value as text: `1.5`, `1`. One octet with three bits of major and four of minor, or text. */
export function readVersion(reader: OctetReader): string {
  if ((reader.peek() & 0x80) === 0) return readText(reader);
  const octet = reader.octet();
  const major = (octet >> 4) & 0x7;
  const minor = octet & 0xf;
  return minor === NO_MINOR_VERSION ? String(major) : `${major}.${minor}`;
}

export function writeVersion(writer: OctetWriter, text: string): void {
  const version = /^([1-7])(?:\.([0-9]|1[0-4]))?$/.exec(text);
  if (version === null) {
    writeText(writer, text);
    return;
  }
  writer.octet(
    0x80 | (Number(version[1]) << 4) | (version[2] === undefined ? NO_MINOR_VERSION : Number(version[2])),
  );
}

/** A date-value as HTTP text (`Tue, 15 Nov 1994 08:12:31 GMT`); on the wire, seconds since 1970 as a long-integer. */
export function readDate(reader: OctetReader): string {
  const start = reader.offset;
  const seconds = readLongInteger(reader);
  if (seconds > 253_402_300_799) throw new DecodeError('date beyond the year 9999', { offset: start });
  return new Date(seconds * 1000).toUTCString();
}

export function writeDate(writer: OctetWriter, text: string): void {
  const milliseconds = Date.parse(text);
  if (Number.isNaN(milliseconds) || milliseconds < 0) throw unwritable('date', text);
  writeLongInteger(writer, Math.floor(milliseconds / 1000));
}

/** One octet to one character. */
export function latin1(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('latin1');
}

/** Text for the wire, without the closing zero octet. Control characters would change how the value is read: refused. */
export function textOctets(text: string): Uint8Array {
  if (CONTROL.test(text) || text.startsWith('\t')) throw unwritable('text', text);
  return /^[\0-\xff]*$/.test(text) ? Buffer.from(text, 'latin1') : Buffer.from(text, 'utf8');
}

function unwritable(what: string, value: unknown): RefusedError {
  return new RefusedError('malformed', `not writable as WSP ${what}: ${JSON.stringify(value)}`);
}
