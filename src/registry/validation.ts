/**
 * Users and terminals from untrusted JSON: the bodies of the admin API's PUT requests, of imports and of anything else that
 * provisions. Every refusal names the path (`identities[2].value: …`). Unknown keys are refused, so that a misspelt one
 * is not silently without effect; `preferences` are free-form within limits, and so are the keys of `capabilities` that the gateway
 * does not know. A user agent profile given as RDF is read here, once, and kept as its attributes.
 * Whether an identity or alias belongs to somebody else is not known here: the store decides that when it writes (SIR-24).
 */
import { DecodeError } from '../kernel/errors.js';
import { decodeUaProf } from '../protocols/uaprof/index.js';
import { activationAddress } from './activation-address.js';
import type { BearerName } from './bearer-name.js';
import type { DeviceIdentity } from './device-identity.js';
import { deviceIdentity } from './device-identity.js';
import { checkTerminalName, readBody, terminalSchema, userSchema } from './provisioning-schema.js';
import type { PublicUserIdentity } from './public-user-identity.js';
import { publicUserIdentity } from './public-user-identity.js';
import { sipCredentials } from './sip-credentials.js';
import { subscriptionKeys } from './subscription-keys.js';
import type { TargetPolicy } from './targeting-rule.js';
import { targetingRules } from './targeting-rule.js';
import { terminalId } from './terminal-id.js';
import { at, each } from './untrusted-json.js';
import type { ActivationMethod, Carried, SubscriptionKeys, Terminal, User, UserPolicy } from './user.js';

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
  },
): Omit<User, 'terminals'> {
  const json = readBody(userSchema, body);
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
  { existing }: { readonly existing?: Terminal | undefined } = {},
): Terminal {
  checkTerminalName(name);
  const json = readBody(terminalSchema, body);
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

function keptSirKey(
  given: string | null | undefined,
  existing: { readonly sirKey?: string } | undefined,
): { readonly sirKey?: string } {
  const key = given === undefined ? existing?.sirKey : given;
  return key === undefined || key === null ? {} : { sirKey: key };
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
