/** Finds what the path of a request names: a user by its public user identity or an alias, a terminal of that user by its name. */
import type { RouterContext } from '@koa/router';
import { DecodeError, describeError, RefusedError } from '../../kernel/errors.js';
import type { Registry } from '../../registry/ports.js';
import type { PublicUserIdentity } from '../../registry/public-user-identity.js';
import { publicUserIdentity } from '../../registry/public-user-identity.js';
import type { Terminal, User } from '../../registry/user.js';

/** The canonical identity in `{user}`. Throws DecodeError. */
export function identityInPath(ctx: RouterContext): PublicUserIdentity {
  try {
    return publicUserIdentity(ctx.params['user'] ?? '');
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new DecodeError(`user: ${describeError(error)}`, { cause: error });
  }
}

/** The user that has the identity or alias of the path. Throws RefusedError `notFound`. */
export async function namedUser(ctx: RouterContext, registry: Registry): Promise<User> {
  const identity = identityInPath(ctx);
  const user = await registry.findUser(identity);
  if (!user) throw new RefusedError('notFound', `there is no user ${identity}`);
  return user;
}

/** The terminal that the path names. Throws RefusedError `notFound`. */
export async function namedTerminal(
  ctx: RouterContext,
  registry: Registry,
): Promise<{ user: User; terminal: Terminal }> {
  const user = await namedUser(ctx, registry);
  const name = ctx.params['terminal'] ?? '';
  const terminal = user.terminals.find((candidate) => candidate.name === name);
  if (!terminal) throw new RefusedError('notFound', `${user.id} has no terminal ${name}`);
  return { user, terminal };
}
