/**
 * Ways to connect that a SIR offers (SIR-58, SIR-59, SIR-61, WAP-235 §8.2): a push session by SIP, to the `ppg` line, the sender, or a contact
 * point; a connection by OTA-HTTP to a contact point; a WSP session, whose contact points stand apart. The others do not say which protocol they
 * speak: where both are offered, the first is that of OTA-HTTP and the last that of SIP. Pure.
 */
import {
  type ContactPoint,
  ipOfContactPoint,
  OTA_HTTP,
  OTA_HTTP_CPITAG,
  OTA_SIP,
  type Sia,
} from '../protocols/sia/index.js';
import { gatewayKey } from './gateway-address.js';

export const SESSION_WAYS = ['sip', 'ota-http', 'wsp'] as const;
export type SessionWay = (typeof SESSION_WAYS)[number];

export type SessionOffer =
  | { readonly way: 'sip'; readonly gateway: string }
  | { readonly way: 'ota-http'; readonly host: string; readonly port: number }
  | { readonly way: 'wsp'; readonly host: string; readonly port: number };

export interface Offers {
  /** SIP URI to open the session to. */
  readonly gateway?: string;
  /** Where the gateway takes connections by OTA-HTTP. */
  readonly otaHttp?: { readonly host: string; readonly port: number };
  /** Where it takes WSP sessions. */
  readonly wsp?: { readonly host: string; readonly port: number };
}

/** Ports that are registered for OTA-HTTP, for WSP sessions and for SIP. */
const OTA_HTTP_PORT = 4035;
const WSP_PORT = 9201;
const SIP_PORT = 5060;

/** `ppg` and `sender` are SIP URIs. Without a body a SIR offers its sender. */
export function offersOf(sia: Sia | undefined, ppg: string | undefined, sender: string | undefined): Offers {
  const options = sia?.protocolOptions ?? [];
  const points = sia?.contactPoints ?? [];
  const otaHttp = options.some((option) => option === OTA_HTTP || option === OTA_HTTP_CPITAG)
    ? placeOf(points[0], OTA_HTTP_PORT)
    : undefined;
  const wsp = placeOf(sia?.wspContactPoints[0], WSP_PORT);
  const saysSip = options.includes(OTA_SIP);
  const sipPoint = saysSip ? placeOf(points.at(-1), SIP_PORT) : undefined;
  // A gateway that offers OTA-HTTP and nothing else wants no session by SIP.
  const implied = otaHttp === undefined || saysSip ? sender : undefined;
  const gateway = ppg ?? implied ?? (sipPoint && `sip:${authority(sipPoint)}`);
  return {
    ...(gateway === undefined ? {} : { gateway }),
    ...(otaHttp === undefined ? {} : { otaHttp }),
    ...(wsp === undefined ? {} : { wsp }),
  };
}

/**
 * The offer that the terminal takes: of its ways the first that is offered. A SIR that had no room for any offer is for the gateway that the
 * terminal is provisioned with.
 */
export function chosenOffer(
  { gateway, otaHttp, wsp }: Offers,
  {
    sessionWays,
    homeGateway,
  }: { readonly sessionWays: readonly SessionWay[]; readonly homeGateway: string | undefined },
): SessionOffer | undefined {
  const isEmpty = gateway === undefined && otaHttp === undefined && wsp === undefined;
  const called = isEmpty ? homeGateway : gateway;
  for (const way of sessionWays) {
    if (way === 'sip' && called !== undefined) return { way, gateway: called };
    if (way === 'ota-http' && otaHttp !== undefined) return { way, ...otaHttp };
    if (way === 'wsp' && wsp !== undefined) return { way, ...wsp };
  }
  return undefined;
}

/** A text that two offers share when they lead to the same place. */
export function offerKey(offer: SessionOffer): string {
  return offer.way === 'sip' ? gatewayKey(offer.gateway) : offerAddress(offer);
}

/** The SIP URI, `http://host:port`, or `wsp://host:port`. */
export function offerAddress(offer: SessionOffer): string {
  if (offer.way === 'sip') return offer.gateway;
  return `${offer.way === 'wsp' ? 'wsp' : 'http'}://${authority(offer)}`;
}

function placeOf(point: ContactPoint | undefined, defaultPort: number) {
  const host = point && ipOfContactPoint(point);
  return host === undefined ? undefined : { host, port: point?.port ?? defaultPort };
}

function authority({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
