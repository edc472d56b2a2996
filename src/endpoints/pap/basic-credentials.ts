/** HTTP Basic credentials (RFC 7617) out of an Authorization field value. */

export interface BasicCredentials {
  readonly username: string;
  readonly password: string;
}

/** Longest field value read, in characters: the longest id and password (128 characters, 1024 octets) fit. */
const MAX_LENGTH = 4096;

/** Undefined for an absent field, another scheme, and anything that is not exactly base64 of UTF-8 `user:password`. */
export function parseBasicCredentials(authorization: string | undefined): BasicCredentials | undefined {
  if (authorization === undefined || authorization.length > MAX_LENGTH) return undefined;
  const token = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1];
  if (token === undefined) return undefined;
  const text = Buffer.from(token, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  // [RFC 7617 §2] Neither part may hold a control character.
  if (colon < 1 || /[\u0000-\u001f\u007f\ufffd]/.test(text)) return undefined;
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
