/**
 * Networks that an initiator may call from: CIDR notation of IPv4 and IPv6 (RFC 4632 §3.1, RFC 4291 §2.3). An IPv4 address that
 * arrives inside an IPv6 one (`::ffff:192.0.2.1`, as dual-stack listeners report it) is judged as IPv4 (RFC 4291 §2.5.5.2).
 */
import { DecodeError } from '../kernel/errors.js';
import { canonicalIpv4, canonicalIpv6 } from '../protocols/push-address/ip-address.js';

interface Address {
  /** 32 or 128. */
  readonly bits: number;
  readonly value: bigint;
}

interface Network extends Address {
  readonly prefix: number;
}

/** The network as it is kept: canonical address, slash, prefix. A bare address is a network of one. Throws DecodeError. */
export function canonicalNetwork(text: string): string {
  const { bits, value, prefix } = parseNetwork(text);
  return `${formatAddress({ bits, value })}/${prefix}`;
}

/** A test for callers: the address of a peer as the socket gives it. An address that is not known is in no network. */
export function networkTest(networks: readonly string[]): (peer: string | undefined) => boolean {
  const known = networks.map(parseNetwork);
  return (peer) => {
    const address = peer === undefined ? undefined : parseAddress(peer.split('%', 1)[0] ?? '');
    return address !== undefined && known.some((network) => contains(network, address));
  };
}

function contains(network: Network, address: Address): boolean {
  const shift = BigInt(network.bits - network.prefix);
  return network.bits === address.bits && network.value >> shift === address.value >> shift;
}

function parseNetwork(text: string): Network {
  const [, host = '', suffix] = /^([0-9A-Fa-f:.]{2,45})(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const isMapped = host.includes(':') && parseAddress(host)?.bits === 32;
  const address = parseAddress(host);
  if (address === undefined || /(?:^|\.)0\d/.test(host)) {
    throw new DecodeError('not a network such as 192.0.2.0/24 or 2001:db8::/32', { clause: 'RFC 4632 §3.1' });
  }
  const written = suffix === undefined ? undefined : Number(suffix);
  const prefix = written === undefined ? address.bits : isMapped ? written - 96 : written;
  if (prefix < 0 || prefix > address.bits)
    throw new DecodeError('prefix longer than the address, or too short');
  const shift = BigInt(address.bits - prefix);
  const base = (address.value >> shift) << shift;
  if (base !== address.value) {
    const meant = `${formatAddress({ bits: address.bits, value: base })}/${prefix}`;
    throw new DecodeError(`the address goes on after the prefix: ${meant} is the network around it`);
  }
  return { ...address, prefix };
}

function parseAddress(text: string): Address | undefined {
  const ipv4 = canonicalIpv4(text);
  if (ipv4 !== undefined) {
    return { bits: 32, value: ipv4.split('.').reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n) };
  }
  const ipv6 = canonicalIpv6(text);
  if (ipv6 === undefined) return undefined;
  const [head = '', tail] = ipv6.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = new Array<string>(8 - left.length - right.length).fill('0');
  const value = [...left, ...zeros, ...right].reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
  return value >> 32n === 0xffffn ? { bits: 32, value: value & 0xffff_ffffn } : { bits: 128, value };
}

function formatAddress({ bits, value }: Address): string {
  const size = bits === 32 ? 8n : 16n;
  const count = bits === 32 ? 4 : 8;
  const mask = (1n << size) - 1n;
  const groups = Array.from(
    { length: count },
    (_, index) => (value >> (size * BigInt(count - 1 - index))) & mask,
  );
  if (bits === 32) return groups.join('.');
  const text = groups.map((group) => group.toString(16)).join(':');
  return canonicalIpv6(text) ?? text;
}
