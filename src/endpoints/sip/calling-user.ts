/**
 * Who a request is from. A peer that is trusted (a proxy of the operator's own SIP core) says it in P-Asserted-Identity and has proved it
 * already (RFC 3325 §5); from anybody else that header is worth nothing, and what From says is still to be proved.
 */
import { unlessBroken } from '../../kernel/errors.js';
import { addressesOf, headerValue, parseNameAddr } from '../../protocols/sip/index.js';
import { publicUserIdentity } from '../../registry/public-user-identity.js';
import type { User } from '../../registry/user.js';
import type { ServerRequest, SipFlow } from '../../transports/sip-stack/sip-stack.js';

export interface CallingUserPorts {
  readonly findUser: (identityOrAlias: string) => Promise<User | undefined>;
  readonly isTrusted: (flow: SipFlow) => boolean;
}

export interface CallingUser {
  readonly user: User;
  /** A trusted peer vouches for it: no further proof is needed. */
  readonly isAsserted: boolean;
}

/** Undefined when the user is not one of ours. Throws DecodeError for an address that cannot be read. */
export async function callingUser(
  { message, flow }: Pick<ServerRequest, 'message' | 'flow'>,
  { findUser, isTrusted }: CallingUserPorts,
): Promise<CallingUser | undefined> {
  const asserted = isTrusted(flow) ? addressesOf(message, 'p-asserted-identity') : [];
  for (const { uri } of asserted) {
    // [RFC 3325 §9.1] one SIP and one tel URI at most; an identity of another kind is none of ours.
    const identity = unlessBroken(() => publicUserIdentity(uri));
    const user = identity === undefined ? undefined : await findUser(identity);
    if (user) return { user, isAsserted: true };
  }
  // What a trusted peer asserts is the truth: a From that says otherwise does not count.
  if (asserted.length > 0) return undefined;
  const user = await findUser(publicUserIdentity(parseNameAddr(headerValue(message, 'from') ?? '').uri));
  return user && { user, isAsserted: false };
}
