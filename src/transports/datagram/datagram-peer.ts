/** From the `host:port` of an activation method to the peer that datagrams go to, when they may (SIR-87). */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { DeliveryError, describeError } from '../../kernel/errors.js';
import { isPublicAddress } from '../guarded-http/public-address.js';
import type { DatagramPeer } from './datagram-socket.js';

export interface DatagramPeerOptions {
  /** Of the socket that sends. */
  readonly family: 4 | 6;
  readonly allowPrivateAddresses: boolean;
  /** Name of the setting that would allow it, for the operator. */
  readonly setting: string;
}

/** Rejects with DeliveryError when the name is not known, or its address must not be sent to. */
export async function datagramPeer(
  hostPort: string,
  { family, allowPrivateAddresses, setting }: DatagramPeerOptions,
): Promise<DatagramPeer> {
  const [, bracketed, name = '', port] = /^(?:\[(.*)\]|(.*)):([0-9]+)$/.exec(hostPort) ?? [];
  const address = await addressOf(bracketed ?? name, family);
  if (!allowPrivateAddresses && !isPublicAddress(address)) {
    throw new DeliveryError('forbidden', `${address} is no public address, and ${setting} is off`, {
      retry: 'never',
    });
  }
  return { address, port: Number(port) };
}

async function addressOf(host: string, family: 4 | 6): Promise<string> {
  const literal = isIP(host);
  if (literal === family) return host;
  if (literal !== 0) {
    throw new DeliveryError('unreachable', `${host} cannot be reached over IPv${family}`, { retry: 'never' });
  }
  try {
    return (await lookup(host, { family })).address;
  } catch (cause) {
    throw new DeliveryError('unreachable', describeError(cause), { cause });
  }
}
