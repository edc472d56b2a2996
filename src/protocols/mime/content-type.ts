/**
 * Content-Type values (RFC 2045 §5.1) and other values of the same shape: a media type and its parameters, text to value and
 * back. RFC 2231 continuations and charsets in parameter values are not undone.
 */
import { DecodeError, InvariantError } from '../../kernel/errors.js';

export interface ContentType {
  /** `type/subtype` in lower case. */
  readonly mediaType: string;
  /** Names in lower case, values unquoted, in the order written. */
  readonly parameters: ReadonlyMap<string, string>;
}

const CLAUSE = 'RFC 2045 §5.1';
const MAX_LENGTH = 4096;
const MAX_PARAMETERS = 32;
const TOKEN = /[!#$%&'*+\-.^_`{|}~0-9A-Za-z]+/y;
const WHOLE_TOKEN = /^[!#$%&'*+\-.^_`{|}~0-9A-Za-z]+$/;
const WHITE_SPACE = /[ \t\r\n]*/y;

/** Parses a Content-Type value. Throws DecodeError with the character where the grammar was left. */
export function parseContentType(text: string): ContentType {
  if (text.length > MAX_LENGTH)
    throw new DecodeError('Content-Type value too long', { code: 'limitExceeded' });
  const cursor: Cursor = { text, at: 0 };
  skip(cursor);
  const type = readToken(cursor);
  if (text[cursor.at] !== '/')
    throw new DecodeError('no "/" in the media type', { offset: cursor.at, clause: CLAUSE });
  cursor.at += 1;
  const subtype = readToken(cursor);
  return { mediaType: `${type}/${subtype}`.toLowerCase(), parameters: readParameters(cursor) };
}

/** The value as text; parameter values that are no tokens are quoted. */
export function formatContentType(
  mediaType: string,
  parameters: Iterable<readonly [string, string]> = [],
): string {
  let text = mediaType;
  for (const [name, value] of parameters) {
    if (!WHOLE_TOKEN.test(name) || /[\0-\x08\x0a-\x1f\x7f]/.test(value)) {
      throw new InvariantError(`parameter ${JSON.stringify(name)} cannot be written`);
    }
    text += `; ${name}=${WHOLE_TOKEN.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`}`;
  }
  return text;
}

interface Cursor {
  readonly text: string;
  at: number;
}

function readParameters(cursor: Cursor): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  while (true) {
    skip(cursor);
    if (cursor.at === cursor.text.length) return parameters;
    if (cursor.text[cursor.at] !== ';') {
      throw new DecodeError('expected ";" between parameters', { offset: cursor.at, clause: CLAUSE });
    }
    cursor.at += 1;
    skip(cursor);
    // Leniency: an empty parameter, as in `a/b; c=d;`. Several Java and .NET clients close the list with a semicolon.
    if (cursor.at === cursor.text.length || cursor.text[cursor.at] === ';') continue;
    const [name, value] = readParameter(cursor);
    // Two values for one name could be read differently by two readers; neither reading is safe.
    if (parameters.has(name))
      throw new DecodeError(`parameter ${name} given twice`, { offset: cursor.at, clause: CLAUSE });
    if (parameters.size >= MAX_PARAMETERS)
      throw new DecodeError('too many parameters', { code: 'limitExceeded' });
    parameters.set(name, value);
  }
}

function readParameter(cursor: Cursor): readonly [string, string] {
  const name = readToken(cursor).toLowerCase();
  skip(cursor);
  if (cursor.text[cursor.at] !== '=') {
    throw new DecodeError(`parameter ${name} without a value`, { offset: cursor.at, clause: CLAUSE });
  }
  cursor.at += 1;
  skip(cursor);
  return [name, cursor.text[cursor.at] === '"' ? readQuotedString(cursor) : readBareValue(cursor)];
}

function readQuotedString(cursor: Cursor): string {
  const { text } = cursor;
  let value = '';
  for (let at = cursor.at + 1; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') {
      cursor.at = at + 1;
      return value;
    }
    if (character === '\\') at += 1;
    value += text[at] ?? '';
  }
  throw new DecodeError('quoted string without its end', { offset: cursor.at, clause: CLAUSE });
}

/**
 * Leniency: an unquoted value may hold characters that the grammar wants quoted, up to the next `;` or white space.
 * BlackBerry initiators write `type=application/xml`, Java mail libraries `boundary=----=_Part_1`.
 */
function readBareValue(cursor: Cursor): string {
  const start = cursor.at;
  while (cursor.at < cursor.text.length && !/[;\s"\\\0-\x1f\x7f]/.test(cursor.text.charAt(cursor.at)))
    cursor.at += 1;
  if (cursor.at === start) throw new DecodeError('empty parameter value', { offset: start, clause: CLAUSE });
  return cursor.text.slice(start, cursor.at);
}

function readToken(cursor: Cursor): string {
  TOKEN.lastIndex = cursor.at;
  const token = TOKEN.exec(cursor.text)?.[0];
  if (token === undefined) throw new DecodeError('expected a token', { offset: cursor.at, clause: CLAUSE });
  cursor.at += token.length;
  return token;
}

function skip(cursor: Cursor): void {
  WHITE_SPACE.lastIndex = cursor.at;
  cursor.at += WHITE_SPACE.exec(cursor.text)?.[0].length ?? 0;
}
