/**
 * Unit 220: compares the device identities of a SIR with the terminal's own (SIR-22, SIR-52, SIR-127, SIR-129, SIR-151). Any
 * one that agrees is enough, unless another one names some other device: then nobody can tell whom the sender meant.
 */
import {
  type DeviceIdentity,
  type DeviceIdentityKind,
  identityKeys,
  matchesAny,
  parseDeviceIdentity,
} from '../registry/device-identity.js';

export type IdentityComparison = 'ours' | 'other' | 'contradictory';

export function compareIdentities(
  carried: readonly DeviceIdentity[],
  own: readonly DeviceIdentity[],
): IdentityComparison {
  if (!matchesAny(carried, own)) return 'other';
  return carried.some((identity) => namesAnother(identity, own)) ? 'contradictory' : 'ours';
}

/**
 * The name by which a SIR means this terminal when it is none that our Contact carries: the gateway may know us by it alone (SIR-23). Undefined
 * when the SIR names no device, or the instance too.
 */
export function statedName(
  carried: readonly DeviceIdentity[],
  own: readonly DeviceIdentity[],
  instance: DeviceIdentity,
): string | undefined {
  if (matchesAny(carried, [instance])) return undefined;
  return carried.find((identity) => identity.kind !== 'gruu' && matchesAny([identity], own))?.value;
}

/** We have an identity of that very kind, and it is not this one. */
function namesAnother(identity: DeviceIdentity, own: readonly DeviceIdentity[]): boolean {
  if (matchesAny([identity], own)) return false;
  const kind = comparableKind(identity);
  return kind !== undefined && own.some((candidate) => comparableKind(candidate) === kind);
}

/**
 * The kind under which two identities can exclude each other. A public GRUU counts as the instance in it; a temporary
 * one and a plain URI exclude nothing, since a terminal has any number of them (RFC 5627 §3.1.2).
 */
function comparableKind(identity: DeviceIdentity): DeviceIdentityKind | undefined {
  if (identity.kind === 'uri') return undefined;
  if (identity.kind !== 'gruu') return identity.kind;
  const instance = identityKeys(identity)[1];
  return instance === undefined ? undefined : parseDeviceIdentity(instance).kind;
}
