/**
 * Digest authentication of requests from users (RFC 3261 §22.2, RFC 7616, RFC 8760): challenges with MD5 and SHA-256, checks
 * the answer against the user's H(A1). Nonces are signed and carry their time, so any node that shares the key takes them;
 * that a nonce count is used once is remembered by this node alone.
 */
import type { Clock, RandomBytes } from '../../kernel/clock.js';
import { DecodeError } from '../../kernel/errors.js';
import { MINUTE_MS } from '../../kernel/units.js';
import {
  buildDigestChallenges,
  checkNonce,
  type DigestCredentials,
  headerLines,
  issueNonce,
  NonceCounts,
  parseDigestCredentials,
  type SipRequest,
  verifyDigestResponse,
} from '../../protocols/sip/index.js';
import type { SipCredentials } from '../../registry/user.js';
import type { ServerRequest } from '../../transports/sip-stack/sip-stack.js';

export interface DigestAuthenticationOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly randomBytes: RandomBytes;
  /** Signs nonces: at least 16 octets, the same on every node and not known to anybody else. */
  readonly nonceKey: Uint8Array;
  /** How long a nonce is taken; default five minutes. */
  readonly nonceLifetimeMs?: number;
  /**
   * Algorithms offered, in this order; default MD5, SHA-256. The order is for old clients: many, sipp among them, read the
   * first challenge only and give up when it is not MD5. A client that picks the strongest finds SHA-256 second as well.
   * Over WebSocket the other way round, the order that RFC 8760 §2.4 wants: the clients of browsers that know MD5 only (SIP.js,
   * JsSIP) read the last one.
   */
  readonly algorithms?: readonly ('MD5' | 'SHA-256')[];
}

const MD5_FIRST = ['MD5', 'SHA-256'] as const;

/** `absent`: no answer to a challenge of ours; `wrong`: one that proves nothing; `stale`: right, but the nonce is spent. */
export type DigestVerdict = 'right' | 'absent' | 'wrong' | 'stale';

/** A client that sends no qop has no nonce counts: its nonces are good for one request. */
const ONLY_USE = '00000001';

export class DigestAuthentication {
  readonly #options: DigestAuthenticationOptions;
  readonly #counts = new NonceCounts();

  constructor(options: DigestAuthenticationOptions) {
    this.#options = options;
  }

  /** True when the request proves to come from the user. Otherwise it has been answered with a challenge (401). */
  authenticate(request: ServerRequest, credentials: SipCredentials): boolean {
    const verdict = this.verdict(request.message, credentials);
    if (verdict !== 'right') this.#challenge(request, credentials.realm, verdict === 'stale');
    return verdict === 'right';
  }

  /** What a request proves, without answering it. A `right` verdict uses the nonce count up. */
  verdict(message: SipRequest, { username, realm, ha1 }: SipCredentials): DigestVerdict {
    const given = credentialsFor(realm, message);
    if (given === undefined) return 'absent';
    const { clock, nonceKey, nonceLifetimeMs = 5 * MINUTE_MS, algorithms = MD5_FIRST } = this.#options;
    // An answer by an algorithm that was not offered answers no challenge of ours.
    if (!algorithms.some((offered) => given.algorithm.replace(/-sess$/, '') === offered)) return 'absent';
    const nonce = checkNonce(given.nonce, nonceKey, clock.now(), nonceLifetimeMs);
    if (nonce === 'forged') return 'absent';
    if (given.username !== username || !verifyDigestResponse(given, ha1, message.method)) return 'wrong';
    const count = given.qop === undefined ? ONLY_USE : (given.nc ?? '');
    return nonce === 'fresh' && this.#counts.accept(given.nonce, count) ? 'right' : 'stale';
  }

  #challenge(request: ServerRequest, realm: string, isStale: boolean): void {
    const { clock, randomBytes, nonceKey, algorithms: given = MD5_FIRST } = this.#options;
    const nonce = issueNonce(nonceKey, clock.now(), randomBytes(8));
    const { transport } = request.flow;
    const algorithms = transport === 'ws' || transport === 'wss' ? given.toReversed() : given;
    const headers = buildDigestChallenges({ realm, nonce, stale: isStale, algorithms }).map((value) => ({
      name: 'WWW-Authenticate',
      value,
    }));
    request.respond(401, { headers });
  }
}

/** The first usable credentials for the realm; a client may send others, for the proxies on the way. */
function credentialsFor(realm: string, message: SipRequest): DigestCredentials | undefined {
  for (const line of headerLines(message, 'authorization')) {
    try {
      const credentials = parseDigestCredentials(line);
      if (credentials?.realm === realm) return credentials;
    } catch (error) {
      // Broken credentials prove nothing: the challenge says what we need.
      if (!(error instanceof DecodeError)) throw error;
    }
  }
  return undefined;
}
