/**
 * Addresses of push proxy gateways: when two URIs mean the same gateway, and whether a terminal's subscription allows it
 * (SIR-105, C-11). Parameters such as `transport` say how to get there, not who it is, and are left out.
 */
import { DecodeError } from '../kernel/errors.js';
import { parseUri, unescapeUriPart } from '../protocols/sip/index.js';

const DEFAULT_SIP_PORT = 5060;

/** A text that two URIs share when they mean the same gateway. */
export function gatewayKey(uri: string): string {
  const parsed = parseUri(uri);
  if (parsed.kind !== 'sip') throw new DecodeError('not a SIP URI');
  const user = parsed.user === undefined ? '' : `${unescapeUriPart(parsed.user)}@`;
  const port = parsed.port === undefined || parsed.port === DEFAULT_SIP_PORT ? '' : `:${parsed.port}`;
  return `${user}${parsed.host.toLowerCase()}${port}`;
}

/** `allowed` holds SIP URIs (user, host and port must agree), `http://host:port`, `wsp://host:port`, and bare hosts. `address` is one of the first three. */
export function isAllowedGateway(address: string, allowed: readonly string[]): boolean {
  const host = hostOf(address);
  return allowed.some((entry) => {
    if (/^sips?:/i.test(entry)) return /^sips?:/i.test(address) && gatewayKey(entry) === gatewayKey(address);
    if (/^(?:https?|wsp):/i.test(entry))
      return entry.toLowerCase().replace(/\/$/, '') === address.toLowerCase();
    return entry.toLowerCase() === host;
  });
}

function hostOf(address: string): string {
  if (/^(?:https?|wsp):/i.test(address)) return new URL(address).hostname.replace(/^\[(.*)\]$/, '$1');
  const parsed = parseUri(address);
  return parsed.kind === 'sip' ? parsed.host.toLowerCase() : '';
}
