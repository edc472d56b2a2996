/**
 * The `Idempotency-Key` field (draft-ietf-httpapi-idempotency-key-header-07): an sf-string, or as most clients write it, the bare
 * text. Here it is the push-id itself, so that a repeated request meets the push that it made.
 */
import { DecodeError } from '../../kernel/errors.js';

const MAX_LENGTH = 255;

/** The key; undefined when the field is absent. Throws DecodeError. */
export function parseIdempotencyKey(value: string): string | undefined {
  if (value === '') return undefined;
  const quoted = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])+)"$/.exec(value)?.[1];
  const key = quoted?.replace(/\\(.)/g, '$1') ?? value;
  const isBare = /^[\x21\x23-\x7e]+$/.test(value);
  if ((quoted === undefined && !isBare) || key.length > MAX_LENGTH) {
    throw new DecodeError(
      `Idempotency-Key: has to be 1 to ${MAX_LENGTH} visible ASCII characters, in quotes or without`,
    );
  }
  return key;
}
