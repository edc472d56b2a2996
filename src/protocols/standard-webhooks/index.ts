/**
 * Standard Webhooks 1.0.0 (standardwebhooks.com), the symmetric kind `v1`: the form of a secret, and the three header fields with
 * which a receiver tells that a request came from us, is whole, and is not an old one sent again. Pure; the moment is given.
 * Asymmetric signatures (`v1a`) are neither made nor read.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
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
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signatureOf(id, timestamp, body, key).toString('base64')}`,
  };
}

/** How far the moment of a request may lie from the receiver's clock. */
const TOLERANCE_SECONDS = 300;
/** In `webhook-signature`: old keys beside new ones. */
const MAX_SIGNATURES = 16;

/**
 * The receiver's part: undefined when the request comes from somebody who has the key, is whole, and was sent just now (`now`: milliseconds
 * since the epoch); else what is wrong with it. `header` gives the value of a header field.
 */
export function webhookProblem(
  header: (name: string) => string | undefined,
  body: Uint8Array,
  key: Uint8Array,
  now: number,
): string | undefined {
  const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map((name) =>
    header(`webhook-${name}`),
  );
  if (id === undefined || timestamp === undefined || signatures === undefined) return 'not signed';
  if (!/^\d{1,12}$/.test(timestamp)) return 'no moment of sending';
  const expected = signatureOf(id, timestamp, body, key);
  const isSigned = signatures.split(' ', MAX_SIGNATURES).some((signature) => {
    const given = Buffer.from(signature.replace(/^v1,/, ''), 'base64');
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  if (!isSigned) return 'a wrong signature';
  return Math.abs(now / 1000 - Number(timestamp)) > TOLERANCE_SECONDS ? 'sent at another time' : undefined;
}

function signatureOf(id: string, timestamp: string, body: Uint8Array, key: Uint8Array): Buffer {
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
}
