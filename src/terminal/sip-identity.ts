/**
 * How the terminal appears in its own SIP requests: address of record, domain, Contact with `+sip.instance` and feature
 * parameters, next hop (SIR-159, RFC 3840, RFC 5626 §4). One value, made once the stack is bound.
 */

import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { RandomBytes } from '../kernel/clock.js';
import { DeliveryError, describeError, RefusedError } from '../kernel/errors.js';
import {
  escapeUser,
  formatNameAddr,
  parseParameters,
  parseUri,
  type SipParameter,
  unescapeUriPart,
} from '../protocols/sip/index.js';
import { instanceIdentity } from '../registry/device-identity.js';
import { publicUserIdentity } from '../registry/public-user-identity.js';
import type { ClientRequest, SipFlow } from '../transports/sip-stack/sip-stack.js';
import type { TerminalOptions } from './terminal-options.js';

export interface SipIdentity {
  /** `<sip:alice@example.test>`: From of every request. */
  readonly from: string;
  /** Canonical public user identity. */
  readonly user: string;
  /** `sip:example.test`. */
  readonly registrarUri: string;
  /** Contact header value. */
  readonly contact: string;
  /** The `+sip.instance` value that tells our binding among those of the user. */
  readonly instance: string;
  readonly nextHop: SipFlow;
  readonly credentials?: NonNullable<ClientRequest['credentials']>;
}

/** A terminal that listens on nothing has a flow to be reached on (RFC 5626 §4.2). */
const ONLY_FLOW = 1;

/**
 * `bound`: where it listens; undefined when it only connects: then its Contact has a host that nobody can call (RFC 7118 §5.3).
 * Throws RefusedError naming the option that cannot stand.
 */
export function sipIdentity(
  options: TerminalOptions,
  bound: SipFlow | undefined,
  nextHop: SipFlow,
  randomBytes: RandomBytes,
): SipIdentity {
  const { instance, credentials } = options;
  const regId = options.regId ?? (bound ? undefined : ONLY_FLOW);
  checkInstance(instance);
  const parameters: SipParameter[] = [
    { name: '+sip.instance', value: `"<${instance}>"` },
    ...(regId === undefined ? [] : [{ name: 'reg-id', value: String(regId) }]),
    ...(options.features ?? []).flatMap((feature) => parseParameters(`;${feature.replace(/^;/, '')}`)),
  ];
  const user = publicUserIdentity(options.user);
  const hostPort = bound ? hostPortOf(bound) : `${Buffer.from(randomBytes(8)).toString('hex')}.invalid`;
  const uri = `sip:${contactUser(user)}@${hostPort}${transportOf(nextHop)}`;
  return {
    from: `<${user}>`,
    user,
    registrarUri: `sip:${domainOf(options, user)}`,
    contact: formatNameAddr({ displayName: undefined, uri, parameters }),
    instance,
    nextHop,
    ...(credentials === undefined ? {} : { credentials }),
  };
}

/** Resolves the registrar's name. Rejects with DeliveryError when it has no address. */
export async function registrarAddress({ registrar }: Pick<TerminalOptions, 'registrar'>): Promise<SipFlow> {
  const { host, port, transport } = registrar;
  if (isIP(host) !== 0) return { transport, address: host, port };
  try {
    return { transport, address: (await lookup(host)).address, port, domain: host };
  } catch (cause) {
    throw new DeliveryError('unreachable', `the registrar's name ${host} has no address`, { cause });
  }
}

/** The address of this machine from which packets to `peer` leave; no packet is sent to find out. */
export async function localAddressTowards(peer: Pick<SipFlow, 'address' | 'port'>): Promise<string> {
  const socket = createSocket(isIP(peer.address) === 6 ? 'udp6' : 'udp4');
  try {
    return await new Promise<string>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect(peer.port, peer.address, () => resolve(socket.address().address));
    });
  } catch (cause) {
    throw new DeliveryError('unreachable', `no route to ${peer.address}: ${describeError(cause)}`, { cause });
  } finally {
    socket.close();
  }
}

function hostPortOf({ address, port }: SipFlow): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

function transportOf({ transport }: SipFlow): string {
  if (transport === 'udp') return '';
  return `;transport=${transport === 'wss' ? 'ws' : transport}`;
}

function checkInstance(instance: string): void {
  if (!/^urn:[^\s<>"]+$/i.test(instance)) {
    throw new RefusedError(
      'malformed',
      `the instance must be a URN such as urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6, not "${instance}"`,
    );
  }
  instanceIdentity(instance);
}

function domainOf({ domain }: TerminalOptions, user: string): string {
  if (domain !== undefined) return domain;
  const uri = parseUri(user);
  if (uri.kind === 'sip') return uri.host;
  throw new RefusedError('malformed', `${user} has no domain: name the domain to register at`);
}

/** The user part of the Contact; a telephone number stands for itself. */
function contactUser(user: string): string {
  const uri = parseUri(user);
  if (uri.kind === 'sip') return uri.user ?? 'terminal';
  return escapeUser(unescapeUriPart(user.slice(user.indexOf(':') + 1).split(';', 1)[0] ?? ''));
}
