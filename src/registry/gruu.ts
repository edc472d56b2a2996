/**
 * GRUUs as device identities (RFC 5627; SIR-12). Plain URI equality would make every public GRUU equal to its address of
 * record (RFC 5627 §5.4), so the canonical form keeps exactly what tells devices apart: user, host and the `gr` parameter.
 * A GRUU's scheme is not part of it: `sips:` asks for a secured route to the same device.
 */
import { DecodeError } from '../kernel/errors.js';
import { canonicalUrn, URN_LITERAL } from './identity-forms.js';
import { normaliseEscapes } from './percent-escapes.js';
import { formatAuthority, parseSipUri } from './sip-uri.js';

/** True when the text is a SIP URI with a `gr` parameter, well-formed or not. */
export function isGruu(text: string): boolean {
  return /;gr(?:[=;?]|$)/i.test(text.slice(text.lastIndexOf('@') + 1));
}

/**
 * `sip:user@host;gr=<instance>` (public) or `sip:<opaque>@host;gr` (temporary). An instance that is a URN is in its
 * canonical form; any other `gr` value is compared without case, as RFC 3261 §19.1.4 compares parameters.
 */
export function canonicalGruu(text: string): string {
  const uri = parseSipUri(text);
  const gr = uri.parameters.get('gr');
  if (gr === undefined) throw new DecodeError('a GRUU needs the gr parameter', { clause: 'RFC 5627 §5.4' });
  if (uri.user === undefined) throw new DecodeError('a GRUU needs a user part', { clause: 'RFC 5627 §5.4' });
  return `sip:${formatAuthority(uri)};gr${gr === '' ? '' : `=${canonicalGr(gr)}`}`;
}

/** The canonical URN of the instance that a canonical public GRUU names; undefined for a temporary or opaque one. */
export function instanceOfGruu(canonical: string): string | undefined {
  const start = canonical.indexOf(';gr=urn:');
  return start < 0
    ? undefined
    : canonicalUrn(normaliseEscapes(canonical.slice(start + ';gr='.length), URN_LITERAL));
}

/** What a URI parameter may hold without an escape: unreserved and param-unreserved of RFC 3261 §25.1. */
const PARAMETER_LITERAL = /[A-Za-z0-9\-_.!~*'()[\]/:&+$]/;

/** Registrars differ in which characters of a URN they escape inside `gr`: the URN is unescaped, made canonical, escaped again. */
function canonicalGr(gr: string): string {
  const asUrn = normaliseEscapes(gr, URN_LITERAL);
  if (/^urn:/i.test(asUrn)) return normaliseEscapes(canonicalUrn(asUrn), PARAMETER_LITERAL);
  return normaliseEscapes(normaliseEscapes(gr, PARAMETER_LITERAL).toLowerCase(), PARAMETER_LITERAL);
}
