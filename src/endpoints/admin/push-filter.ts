/** The query parameters by which a list of pushes is narrowed. Every one that is given has to be met. */
import { DecodeError } from '../../kernel/errors.js';
import { MESSAGE_STATES, type MessageState } from '../../protocols/pap/index.js';
import type { PushFilter } from '../../push/push-filter.js';
import type { Registry } from '../../registry/ports.js';
import type { PublicUserIdentity } from '../../registry/public-user-identity.js';
import { publicUserIdentity } from '../../registry/public-user-identity.js';
import type { TerminalId } from '../../registry/terminal-id.js';
import { terminalId } from '../../registry/terminal-id.js';
import { parseInstant } from '../http/instant.js';

export const FILTERS = ['initiator', 'state', 'user', 'terminal', 'since', 'until'] as const;

export type GivenFilters = Partial<Record<(typeof FILTERS)[number], string>>;

/** The pushes of a user or terminal that has been removed are found as well. Throws DecodeError. */
export async function pushFilter(
  { initiator, state, user, terminal, since, until }: GivenFilters,
  registry: Pick<Registry, 'findUser'>,
): Promise<PushFilter> {
  const identity = user === undefined ? undefined : await userOf(user, registry);
  return {
    ...(initiator === undefined ? {} : { initiator }),
    ...(state === undefined ? {} : { state: messageState(state) }),
    ...(identity === undefined ? {} : { user: identity }),
    ...(terminal === undefined ? {} : { terminal: terminalOf(terminal, identity) }),
    ...(since === undefined ? {} : { since: parseInstant(since, 'query parameter "since"') }),
    ...(until === undefined ? {} : { until: parseInstant(until, 'query parameter "until"') }),
  };
}

async function userOf(name: string, registry: Pick<Registry, 'findUser'>): Promise<PublicUserIdentity> {
  const identity = publicUserIdentity(name);
  return (await registry.findUser(identity))?.id ?? identity;
}

function terminalOf(name: string, user: PublicUserIdentity | undefined): TerminalId {
  if (user !== undefined) return terminalId(user, name);
  if (/^[A-Za-z0-9_-]{22}$/.test(name)) return name as TerminalId;
  throw new DecodeError('query parameter "terminal": has to be the id of a terminal, or come with "user"');
}

function messageState(text: string): MessageState {
  const state = MESSAGE_STATES.find((known) => known === text);
  if (state === undefined) {
    throw new DecodeError(`query parameter "state": has to be one of ${MESSAGE_STATES.join(', ')}`);
  }
  return state;
}
