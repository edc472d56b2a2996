/**
 * Device identities as logs and charging records may show them (SIR-171, RFC 7255 §6). IMEI, MEID, ESN and MAC address
 * follow a person for the life of a handset: their serial part is starred, the part that names the model or maker stays.
 * Identities that the operator or the client made up (UUID, GRUU, URN) stay readable, because support needs them.
 */
import type { DeviceIdentity } from './device-identity.js';

/** The identity's canonical form with the serial part of hardware numbers starred, also inside a GRUU. */
export function maskIdentity(identity: DeviceIdentity): string {
  if (identity.kind === 'esn') return `${identity.canonical.slice(0, 2)}******`;
  return maskHardwareUrns(identity.canonical);
}

/** Stars the serial part of every IMEI, MEID and MAC address URN in a text, for instance in a Contact URI. */
export function maskHardwareUrns(text: string): string {
  return text
    .replace(/(urn:gsma:imei(?:sv)?:[0-9]{8}-?)[0-9-]+/gi, '$1******-*')
    .replace(/(urn:dev:mac:[0-9a-f]{6})[0-9a-f]{6,10}/gi, '$1**********')
    .replace(/(urn:device-id:meid:[0-9a-f]{8}-?)[0-9a-f-]+/gi, '$1******');
}
