/** `/admin/v1/links`: the links to message centres of this process, and what an operator wants of one, on every node. */
import type Router from '@koa/router';
import { z } from 'zod';
import { RefusedError } from '../../kernel/errors.js';
import { readBySchema } from '../../registry/untrusted-json.js';
import { LINK_MODES, type LinkView } from '../../transports/smpp/link-options.js';
import { instant } from '../http/instant.js';
import { readJson } from '../http/json-body.js';
import { query } from '../http/query.js';
import { audited } from './audit.js';
import { reasonSchema } from './hold-reason.js';
import type { AdminPorts } from './ports.js';

const PATH = '/admin/v1/links';

const changeSchema = z
  .strictObject({ mode: z.enum(LINK_MODES), reason: reasonSchema.optional() })
  .refine(({ mode, reason }) => mode !== 'running' || reason === undefined, {
    path: ['reason'],
    message: 'a link that runs needs none',
  });

export function linkRoutes(router: Router, { links, audit }: AdminPorts): void {
  router.get(PATH, async (ctx) => {
    query(ctx, []);
    ctx.body = { links: links.list().map(linkView) };
  });

  router.get(`${PATH}/:link`, async (ctx) => {
    query(ctx, []);
    ctx.body = linkView(named(ctx.params['link']));
  });

  const change = audited(audit, 'link.change', async (ctx) => {
    query(ctx, []);
    const { name, mode: before } = named(ctx.params['link']);
    const { mode, reason } = readBySchema(changeSchema, await readJson(ctx));
    await links.order(name, mode, reason);
    ctx.body = linkView(named(name));
    return before === mode ? 'unchanged' : mode;
  });
  router.patch(`${PATH}/:link`, change);

  function named(name = ''): LinkView {
    const link = links.list().find((one) => one.name === name);
    if (!link) throw new RefusedError('notFound', `there is no link ${name}`);
    return link;
  }
}

function linkView({ since, throttledUntil, hold, ...link }: LinkView) {
  return {
    ...link,
    ...instant('since', since),
    ...instant('throttledUntil', throttledUntil),
    ...(hold === undefined ? {} : { hold: { ...hold, ...instant('since', hold.since) } }),
  };
}
