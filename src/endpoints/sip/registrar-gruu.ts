/**
 * GRUUs as the registrar makes them (RFC 5627 §5): the public one is the address of record and the instance in `gr`, byte for
 * byte; the temporary one is an unguessable user part that says nothing about either. Of the temporary GRUUs of a registration
 * the newest is kept.
 */
import type { RandomBytes } from '../../kernel/clock.js';
import { DecodeError } from '../../kernel/errors.js';
import { bareHost, parseSipOrSipsUri } from '../../protocols/sip/index.js';
import type { Binding } from '../../registry/binding.js';

/** Both GRUUs of an instance; none for an address of record that is no SIP URI with a user part. */
export function makeGruus(
  addressOfRecord: string,
  instance: string,
  randomBytes: RandomBytes,
): Pick<Binding, 'publicGruu' | 'temporaryGruu'> {
  try {
    const { scheme, user, host } = parseSipOrSipsUri(addressOfRecord);
    if (user === undefined) return {};
    const opaque = Buffer.from(randomBytes(18)).toString('base64url');
    return {
      publicGruu: `${scheme}:${user}@${host};gr=${escapeParameter(instance)}`,
      temporaryGruu: `${scheme}:tgruu.${opaque}@${host.startsWith('[') ? host : bareHost(host)};gr`,
    };
  } catch (error) {
    if (error instanceof DecodeError) return {};
    throw error;
  }
}

/** Escapes what a URI parameter must not hold literally (RFC 3261 §25.1 pvalue); a UUID URN passes unchanged. */
function escapeParameter(text: string): string {
  return [...Buffer.from(text, 'utf8')]
    .map((octet) => {
      const character = String.fromCharCode(octet);
      return /[A-Za-z0-9\-_.!~*'()[\]/:&+$]/.test(character)
        ? character
        : `%${octet.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}
