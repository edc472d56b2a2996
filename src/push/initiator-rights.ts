/**
 * What an initiator may submit: recipients, application, size, number of addresses. Pure; decided before anything is looked up, so
 * a refusal says nothing about who exists. A push of which one part is not allowed is refused whole, with words that name the
 * part: an initiator never believes something on its way that is not. What changes from moment to moment (rate, quotas)
 * stands in `initiator-quota.ts`.
 */
import { DecodeError, RefusedError } from '../kernel/errors.js';
import { decodePushAddress } from '../protocols/push-address/index.js';
import type { AuthenticatedInitiator, InitiatorLimits, InitiatorRights } from '../registry/initiator.js';
import { matchesApplication, matchesPattern } from '../registry/initiator-pattern.js';
import { publicUserIdentity } from '../registry/public-user-identity.js';
import { identitiesMeant } from './target-resolution.js';

/** What of a submission rights and limits speak about. */
export interface Submitted {
  readonly addresses: readonly string[];
  readonly applicationId: string;
  readonly contentBytes: number;
}

/** What an initiator wrote is repeated to it up to this length. */
const MAX_QUOTED_LENGTH = 200;

/** Throws RefusedError, with words for the initiator, for what its rights or limits do not allow. `domain` completes bare names. */
export function checkRights(
  submitted: Submitted,
  { rights, limits }: Pick<AuthenticatedInitiator, 'rights' | 'limits'>,
  domain: string,
): void {
  if (limits) checkLimits(submitted, limits);
  if (rights) checkPatterns(submitted, rights, domain);
}

function checkLimits({ addresses, contentBytes }: Submitted, limits: InitiatorLimits): void {
  const { maxAddresses, maxContentBytes, pendingBytes } = limits;
  if (maxAddresses !== undefined && addresses.length > maxAddresses) {
    throw overLimit(`more than ${maxAddresses} addresses, the limit of this initiator`);
  }
  if (maxContentBytes !== undefined && contentBytes > maxContentBytes) {
    throw overLimit(`content over ${maxContentBytes} octets, the limit of this initiator`);
  }
  if (pendingBytes !== undefined && contentBytes > pendingBytes) {
    throw overLimit(`content over the quota of ${pendingBytes} octets in pending pushes: it will never fit`);
  }
}

function overLimit(text: string): RefusedError {
  return RefusedError.telling('limitExceeded', text);
}

function checkPatterns(submitted: Submitted, rights: InitiatorRights, domain: string): void {
  const { addresses: allowed, applicationIds } = rights;
  const { applicationId } = submitted;
  if (applicationIds && !applicationIds.some((pattern) => matchesApplication(pattern, applicationId))) {
    throw notAllowed(`application id ${quoted(applicationId)}`);
  }
  if (!allowed) return;
  for (const address of submitted.addresses) {
    // An address may stand for several identities: whichever of them is known in the end has to be allowed.
    const isAllowed = canonicalAddresses(address, domain).every((identity) =>
      allowed.some((pattern) => matchesPattern(pattern, identity)),
    );
    if (!isAllowed) throw notAllowed(`address ${quoted(address)}`);
  }
}

function notAllowed(what: string): RefusedError {
  return RefusedError.telling('forbidden', `${what} is not allowed for this initiator`);
}

/** Every identity that an address may stand for, in the form in which users are known; network addresses as `ipv4:…`. */
function canonicalAddresses(address: string, domain: string): readonly string[] {
  try {
    const target = decodePushAddress(address);
    const identities = identitiesMeant(target, domain);
    if (identities.length === 0) return [`${target.type.toLowerCase()}:${target.value}`];
    return identities.map(publicUserIdentity);
  } catch (error) {
    if (error instanceof DecodeError) throw new RefusedError('addressMalformed', error.detail);
    throw error;
  }
}

function quoted(text: string): string {
  return text.length > MAX_QUOTED_LENGTH ? `${text.slice(0, MAX_QUOTED_LENGTH)}…` : text;
}
