/**
 * The initiator's end of a webhook: a signed POST of JSON (Standard Webhooks 1.0.0), taken by 2xx. Signed at every attempt anew,
 * because the moment is signed too. 410 says that nobody listens there any more; every other answer is tried again. What
 * may be called and for how long is `guarded-post.ts`.
 */
import { DeliveryError } from '../kernel/errors.js';
import { decodeWebhookSecret, webhookHeaders } from '../protocols/standard-webhooks/index.js';
import type { Webhook, WebhookEndpoint } from '../push/ports.js';
import { type GuardedPost, requireSuccess } from './guarded-post.js';

const GONE = 410;

export class HttpWebhookEndpoint implements WebhookEndpoint {
  readonly #http: GuardedPost;
  readonly #now: () => number;

  /** `now` gives milliseconds since the epoch. */
  constructor(http: GuardedPost, now: () => number) {
    this.#http = http;
    this.#now = now;
  }

  async send(url: string, { id, body, secret }: Webhook): Promise<void> {
    const signed = webhookHeaders({ id, sentAt: this.#now(), body }, decodeWebhookSecret(secret));
    const answer = await this.#http.post(url, { 'content-type': 'application/json', ...signed }, body);
    if (answer.status === GONE) {
      throw new DeliveryError('unreachable', 'the initiator answered HTTP 410', { retry: 'never' });
    }
    requireSuccess(answer);
  }
}
