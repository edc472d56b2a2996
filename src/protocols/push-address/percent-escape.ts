/** Percent-escapes of client specifiers (WAP-249 §7.1): safe are letters, digits and `+ - . _`; everything else is `%HH` of its UTF-8 octets. */
import { DecodeError } from '../../kernel/errors.js';

/**
 * The text behind the escapes. Characters that should have been escaped stand for themselves, as initiators leave `@` and `:`
 * bare. Throws DecodeError for a broken escape, for octets that are not UTF-8, and for control characters in either form.
 */
export function unescapePercent(text: string, offset: number): string {
  let unescaped: string;
  try {
    unescaped = text.includes('%') ? decodeURIComponent(text) : text;
  } catch (cause) {
    throw new DecodeError('broken percent-escape', { offset, clause: 'WAP-249 §7.1', cause });
  }
  // A line break or NUL that hides in an escape would otherwise reach header fields, keys and logs.
  if (/[\u0000-\u001f\u007f-\u009f]/.test(unescaped)) {
    throw new DecodeError('control character in an address', { offset, clause: 'WAP-249 §7.1' });
  }
  return unescaped;
}

export function escapePercent(text: string): string {
  let escaped = '';
  for (const octet of Buffer.from(text, 'utf8')) {
    const character = String.fromCharCode(octet);
    escaped += /[A-Za-z0-9+\-._]/.test(character)
      ? character
      : `%${octet.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}
