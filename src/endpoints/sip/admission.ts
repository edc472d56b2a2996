/**
 * Whether a request to the gateway's own address may be acted on: for whom it is, and whether it comes from the user that it says. A user that
 * nobody asserts and that has SIP credentials must have registered from the same transport address (over TLS or WebSocket: on the same
 * connection), or answer a digest challenge.
 */
import { parseUri } from '../../protocols/sip/index.js';
import type { Binding } from '../../registry/binding.js';
import type { PublicUserIdentity } from '../../registry/public-user-identity.js';
import type { Terminal } from '../../registry/user.js';
import { isLoopback } from '../../transports/sip-stack/local-address.js';
import type { ServerRequest, SipFlow } from '../../transports/sip-stack/sip-stack.js';
import type { CallingUser } from './calling-user.js';
import type { DigestAuthentication } from './digest-authentication.js';

export interface AdmissionPorts {
  readonly bindings: (user: PublicUserIdentity) => Promise<readonly Binding[]>;
  readonly authentication: Pick<DigestAuthentication, 'authenticate'>;
}

export interface AdmissionOptions {
  /** Whether a user without SIP credentials is let in at all. */
  readonly allowWithoutCredentials: boolean;
}

/** `challenged`: the request has been answered. */
export type Admission = 'admitted' | 'challenged' | 'noCredentials';

/** With a `terminal` only a registration of that terminal speaks for the request, else any of the user. */
export async function admit(
  request: ServerRequest,
  caller: CallingUser & { readonly terminal?: Terminal },
  { bindings, authentication }: AdmissionPorts,
  { allowWithoutCredentials }: AdmissionOptions,
): Promise<Admission> {
  const { user, terminal, isAsserted } = caller;
  if (isAsserted) return 'admitted';
  if (!user.sip) return allowWithoutCredentials ? 'admitted' : 'noCredentials';
  const registered = await bindings(user.id);
  const isVouchedFor = registered.some(
    (binding) =>
      (terminal === undefined || binding.terminal === terminal.id) &&
      // Behind a proxy everybody has the same address, so a registration that came through one speaks for nobody.
      binding.path.length === 0 &&
      isSameOrigin(binding.flow, request.flow),
  );
  return isVouchedFor || authentication.authenticate(request, user.sip) ? 'admitted' : 'challenged';
}

/** Is this Request-URI the gateway itself? */
export function isForGateway(uri: string, ppgUser: string): boolean {
  try {
    const parsed = parseUri(uri);
    return parsed.kind === 'sip' && (parsed.user === undefined || parsed.user === ppgUser);
  } catch {
    return false;
  }
}

/**
 * The same transport address: behind one NAT several subscribers share an address, not a port. On loopback, where everybody
 * is the same machine, the address is enough. Where a connection is kept and cannot be forged, it has to be that one.
 */
function isSameOrigin(registered: Binding['flow'], calling: SipFlow): boolean {
  if (isPrivateConnection(registered) || isPrivateConnection(calling)) {
    return registered.connectionId === calling.connectionId;
  }
  if (registered.address !== calling.address) return false;
  return registered.port === calling.port || isLoopback(calling.address);
}

function isPrivateConnection({ transport }: Pick<SipFlow, 'transport'>): boolean {
  return transport === 'tls' || transport === 'ws' || transport === 'wss';
}
