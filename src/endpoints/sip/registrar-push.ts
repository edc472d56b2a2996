/**
 * Push notification services in a registration (RFC 8599): which service wakes the client, whether the gateway can use it, and what the
 * answer says. The client is told by `+sip.pns` that it may fall asleep; one that asks (`pn-provider` without a value) is told every
 * service. Refreshes are the client's own affair: `+sip.pnsreg` and `+sip.pnspurr` are not used.
 */
import { parameter, parseUri, quote, type SipHeader, unescapeUriPart } from '../../protocols/sip/index.js';
import type { PushResource } from '../../registry/binding.js';
import type { RegisterContact, RegisterRefusal, RegisterRequest } from './registrar-request.js';

export interface PushServices {
  /** Values of `pn-provider` that lead somewhere. Empty: registrations are not looked at for them. */
  readonly names: readonly string[];
  /** Public key under which browsers subscribe (RFC 8292), told with `webpush`. */
  readonly vapidPublicKey?: string;
}

export const NO_PUSH_SERVICES: PushServices = { names: [] };

const MAX_VALUE_LENGTH = 1024;

/** What the contact says of being woken; undefined when it does not, or not enough for anybody to use it. */
export function pushResourceOf(contact: string): PushResource | undefined {
  const provider = uriParameter(contact, 'pn-provider');
  const prid = uriParameter(contact, 'pn-prid');
  if (provider === undefined || provider === '' || prid === undefined || prid === '') return undefined;
  const param = uriParameter(contact, 'pn-param');
  return { provider, prid, ...(param === undefined || param === '' ? {} : { param }) };
}

/** [RFC 8599 §8.1] A client that relies on a service which we cannot use has to know: it would sleep and never be woken. */
export function pushRefusal(
  { contacts }: RegisterRequest,
  services: PushServices,
): RegisterRefusal | undefined {
  if (contacts === '*' || services.names.length === 0) return undefined;
  const foreign = contacts
    .filter(({ expires }) => expires > 0)
    .map(({ uri }) => uriParameter(uri, 'pn-provider'))
    .find((provider) => provider !== undefined && provider !== '' && !services.names.includes(provider));
  return foreign === undefined
    ? undefined
    : { status: 555, detail: `pn-provider ${foreign} is not supported` };
}

/** `Feature-Caps` of the answer (RFC 8599 §4.1.1, §4.1.5): the service that is used, or all of them for a client that asks. */
export function pushFeatureCaps({ contacts }: RegisterRequest, services: PushServices): readonly SipHeader[] {
  if (contacts === '*') return [];
  const named = new Set(contacts.flatMap((contact) => servicesFor(contact, services)));
  return services.names
    .filter((name) => named.has(name))
    .map((name) => {
      const { vapidPublicKey } = services;
      const vapid =
        name === 'webpush' && vapidPublicKey !== undefined ? `;+sip.vapid=${quote(vapidPublicKey)}` : '';
      return { name: 'Feature-Caps', value: `*;+sip.pns=${quote(name)}${vapid}` };
    });
}

function servicesFor({ uri, expires }: RegisterContact, { names }: PushServices): readonly string[] {
  const provider = uriParameter(uri, 'pn-provider');
  if (provider === undefined || expires === 0) return [];
  if (provider === '') return names;
  return pushResourceOf(uri) === undefined ? [] : [provider];
}

/** A parameter of the contact's URI, unescaped; `''` for one without a value. */
function uriParameter(contact: string, name: string): string | undefined {
  const uri = parseUri(contact);
  const value = uri.kind === 'sip' ? parameter(uri.parameters, name) : undefined;
  return value === undefined || value.length > MAX_VALUE_LENGTH ? undefined : unescapeUriPart(value);
}
