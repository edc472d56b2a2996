/**
 * Digest access authentication for SIP (RFC 7616, RFC 8760, RFC 3261 §22), both sides, as pure functions: hashes are
 * the only thing taken from the platform; nonce key, time and random octets come from the caller.
 * Algorithms MD5 and SHA-256 with their -sess forms; qop `auth` or none (RFC 2069 clients). `auth-int`, user-name
 * hashing and `username*` are not offered. A server keeps H(user:realm:password), never the password.
 * Nonces are signed and stateless: any node that shares the key accepts them. Replay within a nonce's life is bound by
 * NonceCounts, which one node keeps in memory.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { parseAuthValue } from './auth-header.js';
import { quote } from './grammar.js';

export type DigestAlgorithm = 'MD5' | 'MD5-sess' | 'SHA-256' | 'SHA-256-sess';

export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: DigestAlgorithm;
  /** Undefined when the challenge names no qop (RFC 2069). */
  readonly qop: 'auth' | undefined;
  readonly opaque: string | undefined;
  readonly stale: boolean;
}

export interface DigestCredentials {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly algorithm: DigestAlgorithm;
  readonly qop: string | undefined;
  readonly cnonce: string | undefined;
  /** Eight hexadecimal digits, as sent. */
  readonly nc: string | undefined;
  readonly opaque: string | undefined;
}

/** H(username:realm:password) in lower-case hex, one per base algorithm that the account has. */
export interface DigestSecrets {
  readonly md5?: string;
  readonly sha256?: string;
}

const ALGORITHMS: readonly DigestAlgorithm[] = ['SHA-256', 'SHA-256-sess', 'MD5', 'MD5-sess'];
const NONCE_BYTES = 6 + 8 + 16;

/** The strongest challenge that we can answer, or undefined. Values are those of WWW- or Proxy-Authenticate fields. */
export function chooseDigestChallenge(values: readonly string[]): DigestChallenge | undefined {
  const challenges = values.flatMap((value) => parseDigestChallenge(value) ?? []);
  const strength = (challenge: DigestChallenge) => ALGORITHMS.indexOf(challenge.algorithm);
  return challenges.sort((left, right) => strength(left) - strength(right))[0];
}

/** A Digest challenge that we can answer; undefined for other schemes, algorithms and qops. Throws on a malformed value. */
export function parseDigestChallenge(value: string): DigestChallenge | undefined {
  const { scheme, parameters } = parseAuthValue(value);
  const algorithm = algorithmNamed(parameters.get('algorithm'));
  const realm = parameters.get('realm');
  const nonce = parameters.get('nonce');
  if (scheme !== 'digest' || algorithm === undefined || realm === undefined || nonce === undefined)
    return undefined;
  const qops = parameters
    .get('qop')
    ?.toLowerCase()
    .split(/[\s,]+/);
  if (qops !== undefined && !qops.includes('auth')) return undefined;
  return {
    realm,
    nonce,
    algorithm,
    qop: qops === undefined ? undefined : 'auth',
    opaque: parameters.get('opaque'),
    stale: parameters.get('stale')?.toLowerCase() === 'true',
  };
}

/** Parses an Authorization or Proxy-Authorization value; undefined when it is no usable Digest. Throws on a malformed value. */
export function parseDigestCredentials(value: string): DigestCredentials | undefined {
  const { scheme, parameters } = parseAuthValue(value);
  const algorithm = algorithmNamed(parameters.get('algorithm'));
  const username = parameters.get('username');
  const realm = parameters.get('realm');
  const nonce = parameters.get('nonce');
  const uri = parameters.get('uri');
  const response = parameters.get('response')?.toLowerCase();
  if (scheme !== 'digest' || algorithm === undefined) return undefined;
  if (username === undefined || realm === undefined || nonce === undefined) return undefined;
  if (uri === undefined || response === undefined) return undefined;
  return {
    username,
    realm,
    nonce,
    uri,
    response,
    algorithm,
    qop: parameters.get('qop')?.toLowerCase(),
    cnonce: parameters.get('cnonce'),
    nc: parameters.get('nc')?.toLowerCase(),
    opaque: parameters.get('opaque'),
  };
}

/** The header value that answers a challenge. `cnonce` must be unguessable; `nonceCount` starts at 1 for each nonce. */
export function answerDigestChallenge(
  challenge: DigestChallenge,
  request: { readonly method: string; readonly uri: string },
  account: { readonly username: string; readonly password: string },
  use: { readonly cnonce: string; readonly nonceCount: number },
): string {
  const { realm, nonce, algorithm, qop, opaque } = challenge;
  const nc = use.nonceCount.toString(16).padStart(8, '0');
  const credentials = {
    username: account.username,
    realm,
    nonce,
    uri: request.uri,
    algorithm,
    qop,
    nc,
    cnonce: use.cnonce,
  };
  const secret = hash(algorithm, `${account.username}:${realm}:${account.password}`);
  const parts = [
    `username=${quote(account.username)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(request.uri)}`,
    `response="${digestResponse(secret, credentials, request.method)}"`,
    `algorithm=${algorithm}`,
  ];
  if (qop !== undefined) parts.push(`qop=${qop}`, `nc=${nc}`);
  if (qop !== undefined || algorithm.endsWith('-sess')) parts.push(`cnonce=${quote(use.cnonce)}`);
  if (opaque !== undefined) parts.push(`opaque=${quote(opaque)}`);
  return `Digest ${parts.join(', ')}`;
}

