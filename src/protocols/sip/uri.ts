/**
 * SIP, SIPS and tel URIs (RFC 3261 §19.1, RFC 3966). Parts keep their escapes as sent, so that a URI is written back
 * byte for byte; `unescapeUriPart` and `escapeUser` translate where a value is needed. Other schemes are kept whole
 * as `other`: whether they are served is for the caller to say (416).
 */

import { DecodeError } from '../../kernel/errors.js';
import { canonicalIpv6 } from '../push-address/ip-address.js';
import { parseDecimal } from './grammar.js';
import { formatParameters, parameter, parseParameters, type SipParameter } from './parameters.js';

export interface SipUri {
  readonly kind: 'sip';
  readonly scheme: 'sip' | 'sips';
  /** Escaped, as on the wire; undefined when there is no user part. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** As on the wire; an IPv6 address keeps its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly parameters: readonly SipParameter[];
  /** What follows `?`, escaped as on the wire. */
  readonly headers: string | undefined;
}

export interface TelUri {
  readonly kind: 'tel';
  /** With its visual separators, as on the wire; global numbers start with `+`. */
  readonly number: string;
  readonly parameters: readonly SipParameter[];
}

export interface OtherUri {
  readonly kind: 'other';
  readonly scheme: string;
  readonly text: string;
}

export type Uri = SipUri | TelUri | OtherUri;

