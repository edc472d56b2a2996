/**
 * Digest credentials as the registry keeps them: H(A1) for each algorithm that we offer (RFC 7616 §3.4.2), never the
 * password. H(A1) still lets its holder authenticate in this realm, so it is kept and masked like a password.
 */
import { digestSecrets } from '../protocols/sip/index.js';
import type { SipCredentials } from './user.js';

/** H(A1) over `username:realm:password` in UTF-8, for MD5 and SHA-256, as lower-case hexadecimal digits. */
export function sipCredentials(username: string, realm: string, password: string): SipCredentials {
  return { username, realm, ha1: digestSecrets(username, realm, password) };
}
