/**
 * The terminal's own information against what a SIR says of the push (SIR-115, SIR-149, SIR-176, C-20): what it can take, what its
 * user is subscribed to, what its user wants, in this order. Pure. What a SIR does not say speaks against nothing.
 */
import { quietUntil, refusesType } from '../registry/stated-preferences.js';
import type { JudgementReason } from './judgement-reasons.js';
import type { ReceivedSir } from './sir.js';
import type { ApplicationSet, TerminalPolicy } from './terminal-options.js';

/** The first thing that speaks against following the SIR. */
export function ownObjection(
  sir: ReceivedSir,
  policy: TerminalPolicy,
  now: number,
): JudgementReason | undefined {
  return lackingCapability(sir, policy) ?? lackingSubscription(sir, policy) ?? dislike(sir, policy, now);
}

function lackingCapability(
  sir: ReceivedSir,
  { installedApplications, acceptedTypes, maxMessageSize }: TerminalPolicy,
): JudgementReason | undefined {
  if (!includesOne(installedApplications, wantedApplications(sir))) return 'notInstalled';
  const { content } = sir;
  if (content === undefined) return undefined;
  if (acceptedTypes !== 'any' && !matchesType(acceptedTypes, content.contentType)) return 'typeNotTaken';
  return maxMessageSize !== undefined && content.size > maxMessageSize ? 'tooLarge' : undefined;
}

function lackingSubscription(
  sir: ReceivedSir,
  { subscribedApplications }: TerminalPolicy,
): JudgementReason | undefined {
  return includesOne(subscribedApplications, wantedApplications(sir)) ? undefined : 'notSubscribed';
}

function dislike(
  sir: ReceivedSir,
  { acceptedApplications, refusedTypes, quietHours }: TerminalPolicy,
  now: number,
): JudgementReason | undefined {
  if (!includesOne(acceptedApplications, wantedApplications(sir))) return 'applicationDeclined';
  const { content } = sir;
  if (content !== undefined && matchesType(refusedTypes, content.contentType)) return 'typeDeclined';
  const isUrgent = content?.priority === 'high';
  const isQuiet = quietHours !== undefined && quietUntil({ quietHours }, now) !== undefined;
  return isQuiet && !isUrgent ? 'quietHours' : undefined;
}

/** The application to activate, else those of the base fields. None: any application. */
function wantedApplications(sir: ReceivedSir): readonly string[] {
  return sir.application === undefined ? sir.applicationIds : [sir.application.id];
}

function includesOne(set: ApplicationSet, wanted: readonly string[]): boolean {
  if (set === 'any' || wanted.length === 0) return true;
  return wanted.some((id) => set.some((known) => isSameApplication(known, id)));
}

/** An application is named in full (`x-wap-application:mms.ua`) or by what follows the colon. */
export function isSameApplication(known: string, id: string): boolean {
  const [name, lower] = [known.toLowerCase(), id.toLowerCase()];
  return name === lower || name === lower.slice(lower.indexOf(':') + 1);
}

/** Media types, and ranges like `video/*`. */
function matchesType(ranges: readonly string[], contentType: string): boolean {
  return ranges.includes('*/*') || refusesType({ refusedTypes: ranges }, contentType);
}
