/**
 * Bearer tokens of push initiators (RFC 6750): `<initiator>.<token id>.<secret>`, each part base64url. The first two say where to
 * look, so that a request costs one hash; the secret is 256 random bits, which is why a plain SHA-256 is enough to keep it.
 * The text is shown once, when it is made.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { RandomBytes } from '../kernel/clock.js';
import { type InitiatorToken, MAX_INITIATOR_ID_LENGTH } from './initiator.js';

export const MAX_TOKENS = 16;

const ID_BYTES = 8;
const SECRET_BYTES = 32;
/** An id of 128 UTF-16 units is 384 octets of UTF-8 at most. */
const MAX_TOKEN_LENGTH = MAX_INITIATOR_ID_LENGTH * 4 + 64;
const FORM = /^([A-Za-z0-9_-]{2,})\.([A-Za-z0-9_-]{11})\.[A-Za-z0-9_-]{43}$/;

export interface TokenText {
  readonly text: string;
  readonly initiator: string;
  readonly tokenId: string;
}

/** A new token: what the initiator gets, and what is kept. `now` in milliseconds since the epoch. */
export function makeToken(
  initiator: string,
  now: number,
  random: RandomBytes,
): { readonly text: string; readonly token: InitiatorToken } {
  const id = base64url(random(ID_BYTES));
  const text = `${base64url(Buffer.from(initiator, 'utf8'))}.${id}.${base64url(random(SECRET_BYTES))}`;
  return { text, token: { id, sha256: digest(text).toString('base64url'), createdAt: now } };
}

/** Whom a token says that it belongs to; undefined for a text that is no token of ours. Proves nothing. */
export function parseToken(text: string): TokenText | undefined {
  if (text.length > MAX_TOKEN_LENGTH) return undefined;
  const [, name, tokenId] = FORM.exec(text) ?? [];
  if (name === undefined || tokenId === undefined) return undefined;
  const initiator = Buffer.from(name, 'base64url').toString('utf8');
  return initiator.length > MAX_INITIATOR_ID_LENGTH ? undefined : { text, initiator, tokenId };
}

/** True when the text is that of a token that is kept. Takes the same time whatever differs in the secret. */
export function isTokenOf({ text, tokenId }: TokenText, tokens: readonly InitiatorToken[]): boolean {
  const kept = tokens.find(({ id }) => id === tokenId);
  if (kept === undefined) return false;
  const expected = Buffer.from(kept.sha256, 'base64url');
  const actual = digest(text);
  return expected.length === actual.length && timingSafeEqual(actual, expected);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
