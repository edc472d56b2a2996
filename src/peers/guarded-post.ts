/**
 * POST to a URL that comes from whoever may submit pushes. What may be called, how often at once and for how long is
 * `transports/guarded-http`.
 */
import { DeliveryError } from '../kernel/errors.js';
import {
  GuardedHttp,
  type GuardedHttpOptions,
  type HttpAnswer,
} from '../transports/guarded-http/guarded-http.js';

export type GuardedPostOptions = Omit<GuardedHttpOptions, 'setting' | 'tls'>;

export type PostAnswer = Pick<HttpAnswer, 'status' | 'body'>;

export class GuardedPost {
  readonly #http: GuardedHttp;

  constructor(options: GuardedPostOptions) {
    this.#http = new GuardedHttp({ ...options, setting: 'notify.allowPrivateAddresses' });
  }

  /** Resolves with whatever was answered. Rejects with DeliveryError as `GuardedHttp.request` does. */
  async post(url: string, headers: Readonly<Record<string, string>>, body: Uint8Array): Promise<PostAnswer> {
    return this.#http.request({ method: 'POST', url, headers, body });
  }

  close(): void {
    this.#http.close();
  }
}

/** Throws DeliveryError unless the answer is a 2xx. */
export function requireSuccess({ status }: PostAnswer): void {
  if (status < 200 || status >= 300)
    throw new DeliveryError('unreachable', `the initiator answered HTTP ${status}`);
}
