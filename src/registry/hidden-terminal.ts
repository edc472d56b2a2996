/**
 * Terminals that are known only by names under which nobody registers: a MAC, an ESN, a tag, a fingerprint, a name of the operator's own (SIR-23,
 * C-1). Such a terminal may be behind any contact whose owner is known by its registration alone; whoever is behind it can tell, for
 * the name is in the SIR. A contact of a terminal that was provisioned is that terminal and no other. Pure.
 */
import { REGISTERED_KINDS } from './device-identity.js';
import type { Terminal } from './user.js';

/** `owner`: the terminal of the contact, as far as it is known. */
export function mayBeBehind(
  owner: Pick<Terminal, 'origin'> | undefined,
  { identities }: Pick<Terminal, 'identities'>,
): boolean {
  if (owner === undefined) return true;
  const isHidden = identities.length > 0 && !identities.some(({ kind }) => REGISTERED_KINDS.includes(kind));
  return isHidden && owner.origin === 'registered';
}
