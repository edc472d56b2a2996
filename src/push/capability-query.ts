/**
 * Client capabilities query (PAP §9.10): what is known of the terminals behind an address, as user agent profiles. One profile for each
 * terminal of which something is known, in the order in which the user's terminals are listed: an intersection would describe a terminal
 * that nobody has. Nothing in the answer identifies a terminal.
 */
import { RefusedError } from '../kernel/errors.js';
import { encodeUaProf } from '../protocols/uaprof/index.js';
import type { Binding } from '../registry/binding.js';
import { profileOf, terminalCapabilities } from '../registry/capabilities.js';
import type { AuthenticatedInitiator } from '../registry/initiator.js';
import type { PublicUserIdentity } from '../registry/public-user-identity.js';
import type { Terminal } from '../registry/user.js';
import { findGroup, type GroupPorts } from './group-resolution.js';
import { checkRights } from './initiator-rights.js';
import { DEFAULT_APPLICATION_ID, findTerminals, readAddress } from './target-resolution.js';
import { subscribes } from './terminal-choice.js';

export interface CapabilityQuery {
  /** What the initiator may do: it is told of addresses that it may push to, and of no others. */
  readonly access?: Pick<AuthenticatedInitiator, 'rights'>;
  readonly address: string;
  /** Asks for terminals that take this application. */
  readonly applicationId?: string;
}

export interface CapabilityQueryPorts extends Pick<GroupPorts, 'findUser' | 'groups' | 'domain'> {
  bindings(user: PublicUserIdentity): Promise<readonly Binding[]>;
}

/**
 * The profiles as an RDF document. Throws RefusedError `forbidden`, `addressMalformed`, `addressNotFound`, or `capabilitiesUnknown` (PAP 3008)
 * when nothing is known of any terminal that was asked for.
 */
export async function queryCapabilities(
  query: CapabilityQuery,
  ports: CapabilityQueryPorts,
): Promise<Uint8Array> {
  checkAllowed(query, ports.domain);
  const { user, terminals } = await findTerminals(query.address, ports).catch(async (error: unknown) => {
    throw (await isGroup(query.address, ports)) ? unknown('a group has no capabilities of its own') : error;
  });
  const { applicationId } = query;
  const asked = terminals.filter(
    (terminal: Terminal) => applicationId === undefined || subscribes(terminal, applicationId),
  );
  const bindings = await ports.bindings(user.id);
  const known = asked
    .map((terminal) => terminalCapabilities(terminal, bindings))
    .map(profileOf)
    .filter(({ url, attributes }) => url !== undefined || attributes.size > 0);
  if (known.length === 0) throw unknown('nothing is known of these terminals');
  return encodeUaProf(known);
}

async function isGroup(address: string, ports: CapabilityQueryPorts): Promise<boolean> {
  return (await findGroup(readAddress(address), ports)) !== undefined;
}

function unknown(detail: string): RefusedError {
  return new RefusedError('capabilitiesUnknown', detail);
}

/** A query without an application asks for no particular one: only the address counts. */
function checkAllowed({ access, address, applicationId }: CapabilityQuery, domain: string): void {
  const { addresses, applicationIds } = access?.rights ?? {};
  const rights = {
    ...(addresses === undefined ? {} : { addresses }),
    ...(applicationIds === undefined || applicationId === undefined ? {} : { applicationIds }),
  };
  checkRights(
    { addresses: [address], applicationId: applicationId ?? DEFAULT_APPLICATION_ID, contentBytes: 0 },
    { rights },
    domain,
  );
}
