/**
 * Standard Webhooks 1.0.0 (standardwebhooks.com), the symmetric kind `v1`: the form of a secret, and the three header fields with
 * which a receiver tells that a request came from us, is whole, and is not an old one sent again. Pure; the moment is given.
 * Asymmetric signatures (`v1a`) are not made.
 */
import { createHmac } from 'node:crypto';
import { DecodeError, InvariantError } from '../../kernel/errors.js';

/** Octets of a secret. */
const WEBHOOK_SECRET_BYTES = { min: 24, max: 64 } as const;

const PREFIX = 'whsec_';
const MAX_TEXT_LENGTH = PREFIX.length + 4 * Math.ceil(WEBHOOK_SECRET_BYTES.max / 3);

/** The key behind `whsec_<base64>`. Throws DecodeError, with words that do not repeat the secret. */
export function decodeWebhookSecret(text: string): Uint8Array {
  const base64 = text.slice(PREFIX.length);
  const { min, max } = WEBHOOK_SECRET_BYTES;
  const key = text.length > MAX_TEXT_LENGTH ? Buffer.alloc(0) : Buffer.from(base64, 'base64');
  const isExact = text.startsWith(PREFIX) && key.toString('base64') === base64;
  if (!isExact || key.length < min || key.length > max) {
    throw new DecodeError(`has to be whsec_ and the base64 of ${min} to ${max} octets`);
  }
  return key;
}

export interface WebhookMessage {
  /** The same for every attempt: by it a receiver knows a repeat. No full stop in it. */
  readonly id: string;
  /** Milliseconds since the epoch of this attempt. */
  readonly sentAt: number;
  readonly body: Uint8Array;
}

/** `webhook-id`, `webhook-timestamp` (seconds) and `webhook-signature` over `id.timestamp.body`. */
export function webhookHeaders(message: WebhookMessage, key: Uint8Array): Readonly<Record<string, string>> {
  const { id, sentAt, body } = message;
  if (!/^[A-Za-z0-9_-]+$/.test(id)) throw new InvariantError('a webhook-id has letters, digits, "_" and "-"');
  const timestamp = String(Math.floor(sentAt / 1000));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  };
}
