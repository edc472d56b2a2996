/**
 * `/admin/v1/groups`: addresses that stand for several users. A group's address belongs to no user, and `users.ts` gives no user the
 * address of a group; when both come about at the same moment, the user goes before the group.
 */
import type Router from '@koa/router';
import type { RouterContext } from '@koa/router';
import { DecodeError, describeError, RefusedError } from '../../kernel/errors.js';
import { type Group, groupFromJson } from '../../registry/group.js';
import type { PublicUserIdentity } from '../../registry/public-user-identity.js';
import { publicUserIdentity } from '../../registry/public-user-identity.js';
import { readJson } from '../http/json-body.js';
import { nextCursor, page, query } from '../http/query.js';
import { audited } from './audit.js';
import type { AdminPorts } from './ports.js';

const PATH = '/admin/v1/groups';
const PAGE = { fallback: 100, max: 1000 };

export function groupRoutes(router: Router, ports: AdminPorts): void {
  const { registry, groups, audit } = ports;

  router.get(PATH, async (ctx) => {
    const { groups: found, cursor } = await groups.listGroups(page(query(ctx, ['limit', 'cursor']), PAGE));
    ctx.body = { groups: found.map(groupView), ...nextCursor(cursor) };
  });

  router.get(`${PATH}/:group`, async (ctx) => {
    query(ctx, []);
    const id = groupInPath(ctx);
    const group = await groups.findGroup(id);
    if (!group) throw new RefusedError('notFound', `there is no group ${id}`);
    ctx.body = groupView(group);
  });

  const put = audited(audit, 'group.put', async (ctx) => {
    query(ctx, []);
    const id = groupInPath(ctx);
    const group = groupFromJson(id, await readJson(ctx));
    const user = await registry.findUser(id);
    if (user) throw new RefusedError('conflict', `${id} is an address of the user ${user.id}`);
    const isNew = await groups.putGroup(group);
    ctx.status = isNew ? 201 : 200;
    ctx.body = groupView(group);
    return isNew ? 'created' : 'replaced';
  });
  router.put(`${PATH}/:group`, put);

  const remove = audited(audit, 'group.delete', async (ctx) => {
    query(ctx, []);
    if (!(await groups.deleteGroup(groupInPath(ctx)))) {
      throw new RefusedError('notFound', 'there is no such group');
    }
    ctx.status = 204;
    return 'removed';
  });
  router.delete(`${PATH}/:group`, remove);
}

/** Throws RefusedError `conflict` when one of these addresses, which a user is about to get, is that of a group. */
export async function refuseGroupAddresses(
  addresses: readonly string[],
  { groups }: Pick<AdminPorts, 'groups'>,
): Promise<void> {
  const found = await Promise.all(addresses.map((address) => groups.findGroup(address)));
  const group = found.find((candidate) => candidate !== undefined);
  if (group) throw new RefusedError('conflict', `${group.id} is the address of a group`);
}

function groupView({ id, members }: Group) {
  return { group: id, members };
}

/** The canonical address in `{group}`. Throws DecodeError. */
function groupInPath(ctx: RouterContext): PublicUserIdentity {
  try {
    return publicUserIdentity(ctx.params['group'] ?? '');
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new DecodeError(`group: ${describeError(error)}`, { cause: error });
  }
}
