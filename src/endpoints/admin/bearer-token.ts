/**
 * The bearer tokens of the admin API (RFC 6750), compared in constant time: that of the administrator, and one that may look and change
 * nothing (SIR-169). Everything under `/admin` needs one, whether it exists or not; metrics, health and the API description do not: they show no user, and the listener is on loopback unless told otherwise.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Middleware } from 'koa';
import { RefusedError } from '../../kernel/errors.js';

export interface AdminTokens {
  readonly token: string;
  /** May read. */
  readonly viewerToken?: string;
}

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

export function requireBearerToken({ token, viewerToken }: AdminTokens): Middleware {
  const administrator = digest(token);
  const viewer = viewerToken === undefined ? undefined : digest(viewerToken);
  return async (ctx, next) => {
    if (ctx.path !== '/admin' && !ctx.path.startsWith('/admin/')) return next();
    const given = /^Bearer +([^ ]+) *$/i.exec(ctx.get('Authorization'))?.[1];
    if (given === undefined) throw new RefusedError('unauthenticated', 'the admin API takes a bearer token');
    // Digests have one length, so the comparison tells nothing about the token's.
    const shown = digest(given);
    if (timingSafeEqual(shown, administrator)) return next();
    if (viewer === undefined || !timingSafeEqual(shown, viewer)) {
      throw new RefusedError('unauthenticated', 'this is not a bearer token of the admin API');
    }
    if (READS.has(ctx.method)) return next();
    throw new RefusedError('forbidden', 'the token of a viewer changes nothing', 'never', {
      publicDetail: 'This token may look and change nothing: use that of the administrator (admin.token).',
    });
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
