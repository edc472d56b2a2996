/**
 * Addresses in headers (RFC 3261 §20.10, §20.20, §20.34): From, To, Contact, Route, Record-Route, Path,
 * P-Asserted-Identity, Refer-To. Both forms are read, `"Name" <uri>;params` and `uri;params`; in the second the
 * parameters belong to the header, not to the URI. Written always with angle brackets.
 */
import { DecodeError } from '../../kernel/errors.js';
import { isToken, quote, quotedStringEnd, skipBlanks, unquote } from './grammar.js';
import { headerValues } from './headers.js';
import type { SipHeader } from './message.js';
import { formatParameters, parameter, parseParameters, type SipParameter } from './parameters.js';

export interface NameAddr {
  /** Without quotes and escapes; undefined when there is none. */
  readonly displayName: string | undefined;
  /** As on the wire: parse it with parseUri when its parts matter. */
  readonly uri: string;
  readonly parameters: readonly SipParameter[];
}

const CLAUSE = 'RFC 3261 §25.1 name-addr';

/** Parses one address with its header parameters. */
export function parseNameAddr(text: string): NameAddr {
  const start = skipBlanks(text, 0);
  let displayName: string | undefined;
  let open = start;
  if (text.charCodeAt(start) === 0x22) {
    const end = quotedStringEnd(text, start);
    displayName = unquote(text.slice(start, end));
    open = skipBlanks(text, end);
    if (text.charCodeAt(open) !== 0x3c) throw new DecodeError('a display name without <', { clause: CLAUSE });
  } else {
    open = text.indexOf('<', start);
    if (open < 0) return parseAddrSpec(text.slice(start).trimEnd());
    displayName = parseTokenName(text.slice(start, open).trim());
  }
  const close = text.indexOf('>', open);
  if (close < 0) throw new DecodeError('an address without >', { offset: open, clause: CLAUSE });
  const uri = text.slice(open + 1, close).trim();
  if (uri === '' || /[\s<"]/.test(uri)) throw new DecodeError('no URI between < and >', { clause: CLAUSE });
  return { displayName, uri, parameters: parseParameters(text.slice(close + 1)) };
}

/** `"Name" <uri>;params`. */
export function formatNameAddr(address: NameAddr): string {
  const name = address.displayName === undefined ? '' : `${quote(address.displayName)} `;
  return `${name}<${address.uri}>${formatParameters(address.parameters)}`;
}

/** All addresses of a header (Route, Record-Route, Path, P-Asserted-Identity …), several per line or several lines. */
export function addressesOf(
  message: { readonly headers: readonly SipHeader[] },
  name: string,
): readonly NameAddr[] {
  return headerValues(message, name).map(parseNameAddr);
}

/** The Contact header: `*`, or the addresses in order. `*` beside anything else is malformed (RFC 3261 §10.3 step 6). */
export function contactsOf(message: { readonly headers: readonly SipHeader[] }): '*' | readonly NameAddr[] {
  const values = headerValues(message, 'contact');
  if (!values.includes('*')) return values.map(parseNameAddr);
  if (values.length > 1) throw new DecodeError('"*" beside other contacts', { clause: 'RFC 3261 §10.3' });
  return '*';
}

/** The tag parameter of From or To, read without parsing the rest: undefined when absent or empty. */
export function tagOf(value: string): string | undefined {
  const close = value.lastIndexOf('>');
  const parameters = value.indexOf(';', Math.max(close, 0));
  if (parameters < 0) return undefined;
  const tag = parameter(parseParameters(value.slice(parameters)), 'tag');
  return tag === undefined || tag === '' ? undefined : tag;
}

function parseAddrSpec(text: string): NameAddr {
  const semicolon = text.indexOf(';');
  const uri = (semicolon < 0 ? text : text.slice(0, semicolon)).trim();
  // [RFC 3261 §20.10] a URI with comma, question mark or semicolon must stand in angle brackets.
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>",?]+$/.test(uri)) {
    throw new DecodeError('not an address', { clause: CLAUSE });
  }
  return {
    displayName: undefined,
    uri,
    parameters: semicolon < 0 ? [] : parseParameters(text.slice(semicolon)),
  };
}

/** A display name of tokens; other characters are taken too, as phones send names such as `Müller, Jan <sip:…>` unquoted. */
function parseTokenName(name: string): string | undefined {
  if (name === '') return undefined;
  if (isToken(name)) return name;
  if (/["<>]/.test(name)) throw new DecodeError('a malformed display name', { clause: CLAUSE });
  return name.replace(/[ \t]+/g, ' ');
}
