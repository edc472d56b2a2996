/** CSeq (RFC 3261 §20.16): a sequence number below 2**31 and a method. */
import { DecodeError } from '../../kernel/errors.js';
import { isToken, parseDecimal } from './grammar.js';

export interface CSeq {
  readonly number: number;
  readonly method: string;
}

/** Parses `314159 INVITE`; blanks between the two may be many. */
export function parseCSeq(value: string): CSeq {
  const blank = value.search(/[ \t]/);
  const number = blank < 0 ? undefined : parseDecimal(value.slice(0, blank), 0x7fffffff);
  const method = value.slice(blank + 1).trim();
  if (number === undefined || !isToken(method)) {
    throw new DecodeError('a malformed CSeq', { clause: 'RFC 3261 §20.16' });
  }
  return { number, method };
}
