/**
 * Users and terminals from untrusted JSON: the bodies of the admin API's PUT requests, of imports and of anything else that
 * provisions. Every refusal names the path (`identities[2].value: …`). Unknown keys are refused, so that a misspelt one
 * is not silently without effect; `preferences` are free-form within limits, and so are the keys of `capabilities` that the gateway
 * does not know. A user agent profile given as RDF is read here, once, and kept as its attributes.
 * Whether an identity or alias belongs to somebody else is not known here: the store decides that when it writes (SIR-24).
 */
import { z } from 'zod';
import { DecodeError } from '../kernel/errors.js';
import { KIB } from '../kernel/units.js';
import { decodeUaProf, isUaProfName, UAPROF_LIMITS } from '../protocols/uaprof/index.js';
import { activationAddress } from './activation-address.js';
import type { DeviceIdentity } from './device-identity.js';
import { DEVICE_IDENTITY_KINDS, deviceIdentity } from './device-identity.js';
import { publicUserIdentity } from './public-user-identity.js';
import { sipCredentials } from './sip-credentials.js';
import { LIST_KEYS } from './stated-capabilities.js';
import { subscriptionKeys } from './subscription-keys.js';
import { targetingRules } from './targeting-rule.js';
import { terminalId } from './terminal-id.js';
import { at, each, readBySchema } from './untrusted-json.js';
import type {
  ActivationMethod,
  BearerName,
  Carried,
  PublicUserIdentity,
  SubscriptionKeys,
  TargetPolicy,
  Terminal,
  User,
  UserPolicy,
} from './user.js';
import { BEARER_NAMES, CARRIED, TARGET_POLICIES } from './user.js';

export interface ProvisioningLimits {
  /** Of the whole body, counted as UTF-8 JSON. */
  readonly maxBodyBytes: number;
  readonly maxIdentities: number;
  readonly maxActivationMethods: number;
  readonly maxAliases: number;
  readonly maxSubscriptions: number;
  /** Nesting of `preferences` and `capabilities`. */
  readonly maxDepth: number;
}

export const PROVISIONING_LIMITS: ProvisioningLimits = {
  maxBodyBytes: 64 * KIB,
  maxIdentities: 32,
  maxActivationMethods: 8,
  maxAliases: 32,
  maxSubscriptions: 256,
  maxDepth: 8,
};

/** Longest terminal name, in characters. A `+sip.instance` of the greatest length still fits. */
const MAX_TERMINAL_NAME_LENGTH = 512;

/**
 * A user's own attributes from the body of its PUT. Absent `aliases` and `policy` mean none and the default; absent `sip` and `sirKey`
 * keep those of `existing`, because nobody can read a secret back to repeat it, and `null` removes them.
 * The realm goes into H(A1). Throws DecodeError naming the path.
 */
export function userFromJson(
  id: PublicUserIdentity,
  body: unknown,
  options: {
    readonly realm: string;
    readonly existing?: Omit<User, 'terminals'>;
    readonly limits?: ProvisioningLimits;
  },
): Omit<User, 'terminals'> {
  const limits = options.limits ?? PROVISIONING_LIMITS;
  const json = parse(userSchema(limits), body, limits);
  const aliases = each('aliases', json.aliases ?? [], publicUserIdentity);
  const sip =
    json.sip === undefined
      ? options.existing?.sip
      : json.sip === null
        ? undefined
        : sipCredentials(json.sip.username, options.realm, json.sip.password);
  return {
    id,
    aliases: [...new Set(aliases)].filter((alias) => alias !== id),
    ...(sip === undefined ? {} : { sip }),
    ...keptSirKey(json.sirKey, options.existing),
    policy: userPolicy(json.policy ?? {}),
  };
}

/**
 * A terminal from the body of its PUT. Absent `activation` means waking it by SIP; `[]` means that nothing wakes it.
 * Equal identities are kept once. What the terminal of that name has said of itself stays true when an operator says something else; an
 * absent `sirKey` keeps the one that it has, `null` removes it. Throws DecodeError naming the path.
 */
export function terminalFromJson(
  user: PublicUserIdentity,
  name: string,
  body: unknown,
  options: { readonly existing?: Terminal | undefined; readonly limits?: ProvisioningLimits } = {},
): Terminal {
  const { existing, limits = PROVISIONING_LIMITS } = options;
  checkName(name);
  const json = parse(terminalSchema(limits), body, limits);
  const identities = (json.identities ?? []).map((identity, index) =>
    at(`identities[${index}].value`, () => deviceIdentity(identity.kind, identity.value)),
  );
  return {
    id: terminalId(user, name),
    user,
    name,
    identities: withoutRepeats(identities),
    activation: (json.activation ?? [{ bearer: 'sip' as const }]).map(activationMethod),
    ...(json.subscriptions === undefined ? {} : { subscriptions: [...new Set(json.subscriptions)] }),
    preferences: json.preferences ?? {},
    ...keptSirKey(json.sirKey, existing),
    capabilities: provisionedCapabilities(json.capabilities ?? {}),
    ...(existing?.reported === undefined ? {} : { reported: existing.reported }),
    ...(existing?.returned === undefined ? {} : { returned: existing.returned }),
    origin: 'provisioned',
  };
}

