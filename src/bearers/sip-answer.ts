/** What the final response to a SIR, or to content that was sent by MESSAGE, says of the terminal (SIR-136; RFC 3261 §20.33, §21). Pure. */
import { DecodeError } from '../kernel/errors.js';
import { HOUR_MS } from '../kernel/units.js';
import type { ConnectionOutcome } from '../lane/ports.js';
import { retryAfter } from '../protocols/http/index.js';
import { headerValue, parseReason, type SipResponse } from '../protocols/sip/index.js';
import type { BearerOutcome } from '../push/ports.js';

/** Who is not sure to be the terminal is not obeyed for longer: a proxy that was overloaded recovers sooner than it says. */
const MAX_PAUSE_MS = HOUR_MS;

/** Of a reason that goes into records and to initiators, characters. */
const MAX_REASON_LENGTH = 200;

/** The status, and the reason that the terminal gave beside it (RFC 3326). */
export function told(response: SipResponse): string {
  const status = `${response.status} ${response.reason}`;
  const header = headerValue(response, 'reason');
  try {
    const text = header === undefined ? undefined : parseReason(header).text;
    return text === undefined ? status : `${status}: ${text.slice(0, MAX_REASON_LENGTH)}`;
  } catch (error) {
    if (error instanceof DecodeError) return status;
    throw error;
  }
}

/**
 * Only a global refusal comes from the terminal's side for sure (RFC 3261 §21.6; SIR-136). A 480 that says why, and when to come again, does so
 * too: a proxy knows neither of a terminal that is away. Any other answer with a time (480, 486, 503 …) leaves the next method its turn, and this
 * one alone until then.
 */
export function wakeOutcome(response: SipResponse, now: number): Pick<BearerOutcome, 'kind' | 'retryAt'> {
  const { status } = response;
  if (status < 300) return { kind: 'handed' };
  if (status >= 600) return { kind: 'refused' };
  const retryAt = whenToComeAgain(response, now);
  if (retryAt === undefined) return { kind: 'failed' };
  const isAnswer = status === 480 && headerValue(response, 'reason') !== undefined;
  if (isAnswer) return { kind: 'deferred', retryAt };
  return { kind: 'failed', retryAt: Math.min(retryAt, now + MAX_PAUSE_MS) };
}

/** [RFC 3261 §20.33] seconds, which a comment and parameters may follow: what they say is for people. */
function whenToComeAgain(response: SipResponse, now: number): number | undefined {
  const seconds = /^\s*([0-9]+)\s*(?:[(;].*)?$/s.exec(headerValue(response, 'retry-after') ?? '')?.[1];
  return seconds === undefined ? undefined : retryAfter([{ name: 'Retry-After', value: seconds }], now);
}

/**
 * Does the terminal not know what to do with the content here? From one that announced that it takes content by MESSAGE this is
 * a refusal. Of any other we only assumed it, because it registered after a SIR; it may take the content in a session.
 */
export function isForeign({ status }: SipResponse): boolean {
  return status === 415 || status === 406;
}

/** Of content that was sent by MESSAGE. */
export function contentOutcome(response: SipResponse, now: number): ConnectionOutcome {
  const { status, reason } = response;
  const detail = `the terminal answered SIP ${status} ${reason}`;
  if (status < 300) return { kind: 'confirmed' };
  if (isForeign(response)) return { kind: 'refused', why: 'mediaType', detail };
  if (status === 413 || status === 513) return { kind: 'refused', why: 'size', detail };
  if (status === 403 || status === 488 || status >= 600) return { kind: 'refused', why: 'declined', detail };
  const retryAt = whenToComeAgain(response, now);
  if (retryAt === undefined) return { kind: 'lost', detail };
  return { kind: 'lost', detail, retryAt: Math.min(retryAt, now + MAX_PAUSE_MS) };
}
