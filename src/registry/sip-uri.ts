/**
 * SIP and SIPS URIs in the parts that identity needs (RFC 3261 §19.1.4): the codec's parts in one normal form. User parts have
 * their escapes normalised, hosts are in lower case, the scheme's own port is left out. Passwords and URI headers are
 * dropped: neither belongs to an identity.
 */
import { DecodeError } from '../kernel/errors.js';
import { parseSipOrSipsUri } from '../protocols/sip/index.js';
import { normaliseEscapes } from './percent-escapes.js';

export interface SipUriParts {
  readonly scheme: 'sip' | 'sips';
  /** Canonical user part: case kept, needless escapes undone. Absent for a URI that names a host only. */
  readonly user: string | undefined;
  /** Lower case, IPv6 references with their brackets, no trailing dot. */
  readonly host: string;
  /** Absent when the default port of the scheme is meant. */
  readonly port: number | undefined;
  /** Names in lower case; values as written, `''` for a parameter without one. */
  readonly parameters: ReadonlyMap<string, string>;
}

const CLAUSE = 'RFC 3261 §19.1';
/** user-unreserved and unreserved of RFC 3261 §25.1: what a user part may hold without an escape. */
const USER_LITERAL = /[A-Za-z0-9\-_.!~*'()&=+$,;?/]/;

/** The normal form of a SIP or SIPS URI. Throws DecodeError for anything else. */
export function parseSipUri(text: string): SipUriParts {
  const { scheme, user, host, port, parameters } = parseSipOrSipsUri(text);
  if (port === 0) throw new DecodeError('bad port 0', { clause: CLAUSE });
  const byName = new Map<string, string>();
  for (const { name, value = '' } of parameters) {
    const lower = name.toLowerCase();
    // Two values for one name could be read differently by two readers.
    if (byName.has(lower)) throw new DecodeError(`URI parameter "${name}" twice`, { clause: CLAUSE });
    byName.set(lower, value);
  }
  return {
    scheme,
    user: user === undefined ? undefined : normaliseEscapes(user, USER_LITERAL),
    host: host.toLowerCase().replace(/\.$/, ''),
    port: port === (scheme === 'sip' ? 5060 : 5061) ? undefined : port,
    parameters: byName,
  };
}

/** `user@host:port` without the parts that are absent. */
export function formatAuthority(uri: Pick<SipUriParts, 'user' | 'host' | 'port'>): string {
  return `${uri.user === undefined ? '' : `${uri.user}@`}${uri.host}${uri.port === undefined ? '' : `:${uri.port}`}`;
}
