/** Which pushes a list shows: every criterion that is given has to be met. Pure; the stores bound how many pushes they look at. */
import type { PublicUserIdentity } from '../registry/public-user-identity.js';
import type { TerminalId } from '../registry/terminal-id.js';
import { addressResult } from './address-result.js';
import type { PushStory } from './push-message.js';

export interface PushFilter {
  readonly initiator?: string;
  /** PAP message-state of any address. */
  readonly state?: string;
  /** An address stands for this user. */
  readonly user?: PublicUserIdentity;
  /** The push goes, or went, to this terminal. */
  readonly terminal?: TerminalId;
  /** Accepted at this instant or later. */
  readonly since?: number;
  /** Accepted before this instant. */
  readonly until?: number;
}

export function passesFilter({ push, deliveries }: PushStory, filter: PushFilter): boolean {
  const { initiator, state, user, terminal, since = 0, until = Number.POSITIVE_INFINITY } = filter;
  const { recipients, acceptedAt } = push;
  if (initiator !== undefined && push.initiator !== initiator) return false;
  if (acceptedAt < since || acceptedAt >= until) return false;
  if (user !== undefined && !recipients.some(({ decision }) => decision?.user === user)) return false;
  if (terminal !== undefined && !recipients.some(({ terminals }) => terminals.includes(terminal)))
    return false;
  if (state === undefined) return true;
  return recipients.some(
    (recipient) => addressResult(recipient, deliveries, acceptedAt, () => 0).messageState === state,
  );
}
