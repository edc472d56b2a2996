/** The Reason header (RFC 3326): why a request was sent, e.g. `SIP ;cause=600 ;text="Busy Everywhere"`. */
import { DecodeError } from '../../kernel/errors.js';
import { isToken, parseDecimal, quote, unquote } from './grammar.js';
import { parameter, parseParameters } from './parameters.js';

export interface Reason {
  /** `SIP`, `Q.850`, … */
  readonly protocol: string;
  readonly cause: number | undefined;
  readonly text: string | undefined;
}

/** Parses one Reason value; unknown parameters are dropped. */
export function parseReason(value: string): Reason {
  const semicolon = value.indexOf(';');
  const protocol = (semicolon < 0 ? value : value.slice(0, semicolon)).trim();
  if (!isToken(protocol)) throw new DecodeError('a malformed Reason', { clause: 'RFC 3326 §2' });
  const parameters = semicolon < 0 ? [] : parseParameters(value.slice(semicolon));
  const text = parameter(parameters, 'text');
  return {
    protocol,
    cause: parseDecimal(parameter(parameters, 'cause') ?? '', 999),
    text: text === undefined ? undefined : unquote(text),
  };
}

/** The Reason as one header value. */
export function formatReason(reason: Reason): string {
  const cause = reason.cause === undefined ? '' : `;cause=${reason.cause}`;
  return `${reason.protocol}${cause}${reason.text === undefined ? '' : `;text=${quote(reason.text)}`}`;
}
