/**
 * The headers of event notification: Event (RFC 6665 §8.2.1) and Subscription-State (§8.2.3). What each reason asks of the
 * subscriber is in the stack's subscriber, not here.
 */
import { DecodeError } from '../../kernel/errors.js';
import { isToken, parseDecimal } from './grammar.js';
import { parameter, parseParameters } from './parameters.js';

export interface EventType {
  /** Package and templates, as written: `presence`, `presence.winfo`. Compared with case. */
  readonly name: string;
  readonly id: string | undefined;
}

export interface SubscriptionState {
  /** `active`, `pending`, `terminated`, or a state that only its package knows; lower case. */
  readonly state: string;
  /** Lower case. */
  readonly reason: string | undefined;
  readonly expiresSeconds: number | undefined;
  readonly retryAfterSeconds: number | undefined;
}

const MAX_DELTA_SECONDS = 2 ** 32 - 1;

/** Parses an Event value. */
export function parseEventType(value: string): EventType {
  const { token, parameters } = tokenAndParameters(value, 'RFC 6665 §8.2.1');
  const id = parameter(parameters, 'id');
  return { name: token, id: id === '' ? undefined : id };
}

/** Parses a Subscription-State value. A number of seconds that is none counts as absent. */
export function parseSubscriptionState(value: string): SubscriptionState {
  const { token, parameters } = tokenAndParameters(value, 'RFC 6665 §8.2.3');
  const seconds = (name: string) => parseDecimal(parameter(parameters, name) ?? '', MAX_DELTA_SECONDS);
  const reason = parameter(parameters, 'reason')?.toLowerCase();
  return {
    state: token.toLowerCase(),
    reason: reason === '' ? undefined : reason,
    expiresSeconds: seconds('expires'),
    retryAfterSeconds: seconds('retry-after'),
  };
}

function tokenAndParameters(value: string, clause: string) {
  const semicolon = value.indexOf(';');
  const token = (semicolon < 0 ? value : value.slice(0, semicolon)).trim();
  if (!isToken(token)) throw new DecodeError('no token in front', { clause });
  return { token, parameters: semicolon < 0 ? [] : parseParameters(value.slice(semicolon)) };
}
