/** What a service on the Internet says when it is asked to wake a terminal: a wake-up service of an operator, a push service of a browser. */
import { retryAfter } from '../protocols/http/index.js';
import type { HttpAnswer } from '../transports/guarded-http/guarded-http.js';

export interface ServiceAnswer {
  /** `gone`: there is no such terminal there, and will not be. `notNow`: later, from `retryAt` on where it says so. */
  readonly kind: 'taken' | 'gone' | 'notNow' | 'tooLarge' | 'failed';
  readonly detail: string;
  /** Milliseconds since the epoch. */
  readonly retryAt?: number;
}

export function serviceAnswer(who: string, { status, headers }: HttpAnswer, now: number): ServiceAnswer {
  const detail = `${who} answered HTTP ${status}`;
  if (status >= 200 && status < 300) return { kind: 'taken', detail };
  if (status === 404 || status === 410) return { kind: 'gone', detail };
  if (status === 413) return { kind: 'tooLarge', detail };
  if (status !== 429 && status !== 503) return { kind: 'failed', detail };
  const retryAt = retryAfter(headers, now);
  return { kind: 'notNow', detail, ...(retryAt === undefined ? {} : { retryAt }) };
}
