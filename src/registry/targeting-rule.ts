/**
 * Targeting rules: for which pushes which terminals are chosen, and how they are woken. Rules are rows of a table: what a row is for
 * (`when`), and what it sets. A user has rules of its own and the operator has rules for everybody; for each setting the first row
 * that is for the push and says anything about it counts (`push/targeting.ts`). Rows come from untrusted JSON; every refusal
 * names the path.
 */
import { z } from 'zod';
import { DecodeError } from '../kernel/errors.js';
import { RETURN_FLAGS, type ReturnFlag, SEND_FLAGS, type SendFlag } from '../protocols/sia/index.js';
import { BEARER_NAMES, type BearerName } from './bearer-name.js';
import { addressPattern, applicationPattern } from './initiator-pattern.js';
import { at, each, readBySchema, withoutUndefined } from './untrusted-json.js';

/** Which of a user's terminals a push goes to when it names none. */
export const TARGET_POLICIES = [
  'all-subscribed',
  'connected-first',
  'available-first',
  'newest-registered',
] as const;
export type TargetPolicy = (typeof TARGET_POLICIES)[number];

/**
 * How a SIR finds the terminal (targeting specification §8.0):
 * `routed` (A) to the terminal by its device identity; `proxy-routed` (A′) to the user, a proxy picks the device by Accept-Contact;
 * `filtered` (B) to all terminals of the user, each compares the device identity with its own; `open` (C) to all, each decides by
 * itself; `plain` (P) to the user, as before there were device identities; `delegated` (D) by another gateway.
 */
export const SIR_MODES = ['routed', 'proxy-routed', 'filtered', 'open', 'plain', 'delegated'] as const;
export type SirMode = (typeof SIR_MODES)[number];

/** The letter under which the targeting specification knows a mode. */
export const MODE_LETTER = {
  routed: 'A',
  'proxy-routed': 'A′',
  filtered: 'B',
  open: 'C',
  plain: 'P',
  delegated: 'D',
} as const satisfies Record<SirMode, string>;

/** Where the device identity stands in a SIR (SIR-49 … SIR-52). */
export const IDENTITY_PLACES = ['header', 'value', 'body'] as const;
export type IdentityPlace = (typeof IDENTITY_PLACES)[number];

/** What a row sets. An absent setting is left to the rows below. */
export interface TargetingSettings {
  /** Which of the terminals that may get the push do. */
  readonly target?: TargetPolicy;
  /** Names of the only terminals that may get it, the first choice first. */
  readonly terminals?: readonly string[];
  /** `any`: the first terminal that has it is enough. */
  readonly completion?: 'all' | 'any';
  /** One terminal after the other, each after this time without success of those before. */
  readonly fallbackSeconds?: number;
  /** The only bearers by which its terminals are reached, the first choice first. */
  readonly bearers?: readonly BearerName[];
  readonly mode?: SirMode;
  readonly identityIn?: readonly IdentityPlace[];
  /** The application that the terminal is asked to activate (SIR-54). */
  readonly activate?: { readonly id: string; readonly name?: string };
  /** What the terminal is asked to return, and to send, once it is connected (SIR-55, SIR-56). */
  readonly return?: readonly ReturnFlag[];
  readonly send?: readonly SendFlag[];
  /** SIP URI of the gateway that the terminal is to connect to, when that is not the sender (SIR-59). */
  readonly ppg?: string;
  /** Name of the configured gateway that does the rest (SIR-78). */
  readonly delegate?: string;
}

/** An absent list is met by every push. */
export interface TargetingCondition {
  /** Patterns of application ids, in full or by their last part. */
  readonly applications?: readonly string[];
  /** Media types of the content; `video/*` for all of a kind. */
  readonly contentTypes?: readonly string[];
  /** Patterns of public user identities; of the operator's rules only. */
  readonly users?: readonly string[];
}

export interface TargetingRule {
  readonly when: TargetingCondition;
  readonly set: TargetingSettings;
}

export const TARGETING_LIMITS = { rules: 64, entries: 64, fallbackSeconds: 604_800 } as const;

const list = <T extends z.ZodType>(item: T) => z.array(item).min(1).max(TARGETING_LIMITS.entries).optional();
const word = z.string().min(1).max(512);

/** Exported for the list that holds it: `z.array(targetingRuleSchema)`. */
export const targetingRuleSchema = z.strictObject({
  when: z.strictObject({ applications: list(word), contentTypes: list(word), users: list(word) }).optional(),
  target: z.enum(TARGET_POLICIES).optional(),
  terminals: list(word),
  completion: z.enum(['all', 'any']).optional(),
  fallbackSeconds: z.int().min(1).max(TARGETING_LIMITS.fallbackSeconds).optional(),
  bearers: list(z.enum(BEARER_NAMES)),
  mode: z.enum(SIR_MODES).optional(),
  identityIn: list(z.enum(IDENTITY_PLACES)),
  activate: z.strictObject({ id: word, name: word.optional() }).optional(),
  return: list(z.enum(RETURN_FLAGS)),
  send: list(z.enum(SEND_FLAGS)),
  ppg: z
    .string()
    .regex(/^sips?:[^\s<>"]{1,255}$/, 'has to be a SIP URI')
    .optional(),
  delegate: z.string().min(1).max(128).optional(),
});

type RuleJson = z.output<typeof targetingRuleSchema>;

/** A rule that fits the schema, in canonical form. Throws DecodeError naming the path below the rule. */
export function targetingRule({ when = {}, ...set }: RuleJson): TargetingRule {
  if (Object.values(set).every((value) => value === undefined)) throw new DecodeError('sets nothing');
  if (set.mode === 'delegated' && set.delegate === undefined)
    throw new DecodeError('delegate: has to be named when the mode is delegated');
  const { applications, contentTypes, users } = when;
  return {
    when: withoutUndefined({
      applications: applications && each('when.applications', applications, applicationPattern),
      contentTypes: contentTypes && each('when.contentTypes', contentTypes, mediaRange),
      users: users && each('when.users', users, addressPattern),
    }),
    set: withoutUndefined({
      ...set,
      activate: set.activate && withoutUndefined({ id: set.activate.id, name: set.activate.name }),
    }) as TargetingSettings,
  };
}

/** Rules from JSON that nobody has looked at yet. Throws DecodeError naming the path. */
export function targetingRules(json: unknown, path: string): readonly TargetingRule[] {
  const rules = readBySchema(z.array(targetingRuleSchema).max(TARGETING_LIMITS.rules), json, path);
  return rules.map((rule, index) => at(`${path}[${index}]`, () => targetingRule(rule)));
}

function mediaRange(text: string): string {
  if (!/^[\w.+-]+\/(?:[\w.+-]+|\*)$/.test(text)) throw new DecodeError('not a media type or range');
  return text.toLowerCase();
}
