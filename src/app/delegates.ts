/** Mode D: the gateways that pushes are handed to, and where their results come back. */
import { DelegateBearer } from '../bearers/delegate/delegate-bearer.js';
import { readDelegatedPath } from '../bearers/delegate/delegated-push.js';
import type { Config } from '../config/schema.js';
import { type DelegatedResultsPorts, delegatedResults } from '../endpoints/delegated/delegated-results.js';
import type { PapValidator } from '../protocols/pap/index.js';
import type { Bearer } from '../push/ports.js';
import { GuardedHttp } from '../transports/guarded-http/guarded-http.js';
import type { Stores } from './stores.js';

const MAX_PER_HOST = 64;

export interface Delegates extends Disposable {
  readonly bearer: Bearer;
  /** The endpoint that takes results, on the public listener. */
  readonly results: (ports: Omit<DelegatedResultsPorts, 'read'>) => ReturnType<typeof delegatedResults>;
}

/** Undefined when none is configured. */
export function openDelegates(
  { delegates, domain }: Config,
  { nonceKey }: Pick<Stores, 'nonceKey'>,
  validator: PapValidator,
): Delegates | undefined {
  const [first] = delegates;
  if (!first) return undefined;
  const http = new GuardedHttp({
    timeoutMs: Math.max(...delegates.map(({ timeoutMs }) => timeoutMs)),
    allowPrivateAddresses: true, // the operator has chosen them
    setting: 'delegates',
    maxPerHost: MAX_PER_HOST,
  });
  return {
    bearer: new DelegateBearer({ http, validator }, { delegates, domain, key: nonceKey }),
    results: (ports) =>
      delegatedResults({ ...ports, read: (segment) => readDelegatedPath(segment, nonceKey) }),
    [Symbol.dispose]: () => http.close(),
  };
}
