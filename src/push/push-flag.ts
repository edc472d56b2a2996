/**
 * Push-Flag: what a terminal may believe of a push, in the words of WAP-235 §8.2.1. Ours alone to write, from how the initiator
 * proved who it is and from what the operator trusts it with; whatever an initiator sends under that name is dropped
 * (`terminal-headers.ts`). Pure.
 */
import {
  type AuthenticatedInitiator,
  type InitiatorTrust,
  isStronglyAuthenticated,
} from '../registry/initiator.js';
import { matchesPattern } from '../registry/initiator-pattern.js';
import type { PushHeader } from './push-message.js';

/** `X-Wap-Initiator-URI` names the initiator that the gateway has authenticated. */
const INITIATOR_AUTHENTICATED = 0x01;
/** The operator trusts the content of this initiator. */
const CONTENT_TRUSTED = 0x02;

/** The header as it goes to the terminal; none when nothing can be said. */
export function pushFlag(
  headers: readonly PushHeader[],
  initiator: string,
  access: Pick<AuthenticatedInitiator, 'isEncrypted' | 'trust'> | undefined,
): readonly PushHeader[] {
  if (!access || !isStronglyAuthenticated(access)) return [];
  const uri = headers.find(({ name }) => name.toLowerCase() === 'x-wap-initiator-uri')?.value.trim();
  const { trust = {} } = access;
  const flag =
    (uri !== undefined && isItsOwn(uri, initiator, trust) ? INITIATOR_AUTHENTICATED : 0) |
    (trust.content ? CONTENT_TRUSTED : 0);
  return flag === 0 ? [] : [{ name: 'Push-Flag', value: String(flag) }];
}

/** By the patterns that the operator gave, or, without any, when the id of the initiator is the host of the URI. */
function isItsOwn(uri: string, id: string, { initiatorUris }: InitiatorTrust): boolean {
  if (initiatorUris) return initiatorUris.some((pattern) => matchesPattern(pattern, uri));
  return URL.canParse(uri) && new URL(uri).hostname === id.toLowerCase();
}
