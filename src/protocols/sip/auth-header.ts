/**
 * The grammar of WWW-Authenticate, Proxy-Authenticate, Authorization and Proxy-Authorization (RFC 7616 §3.3–3.4,
 * RFC 3261 §25.1): a scheme and comma-separated name=value pairs. One header field holds one challenge or one set of
 * credentials; several challenges come in several fields.
 */
import { DecodeError } from '../../kernel/errors.js';
import { isToken, quotedStringEnd, skipBlanks, unquote } from './grammar.js';

export interface AuthValue {
  /** In lower case: `digest`. */
  readonly scheme: string;
  /** Names in lower case, values without quotes. */
  readonly parameters: ReadonlyMap<string, string>;
}

const MAX_PARAMETERS = 32;

/** Parses one header value. Throws DecodeError when it is malformed or names a parameter twice. */
export function parseAuthValue(value: string): AuthValue {
  const blank = value.search(/[ \t]/);
  const scheme = blank < 0 ? value : value.slice(0, blank);
  if (!isToken(scheme)) throw malformed('no scheme');
  const parameters = new Map<string, string>();
  let index = blank < 0 ? value.length : blank;
  for (;;) {
    while (value.charCodeAt(index) === 0x2c || value.charCodeAt(index) <= 0x20) index += 1;
    if (index >= value.length) break;
    const equals = value.indexOf('=', index);
    const name = equals < 0 ? '' : value.slice(index, equals).trim().toLowerCase();
    if (!isToken(name) || parameters.has(name) || parameters.size >= MAX_PARAMETERS) {
      throw malformed('a malformed, repeated or surplus parameter');
    }
    const start = skipBlanks(value, equals + 1);
    const end = value.charCodeAt(start) === 0x22 ? quotedStringEnd(value, start) : tokenEnd(value, start);
    const text = value.slice(start, end).trimEnd();
    if (!text.startsWith('"') && /[\s"]/.test(text))
      throw malformed('an unquoted value with blanks or quotes');
    parameters.set(name, unquote(text));
    index = skipBlanks(value, end);
    if (index < value.length && value.charCodeAt(index) !== 0x2c)
      throw malformed('no comma behind a parameter');
  }
  return { scheme: scheme.toLowerCase(), parameters };
}

function tokenEnd(value: string, start: number): number {
  const comma = value.indexOf(',', start);
  return comma < 0 ? value.length : comma;
}

function malformed(detail: string): DecodeError {
  return new DecodeError(`authentication header: ${detail}`, { clause: 'RFC 7616 §3.3' });
}
