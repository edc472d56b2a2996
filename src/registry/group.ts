/**
 * Groups: an address that stands for several users. A push to a group goes to the terminals of every member and has one state and one
 * result, those of the group's address. Members are users, by public user identity or alias; a group in a group is not expanded. Whether a
 * member exists is found out when a push comes: users come and go without their groups.
 */
import { z } from 'zod';
import { DecodeError } from '../kernel/errors.js';
import type { PublicUserIdentity } from './public-user-identity.js';
import { publicUserIdentity } from './public-user-identity.js';
import { each, readBySchema } from './untrusted-json.js';

export interface Group {
  /** Its address, canonical. No user has it, as identity or as alias. */
  readonly id: PublicUserIdentity;
  /** Canonical, each once, in the order given. */
  readonly members: readonly PublicUserIdentity[];
}

/** Most members of a group. */
export const MAX_MEMBERS = 1000;

/** Adapters: `stores/` (Redis) and the memory twin used by tests. */
export interface GroupDirectory {
  /** Undefined when there is no group of this address (canonical form). */
  findGroup(address: string): Promise<Group | undefined>;
  /** Creates or replaces. Says whether it was created. */
  putGroup(group: Group): Promise<boolean>;
  /** True when there was one. */
  deleteGroup(id: PublicUserIdentity): Promise<boolean>;
  /** Ordered by address; `cursor` is the address of the last group of the page before. */
  listGroups(options: {
    readonly cursor?: string;
    readonly limit: number;
  }): Promise<{ readonly groups: readonly Group[]; readonly cursor?: string }>;
}

const body = z.strictObject({ members: z.array(z.string()).min(1).max(MAX_MEMBERS) });

/** A group from the body of its PUT. Throws DecodeError naming the path. */
export function groupFromJson(id: PublicUserIdentity, json: unknown): Group {
  const members = each('members', readBySchema(body, json).members, publicUserIdentity);
  if (members.includes(id)) throw new DecodeError('members: the group itself is among them');
  return { id, members: [...new Set(members)] };
}
