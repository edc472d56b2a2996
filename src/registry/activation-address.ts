/**
 * The address of an activation method, per bearer, in the form that the bearer uses (SIR-29). Whether the address may be
 * connected to (private networks and the like) is for the bearer's own policy.
 */
import { DecodeError } from '../kernel/errors.js';
import type { BearerName } from './bearer-name.js';
import { parseSipUri } from './sip-uri.js';

/** Connectionless WAP push, client side (IANA). */
const WAP_PUSH_PORT = 2948;
/** OTA-HTTP, plain and over TLS (IANA). */
const WAP_PUSH_HTTP_PORT = { 'http:': '4035', 'https:': '4036' } as const;
const WAP_PUSH_PATH = '/wappush';

/** Bearers that can do without: the contact of a registration, or the configuration, says where to. */
const WITHOUT_ADDRESS: readonly BearerName[] = ['sip', 'http-callback', 'web-push'];

/** The checked address; undefined where a bearer needs none. Throws DecodeError when it is missing or of the wrong form. */
export function activationAddress(bearer: BearerName, address: string | undefined): string | undefined {
  if (address === undefined) {
    if (WITHOUT_ADDRESS.includes(bearer)) return undefined;
    throw new DecodeError(`bearer ${bearer} needs an address`);
  }
  switch (bearer) {
    case 'sip':
      parseSipUri(address);
      return address;
    case 'sms':
    case 'ussd':
      return e164(address);
    case 'wsp':
      return hostAndPort(address);
    case 'ota-http':
      return otaHttpUrl(address);
    case 'http-callback':
      return url(address, ['http:', 'https:']);
    case 'web-push':
      return url(address, ['https:']);
  }
}

/** `+` and 7 to 15 digits (E.164 §6); spaces, dots, hyphens and brackets are taken out. */
function e164(address: string): string {
  const digits = address.replace(/^tel:/i, '').replace(/[ .()-]/g, '');
  if (!/^\+[1-9][0-9]{6,14}$/.test(digits)) {
    throw new DecodeError('not an international telephone number (+ and 7 to 15 digits)', {
      clause: 'E.164 §6',
    });
  }
  return digits;
}

function hostAndPort(address: string): string {
  const match =
    /^(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?)(?::([0-9]{1,5}))?$/.exec(
      address,
    );
  const port = match?.[2] === undefined ? WAP_PUSH_PORT : Number(match[2]);
  if (match === null || port < 1 || port > 65_535) throw new DecodeError('not of the form host:port');
  return `${(match[1] ?? '').toLowerCase()}:${port}`;
}

/**
 * The listener of a terminal: without a port that of OTA-HTTP, without a path that of the standard. The port is always written, so that
 * what was stored means the same when it comes in again.
 */
function otaHttpUrl(address: string): string {
  const parsed = new URL(url(address, ['http:', 'https:']));
  const [, explicit] = /^https?:\/\/[^/?#]*:([0-9]{1,5})(?:[/?#]|$)/i.exec(address.trim()) ?? [];
  const port = explicit ?? WAP_PUSH_HTTP_PORT[parsed.protocol as 'http:' | 'https:'];
  const path = parsed.pathname === '/' ? WAP_PUSH_PATH : parsed.pathname;
  return `${parsed.protocol}//${parsed.hostname}:${Number(port)}${path}${parsed.search}`;
}

function url(address: string, schemes: readonly string[]): string {
  if (!URL.canParse(address)) throw new DecodeError('not a URL');
  const parsed = new URL(address);
  if (!schemes.includes(parsed.protocol))
    throw new DecodeError(`the URL must start with ${schemes.join(' or ')}//`);
  if (parsed.username !== '' || parsed.password !== '')
    throw new DecodeError('the URL must not hold credentials');
  return parsed.href;
}
