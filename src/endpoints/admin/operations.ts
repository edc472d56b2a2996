/** What monitoring asks for: status, metrics, health, and the description of this API. */
import { readFile } from 'node:fs/promises';
import type Router from '@koa/router';
import { RefusedError } from '../../kernel/errors.js';
import { instant } from '../http/instant.js';
import { query } from '../http/query.js';
import type { AdminPorts } from './ports.js';

export function operationRoutes(router: Router, ports: AdminPorts): void {
  router.get('/admin/v1/status', async (ctx) => {
    query(ctx, []);
    const { startedAt, ...status } = await ports.status();
    ctx.body = { ...status, ...instant('startedAt', startedAt) };
  });

  router.get('/metrics', async (ctx) => {
    const { contentType, text } = await ports.metrics();
    ctx.body = text;
    ctx.set('Content-Type', contentType);
  });

  // The process runs and serves: nothing else is looked at, because a restart would not help against it.
  router.get('/health/live', (ctx) => {
    ctx.body = { status: 'live' };
  });

  router.get('/health/ready', async (ctx) => {
    const problem = await ports.problem();
    if (problem !== undefined) throw new RefusedError('busy', problem, 'later');
    ctx.body = { status: 'ready' };
  });

  let description: string | undefined;
  router.get('/openapi.yaml', async (ctx) => {
    description ??= await readFile(ports.openapiFile, 'utf8');
    ctx.body = description;
    ctx.set('Content-Type', 'application/yaml; charset=utf-8');
  });
}
