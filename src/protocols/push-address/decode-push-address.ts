/**
 * Text to `PushAddress`. Keywords ignore case; a leading `/`, the absence of `@ppg` (MMS initiators omit it) and characters that
 * should have been escaped are accepted; unknown extension qualifiers are ignored. The text is cut at fixed marks from the
 * right, never searched with backtracking, so that any input is refused or read in one pass.
 */
import { DecodeError } from '../../kernel/errors.js';
import { canonicalIpv4, canonicalIpv6 } from './ip-address.js';
import { unescapePercent } from './percent-escape.js';
import { PUSH_ADDRESS_TYPES, type PushAddress, type PushAddressType } from './push-address.js';
import { readUri } from './recipient-uri.js';

/** Longest address read, in characters. */
export const MAX_PUSH_ADDRESS_LENGTH = 1024;
const MAX_QUALIFIERS = 16;
const CLAUSE = 'WAP-249 §7.1';

/** Reads one client address. Throws DecodeError. */
export function decodePushAddress(text: string): PushAddress {
  if (text.length > MAX_PUSH_ADDRESS_LENGTH) {
    throw new DecodeError(`address longer than ${MAX_PUSH_ADDRESS_LENGTH} characters`, {
      code: 'limitExceeded',
    });
  }
  const uri = readUri(text);
  if (uri !== undefined && uri.scheme !== 'mailto') {
    const type = uri.scheme === 'tel' ? 'PLMN' : 'USER';
    return { text, form: 'uri', type, value: text, ...withoutScheme(uri) };
  }
  return decodeWapPush(text);
}

function decodeWapPush(text: string): PushAddress {
  const prefix = /^\/?WAPPUSH=/i.exec(text)?.[0];
  if (prefix === undefined)
    throw new DecodeError('neither WAPPUSH= nor a SIP or telephone URI', { offset: 0, clause: CLAUSE });
  const typeAt = [...text.matchAll(/\/TYPE=/gi)].at(-1)?.index ?? -1;
  if (typeAt < prefix.length)
    throw new DecodeError('no /TYPE= after the address', { offset: text.length, clause: CLAUSE });
  const { type, ppg } = readTail(text.slice(typeAt + '/TYPE='.length), typeAt);
  const [rawValue = '', ...qualifiers] = text.slice(prefix.length, typeAt).split('/');
  if (rawValue === '')
    throw new DecodeError('empty client specifier', { offset: prefix.length, clause: CLAUSE });
  const { device, scope } = readQualifiers(qualifiers);
  return {
    text,
    form: 'wappush',
    type,
    ...readValue(type, unescapePercent(rawValue, prefix.length)),
    ...(device === undefined ? {} : { device }),
    ...(scope === undefined ? {} : { scope }),
    ...(ppg === undefined ? {} : { ppg }),
  };
}

const TYPES: ReadonlyMap<string, PushAddressType> = new Map(
  PUSH_ADDRESS_TYPES.map((type) => [type.toUpperCase(), type]),
);

function readTail(tail: string, offset: number): { type: PushAddressType; ppg: string | undefined } {
  const at = tail.indexOf('@');
  const name = at < 0 ? tail : tail.slice(0, at);
  const type = TYPES.get(name.toUpperCase());
  if (type === undefined) throw new DecodeError('unknown address type', { offset, clause: CLAUSE });
  if (at < 0) return { type, ppg: undefined };
  const ppg = tail.slice(at + 1);
  if (ppg.length > 255 || !/^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/i.test(ppg)) {
    throw new DecodeError('the ppg-specifier is not a domain name', { offset: offset + at, clause: CLAUSE });
  }
  return { type, ppg: ppg.toLowerCase() };
}

/** Our own qualifiers; every other one must have their form and is ignored. */
function readQualifiers(qualifiers: readonly string[]): Pick<PushAddress, 'device' | 'scope'> {
  if (qualifiers.length > MAX_QUALIFIERS)
    throw new DecodeError('too many qualifiers', { code: 'limitExceeded' });
  const found = new Map<string, string>();
  for (const qualifier of qualifiers) {
    const [, keyword, value] = /^([A-Za-z0-9-]+)=(.+)$/.exec(qualifier) ?? [];
    if (keyword === undefined || value === undefined) {
      throw new DecodeError('an extension qualifier is keyword=value', { clause: CLAUSE });
    }
    const name = keyword.toLowerCase();
    if (name !== 'device' && name !== 'scope') continue;
    if (found.has(name)) throw new DecodeError(`two ${name} qualifiers`, { clause: CLAUSE });
    found.set(name, unescapePercent(value, 0));
  }
  const [device, scope] = [found.get('device'), found.get('scope')?.toLowerCase()];
  if (scope !== undefined && scope !== 'all' && scope !== 'policy') {
    throw new DecodeError('scope is all or policy', { clause: CLAUSE });
  }
  return { ...(device === undefined ? {} : { device }), ...(scope === 'all' ? { scope } : {}) };
}

type Specifier = Pick<PushAddress, 'value' | 'recipient' | 'device' | 'port'>;

function readValue(type: PushAddressType, value: string): Specifier {
  switch (type) {
    case 'PLMN':
      return readTelephoneNumber(value);
    case 'IPv4':
      return { value: canonicalIpv4(value) ?? refuse('not an IPv4 address') };
    case 'IPv6':
      return { value: canonicalIpv6(value) ?? refuse('not an IPv6 address') };
    case 'USER':
      return readUser(value);
    default:
      // The bearer address types carry telephone numbers, except for service codes and TETRA and MAN identities.
      return type.endsWith('MSISDN') && value.startsWith('+') ? readTelephoneNumber(value) : { value };
  }
}

/** [WAP-249 §7.1] `+` and digits; `-` and `.` separate them and mean nothing. */
function readTelephoneNumber(text: string): Specifier {
  const value = text.replace(/[-.]/g, '');
  if (!/^\+[0-9]{1,32}$/.test(value)) refuse('a PLMN address is + and digits');
  return { value, recipient: `tel:${value}` };
}

function readUser(text: string): Specifier {
  const uri = readUri(text);
  if (uri !== undefined) return { value: text, ...withoutScheme(uri) };
  if (/^\+[0-9][0-9.-]{0,40}$/.test(text)) return readTelephoneNumber(text);
  // BlackBerry initiators append the port of the application to a PIN or mail address.
  const [, name = text, digits] = /^([^:]+):([0-9]{1,5})$/.exec(text) ?? [];
  const port = digits === undefined ? {} : { port: Number(digits) };
  if (Number(digits ?? 0) > 65_535) refuse('port out of range');
  const mail = name.includes('@') ? readUri(`mailto:${name}`) : undefined;
  return { value: name, ...(mail === undefined ? {} : { recipient: mail.recipient }), ...port };
}

function withoutScheme(uri: { recipient: string; device?: string }): { recipient: string; device?: string } {
  return uri.device === undefined
    ? { recipient: uri.recipient }
    : { recipient: uri.recipient, device: uri.device };
}

function refuse(detail: string): never {
  throw new DecodeError(detail, { clause: CLAUSE });
}
