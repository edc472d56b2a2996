/**
 * The outermost layer of an endpoint that speaks JSON: nothing that is thrown below passes it. Every refusal becomes a problem
 * document, paths and methods that nobody serves included, and is logged by whose fault it is.
 */
import type Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { DecodeError, describeError, type Fault, RefusedError } from '../../kernel/errors.js';
import { maskHardwareUrns } from '../../registry/identity-masking.js';
import type { Log, LogLevel } from '../../telemetry/log.js';
import { answerMethodNotAllowed, answerProblem, asGatewayError } from './problem.js';

const LEVEL = { peer: 'info', downstream: 'warn', us: 'error' } as const satisfies Record<Fault, LogLevel>;

export interface EdgeOptions {
  /** What the endpoint is called in the log. */
  readonly name: string;
  /** `WWW-Authenticate` for a request whose credentials are missing or wrong. */
  readonly challenge: (ctx: Context) => string;
  readonly log: Log;
}

/** `served` tells which methods a path has. */
export function edge(served: Router, { name, challenge, log }: EdgeOptions): Middleware {
  return async (ctx, next) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.set('X-Content-Type-Options', 'nosniff');
    try {
      checkPath(ctx);
      await next();
      if (ctx.status === 404 && ctx.body == null) answerUnserved(ctx, served);
    } catch (thrown) {
      const error = asGatewayError(thrown);
      answerProblem(ctx, error, challenge(ctx));
      log({
        level: LEVEL[error.fault],
        message: `${name} request refused`,
        method: ctx.method,
        status: ctx.status,
        code: error.code,
        detail: maskHardwareUrns(describeError(error.code === 'internal' ? (error.cause ?? error) : error)),
        ...(error.fault === 'us' ? { stack: stackOf(error.cause ?? error) } : {}),
      });
    }
  };
}

/** The router keeps a segment that it cannot decode as it is; here a broken escape is an error, not a name. */
function checkPath(ctx: Context): void {
  try {
    decodeURIComponent(ctx.path);
  } catch {
    throw new DecodeError('path: broken percent-escape', { clause: 'RFC 3986 §2.1' });
  }
}

function answerUnserved(ctx: Context, served: Router): void {
  const methods = [...new Set(served.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods))];
  if (methods.length === 0) throw new RefusedError('notFound', 'nothing is served under this path');
  const allowed = [...methods, 'OPTIONS'].sort();
  ctx.set('Allow', allowed.join(', '));
  if (ctx.method === 'OPTIONS') ctx.status = 204;
  else answerMethodNotAllowed(ctx);
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
