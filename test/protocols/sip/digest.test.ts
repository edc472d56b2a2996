/** Digest authentication, both sides, against the published examples. */
import { describe, expect, test } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import {
  answerDigestChallenge,
  buildDigestChallenges,
  checkNonce,
  chooseDigestChallenge,
  type DigestAlgorithm,
  digestSecrets,
  issueNonce,
  NonceCounts,
  parseAuthValue,
  parseDigestChallenge,
  parseDigestCredentials,
  verifyDigestResponse,
} from '../../../src/protocols/sip/index.js';

const ACCOUNT = { username: 'alice', password: 'se"cret' };
const REQUEST = { method: 'REGISTER', uri: 'sip:example.test' };
const USE = { cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ', nonceCount: 1 };

describe('the example of RFC 7616 §3.9.1', () => {
  const nonce = '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v';
  const example = { method: 'GET', uri: '/dir/index.html' };
  const account = { username: 'Mufasa', password: 'Circle of Life' };
  test.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('%s gives the published response', (algorithm, response) => {
    const challenge = parseDigestChallenge(
      `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="${nonce}", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`,
    );
    if (challenge === undefined) throw new Error('no challenge');
    const credentials = parseDigestCredentials(answerDigestChallenge(challenge, example, account, USE));
    expect(credentials?.response).toBe(response);
  });
});

test('the example of RFC 2617 §3.5 without qop is the RFC 2069 form', () => {
  const challenge = parseDigestChallenge(
    'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"',
  );
  if (challenge === undefined) throw new Error('no challenge');
  const account = { username: 'Mufasa', password: 'CircleOfLife' };
  const value = answerDigestChallenge(challenge, { method: 'GET', uri: '/dir/index.html' }, account, USE);
  expect(value).toContain('response="1949323746fe6a43ef61f9606e7febea"');
  expect(value).not.toContain('cnonce');
});

describe.each(['MD5', 'MD5-sess', 'SHA-256', 'SHA-256-sess'] as DigestAlgorithm[])('%s', (algorithm) => {
  const challenge = {
    realm: 'example.test',
    nonce: 'n',
    algorithm,
    qop: 'auth',
    opaque: undefined,
    stale: false,
  } as const;
  const credentials = parseDigestCredentials(answerDigestChallenge(challenge, REQUEST, ACCOUNT, USE));
  const secrets = digestSecrets(ACCOUNT.username, 'example.test', ACCOUNT.password);
  if (credentials === undefined) throw new Error('no credentials');

  test('the right password is let in', () => {
    expect(verifyDigestResponse(credentials, secrets, 'REGISTER')).toBe(true);
  });

  test.each([
    ['another password', credentials, digestSecrets('alice', 'example.test', 'other'), 'REGISTER'],
    ['another method', credentials, secrets, 'INVITE'],
    ['another URI', { ...credentials, uri: 'sip:other.test' }, secrets, 'REGISTER'],
    ['another nonce', { ...credentials, nonce: 'm' }, secrets, 'REGISTER'],
    ['a count that is no count', { ...credentials, nc: '1' }, secrets, 'REGISTER'],
    ['qop auth-int', { ...credentials, qop: 'auth-int' }, secrets, 'REGISTER'],
    ['no client nonce', { ...credentials, cnonce: undefined }, secrets, 'REGISTER'],
    ['an account without secrets', credentials, {}, 'REGISTER'],
  ])('%s is kept out', (_name, given, known, method) => {
    expect(verifyDigestResponse(given, known, method)).toBe(false);
  });
});

describe('challenges', () => {
  test('one per algorithm, the strongest first', () => {
    const challenges = buildDigestChallenges({ realm: 'a "b"', nonce: 'n', stale: true });
    expect(challenges.map(parseDigestChallenge)).toMatchObject([
      { algorithm: 'SHA-256', realm: 'a "b"', qop: 'auth', stale: true },
      { algorithm: 'MD5', stale: true },
    ]);
  });

  test('a client answers the strongest that it knows', () => {
    const values = [
      'Basic realm="x"',
      'Digest realm="x", nonce="1", algorithm=SHA-512-256, qop="auth"',
      'Digest realm="x", nonce="2", algorithm=MD5, qop="auth"',
      'Digest realm="x", nonce="3", algorithm=SHA-256, qop="auth"',
    ];
    expect(chooseDigestChallenge(values)?.nonce).toBe('3');
    expect(chooseDigestChallenge(values.slice(0, 2))).toBeUndefined();
    expect(chooseDigestChallenge(['Digest realm="x", nonce="1", qop="auth-int"'])).toBeUndefined();
  });

  test.each([
    '',
    'Digest realm',
    'Digest realm="x',
    'Digest a=1 b=2',
    'Digest a=1, a=2',
    'Digest =x',
    'Digest "a"=x',
  ])('%j is malformed', (value) => {
    expect(() => parseAuthValue(value)).toThrow(DecodeError);
  });

  test('a surplus of parameters is refused', () => {
    const value = Array.from({ length: 40 }, (_, index) => `p${index}=1`).join(',');
    expect(() => parseAuthValue(`Digest ${value}`)).toThrow(DecodeError);
  });
});

describe('nonces', () => {
  const key = Buffer.from('0123456789abcdef');
  const nonce = issueNonce(key, 1_000_000, Buffer.alloc(8, 7));

  test('are fresh for their lifetime, then stale', () => {
    expect(checkNonce(nonce, key, 1_000_000, 60_000)).toBe('fresh');
    expect(checkNonce(nonce, key, 1_060_000, 60_000)).toBe('fresh');
    expect(checkNonce(nonce, key, 1_060_001, 60_000)).toBe('stale');
  });

  test.each([
    ['of another key', nonce, Buffer.from('another key')],
    ['changed in one place', `A${nonce.slice(1)}`.replace(/^AA/, 'BA'), key],
    ['cut short', nonce.slice(0, -1), key],
    ['empty', '', key],
    ['with foreign characters', `${nonce}==`, key],
  ])('are forged when %s', (_name, given, withKey) => {
    expect(checkNonce(given, withKey, 1_000_000, 60_000)).toBe('forged');
  });

  test('from the future are stale', () => {
    expect(checkNonce(nonce, key, 999_999, 60_000)).toBe('stale');
  });

  test('a count works once, in any order within the window', () => {
    const counts = new NonceCounts();
    expect(
      ['00000001', '00000003', '00000002', '00000003', '00000001', '00000002'].map((nc) =>
        counts.accept('n', nc),
      ),
    ).toEqual([true, true, true, false, false, false]);
    expect(counts.accept('n', '00000100')).toBe(true);
    expect(counts.accept('n', '00000004')).toBe(false);
    expect(counts.accept('n', '000000ff')).toBe(true);
    expect(counts.accept('other', '00000001')).toBe(true);
  });

  test.each(['00000000', '', 'zz'])('the count %j never works', (nc) => {
    expect(new NonceCounts().accept('n', nc)).toBe(false);
  });

  test('no more nonces are remembered than allowed', () => {
    const counts = new NonceCounts(2);
    for (const one of ['a', 'b', 'c']) counts.accept(one, '00000001');
    expect(counts.accept('a', '00000001')).toBe(true);
    expect(counts.accept('c', '00000001')).toBe(false);
  });
});
