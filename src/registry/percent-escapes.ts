/**
 * One normal form for percent-escapes (RFC 3986 §6.2.2, RFC 3261 §10.3 step 5): what may stand literally does, everything
 * else is an escape with upper-case digits. Characters outside ASCII become the escapes of their UTF-8 octets, because
 * JSON clients write them plainly.
 */
import { DecodeError } from '../kernel/errors.js';

/**
 * The normal form of `text`. `literal` matches one character that may stand unescaped; a character that may not and is
 * printable becomes an escape. Throws DecodeError for a broken escape, a control character or a space.
 */
export function normaliseEscapes(text: string, literal: RegExp): string {
  if (text.length === 0 || isAllLiteral(text, literal)) return text;
  let normal = '';
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (character === '%') {
      const octet = escapedOctet(text, index);
      const decoded = String.fromCharCode(octet);
      normal += octet < 0x80 && literal.test(decoded) ? decoded : escapeOctet(octet);
      index += 2;
    } else if (literal.test(character)) {
      normal += character;
    } else {
      const codePoint = text.codePointAt(index) ?? 0;
      if (codePoint <= 0x20 || codePoint === 0x7f || (codePoint >= 0xd800 && codePoint <= 0xdfff)) {
        throw new DecodeError('control character, space or lone surrogate in an address', { offset: index });
      }
      for (const octet of Buffer.from(String.fromCodePoint(codePoint), 'utf8')) normal += escapeOctet(octet);
      if (codePoint > 0xffff) index += 1;
    }
  }
  return normal;
}

function isAllLiteral(text: string, literal: RegExp): boolean {
  for (let index = 0; index < text.length; index += 1) if (!literal.test(text.charAt(index))) return false;
  return true;
}

function escapedOctet(text: string, index: number): number {
  const digits = text.slice(index + 1, index + 3);
  if (!/^[0-9A-Fa-f]{2}$/.test(digits)) throw new DecodeError('broken percent-escape', { offset: index });
  const octet = Number.parseInt(digits, 16);
  // An escaped NUL or line break is an attempt to smuggle one into a log, a key or a header field.
  if (octet < 0x20 || octet === 0x7f) throw new DecodeError('escaped control character', { offset: index });
  return octet;
}

function escapeOctet(octet: number): string {
  return `%${octet.toString(16).toUpperCase().padStart(2, '0')}`;
}
