/**
 * `/admin/v1/users`: users, their registrations. Reading finds a user by an alias too; replacing and removing take the identity
 * itself, so that nobody removes another user than the one they named.
 */
import type Router from '@koa/router';
import { RefusedError } from '../../kernel/errors.js';
import type { PublicUserIdentity } from '../../registry/public-user-identity.js';
import type { User } from '../../registry/user.js';
import { userFromJson } from '../../registry/validation.js';
import { readJson } from '../http/json-body.js';
import { nextCursor, page, query } from '../http/query.js';
import { audited } from './audit.js';
import { refuseGroupAddresses } from './groups.js';
import { identityInPath, namedUser } from './named-user.js';
import type { AdminPorts } from './ports.js';
import { removeTerminal } from './terminals.js';
import { bindingView, userView } from './user-view.js';

const PATH = '/admin/v1/users';
const PAGE = { fallback: 100, max: 1000 };

export function userRoutes(router: Router, ports: AdminPorts): void {
  const { registry, audit } = ports;

  router.get(PATH, async (ctx) => {
    const { users, cursor } = await registry.listUsers(page(query(ctx, ['limit', 'cursor']), PAGE));
    ctx.body = { users: users.map(userView), ...nextCursor(cursor) };
  });

  router.get(`${PATH}/:user`, async (ctx) => {
    query(ctx, []);
    ctx.body = userView(await namedUser(ctx, registry));
  });

  const put = audited(audit, 'user.put', async (ctx) => {
    query(ctx, []);
    const id = identityInPath(ctx);
    const existing = await userItself(id, ports);
    const user = userFromJson(id, await readJson(ctx), {
      realm: ports.realm,
      ...(existing === undefined ? {} : { existing }),
    });
    await refuseGroupAddresses([user.id, ...user.aliases], ports);
    await registry.putUser(user);
    const terminals = existing?.terminals ?? [];
    for (const terminal of terminals) ports.kick(terminal.id);
    ctx.status = existing === undefined ? 201 : 200;
    ctx.body = userView({ ...user, terminals });
    return existing === undefined ? 'created' : 'replaced';
  });
  router.put(`${PATH}/:user`, put);

  const remove = audited(audit, 'user.delete', async (ctx) => {
    query(ctx, []);
    const user = await userItself(identityInPath(ctx), ports);
    if (!user) throw new RefusedError('notFound', 'there is no such user');
    // One by one, so that a request which was cut off half-way can be repeated and leaves no lane behind.
    for (const terminal of user.terminals) await removeTerminal(terminal, ports);
    await registry.deleteUser(user.id);
    ctx.status = 204;
    return 'removed';
  });
  router.delete(`${PATH}/:user`, remove);

  router.get(`${PATH}/:user/bindings`, async (ctx) => {
    query(ctx, []);
    const user = await namedUser(ctx, registry);
    const bindings = await registry.bindings(user.id);
    ctx.body = { bindings: bindings.map((binding) => bindingView(binding, user)) };
  });
}

/** The user of this very identity. Throws RefusedError `conflict` when it is an alias of another one. */
async function userItself(id: PublicUserIdentity, { registry }: AdminPorts): Promise<User | undefined> {
  const user = await registry.findUser(id);
  if (user !== undefined && user.id !== id) {
    throw new RefusedError('conflict', `${id} is an alias of ${user.id}`);
  }
  return user;
}
