/**
 * `/admin/v1/push-initiators`: who may submit pushes, what each may do, and how much of it. Passwords and tokens go in or are made
 * here and are never shown again; what is shown of an initiator is `initiatorView`.
 */
import type Router from '@koa/router';
import { RefusedError } from '../../kernel/errors.js';
import { hasQuota } from '../../push/initiator-quota.js';
import { type Initiator, type InitiatorToken, initiatorId } from '../../registry/initiator.js';
import { hashPassword } from '../../registry/initiator-password.js';
import { MAX_TOKENS, makeToken } from '../../registry/initiator-token.js';
import { changedInitiator, initiatorChangeFromJson } from '../../registry/initiator-validation.js';
import { instant } from '../http/instant.js';
import { readJson } from '../http/json-body.js';
import { query } from '../http/query.js';
import { audited } from './audit.js';
import type { AdminPorts } from './ports.js';

const PATH = '/admin/v1/push-initiators';

export function pushInitiatorRoutes(router: Router, ports: AdminPorts): void {
  const { initiators, random, audit } = ports;
  router.get(PATH, async (ctx) => {
    query(ctx, []);
    ctx.body = { pushInitiators: await initiators.list() };
  });

  router.get(`${PATH}/:initiator`, async (ctx) => {
    query(ctx, []);
    const id = initiatorId(ctx.params['initiator'] ?? '');
    const initiator = await initiators.find(id);
    if (!initiator) throw unknown(id);
    ctx.body = await initiatorView(initiator, ports);
  });

  const put = audited(audit, 'push-initiator.put', async (ctx) => {
    query(ctx, []);
    const id = initiatorId(ctx.params['initiator'] ?? '');
    const change = initiatorChangeFromJson(await readJson(ctx));
    const { password } = change;
    const passwordHash = typeof password === 'string' ? await hashPassword(password, random) : undefined;
    const { outcome, initiator } = await initiators.change(id, (before) =>
      changedInitiator(before, change, passwordHash),
    );
    ctx.status = outcome === 'created' ? 201 : 200;
    ctx.body = await initiatorView(initiator, ports);
    return outcome;
  });
  router.put(`${PATH}/:initiator`, put);

  const remove = audited(audit, 'push-initiator.delete', async (ctx) => {
    query(ctx, []);
    const id = initiatorId(ctx.params['initiator'] ?? '');
    if (!(await initiators.remove(id))) throw unknown(id);
    ctx.status = 204;
    return 'removed';
  });
  router.delete(`${PATH}/:initiator`, remove);

  tokenRoutes(router, ports);
}

function tokenRoutes(router: Router, { initiators, random, now, audit }: AdminPorts): void {
  const create = audited(audit, 'push-initiator.token.create', async (ctx) => {
    query(ctx, []);
    const id = initiatorId(ctx.params['initiator'] ?? '');
    const { text, token } = makeToken(id, now(), random);
    await initiators.change(id, (before) => {
      if (before === undefined) throw unknown(id);
      const tokens = before.tokens ?? [];
      if (tokens.length >= MAX_TOKENS) {
        throw new RefusedError('conflict', `a push initiator has at most ${MAX_TOKENS} tokens: delete one`);
      }
      return { ...before, tokens: [...tokens, token] };
    });
    ctx.status = 201;
    ctx.body = { tokenId: token.id, token: text, ...instant('createdAt', token.createdAt) };
    return `created ${token.id}`;
  });
  router.post(`${PATH}/:initiator/tokens`, create);

  const remove = audited(audit, 'push-initiator.token.delete', async (ctx) => {
    query(ctx, []);
    const id = initiatorId(ctx.params['initiator'] ?? '');
    const tokenId = ctx.params['token'] ?? '';
    await initiators.change(id, (before) => {
      const tokens = before?.tokens ?? [];
      if (!tokens.some((token) => token.id === tokenId)) {
        throw new RefusedError('notFound', 'the push initiator has no such token');
      }
      return { ...before, tokens: tokens.filter((token) => token.id !== tokenId) };
    });
    ctx.status = 204;
    return 'removed';
  });
  router.delete(`${PATH}/:initiator/tokens/:token`, remove);
}

/** An initiator as it is shown: which credentials there are, not what they are; what it uses where that is counted. */
async function initiatorView(initiator: Initiator, { quotas }: AdminPorts) {
  const { id, origin, passwordHash, tokens = [], certificates = [], ...restrictions } = initiator;
  const { rights, limits, trust, sourceNetworks } = restrictions;
  return {
    id,
    origin,
    credentials: {
      password: passwordHash !== undefined,
      tokens: tokens.map(tokenView),
      certificates,
    },
    ...(rights === undefined ? {} : { rights }),
    ...(limits === undefined ? {} : { limits }),
    ...(trust === undefined ? {} : { trust }),
    ...(sourceNetworks === undefined ? {} : { sourceNetworks }),
    ...(hasQuota(limits) ? { usage: await quotas.usage(id) } : {}),
  };
}

function tokenView({ id, createdAt }: InitiatorToken) {
  return { id, ...instant('createdAt', createdAt) };
}

function unknown(id: string): RefusedError {
  return new RefusedError('notFound', `there is no push initiator ${id}`);
}
