/** What we write of ourselves into Via and Contact: the advertised name, else the bound address, else a name that nobody can call. */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { SipFlow } from './sip-stack.js';

/** `host:port` under which a peer reaches us on a transport; `nowhere` when we listen on nothing (RFC 7118 §5). */
export function addressTowards(
  peerAddress: string,
  transport: string,
  options: {
    readonly bound: readonly SipFlow[];
    readonly advertise: string | undefined;
    readonly nowhere: string;
  },
): string {
  const { bound, advertise, nowhere } = options;
  const wantedFamily = isIP(peerAddress);
  const candidates = bound.filter((flow) => flow.transport === transport);
  const fitting = candidates.filter((flow) => isIP(flow.address) === wantedFamily);
  const local = fitting[0] ?? candidates[0] ?? bound[0];
  // An advertised address of the other family is of no use to the peer.
  const advertised = advertise === undefined ? 0 : isIP(withoutPort(advertise).replace(/^\[|\]$/g, ''));
  const isUseless = advertised !== 0 && advertised !== wantedFamily && fitting.length > 0;
  if (advertise !== undefined && !isUseless) {
    const isItsPort = transport === 'udp' || transport === 'tcp';
    if (hasPort(advertise) && (isItsPort || local === undefined)) return advertise;
    return `${withoutPort(advertise)}:${local?.port ?? 5060}`;
  }
  if (local === undefined) return nowhere;
  const address = concreteAddress(local.address, peerAddress);
  return `${isIP(address) === 6 ? `[${address}]` : address}:${local.port}`;
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}

function hasPort(hostport: string): boolean {
  return /:\d+$/.test(hostport.startsWith('[') ? hostport.slice(hostport.indexOf(']') + 1) : hostport);
}

function withoutPort(hostport: string): string {
  return hasPort(hostport) ? hostport.slice(0, hostport.lastIndexOf(':')) : hostport;
}

/** The bound address, or for a wildcard one of this host's that a peer of that kind can use. */
function concreteAddress(bound: string, peerAddress: string): string {
  if (bound !== '0.0.0.0' && bound !== '::') return bound;
  const family = bound === '::' ? 'IPv6' : 'IPv4';
  const loopback = bound === '::' ? '::1' : '127.0.0.1';
  if (isLoopback(peerAddress)) return loopback;
  const addresses = Object.values(networkInterfaces()).flatMap((addressesOfOne) => addressesOfOne ?? []);
  const usable = addresses.find(
    (candidate) =>
      candidate.family === family && !candidate.internal && !candidate.address.startsWith('fe80:'),
  );
  return usable?.address ?? loopback;
}