/** Building a schema takes many times as long as using it. */
function onceFor<Schema>(
  build: (limits: ProvisioningLimits) => Schema,
): (limits: ProvisioningLimits) => Schema {
  const built = new WeakMap<ProvisioningLimits, Schema>();
  return (limits) => {
    const schema = built.get(limits) ?? build(limits);
    built.set(limits, schema);
    return schema;
  };
}

const visible = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\u0000-\u001f\u007f]*$/, 'control characters are not allowed');

/** HMAC keys shorter than this would be the weakest part of the signature. */
const sirKey = visible(256).min(16).nullable().optional();

function keptSirKey(
  given: string | null | undefined,
  existing: { readonly sirKey?: string } | undefined,
): { readonly sirKey?: string } {
  const key = given === undefined ? existing?.sirKey : given;
  return key === undefined || key === null ? {} : { sirKey: key };
}

const userSchema = onceFor((limits: ProvisioningLimits) =>
  z.strictObject({
    aliases: z.array(visible(512)).max(limits.maxAliases).optional(),
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
  }),
);

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

const terminalSchema = onceFor((limits: ProvisioningLimits) => {
  const freeForm = z.record(z.string(), z.unknown()).refine((value) => depthOf(value) <= limits.maxDepth, {
    error: `nested deeper than ${limits.maxDepth}`,
  });
  return z.strictObject({
    identities: z
      .array(z.strictObject({ kind: z.enum(DEVICE_IDENTITY_KINDS), value: z.string() }))
      .max(limits.maxIdentities)
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
      .max(limits.maxActivationMethods)
      .optional(),
    subscriptions: z.array(visible(256)).max(limits.maxSubscriptions).optional(),
    preferences: freeForm.optional(),
    sirKey,
    capabilities: capabilitiesSchema.and(freeForm).optional(),
  });
});

/** The body by its schema. Size and depth come first, so that a hostile body costs one pass. */
function parse<T>(schema: z.ZodType<T>, body: unknown, limits: ProvisioningLimits): T {
  let bytes: number;
  try {
    bytes = Buffer.byteLength(JSON.stringify(body) ?? '', 'utf8');
  } catch (cause) {
    throw new DecodeError('body: not JSON', { cause });
  }
  if (bytes > limits.maxBodyBytes) {
    throw new DecodeError(`body: larger than ${limits.maxBodyBytes} octets`, { code: 'limitExceeded' });
  }
  return readBySchema(schema, body);
}

function userPolicy({
  target,
  rules,
}: {
  readonly target?: TargetPolicy | undefined;
  readonly rules?: readonly unknown[] | undefined;
}): UserPolicy {
  const read = rules && targetingRules(rules, 'policy.rules');
  for (const [index, { when }] of (read ?? []).entries()) {
    if (when.users)
      throw new DecodeError(`policy.rules[${index}].when.users: the rules of a user are for that user`);
  }
  return { ...(target === undefined ? {} : { target }), ...(read === undefined ? {} : { rules: read }) };
}

function activationMethod(
  method: {
    readonly bearer: BearerName;
    readonly address?: string | undefined;
    readonly keys?: SubscriptionKeys | undefined;
    readonly carries?: Carried | undefined;
  },
  index: number,
): ActivationMethod {
  const { bearer, carries } = method;
  const address = at(`activation[${index}].address`, () => activationAddress(bearer, method.address));
  const keys = at(`activation[${index}].keys`, () => subscriptionKeys(bearer, method));
  return {
    bearer,
    ...(address === undefined ? {} : { address }),
    ...(keys === undefined ? {} : { keys }),
    ...(carries === undefined ? {} : { carries }),
  };
}

function provisionedCapabilities(capabilities: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { uaProf } = capabilities;
  if (typeof uaProf !== 'string') return { ...capabilities };
  const [profile] = at('capabilities.uaProf', () =>
    decodeUaProf(Buffer.from(uaProf, 'utf8'), { charset: 'utf-8' }),
  );
  return { ...capabilities, uaProf: Object.fromEntries(profile?.attributes ?? []) };
}

function withoutRepeats(identities: readonly DeviceIdentity[]): readonly DeviceIdentity[] {
  const first = new Map<string, DeviceIdentity>();
  for (const identity of identities)
    if (!first.has(identity.canonical)) first.set(identity.canonical, identity);
  return [...first.values()];
}

const terminalName = visible(MAX_TERMINAL_NAME_LENGTH);

function checkName(name: string): void {
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
