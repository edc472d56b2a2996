/** A SIR to the only terminal of a user, for tests of bearers; `more` says what is different. */
import type { Sir } from '../../src/push/sir.js';
import { T0 } from './fake-clock.js';
import { ALICE } from './pushes.js';

export function aSir(more: Partial<Sir> = {}): Sir {
  return {
    id: 'phone.abc',
    user: ALICE,
    mode: 'plain',
    audience: 'terminal',
    identityIn: [],
    applicationId: 'x-wap-application:wml.ua',
    return: [],
    send: [],
    createdAt: T0,
    expiresAt: T0 + 600_000,
    ...more,
  };
}
