/**
 * Problem documents (RFC 9457). `detail` is shown for faults of the caller only: it names what to change. What went wrong on our
 * side is for the log.
 */
import type { Context } from 'koa';
import { GatewayError, InvariantError, RefusedError } from '../../kernel/errors.js';
import { PROBLEM, problemType } from './problem-table.js';

/** After which trying again may be worth it when nothing better is known. */
const LEAST_RETRY_SECONDS = 1;

/** The error itself when it is one of ours; anything else that was thrown is a defect. */
export function asGatewayError(error: unknown): GatewayError {
  return error instanceof GatewayError ? error : new InvariantError('unexpected error', error);
}

/** Makes the response a problem document for the error, and drops what had been set before. `challenge` goes with a 401 [RFC 9110 §15.5.2]. */
export function answerProblem(ctx: Context, error: GatewayError, challenge: string): void {
  const { status, title } = PROBLEM[error.code];
  const detail = error.fault === 'peer' ? { detail: error.detail } : {};
  writeProblem(ctx, { type: problemType(error.code), title, status, code: error.code, ...detail });
  if (error.code === 'unauthenticated') ctx.set('WWW-Authenticate', challenge);
  if (error.code === 'busy' || error.code === 'quotaExceeded') ctx.set('Retry-After', retryAfter(error));
}

/** In whole seconds, and at least one [RFC 9110 §10.2.3]. */
function retryAfter(error: GatewayError): string {
  const { retryAfterMs = 0 } = error instanceof RefusedError ? error : {};
  return String(Math.max(LEAST_RETRY_SECONDS, Math.ceil(retryAfterMs / 1000)));
}

/** The path exists, the method does not (`Allow` is the caller's to set). No code of ours says more than the status, hence `about:blank` [RFC 9457 §4.2.1]. */
export function answerMethodNotAllowed(ctx: Context): void {
  writeProblem(ctx, { type: 'about:blank', title: 'Method Not Allowed', status: 405 });
}

function writeProblem(ctx: Context, problem: { readonly status: number } & Record<string, unknown>): void {
  ctx.status = problem.status;
  ctx.body = JSON.stringify(problem);
  ctx.set('Content-Type', 'application/problem+json');
}
