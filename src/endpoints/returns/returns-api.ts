/**
 * `POST /v1/returns` on the public listener: a terminal returns what a SIR asked for, or says that it will not connect, where it has no SIP
 * (SIR-134, SIR-136). It shows that it may by the id of the SIR, which nobody can guess, and when it has a key for SIRs by its signature
 * too. `openapi.yaml` describes it.
 */
import { Router } from '@koa/router';
import type { Middleware } from 'koa';
import { type ReturnSender, SIR_RETURN_LIMITS, type TakenReturn } from '../../push/sir-return.js';
import type { Log } from '../../telemetry/log.js';
import { edge } from '../http/edge.js';
import { readJsonOctets } from '../http/json-body.js';
import { query } from '../http/query.js';

const PATH = '/v1/returns';
const SIGNATURE = 'X-Carillon-Signature';

export interface ReturnsApiPorts {
  /** Resolves when it is durable. Throws as `takeSirReturn`. */
  readonly take: (body: Uint8Array, sender: ReturnSender) => Promise<TakenReturn>;
  readonly log: Log;
}

/** The whole endpoint; requests for other paths go on to the next one. */
export function returnsApi(ports: ReturnsApiPorts): Middleware {
  const router = returnsRoutes(ports);
  const routes = router.routes() as Middleware;
  const outermost = edge(router, { name: 'returns', challenge: () => '', log: ports.log });
  return (ctx, next) => (ctx.path === PATH ? outermost(ctx, () => routes(ctx, async () => {})) : next());
}

/** The route alone: errors pass through. */
export function returnsRoutes({ take, log }: ReturnsApiPorts): Router {
  const router = new Router({ sensitive: true, strict: true });
  router.post(PATH, async (ctx) => {
    query(ctx, []);
    const body = await readJsonOctets(ctx, SIR_RETURN_LIMITS.bodyBytes);
    const signature = ctx.get(SIGNATURE);
    const { terminal, kind, version } = await take(body, signature === '' ? {} : { signature });
    log({ level: 'info', message: 'terminal returned', terminal, kind, ...(version ? { version } : {}) });
    ctx.status = 204;
  });
  return router;
}
