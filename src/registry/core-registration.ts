/**
 * A contact that is registered somewhere else, at the SIP core in front of the gateway, as the report of a device: named by its instance, its
 * GRUUs and its contact URI.
 */
import { featureParameters, type SipParameter, unquote } from '../protocols/sip/index.js';
import { identitiesIn } from './device-names.js';
import type { DeviceReport } from './terminal-source.js';

export interface CoreContact {
  readonly uri: string;
  /** Contact parameters, quotes kept. */
  readonly parameters: readonly SipParameter[];
  /** `+sip.instance` without quotes and angle brackets. */
  readonly instance?: string;
  readonly publicGruu?: string;
  readonly temporaryGruu?: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly expiresAt?: number;
}

/** The devices of live contacts; a contact that is listed more than once is one. */
export function registeredDevices(contacts: readonly CoreContact[]): readonly DeviceReport[] {
  const devices = new Map<string, DeviceReport>();
  for (const contact of contacts) {
    const key = `${contact.instance ?? ''}\n${contact.uri}`;
    const device = deviceOf(contact);
    if (device !== undefined && !devices.has(key)) devices.set(key, device);
  }
  return [...devices.values()];
}

function deviceOf(contact: CoreContact): DeviceReport | undefined {
  const { uri, parameters, instance, publicGruu, temporaryGruu, since, expiresAt } = contact;
  const identities = identitiesIn([instance, publicGruu, temporaryGruu, uri]);
  if (identities.length === 0) return undefined;
  const gruu = publicGruu ?? temporaryGruu;
  return {
    identities,
    isAvailable: true,
    since,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(gruu === undefined ? {} : { gruu }),
    contact: uri,
    bearer: 'sip',
    features: featuresOf(parameters),
  };
}

function featuresOf(parameters: readonly SipParameter[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    featureParameters(parameters)
      .filter(({ name }) => name.toLowerCase() !== '+sip.instance')
      .map(({ name, value }) => [name.toLowerCase(), unquote(value ?? '')]),
  );
}
