/**
 * JSON that somebody else wrote, read by a schema and then by readers of our own. Every refusal begins with the path of what is wrong
 * (`identities[2].value: …`) and is fit for whoever wrote it.
 */
import type { z } from 'zod';
import { DecodeError } from '../kernel/errors.js';

/** What is wrong is told in as many characters: it may name what the body calls its properties. */
const MAX_DETAIL_LENGTH = 300;

/** The value as the schema has it; `path`: where it stands, when it is not the whole body. Throws DecodeError about the first thing wrong. */
export function readBySchema<T>(schema: z.ZodType<T>, json: unknown, path = ''): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = `${path}${formatPath(issue?.path ?? [])}`.replace(/^\./, '');
  const detail = `${where || 'body'}: ${issue?.message ?? 'not acceptable'}`;
  throw new DecodeError(detail.slice(0, MAX_DETAIL_LENGTH));
}

/** What `read` makes of it; the path is put in front of its refusal. */
export function at<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new DecodeError(`${path}: ${error.detail}`, {
      ...(error.clause === undefined ? {} : { clause: error.clause }),
      code: error.code === 'limitExceeded' ? 'limitExceeded' : 'malformed',
      cause: error,
    });
  }
}

/** What `read` makes of every text of a list. */
export function each<T>(path: string, texts: readonly string[], read: (text: string) => T): readonly T[] {
  return texts.map((text, index) => at(`${path}[${index}]`, () => read(text)));
}

export type Present<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** The same object without properties that are undefined. */
export function withoutUndefined<T extends object>(value: T): Present<T> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Present<T>;
}

function formatPath(path: readonly PropertyKey[]): string {
  return path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
}