/** WWW-Authenticate values, the strongest first (RFC 8760 §2.3), one per algorithm. */
export function buildDigestChallenges(options: {
  readonly realm: string;
  readonly nonce: string;
  readonly stale?: boolean;
  readonly algorithms?: readonly ('SHA-256' | 'MD5')[];
}): string[] {
  const stale = options.stale === true ? ', stale=true' : '';
  return (options.algorithms ?? ['SHA-256', 'MD5']).map(
    (algorithm) =>
      `Digest realm=${quote(options.realm)}, nonce=${quote(options.nonce)}, qop="auth", algorithm=${algorithm}${stale}`,
  );
}

/**
 * True when the response proves knowledge of the secret. Nonce, realm and nonce count are checked by the caller
 * (checkNonce, NonceCounts). An account without a secret for the algorithm used never matches.
 */
export function verifyDigestResponse(
  credentials: DigestCredentials,
  secrets: DigestSecrets,
  method: string,
): boolean {
  const secret = credentials.algorithm.startsWith('MD5') ? secrets.md5 : secrets.sha256;
  if (secret === undefined || (credentials.qop !== undefined && credentials.qop !== 'auth')) return false;
  const needsClientNonce = credentials.qop !== undefined || credentials.algorithm.endsWith('-sess');
  if (needsClientNonce && credentials.cnonce === undefined) return false;
  if (credentials.qop !== undefined && !/^[0-9a-f]{8}$/.test(credentials.nc ?? '')) return false;
  const expected = Buffer.from(digestResponse(secret.toLowerCase(), credentials, method), 'latin1');
  const given = Buffer.from(credentials.response, 'latin1');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** The secret to keep for an account: H(username:realm:password). */
export function digestSecrets(username: string, realm: string, password: string): Required<DigestSecrets> {
  const text = `${username}:${realm}:${password}`;
  return { md5: hash('MD5', text), sha256: hash('SHA-256', text) };
}

/** A signed nonce that carries its time of issue. `random` is 8 unguessable octets, `now` milliseconds since the epoch. */
export function issueNonce(key: Uint8Array, now: number, random: Uint8Array): string {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeUIntBE(now, 0, 6);
  nonce.set(random.subarray(0, 8), 6);
  nonce.set(nonceSignature(key, nonce.subarray(0, 14)), 14);
  return nonce.toString('base64url');
}

/** `stale`: genuine but older than `lifetimeMs`, the client should repeat with a new one; `forged`: not ours. */
export function checkNonce(
  nonce: string,
  key: Uint8Array,
  now: number,
  lifetimeMs: number,
): 'fresh' | 'stale' | 'forged' {
  const octets = Buffer.from(nonce, 'base64url');
  if (octets.length !== NONCE_BYTES || octets.toString('base64url') !== nonce) return 'forged';
  if (!timingSafeEqual(nonceSignature(key, octets.subarray(0, 14)), octets.subarray(14))) return 'forged';
  const age = now - octets.readUIntBE(0, 6);
  return age >= 0 && age <= lifetimeMs ? 'fresh' : 'stale';
}

/**
 * Nonce counts seen, so that captured credentials work once (RFC 7616 §3.4.5). Counts may arrive out of order by up to
 * 32. Holds the newest `maxNonces`; a nonce that was pushed out counts as unseen, which the nonce's lifetime bounds.
 */
export class NonceCounts {
  readonly #maxNonces: number;
  readonly #seen = new Map<string, { highest: number; window: number }>();

  constructor(maxNonces = 100_000) {
    this.#maxNonces = maxNonces;
  }

  /** True the first time this count is seen with this nonce. */
  accept(nonce: string, nc: string): boolean {
    const count = Number.parseInt(nc, 16);
    if (!(count >= 1)) return false;
    const seen = this.#seen.get(nonce);
    if (seen === undefined) {
      this.#remember(nonce, count);
      return true;
    }
    const behind = seen.highest - count;
    if (behind < 0) {
      seen.window = -behind >= 32 ? 1 : (seen.window << -behind) | 1;
      seen.highest = count;
      return true;
    }
    if (behind >= 32 || (seen.window & (1 << behind)) !== 0) return false;
    seen.window |= 1 << behind;
    return true;
  }

  #remember(nonce: string, count: number): void {
    if (this.#seen.size >= this.#maxNonces) {
      const [oldest] = this.#seen.keys();
      if (oldest !== undefined) this.#seen.delete(oldest);
    }
    this.#seen.set(nonce, { highest: count, window: 1 });
  }
}

function algorithmNamed(name: string | undefined): DigestAlgorithm | undefined {
  const wanted = (name ?? 'MD5').toLowerCase();
  return ALGORITHMS.find((algorithm) => algorithm.toLowerCase() === wanted);
}

type ResponseInput = Pick<DigestCredentials, 'nonce' | 'uri' | 'algorithm' | 'qop' | 'nc' | 'cnonce'>;

/** `response` of RFC 7616 §3.4.1; without qop the shorter form of RFC 2069. */
function digestResponse(secret: string, input: ResponseInput, method: string): string {
  const { algorithm, nonce, qop, nc = '', cnonce = '' } = input;
  const a1 = algorithm.endsWith('-sess') ? hash(algorithm, `${secret}:${nonce}:${cnonce}`) : secret;
  const a2 = hash(algorithm, `${method}:${input.uri}`);
  const middle = qop === undefined ? nonce : `${nonce}:${nc}:${cnonce}:${qop}`;
  return hash(algorithm, `${a1}:${middle}:${a2}`);
}

function hash(algorithm: DigestAlgorithm, text: string): string {
  return createHash(algorithm.startsWith('MD5') ? 'md5' : 'sha256')
    .update(text, 'utf8')
    .digest('hex');
}

function nonceSignature(key: Uint8Array, stamp: Uint8Array): Buffer {
  return createHmac('sha256', key).update(stamp).digest().subarray(0, 16);
}
