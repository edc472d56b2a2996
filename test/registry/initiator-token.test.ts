import { describe, expect, it } from 'vitest';
import { isTokenOf, makeToken, parseToken } from '../../src/registry/initiator-token.js';
import { countingBytes } from '../support/memory-initiators.js';

const random = countingBytes();
const { text, token } = makeToken('weather', 5, random);

/** The parsed form of what has to be a token. */
function parsed(written: string) {
  const read = parseToken(written);
  if (!read) throw new Error(`no token: ${written}`);
  return read;
}

describe('a token', () => {
  it('says whom it belongs to and which it is', () => {
    expect(parseToken(text)).toEqual({ text, initiator: 'weather', tokenId: token.id });
  });

  it.each(['Ärzte & Co/Süd@x', 'x'.repeat(128), '\u{1F600}'.repeat(64)])('carries the initiator %s', (id) => {
    expect(parseToken(makeToken(id, 0, random).text)?.initiator).toBe(id);
  });

  it('fits the grammar of bearer tokens', () => {
    expect(text).toMatch(/^[A-Za-z0-9._~+/-]+=*$/);
  });

  it('has 256 random bits', () => {
    expect(Buffer.from(text.split('.')[2] ?? '', 'base64url')).toHaveLength(32);
  });

  it('is recognised by what is kept of it', () => {
    expect(isTokenOf(parsed(text), [makeToken('weather', 0, random).token, token])).toBe(true);
  });

  it('with another secret is not', () => {
    const other = text.replace(/.{43}$/, 'A'.repeat(43));
    expect(isTokenOf(parsed(other), [token])).toBe(false);
  });

  it('of another initiator is not, though secret and id are right', () => {
    const [, id, secret] = text.split('.');
    const other = `${Buffer.from('storm').toString('base64url')}.${id}.${secret}`;
    expect(isTokenOf(parsed(other), [token])).toBe(false);
  });

  it('that was taken back is not', () => {
    expect(isTokenOf(parsed(text), [])).toBe(false);
  });

  it.each([
    '',
    'abc',
    'a.b.c',
    `${'A'.repeat(600)}.${'A'.repeat(11)}.${'A'.repeat(43)}`,
    text.slice(1),
    `${text}A`,
  ])('is not %j', (written) => {
    const read = parseToken(written);
    expect(read === undefined || !isTokenOf(read, [token])).toBe(true);
  });
});
