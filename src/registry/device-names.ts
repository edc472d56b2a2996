/** Device identities out of the names that a source outside gives a device: URNs, GRUUs, contact URIs. */
import { unlessBroken } from '../kernel/errors.js';
import { type DeviceIdentity, parseDeviceIdentity } from './device-identity.js';

/** The names that are device identities of some kind, none twice; what is none names no terminal. */
export function identitiesIn(names: readonly (string | undefined)[]): readonly DeviceIdentity[] {
  const identities: DeviceIdentity[] = [];
  for (const name of names) {
    const identity = name === undefined ? undefined : unlessBroken(() => parseDeviceIdentity(name));
    if (identity === undefined) continue;
    if (!identities.some(({ canonical }) => canonical === identity.canonical)) identities.push(identity);
  }
  return identities;
}
