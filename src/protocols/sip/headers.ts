/**
 * Reading header fields (RFC 3261 §7.3): names without case and in compact form, several values on one line.
 * `headerValue` gives the first line whole; `headerLines` every line whole; `headerValues` the comma-separated
 * elements of all lines in order. Fields that are no lists (Date, Subject, Authorization …) must not be split:
 * read them with the first two.
 */
import type { SipHeader } from './message.js';

interface HasHeaders {
  readonly headers: readonly SipHeader[];
}

/** Compact forms (RFC 3261 §7.3.3 and the IANA registry) → long name in lower case. */
const COMPACT_FORMS: ReadonlyMap<string, string> = new Map([
  ['a', 'accept-contact'],
  ['b', 'referred-by'],
  ['c', 'content-type'],
  ['d', 'request-disposition'],
  ['e', 'content-encoding'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['j', 'reject-contact'],
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['n', 'identity-info'],
  ['o', 'event'],
  ['r', 'refer-to'],
  ['s', 'subject'],
  ['t', 'to'],
  ['u', 'allow-events'],
  ['v', 'via'],
  ['x', 'session-expires'],
  ['y', 'identity'],
]);

/** The long name in lower case: `v` and `VIA` are both `via`. */
export function canonicalHeaderName(name: string): string {
  const lower = name.toLowerCase();
  return lower.length === 1 ? (COMPACT_FORMS.get(lower) ?? lower) : lower;
}

/** The value of the first field of that name, whole, or undefined. */
export function headerValue(message: HasHeaders, name: string): string | undefined {
  const wanted = canonicalHeaderName(name);
  for (const header of message.headers) {
    if (isNamed(header, wanted)) return header.value;
  }
  return undefined;
}

/** The values of all fields of that name, each whole, in order. */
export function headerLines(message: HasHeaders, name: string): string[] {
  const wanted = canonicalHeaderName(name);
  const lines: string[] = [];
  for (const header of message.headers) if (isNamed(header, wanted)) lines.push(header.value);
  return lines;
}

/** The comma-separated elements of all fields of that name, in order; empty elements are left out. */
export function headerValues(message: HasHeaders, name: string): string[] {
  const lines = headerLines(message, name);
  if (lines.length === 1) {
    const [line = ''] = lines;
    if (!line.includes(',')) return line === '' ? [] : lines;
  }
  return lines.flatMap(splitHeaderList);
}

/**
 * Splits a list value at its commas, except those inside quoted strings and angle brackets.
 * An unclosed quote or bracket runs to the end: the element's own parser then refuses it.
 */
export function splitHeaderList(value: string): string[] {
  const elements: string[] = [];
  let start = 0;
  let quoted = false;
  let bracketed = false;
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if (quoted) {
      if (code === 0x5c) index += 1;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22 && !bracketed) quoted = true;
    else if (code === 0x3c) bracketed = true;
    else if (code === 0x3e) bracketed = false;
    else if (code === 0x2c && !bracketed) {
      pushElement(elements, value, start, index);
      start = index + 1;
    }
  }
  pushElement(elements, value, start, value.length);
  return elements;
}

function pushElement(elements: string[], value: string, start: number, end: number): void {
  const element = value.slice(start, end).trim();
  if (element !== '') elements.push(element);
}

function isNamed(header: SipHeader, canonical: string): boolean {
  const { name } = header;
  if (name.length === canonical.length) return name === canonical || name.toLowerCase() === canonical;
  return name.length === 1 && COMPACT_FORMS.get(name.toLowerCase()) === canonical;
}
