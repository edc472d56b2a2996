/**
 * Where a SIP request for one terminal goes, and what it is addressed to (mode A, SIR-12, SIR-74). The Request-URI names the
 * terminal: its GRUU, or the user's address of record with the instance as `gr`; the next hop is its registered contact.
 */
import { canonicalHost, parameter, parseUri } from '../protocols/sip/index.js';
import { instanceUrn } from '../push/sir-plan.js';
import type { Binding } from '../registry/binding.js';
import type { DeviceIdentity } from '../registry/device-identity.js';
import type { Terminal } from '../registry/user.js';
import type { SipFlow } from '../transports/sip-stack/sip-stack.js';

export interface SipTarget {
  /** Request-URI. */
  readonly uri: string;
  /** Next hop when the Request-URI does not say. */
  readonly destination?: SipFlow;
  /** Next hop when `destination` is a connection that has been closed. */
  readonly otherwise?: SipFlow;
  readonly route?: readonly string[];
  /** The node that holds the connection, when it is not this one. */
  readonly elsewhere?: string;
  /** For the operator. */
  readonly address: string;
}

/** The contact of one registration, whichever terminal made it. */
export function contactTarget({
  binding,
  self,
}: {
  readonly binding: Binding;
  readonly self: string;
}): SipTarget {
  const target = { uri: binding.contact, address: binding.contact };
  if (binding.path.length > 0) return { ...target, route: binding.path };
  return { ...target, ...nextHop(binding, self) };
}

/** Undefined when the terminal is neither registered nor has an address of its own. */
export function sipTarget(
  terminal: Terminal,
  carried: DeviceIdentity | undefined,
  options: {
    readonly binding: Binding | undefined;
    readonly address: string | undefined;
    readonly self: string;
    readonly outboundProxy: string | undefined;
  },
): SipTarget | undefined {
  const { binding, address, self, outboundProxy } = options;
  const uri = deviceUri(terminal, carried, binding);
  if (binding) {
    const target = contactTarget({ binding, self });
    return uri === undefined ? target : { ...target, uri };
  }
  if (address === undefined) return undefined;
  const route = outboundProxy === undefined ? {} : { route: [`<${outboundProxy}>`] };
  return { uri: address, ...route, address };
}

/** The URI that means this terminal and no other; undefined when only its contact does. */
function deviceUri(
  terminal: Terminal,
  carried: DeviceIdentity | undefined,
  binding: Binding | undefined,
): string | undefined {
  if (carried?.kind === 'gruu') return carried.value;
  if (carried && instanceUrn(carried) !== undefined)
    return binding?.publicGruu ?? `${terminal.user};gr=${carried.value}`;
  return undefined;
}

/**
 * A connection that the terminal registered on is used again (RFC 5626 §5.3); once it is closed, or when another node has it, a
 * terminal that does no outbound is called at its contact. On UDP that is where it is called in the first place.
 */
function nextHop(binding: Binding, self: string): Pick<SipTarget, 'destination' | 'otherwise' | 'elsewhere'> {
  const { transport, address, port, connectionId, node } = binding.flow;
  const direct = contactAddress(binding);
  if (connectionId === undefined) return { destination: direct ?? { transport, address, port } };
  if (node !== self) return direct ? { destination: direct } : { elsewhere: node };
  const destination = { transport, address, port, connectionId };
  return direct?.transport === transport ? { destination, otherwise: direct } : { destination };
}

/**
 * Where the contact says that it listens. Undefined when that is not to be relied on: the terminal asked for its flow to be
 * used (RFC 5626), or the REGISTER came from another host, so that there is a NAT between us.
 */
function contactAddress({ contact, regId, flow }: Binding): SipFlow | undefined {
  const uri = parseUri(contact);
  if (regId !== undefined || uri.kind !== 'sip' || canonicalHost(uri.host) !== flow.address) return undefined;
  const transport = parameter(uri.parameters, 'transport')?.toLowerCase() ?? flow.transport;
  if (transport !== 'udp' && transport !== 'tcp') return undefined;
  return { transport, address: flow.address, port: uri.port ?? 5060 };
}
