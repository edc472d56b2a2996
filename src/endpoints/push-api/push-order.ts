/**
 * The body of `POST /v1/pushes`: JSON to what `push/submission` takes. Every refusal names the path (`content.headers: …`), and
 * unknown properties are refused, so that a misspelt one is not silently without effect. What is asked for is read here; who
 * may have it, and whether an address is anybody's, is decided behind `submission`.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DecodeError } from '../../kernel/errors.js';
import { parseContentType } from '../../protocols/mime/index.js';
import {
  DELIVERY_METHODS,
  PRIORITIES,
  REPLACE_METHODS,
  type ReplaceMethod,
} from '../../protocols/pap/index.js';
import { encodePushAddress, MAX_PUSH_ADDRESS_LENGTH } from '../../protocols/push-address/index.js';
import { decodeWebhookSecret } from '../../protocols/standard-webhooks/index.js';
import type { PushHeader } from '../../push/push-message.js';
import type { RepeatableSubmission } from '../../push/repeatable-submission.js';
import { goesToTerminal } from '../../push/terminal-headers.js';
import { at, readBySchema } from '../../registry/untrusted-json.js';

export const PUSH_ORDER_LIMITS = {
  maxPushIdLength: 255,
  maxHeaders: 64,
  maxHeaderLength: 1024,
  maxUrlLength: 2048,
  maxSourceReferenceLength: 255,
} as const;

/** What was asked for, ready for `submission` but for who asks. */
export interface PushOrder {
  /** Absent when the initiator leaves it to us. */
  readonly pushId?: string;
  /** The push that this one is to take the place of. */
  readonly replace?: { readonly pushId: string; readonly method: ReplaceMethod };
  readonly submission: Omit<RepeatableSubmission, 'initiator' | 'pushId' | 'access'>;
}

const { maxPushIdLength, maxHeaders, maxHeaderLength, maxUrlLength, maxSourceReferenceLength } =
  PUSH_ORDER_LIMITS;

const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'control characters are not allowed');
const pushId = text(maxPushIdLength).refine((id) => id !== '.' && id !== '..', 'cannot be a path segment');
const instant = z.iso.datetime({ offset: true });

const orderSchema = z.strictObject({
  pushId: pushId.optional(),
  replace: z.strictObject({ pushId, method: z.enum(REPLACE_METHODS).optional() }).optional(),
  to: z
    .array(
      z.union(
        [
          text(MAX_PUSH_ADDRESS_LENGTH),
          z.strictObject({
            user: text(MAX_PUSH_ADDRESS_LENGTH),
            device: text(MAX_PUSH_ADDRESS_LENGTH).optional(),
          }),
        ],
        { error: 'has to be an address, or an object of user and device' },
      ),
    )
    .min(1),
  content: z.strictObject({
    type: text(maxHeaderLength),
    headers: z.record(z.string(), z.string()).optional(),
    text: z.string().optional(),
    base64: z.string().optional(),
  }),
  deliverAfter: instant.optional(),
  deliverBefore: instant.optional(),
  priority: z.enum(PRIORITIES).optional(),
  deliveryMethod: z.enum(DELIVERY_METHODS).optional(),
  notify: z.strictObject({ url: text(maxUrlLength), secret: z.string() }).optional(),
  sourceReference: text(maxSourceReferenceLength).optional(),
});
type OrderJson = z.output<typeof orderSchema>;

/** Throws DecodeError naming the path. */
export function decodePushOrder(body: unknown, limits: { readonly maxAddresses: number }): PushOrder {
  checkCounts(body, limits.maxAddresses);
  const json = readBySchema(orderSchema, body);
  const { sourceReference } = json;
  const replace = json.replace && { pushId: json.replace.pushId, method: json.replace.method ?? 'all' };
  const content = contentOf(json.content);
  const wanted = {
    addresses: json.to.map((address, index) => at(`to[${index}]`, () => addressOf(address))),
    contentType: contentTypeOf(json.content),
    headers: headersOf(json.content.headers ?? {}),
    progressNotes: false,
    ...instantOf('deliverAfter', json.deliverAfter),
    ...instantOf('deliverBefore', json.deliverBefore),
    ...qualityOf(json),
    ...(json.notify === undefined ? {} : { notifyTo: notifyUrl(json.notify.url) }),
    ...(sourceReference === undefined ? {} : { sourceReference }),
  };
  const secret = json.notify && at('notify.secret', () => checkedSecret(json.notify?.secret ?? ''));
  const fingerprint = fingerprintOf([wanted, secret, replace], content);
  return {
    ...(json.pushId === undefined ? {} : { pushId: json.pushId }),
    ...(replace === undefined ? {} : { replace }),
    submission: {
      ...wanted,
      content,
      json: { fingerprint, ...(secret === undefined ? {} : { webhookSecret: secret }) },
    },
  };
}

