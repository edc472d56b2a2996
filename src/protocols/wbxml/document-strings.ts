/** The strings of a WBXML document: its character set and its string table (WAP-192 §5.6, §5.7). Pure. */
import { isAscii } from 'node:buffer';
import { DecodeError } from '../../kernel/errors.js';
import { latin1, type OctetReader, readUintvar } from '../wsp/index.js';
import type { WbxmlLimits } from './limits.js';

/** A string of the string table by its offset. */
export type StringTable = (index: number) => string;
export type TextDecode = (octets: Uint8Array) => string;

/** How text of the charset (an IANA MIBenum) is read; `offset`: where it stands. Throws DecodeError for one that is not read. */
export function textDecoder(charset: number, offset: number): TextDecode {
  switch (charset) {
    case 0: // unknown: the transport says it, and what it says for push is UTF-8
    case 106:
      return utf8;
    case 3:
      return usAscii;
    case 4:
      return latin1;
    default:
      throw new DecodeError(`character set ${charset} is not read`, { offset, clause: 'WAP-192 §5.6' });
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function utf8(octets: Uint8Array): string {
  try {
    return strictUtf8.decode(octets);
  } catch (cause) {
    throw new DecodeError('string is not UTF-8', { cause });
  }
}

function usAscii(octets: Uint8Array): string {
  if (!isAscii(octets)) throw new DecodeError('octet over 7F in a US-ASCII string');
  return latin1(octets);
}

/** Reads the table. Throws DecodeError; so does asking it for a string that it has not. */
export function readStringTable(reader: OctetReader, textOf: TextDecode, limits: WbxmlLimits): StringTable {
  const start = reader.offset;
  const size = readUintvar(reader);
  if (size > limits.maxStringTableBytes) throw overLimit('string table too long', start);
  const octets = reader.take(size);
  return (index) => {
    if (index >= octets.length) {
      throw new DecodeError(`no string ${index} in the string table`, { clause: 'WAP-192 §5.7' });
    }
    // Leniency: the last string may lack its zero octet. The Mozilla decoder tests and some gateways leave it out.
    const zero = octets.indexOf(0, index);
    return textOf(octets.subarray(index, zero < 0 ? octets.length : zero));
  };
}

export function overLimit(detail: string, offset: number): DecodeError {
  return new DecodeError(detail, { code: 'limitExceeded', offset });
}
