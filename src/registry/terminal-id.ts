/**
 * The id of a terminal: the same user and terminal name always give the same id, on every node and after every restart.
 * It is a digest, so it is safe in keys, job ids and logs whatever the name holds.
 */
import { createHash } from 'node:crypto';
import type { Brand } from '../kernel/brand.js';
import type { PublicUserIdentity } from './public-user-identity.js';

/** Identifies one terminal of one user throughout the gateway: made by `terminalId()` from the user and the terminal's name. */
export type TerminalId = Brand<string, 'TerminalId'>;

/** 22 characters: base64url of the first 16 octets of SHA-256 over the user, a NUL octet and the name (UTF-8). */
export function terminalId(user: PublicUserIdentity, name: string): TerminalId {
  const digest = createHash('sha256').update(user, 'utf8').update('\0').update(name, 'utf8').digest();
  return digest.subarray(0, 16).toString('base64url') as TerminalId;
}
