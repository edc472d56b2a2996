/**
 * The character classes and small tokens that every SIP header shares (RFC 3261 §25.1): token, quoted-string, LWS.
 */
import { DecodeError } from '../../kernel/errors.js';

const TOKEN_CHARACTERS = new Uint8Array(128);
for (const character of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~") {
  TOKEN_CHARACTERS[character.charCodeAt(0)] = 1;
}

/** True for one or more token characters of `text` in [start, end). */
export function isToken(text: string, start = 0, end = text.length): boolean {
  if (start >= end) return false;
  for (let index = start; index < end; index += 1) {
    if (TOKEN_CHARACTERS[text.charCodeAt(index)] !== 1) return false;
  }
  return true;
}

/** True for space and tab; line folds are gone before any header is read. */
export function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** The first index ≥ `start` that holds no space or tab. */
export function skipBlanks(text: string, start: number): number {
  let index = start;
  while (index < text.length && isBlank(text.charCodeAt(index))) index += 1;
  return index;
}

/** Where the quoted string that opens at `start` ends: the index after its closing quote. Throws when it never closes. */
export function quotedStringEnd(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0x5c) index += 1;
    else if (code === 0x22) return index + 1;
  }
  throw new DecodeError('a quoted string is not closed', { offset: start, clause: 'RFC 3261 §25.1' });
}

/** The text inside a quoted string, escapes resolved; anything else is returned as it is. */
export function unquote(value: string): string {
  if (value.length < 2 || !value.startsWith('"') || !value.endsWith('"')) return value;
  const inner = value.slice(1, -1);
  return inner.includes('\\') ? inner.replace(/\\([\s\S])/g, '$1') : inner;
}

/** A quoted string holding `text`. */
export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** A non-negative decimal integer of at most `maximum`, or undefined. */
export function parseDecimal(text: string, maximum: number): number | undefined {
  if (text.length === 0 || text.length > 10) return undefined;
  let value = 0;
  for (let index = 0; index < text.length; index += 1) {
    const digit = text.charCodeAt(index) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value <= maximum ? value : undefined;
}
