/** Device identities out of the names that a source outside gives a device: URNs, GRUUs, contact URIs. */
import { DecodeError } from '../kernel/errors.js';
import { type DeviceIdentity, parseDeviceIdentity } from './device-identity.js';

/** The names that are device identities of some kind, none twice; what is none names no terminal. */
export function identitiesIn(names: readonly (string | undefined)[]): readonly DeviceIdentity[] {
  const identities: DeviceIdentity[] = [];
  for (const name of names) {
    const identity = name === undefined ? undefined : readable(name);
    if (identity === undefined) continue;
    if (!identities.some(({ canonical }) => canonical === identity.canonical)) identities.push(identity);
  }
  return identities;
}

function readable(name: string): DeviceIdentity | undefined {
  try {
    return parseDeviceIdentity(name);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
