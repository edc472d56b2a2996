/**
 * From an address to everybody that it stands for: a user, or a group whose members are resolved each like a user of its own. A user
 * goes before a group of the same address. A member that nobody knows, or of whom no terminal can have the push, is left out with the
 * reason; the address is refused when nobody is left.
 */
import { RefusedError } from '../kernel/errors.js';
import type { PushAddress } from '../protocols/push-address/index.js';
import type { Group, GroupDirectory } from '../registry/group.js';
import type { PublicUserIdentity } from '../registry/public-user-identity.js';
import type { Decision, GroupDecision, Recipient } from './push-message.js';
import {
  decideFor,
  findUser,
  identitiesMeant,
  narrowing,
  nobody,
  type PushWish,
  type ResolutionPorts,
  readAddress,
} from './target-resolution.js';

export interface GroupPorts extends ResolutionPorts {
  readonly groups: Pick<GroupDirectory, 'findGroup'>;
}

/** How many users the addresses of one push may stand for: groups must not make it larger than the addresses themselves could. */
export interface UserBudget {
  /** Throws RefusedError `limitExceeded` when there is no room for so many more. */
  take(users: number): void;
}

export type Resolved = Pick<Recipient, 'decision' | 'group'>;

export function userBudget(maxUsers: number): UserBudget {
  let left = maxUsers;
  return {
    take(users) {
      if (users > left) {
        throw RefusedError.telling('limitExceeded', `the addresses stand for more than ${maxUsers} users`);
      }
      left -= users;
    },
  };
}

/** Throws RefusedError like `resolveTarget`, and `limitExceeded`. */
export async function resolveRecipient(
  address: string,
  wish: PushWish,
  ports: GroupPorts & { readonly users: UserBudget },
): Promise<Resolved> {
  const target = readAddress(address);
  const user = await findUser(target, ports);
  if (user) {
    ports.users.take(1);
    return { decision: await decideFor(user, narrowing(target), wish, ports) };
  }
  const group = await findGroup(target, ports);
  if (!group) throw nobody();
  if (target.device !== undefined)
    throw new RefusedError('addressNotFound', 'a group has no terminal of its own');
  ports.users.take(group.members.length);
  return { group: await decideForGroup(group, wish, ports) };
}

/** The group of an address. */
export async function findGroup(
  target: PushAddress,
  { groups, domain }: Pick<GroupPorts, 'groups' | 'domain'>,
): Promise<Group | undefined> {
  for (const identity of identitiesMeant(target, domain)) {
    const group = await groups.findGroup(identity);
    if (group) return group;
  }
  return undefined;
}

async function decideForGroup(group: Group, wish: PushWish, ports: ResolutionPorts): Promise<GroupDecision> {
  const members = await Promise.all(group.members.map((member) => decideForMember(member, wish, ports)));
  const decisions = new Map<PublicUserIdentity, Decision>();
  const left: GroupDecision['left'][number][] = [];
  let refusal: RefusedError | undefined;
  for (const [index, outcome] of members.entries()) {
    const member = group.members[index];
    if (member === undefined) continue;
    if (outcome instanceof RefusedError) {
      if (outcome.code !== 'addressNotFound') refusal ??= outcome;
      left.push({ member, reason: outcome.detail });
    } else if (decisions.has(outcome.user)) {
      left.push({ member, reason: 'the same user as another member' });
    } else {
      decisions.set(outcome.user, outcome);
    }
  }
  // What stands against the content or its quality is told rather than that others are unknown.
  if (decisions.size === 0)
    throw refusal ?? new RefusedError('addressNotFound', 'no member of the group can have the push');
  return { group: group.id, decisions: [...decisions.values()], left };
}

async function decideForMember(
  member: PublicUserIdentity,
  wish: PushWish,
  ports: ResolutionPorts,
): Promise<Decision | RefusedError> {
  try {
    const user = await ports.findUser(member);
    return user ? await decideFor(user, {}, wish, ports) : nobody();
  } catch (error) {
    if (error instanceof RefusedError) return error;
    throw error;
  }
}
