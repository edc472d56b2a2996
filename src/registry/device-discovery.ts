/**
 * Devices that a source names and the registry does not know become terminals of the user, as they would by a REGISTER (SIR-166): under
 * their instance, with nothing provisioned. A device without an instance URN is no terminal: nothing of it would be the same tomorrow.
 */
import { type DeviceIdentity, identityKeys, matchesAny } from './device-identity.js';
import { type RegisteredTerminalPorts, registeredTerminal } from './registered-terminal.js';
import type { DeviceReport } from './terminal-source.js';
import type { User } from './user.js';

export interface DeviceDiscoveryOptions {
  /** Terminals of one user above which an unknown instance creates none. */
  readonly maxTerminals: number;
}

/** The user with a terminal for every available device that has an instance; the same value when there is nothing new. */
export async function discoverDevices(
  user: User,
  devices: readonly DeviceReport[],
  ports: RegisteredTerminalPorts,
  { maxTerminals }: DeviceDiscoveryOptions,
): Promise<User> {
  const strangers = devices.flatMap(({ identities, isAvailable }) => {
    const isKnown = user.terminals.some((terminal) => matchesAny(identities, terminal.identities));
    return isAvailable !== true || isKnown ? [] : (instanceAmong(identities) ?? []);
  });
  if (strangers.length === 0) return user;
  let known = user;
  for (const instance of new Set(strangers)) {
    // Each look counts those before it: the limit holds for all of them together.
    await registeredTerminal(known, instance, ports, { activation: [{ bearer: 'sip' }], maxTerminals });
    known = (await ports.registry.findUser(user.id)) ?? known;
  }
  return known;
}

/** The URN under which a REGISTER of the device would come; one that only stands in its GRUU counts too. */
function instanceAmong(identities: readonly DeviceIdentity[]): string | undefined {
  const urn = identities.find(({ value }) => /^urn:/i.test(value))?.value;
  return urn ?? identities.flatMap(identityKeys).find((key) => key.startsWith('urn:'));
}

/** Devices that can be reached now and could not before, as far as the source says. */
export function newlyAvailable(
  before: readonly DeviceReport[],
  after: readonly DeviceReport[],
): readonly DeviceReport[] {
  const were = before.filter(({ isAvailable }) => isAvailable === true);
  return after.filter(
    ({ isAvailable, identities }) =>
      isAvailable === true && !were.some((device) => matchesAny(device.identities, identities)),
  );
}
