/**
 * Public user identities (IMPU): the addresses by which a user is known, in the one form that is stored and compared
 * (RFC 3261 §10.3 step 5, RFC 3966 §5, RFC 6068; SIR-8). Scheme and host ignore case, the user part does not; parameters,
 * passwords and URI headers are dropped. `sip:` and `sips:` stay distinct here: whether both reach one user is for the
 * registrar to say.
 */
import type { Brand } from '../kernel/brand.js';
import { DecodeError } from '../kernel/errors.js';
import { normaliseEscapes } from './percent-escapes.js';
import { formatAuthority, parseSipUri } from './sip-uri.js';

/** Canonical public user identity (IMPU): an address without parameters, scheme and host in lower case. Made by `publicUserIdentity()`. */
export type PublicUserIdentity = Brand<string, 'PublicUserIdentity'>;

/** Longest address taken, in characters. */
export const MAX_ADDRESS_LENGTH = 512;

/** The canonical form of a `sip:`, `sips:`, `tel:` or `mailto:` address. Throws DecodeError with the reason. */
export function publicUserIdentity(text: string): PublicUserIdentity {
  if (text.length > MAX_ADDRESS_LENGTH) {
    throw new DecodeError(`address longer than ${MAX_ADDRESS_LENGTH} characters`, { code: 'limitExceeded' });
  }
  const colon = text.indexOf(':');
  switch (text.slice(0, Math.max(colon, 0)).toLowerCase()) {
    case 'sip':
    case 'sips':
      return canonicalSip(text) as PublicUserIdentity;
    case 'tel':
      return canonicalTel(text.slice(colon + 1)) as PublicUserIdentity;
    case 'mailto':
      return canonicalMailbox(text.slice(colon + 1)) as PublicUserIdentity;
    default:
      throw new DecodeError('a public user identity is a sip:, sips:, tel: or mailto: address');
  }
}

function canonicalSip(text: string): string {
  const uri = parseSipUri(text);
  if (uri.user === undefined)
    throw new DecodeError('a public user identity needs a user part', { clause: 'RFC 3261 §10.3' });
  return `${uri.scheme}:${formatAuthority(uri)}`;
}

/**
 * `tel:` in its comparable form: visual separators removed. A local number keeps its `phone-context`, because it
 * means nothing without one (RFC 3966 §5.1.4).
 */
export function canonicalTel(afterScheme: string): string {
  const [subscriber = '', ...parameters] = afterScheme.split(';');
  const digits = subscriber
    .replace(/%2B/gi, '+')
    .replace(/[-.()]/g, '')
    .toUpperCase();
  if (/^\+[0-9]{1,32}$/.test(digits)) return `tel:${digits}`;
  if (!/^[0-9A-F*#]{1,32}$/.test(digits))
    throw new DecodeError('bad telephone number', { clause: 'RFC 3966 §3' });
  const context = parameters
    .find((parameter) => /^phone-context=/i.test(parameter))
    ?.slice('phone-context='.length);
  if (context === undefined || !/^\+?[A-Za-z0-9.-]{1,253}$/.test(context)) {
    throw new DecodeError('a local telephone number needs a phone-context', { clause: 'RFC 3966 §5.1.4' });
  }
  return `tel:${digits};phone-context=${context.toLowerCase()}`;
}

const MAILBOX_LITERAL = /[A-Za-z0-9\-_.~!$'*+,;=/^`{|}]/;

function canonicalMailbox(afterScheme: string): string {
  const address = afterScheme.split('?', 1)[0] ?? '';
  const at = address.lastIndexOf('@');
  const domain = address
    .slice(at + 1)
    .toLowerCase()
    .replace(/\.$/, '');
  if (at < 1 || !/^[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?$/.test(domain)) {
    throw new DecodeError('bad mail address', { clause: 'RFC 6068 §2' });
  }
  return `mailto:${normaliseEscapes(address.slice(0, at), MAILBOX_LITERAL)}@${domain}`;
}
