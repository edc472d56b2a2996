/**
 * Devices that a source outside calls available and did not before: what their lanes hold need not wait for the next wake-up. A device that
 * registered at the core is treated like one that registered here; one that only shows in presence can merely be reached anew.
 */

import { HOUR_MS } from '../kernel/units.js';
import { newlyAvailable } from '../registry/device-discovery.js';
import { matchesAny } from '../registry/device-identity.js';
import type { PublicUserIdentity } from '../registry/public-user-identity.js';
import type { DeviceReport, OutsideSourceName } from '../registry/terminal-source.js';
import type { User } from '../registry/user.js';
import { type ConnectionPorts, terminalReachable, terminalRegistered } from './connection.js';

export interface ArrivalPorts extends ConnectionPorts {
  readonly findUser: (user: PublicUserIdentity) => Promise<User | undefined>;
  readonly now: () => number;
}

export interface SourceChange {
  readonly source: OutsideSourceName;
  readonly user: PublicUserIdentity;
  readonly before: readonly DeviceReport[];
  readonly after: readonly DeviceReport[];
}

/** Registrations are renewed within the hour; one that does not say how long it lasts is taken for such a one. */
const USUAL_REGISTRATION_MS = HOUR_MS;

/** A device that is no terminal yet has nothing waiting for it. */
export async function devicesArrived(change: SourceChange, ports: ArrivalPorts): Promise<void> {
  const { source, user, before, after } = change;
  const arrived = newlyAvailable(before, after);
  if (arrived.length === 0) return;
  const terminals = (await ports.findUser(user))?.terminals ?? [];
  for (const { identities, features = {}, expiresAt } of arrived) {
    const terminal = terminals.find((candidate) => matchesAny(identities, candidate.identities));
    if (terminal === undefined) continue;
    const binding = { features, expiresAt: expiresAt ?? ports.now() + USUAL_REGISTRATION_MS };
    if (source === 'presence') await terminalReachable(terminal.id, ports);
    else await terminalRegistered(terminal.id, { binding, isRefresh: false }, ports);
  }
}
