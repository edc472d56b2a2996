/**
 * Patterns of recipients and application ids in the rights of an initiator. `*` stands for any characters, everything else for
 * itself; there is nothing more to it, so a pattern cannot be slow. Compared with canonical forms: an address is brought into
 * the form in which users are known before it is held against a pattern, application ids ignore case.
 */
import { DecodeError } from '../kernel/errors.js';

/** Longest pattern, in characters. */
const MAX_PATTERN_LENGTH = 256;

/**
 * A pattern of recipients as it is kept: scheme and host in lower case, as canonical addresses have them. Throws DecodeError
 * for a pattern that no address can match.
 */
export function addressPattern(text: string): string {
  checkLength(text);
  const scheme = /^[a-z0-9_]+(?=:)/i.exec(text)?.[0].toLowerCase();
  if (scheme === undefined && !text.startsWith('*')) {
    throw new DecodeError('a pattern of addresses begins with "*" or a scheme: tel:+43*, sip:*@example.test');
  }
  if (scheme === 'tel' && /[\s().-]/.test(text.split(';', 1)[0] ?? '')) {
    throw new DecodeError('telephone numbers are compared without separators: write tel:+43664*');
  }
  const host = text.lastIndexOf('@') + 1;
  const prefix = scheme?.length ?? 0;
  return host > prefix
    ? `${scheme ?? ''}${text.slice(prefix, host)}${text.slice(host).toLowerCase()}`
    : `${scheme ?? ''}${text.slice(prefix)}`;
}

/** A pattern of application ids as it is kept. Throws DecodeError. */
export function applicationPattern(text: string): string {
  checkLength(text);
  if (/\s|;/.test(text)) throw new DecodeError('an application id has neither spaces nor parameters');
  return text.toLowerCase();
}

/** A pattern of URIs as it is kept. Throws DecodeError. */
export function uriPattern(text: string): string {
  checkLength(text);
  if (!/^[a-z][a-z0-9+.-]*:\S+$/i.test(text)) {
    throw new DecodeError('a pattern of URIs begins with a scheme: https://pi.example.test/*');
  }
  return text;
}

function checkLength(text: string): void {
  if (text.length === 0 || text.length > MAX_PATTERN_LENGTH) {
    throw new DecodeError(`a pattern has 1 to ${MAX_PATTERN_LENGTH} characters`);
  }
}

/** True when the whole text fits the pattern. Time grows with the product of the two lengths at worst. */
export function matchesPattern(pattern: string, text: string): boolean {
  let at = 0;
  let position = 0;
  // Where to go on when what follows the latest "*" does not fit: that star takes one character more.
  let star = -1;
  let taken = 0;
  while (position < text.length) {
    if (pattern[at] === '*') {
      star = at;
      taken = position;
      at += 1;
    } else if (pattern[at] === text[position]) {
      at += 1;
      position += 1;
    } else if (star >= 0) {
      taken += 1;
      at = star + 1;
      position = taken;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}

/** An application id fits by its full name or by its last part. */
export function matchesApplication(pattern: string, applicationId: string): boolean {
  const id = applicationId.toLowerCase();
  return matchesPattern(pattern, id) || matchesPattern(pattern, id.slice(id.indexOf(':') + 1));
}