/** Looked at first: the schema looks at every item and keeps all that it finds wrong. */
function checkCounts(body: unknown, maxAddresses: number): void {
  const { to, content } = (body ?? {}) as { readonly to?: unknown; readonly content?: unknown };
  if (Array.isArray(to) && to.length > maxAddresses) {
    throw new DecodeError(`to: more than ${maxAddresses} addresses`, { code: 'limitExceeded' });
  }
  const { headers } = (content ?? {}) as { readonly headers?: unknown };
  if (Object.keys(headers ?? {}).length > maxHeaders) {
    throw new DecodeError(`content.headers: more than ${maxHeaders}`, { code: 'limitExceeded' });
  }
}

/** Any form of text goes on as it is; `{ user, device }` becomes the PAP address that says the same. */
function addressOf(address: OrderJson['to'][number]): string {
  if (typeof address === 'string') return address;
  const { user, device } = address;
  return encodePushAddress({ type: 'USER', value: user, ...(device === undefined ? {} : { device }) });
}

function contentOf({ text: written, base64 }: OrderJson['content']): Uint8Array {
  if ((written === undefined) === (base64 === undefined)) {
    throw new DecodeError('content: has to have either text or base64');
  }
  if (written !== undefined) return Buffer.from(written, 'utf8');
  const octets = Buffer.from(base64 ?? '', 'base64');
  if (octets.toString('base64') !== base64) {
    throw new DecodeError('content.base64: not base64 with padding', { clause: 'RFC 4648 §4' });
  }
  return octets;
}

/** Text is sent as UTF-8, so a text type that names no charset gets that one. */
function contentTypeOf({ type, text: written }: OrderJson['content']): string {
  const { mediaType, parameters } = at('content.type', () => parseContentType(type));
  if (written === undefined) return type;
  const charset = parameters.get('charset')?.toLowerCase();
  if (charset === undefined) return mediaType.startsWith('text/') ? `${type}; charset=utf-8` : type;
  if (charset !== 'utf-8' && charset !== 'utf8') {
    throw new DecodeError('content.type: content.text is UTF-8; send another charset as content.base64');
  }
  return type;
}

function headersOf(headers: Readonly<Record<string, string>>): readonly PushHeader[] {
  return Object.entries(headers).map(([name, value]) => {
    const path = `content.headers.${name.slice(0, 64)}`;
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/.test(name)) throw new DecodeError(`${path}: not a header name`);
    if (!goesToTerminal(name)) {
      throw new DecodeError(
        `${path}: only Content-* and X-* go to the terminal, and Content-Type is content.type`,
      );
    }
    if (value.length > maxHeaderLength || /[\p{Cc}\p{Cs}]/u.test(value)) {
      throw new DecodeError(
        `${path}: has to have ${maxHeaderLength} characters at most, none of them a control`,
      );
    }
    return { name, value: value.trim() };
  });
}

function instantOf<Name extends string>(name: Name, value: string | undefined): { [N in Name]?: number } {
  return (value === undefined ? {} : { [name]: Date.parse(value) }) as { [N in Name]?: number };
}

function qualityOf({ priority, deliveryMethod }: OrderJson): Pick<RepeatableSubmission, 'quality'> {
  if (priority === undefined && deliveryMethod === undefined) return {};
  return {
    quality: {
      priority: priority ?? 'medium',
      deliveryMethod: deliveryMethod ?? 'notspecified',
      networkRequired: false,
      bearerRequired: false,
    },
  };
}

function notifyUrl(url: string): string {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw new DecodeError('notify.url: has to be an absolute http or https URL');
}

function checkedSecret(secret: string): string {
  decodeWebhookSecret(secret);
  return secret;
}

/** Of what was meant, not of how it was written: spaces and the order of properties do not make another push. */
function fingerprintOf(wanted: unknown, content: Uint8Array): string {
  return createHash('sha256').update(JSON.stringify(wanted)).update('\0').update(content).digest('base64url');
}
