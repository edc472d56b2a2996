/**
 * Answering 401 and 407 (RFC 3261 §22.2–22.3): once per kind of challenge, and once more when the server says that the
 * nonce alone was stale. Each answer is a new request with the next CSeq.
 */

import { unlessBroken } from '../../kernel/errors.js';
import {
  answerDigestChallenge,
  chooseDigestChallenge,
  type DigestChallenge,
  headerLines,
  type SipResponse,
} from '../../protocols/sip/index.js';
import { type Draft, withHeaders } from './compose.js';
import { randomToken } from './tokens.js';

export class ClientAuth {
  readonly #credentials: { readonly username: string; readonly password: string } | undefined;
  readonly #answered = new Set<string>();

  constructor(credentials: { readonly username: string; readonly password: string } | undefined) {
    this.#credentials = credentials;
  }

  /** The draft to send next, or undefined when the response stands as the final one. */
  answer(draft: Draft, response: SipResponse): Draft | undefined {
    const kind = KINDS[response.status];
    if (kind === undefined || this.#credentials === undefined) return undefined;
    const challenge = challengeIn(response, kind.challenge);
    if (challenge === undefined) return undefined;
    const round = challenge.stale ? `${kind.answer} stale` : kind.answer;
    if (this.#answered.has(round)) return undefined;
    this.#answered.add(round);
    const use = { cnonce: randomToken(16), nonceCount: 1 };
    const value = answerDigestChallenge(challenge, draft, this.#credentials, use);
    return withHeaders(draft, draft.cseq + 1, [{ name: kind.answer, value }]);
  }
}

const KINDS: Readonly<Record<number, { readonly challenge: string; readonly answer: string }>> = {
  401: { challenge: 'www-authenticate', answer: 'Authorization' },
  407: { challenge: 'proxy-authenticate', answer: 'Proxy-Authorization' },
};

function challengeIn(response: SipResponse, name: string): DigestChallenge | undefined {
  return unlessBroken(() => chooseDigestChallenge(headerLines(response, name)));
}
