/**
 * Query parameters of a JSON API. Every one is named by the route that reads it: an unknown or repeated one is refused, so that
 * a misspelt filter does not quietly show everything. Cursors travel as base64url, because what is inside may be any text.
 */
import type { Context } from 'koa';
import { DecodeError } from '../../kernel/errors.js';

const MAX_VALUE_LENGTH = 1024;

/** The parameters that were given, by name. Throws DecodeError for one that is not in `known`, given twice, or too long. */
export function query<Name extends string>(
  ctx: Context,
  known: readonly Name[],
): Partial<Record<Name, string>> {
  const values: Partial<Record<Name, string>> = {};
  for (const [name, value] of Object.entries(ctx.query)) {
    const found = known.find((candidate) => candidate === name);
    if (found === undefined) {
      const expected = known.length === 0 ? 'none is taken here' : `known are ${known.join(', ')}`;
      throw new DecodeError(`query parameter "${name.slice(0, 64)}": ${expected}`);
    }
    if (typeof value !== 'string') throw new DecodeError(`query parameter "${found}": given more than once`);
    if (value.length === 0 || value.length > MAX_VALUE_LENGTH) {
      throw new DecodeError(`query parameter "${found}": has to have 1 to ${MAX_VALUE_LENGTH} characters`);
    }
    values[found] = value;
  }
  return values;
}

export interface Page {
  readonly limit: number;
  readonly cursor?: string;
}

/** `limit` and `cursor` of a list. */
export function page(
  given: { readonly limit?: string; readonly cursor?: string },
  limits: { readonly fallback: number; readonly max: number },
): Page {
  const { limit = String(limits.fallback), cursor } = given;
  const count = /^[0-9]{1,6}$/.test(limit) ? Number(limit) : 0;
  if (count < 1 || count > limits.max) {
    throw new DecodeError(`query parameter "limit": has to be a number from 1 to ${limits.max}`);
  }
  return { limit: count, ...(cursor === undefined ? {} : { cursor: decodeCursor(cursor) }) };
}

/** The cursor of a page as its answer shows it; nothing for the last page. */
export function nextCursor(cursor: string | undefined): { cursor?: string } {
  return cursor === undefined ? {} : { cursor: Buffer.from(cursor, 'utf8').toString('base64url') };
}

function decodeCursor(cursor: string): string {
  const bytes = Buffer.from(cursor, 'base64url');
  try {
    if (bytes.toString('base64url') === cursor)
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // Refused below like any other text that is not a cursor of ours.
  }
  throw new DecodeError('query parameter "cursor": has to be the cursor of an earlier answer');
}
