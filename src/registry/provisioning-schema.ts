/** The shape of users and terminals in untrusted JSON, and how much of each they may have. What the values mean is read in validation.ts. */
import { z } from 'zod';
import { DecodeError } from '../kernel/errors.js';
import { KIB } from '../kernel/units.js';
import { isUaProfName, UAPROF_LIMITS } from '../protocols/uaprof/index.js';
import { BEARER_NAMES } from './bearer-name.js';
import { DEVICE_IDENTITY_KINDS } from './device-identity.js';
import { LIST_KEYS } from './stated-capabilities.js';
import { TARGET_POLICIES } from './targeting-rule.js';
import { readBySchema } from './untrusted-json.js';
import { CARRIED } from './user.js';

/** The most that one user or terminal may have of each. */
export const PROVISIONING_LIMITS = {
  /** Of the whole body, counted as UTF-8 JSON. */
  maxBodyBytes: 64 * KIB,
  maxIdentities: 32,
  maxActivationMethods: 8,
  maxAliases: 32,
  maxSubscriptions: 256,
  /** Nesting of `preferences` and `capabilities`. */
  maxDepth: 8,
} as const;

/** Longest terminal name, in characters. A `+sip.instance` of the greatest length still fits. */
const MAX_TERMINAL_NAME_LENGTH = 512;

const visible = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\u0000-\u001f\u007f]*$/, 'control characters are not allowed');

/** HMAC keys shorter than this would be the weakest part of the signature. */
const sirKey = visible(256).min(16).nullable().optional();

/** The body of a user's PUT. */
export const userSchema = z.strictObject({
  aliases: z.array(visible(512)).max(PROVISIONING_LIMITS.maxAliases).optional(),
  sip: z
    .strictObject({
      // A colon would end the username early in A1, a quote in the header field (RFC 7616 §3.4.4).
      username: visible(128).regex(/^[^":\\]*$/, 'must not contain quotes, colons or backslashes'),
      password: visible(256),
    })
    .nullable()
    .optional(),
  sirKey,
  policy: z
    .strictObject({ target: z.enum(TARGET_POLICIES).optional(), rules: z.array(z.unknown()).optional() })
    .optional(),
});

const textList = z.array(visible(UAPROF_LIMITS.maxValueLength)).max(UAPROF_LIMITS.maxMembers);

const capabilitiesSchema = z.looseObject({
  ...(Object.fromEntries(LIST_KEYS.map((key) => [key, textList.optional()])) as Record<
    (typeof LIST_KEYS)[number],
    z.ZodOptional<typeof textList>
  >),
  maxMessageSize: z.int().min(0).optional(),
  maxPushRequests: z.int().min(1).optional(),
  uaProfUrl: visible(UAPROF_LIMITS.maxValueLength)
    .regex(/^https?:\/\/[^\s"<>]+$/i, 'has to be an http or https URL')
    .optional(),
  uaProf: z
    .union([
      z.string(),
      z.record(
        z.string().refine(isUaProfName, 'not the name of an attribute'),
        z.union([visible(UAPROF_LIMITS.maxValueLength), textList]),
      ),
    ])
    .optional(),
});

const freeForm = z
  .record(z.string(), z.unknown())
  .refine((value) => depthOf(value) <= PROVISIONING_LIMITS.maxDepth, {
    error: `nested deeper than ${PROVISIONING_LIMITS.maxDepth}`,
  });

/** The body of a terminal's PUT. */
export const terminalSchema = z.strictObject({
  identities: z
    .array(z.strictObject({ kind: z.enum(DEVICE_IDENTITY_KINDS), value: z.string() }))
    .max(PROVISIONING_LIMITS.maxIdentities)
    .optional(),
  activation: z
    .array(
      z.strictObject({
        bearer: z.enum(BEARER_NAMES),
        address: visible(2048).optional(),
        keys: z.strictObject({ p256dh: visible(128), auth: visible(64) }).optional(),
        carries: z.enum(CARRIED).optional(),
      }),
    )
    .max(PROVISIONING_LIMITS.maxActivationMethods)
    .optional(),
  subscriptions: z.array(visible(256)).max(PROVISIONING_LIMITS.maxSubscriptions).optional(),
  preferences: freeForm.optional(),
  sirKey,
  capabilities: capabilitiesSchema.and(freeForm).optional(),
});

/** The body by its schema. Size comes first, so that a hostile body costs one pass. Throws DecodeError naming the path. */
export function readBody<T>(schema: z.ZodType<T>, body: unknown): T {
  let bytes: number;
  try {
    bytes = Buffer.byteLength(JSON.stringify(body) ?? '', 'utf8');
  } catch (cause) {
    throw new DecodeError('body: not JSON', { cause });
  }
  if (bytes > PROVISIONING_LIMITS.maxBodyBytes) {
    throw new DecodeError(`body: larger than ${PROVISIONING_LIMITS.maxBodyBytes} octets`, {
      code: 'limitExceeded',
    });
  }
  return readBySchema(schema, body);
}

const terminalName = visible(MAX_TERMINAL_NAME_LENGTH);

/** Throws DecodeError. */
export function checkTerminalName(name: string): void {
  readBySchema(terminalName, name, 'terminal name');
}

function depthOf(value: unknown): number {
  let depth = 0;
  let level: unknown[] = [value];
  while (level.length > 0) {
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
    depth += 1;
  }
  return depth - 1;
}
