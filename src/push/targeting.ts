/**
 * Targeting: the rules that apply to one push for one user, put together. The user's own rules go before the operator's, and for
 * each setting the first row that is for the push and says anything about it counts. Every setting knows the row that it
 * comes from, so that an operator can ask why. Pure.
 */
import { matchesApplication, matchesPattern } from '../registry/initiator-pattern.js';
import type { PublicUserIdentity } from '../registry/public-user-identity.js';
import type { TargetingCondition, TargetingRule, TargetingSettings } from '../registry/targeting-rule.js';
import type { UserPolicy } from '../registry/user.js';

/** What the rules look at. */
export interface TargetingSubject {
  readonly user: PublicUserIdentity;
  readonly applicationId: string;
  readonly contentType: string;
}

export type Setting = keyof TargetingSettings;

export interface Targeting {
  readonly settings: TargetingSettings;
  /** In words: `the user's rule 2`, `the operator's rule 1`, `the user's policy`. */
  readonly from: Readonly<Partial<Record<Setting, string>>>;
}

export function targetingFor(
  subject: TargetingSubject,
  policy: UserPolicy,
  operatorRules: readonly TargetingRule[],
): Targeting {
  const ofUser = (policy.rules ?? []).map((rule, index) => ({ rule, name: `the user's rule ${index + 1}` }));
  const usual =
    policy.target === undefined
      ? []
      : [{ rule: { when: {}, set: { target: policy.target } }, name: "the user's policy" }];
  const ofOperator = operatorRules.map((rule, index) => ({ rule, name: `the operator's rule ${index + 1}` }));
  const settings: Record<string, unknown> = {};
  const from: Partial<Record<Setting, string>> = {};
  for (const { rule, name } of [...ofUser, ...usual, ...ofOperator]) {
    if (!isMet(rule.when, subject)) continue;
    for (const [setting, value] of Object.entries(rule.set) as [Setting, unknown][]) {
      if (from[setting] !== undefined) continue;
      settings[setting] = value;
      from[setting] = name;
    }
  }
  return { settings: settings as TargetingSettings, from };
}

/** No rule says anything: what a push has that the gateway knows nothing special about. */
export const NO_TARGETING: Targeting = { settings: {}, from: {} };

function isMet(
  { applications, contentTypes, users }: TargetingCondition,
  subject: TargetingSubject,
): boolean {
  const [mediaType = ''] = subject.contentType.split(';', 1);
  const type = mediaType.trim().toLowerCase();
  return (
    (applications?.some((pattern) => matchesApplication(pattern, subject.applicationId)) ?? true) &&
    (contentTypes?.some((range) => isInRange(type, range)) ?? true) &&
    (users?.some((pattern) => matchesPattern(pattern, subject.user)) ?? true)
  );
}

function isInRange(type: string, range: string): boolean {
  return range.endsWith('/*') ? type.startsWith(range.slice(0, -1)) : type === range;
}