const CLAUSE = 'RFC 3261 §19.1.1';
const HOST = /^(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,253}[A-Za-z0-9_.])?)$/;
const USER = /^(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/]|%[0-9A-Fa-f]{2}|[^\x00-\x7f])+$/;
const PASSWORD = /^(?:[A-Za-z0-9\-_.!~*'()&=+$,]|%[0-9A-Fa-f]{2})*$/;
const FORBIDDEN = /[\x00-\x20<>"\x7f]/;

/** Parses a URI. Throws DecodeError when its scheme is known and the rest is not well-formed, or when it is no URI at all. */
export function parseUri(text: string): Uri {
  const colon = text.indexOf(':');
  const scheme = text.slice(0, Math.max(colon, 0)).toLowerCase();
  if (!/^[a-z][a-z0-9+.-]*$/.test(scheme) || FORBIDDEN.test(text)) {
    throw new DecodeError('not a URI', { clause: CLAUSE });
  }
  const rest = text.slice(colon + 1);
  if (scheme === 'sip' || scheme === 'sips') return parseSipUri(scheme, rest);
  if (scheme === 'tel') return parseTelUri(rest);
  return { kind: 'other', scheme, text };
}

/** Parses a URI that must be sip or sips. */
export function parseSipOrSipsUri(text: string): SipUri {
  const uri = parseUri(text);
  if (uri.kind !== 'sip') throw new DecodeError(`a ${uri.kind} URI where sip is needed`, { clause: CLAUSE });
  return uri;
}

/** The URI as text; a URI that was parsed comes out as it went in, but for the case of its scheme. */
export function formatUri(uri: Uri): string {
  if (uri.kind === 'other') return uri.text;
  if (uri.kind === 'tel') return `tel:${uri.number}${formatParameters(uri.parameters)}`;
  const password = uri.password === undefined ? '' : `:${uri.password}`;
  const userinfo = uri.user === undefined ? '' : `${uri.user}${password}@`;
  const port = uri.port === undefined ? '' : `:${uri.port}`;
  const headers = uri.headers === undefined ? '' : `?${uri.headers}`;
  return `${uri.scheme}:${userinfo}${uri.host}${port}${formatParameters(uri.parameters)}${headers}`;
}

/** A URI part with its escapes resolved as UTF-8; a part whose escapes are no UTF-8 is returned as it is. */
export function unescapeUriPart(part: string): string {
  if (!part.includes('%')) return part;
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Escapes text for the user part of a SIP URI. */
export function escapeUser(text: string): string {
  return encodeURIComponent(text).replace(/%(?:24|26|2B|2C|3B|3D|3F|2F)/g, (escaped) =>
    unescapeUriPart(escaped),
  );
}

/** The host without the brackets of an IPv6 literal, in lower case. */
export function bareHost(host: string): string {
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  return bare.toLowerCase();
}

/** The same with an IPv6 address in the one form that RFC 5952 gives it: as sockets tell addresses. */
export function canonicalHost(host: string): string {
  const bare = bareHost(host);
  return bare.includes(':') ? (canonicalIpv6(bare) ?? bare) : bare;
}

/** URI equality: RFC 3261 §19.1.4 for sip and sips, RFC 3966 §4 for tel, exact text for the rest. */
export function urisEqual(left: Uri, right: Uri): boolean {
  if (left.kind === 'sip' && right.kind === 'sip') return sipUrisEqual(left, right);
  if (left.kind === 'tel' && right.kind === 'tel') return telUrisEqual(left, right);
  return left.kind === 'other' && right.kind === 'other' && left.text === right.text;
}

/** A telephone number without its visual separators (RFC 3966 §3). */
function bareNumber(number: string): string {
  return number.replace(/[-.()]/g, '').toLowerCase();
}

function parseSipUri(scheme: 'sip' | 'sips', rest: string): SipUri {
  const at = rest.indexOf('@');
  const userinfo = at < 0 ? undefined : rest.slice(0, at);
  const colon = userinfo === undefined ? -1 : userinfo.indexOf(':');
  const user = userinfo === undefined ? undefined : colon < 0 ? userinfo : userinfo.slice(0, colon);
  const password = userinfo === undefined || colon < 0 ? undefined : userinfo.slice(colon + 1);
  if ((user !== undefined && !USER.test(user)) || (password !== undefined && !PASSWORD.test(password))) {
    throw new DecodeError('a SIP URI with a malformed user part', { clause: CLAUSE });
  }
  const tail = rest.slice(at + 1);
  const question = tail.indexOf('?');
  const headers = question < 0 ? undefined : tail.slice(question + 1);
  const withoutHeaders = question < 0 ? tail : tail.slice(0, question);
  const semicolon = withoutHeaders.indexOf(';');
  const hostport = semicolon < 0 ? withoutHeaders : withoutHeaders.slice(0, semicolon);
  const parameters = semicolon < 0 ? [] : parseParameters(withoutHeaders.slice(semicolon));
  if (tail.includes('@')) throw new DecodeError('a SIP URI with two @', { clause: CLAUSE });
  return { kind: 'sip', scheme, user, password, ...parseHostPort(hostport), parameters, headers };
}

/** `host`, `host:port`, `[v6]` or `[v6]:port`, as in URIs and Via. */
export function parseHostPort(text: string): { readonly host: string; readonly port: number | undefined } {
  const colon = text.indexOf(':', text.startsWith('[') ? text.indexOf(']') : 0);
  const host = colon < 0 ? text : text.slice(0, colon);
  if (!HOST.test(host)) throw new DecodeError('a malformed host', { clause: CLAUSE });
  if (colon < 0) return { host, port: undefined };
  const port = parseDecimal(text.slice(colon + 1), 65_535);
  if (port === undefined) throw new DecodeError('a malformed port', { clause: CLAUSE });
  return { host, port };
}

function parseTelUri(rest: string): TelUri {
  const semicolon = rest.indexOf(';');
  const number = semicolon < 0 ? rest : rest.slice(0, semicolon);
  if (!/^(?:\+[-.()]*[0-9][-.()0-9]*|[-.()0-9A-Fa-f*#]+)$/.test(number) || number.length > 64) {
    throw new DecodeError('a malformed telephone number', { clause: 'RFC 3966 §3' });
  }
  return { kind: 'tel', number, parameters: semicolon < 0 ? [] : parseParameters(rest.slice(semicolon)) };
}

/** Parameters that never match when only one URI has them (RFC 3261 §19.1.4 and its examples). */
const SIGNIFICANT_PARAMETERS = ['user', 'ttl', 'method', 'maddr', 'transport'];

function sipUrisEqual(left: SipUri, right: SipUri): boolean {
  if (left.scheme !== right.scheme || left.port !== right.port) return false;
  if (left.host.toLowerCase() !== right.host.toLowerCase()) return false;
  if (!partsEqual(left.user, right.user) || !partsEqual(left.password, right.password)) return false;
  for (const name of SIGNIFICANT_PARAMETERS) {
    const bothOrNone =
      (parameter(left.parameters, name) === undefined) === (parameter(right.parameters, name) === undefined);
    if (!bothOrNone) return false;
  }
  return (
    sharedParametersMatch(left.parameters, right.parameters) && headersMatch(left.headers, right.headers)
  );
}

function telUrisEqual(left: TelUri, right: TelUri): boolean {
  return (
    bareNumber(left.number) === bareNumber(right.number) &&
    left.parameters.length === right.parameters.length &&
    left.parameters.every(({ name, value }) => {
      const other = parameter(right.parameters, name);
      return other !== undefined && other.toLowerCase() === (value ?? '').toLowerCase();
    })
  );
}

function partsEqual(left: string | undefined, right: string | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return left === right || unescapeUriPart(left) === unescapeUriPart(right);
}

function sharedParametersMatch(left: readonly SipParameter[], right: readonly SipParameter[]): boolean {
  return left.every(({ name, value }) => {
    const other = parameter(right, name);
    return (
      other === undefined ||
      unescapeUriPart(other).toLowerCase() === unescapeUriPart(value ?? '').toLowerCase()
    );
  });
}

function headersMatch(left: string | undefined, right: string | undefined): boolean {
  const sorted = (headers: string | undefined) =>
    (headers ?? '')
      .split('&')
      .map((pair) => unescapeUriPart(pair))
      .sort();
  const ours = sorted(left);
  const theirs = sorted(right);
  return ours.length === theirs.length && ours.every((pair, index) => pair === theirs[index]);
}
