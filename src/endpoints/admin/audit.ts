/**
 * The audit trail: one log line for every change that was asked for with a valid token, whether it was made or not (SIR-169).
 * Device identities in the path are masked (SIR-171); bodies are not logged.
 */
import type { RouterContext } from '@koa/router';
import { parseDeviceIdentity } from '../../registry/device-identity.js';
import { maskHardwareUrns, maskIdentity } from '../../registry/identity-masking.js';
import { asGatewayError } from '../http/problem.js';

/** One token changes things, so there is one name. */
const WHO = 'admin';

/** What the trail says: a line of the log as it is. */
export interface AdminChange {
  readonly level: 'info';
  readonly message: 'admin change';
  readonly who: string;
  readonly what: string;
  readonly path: string;
  readonly result: string;
}

/** Takes the lines of the trail. Must not throw. */
export type Audit = (change: AdminChange) => void;

/** A route that changes something and says what came of it: `created`, `replaced`, `removed` … */
export type Change = (ctx: RouterContext) => Promise<string>;

/** `change` with its audit line. `what` names the change: `user.put`. */
export function audited(audit: Audit, what: string, change: Change): (ctx: RouterContext) => Promise<void> {
  return async (ctx) => {
    let result = 'failed';
    try {
      result = await change(ctx);
    } catch (error) {
      result = asGatewayError(error).code;
      throw error;
    } finally {
      audit({ level: 'info', message: 'admin change', who: WHO, what, path: auditedPath(ctx.path), result });
    }
  };
}

/** The path as people read it, hardware identities masked: a terminal may be named by its IMEI. */
export function auditedPath(path: string): string {
  const segments = path.split('/').map((segment) => decodeURIComponent(segment));
  return segments
    .map((segment, index) =>
      segments[index - 1] === 'terminals' ? maskName(segment) : maskHardwareUrns(segment),
    )
    .join('/');
}

const HARDWARE: readonly string[] = ['imei', 'mac', 'esn'];

/** A bare number has to be recognised before its masked form can be told. */
function maskName(name: string): string {
  try {
    const identity = parseDeviceIdentity(name);
    return HARDWARE.includes(identity.kind) ? maskIdentity(identity) : maskHardwareUrns(name);
  } catch {
    return maskHardwareUrns(name);
  }
}
