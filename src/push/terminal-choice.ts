/**
 * Which terminals of a user get a push, each with its reasons (SIR-26 … SIR-28, SIR-37, SIR-39, SIR-176). A pure function over what was
 * looked up: the user, the push, the rules that apply to it, and the state of the terminals where a rule needs it. The order of the
 * reasons is the order in which they were weighed.
 */
import type { ErrorCode } from '../kernel/errors.js';
import type { Binding } from '../registry/binding.js';
import { type DeviceIdentity, matchesAny } from '../registry/device-identity.js';
import { subscriptionsOf, trustedGateways } from '../registry/returned-information.js';
import { isSwitchedOff, refusesType, statedPreferences } from '../registry/stated-preferences.js';
import type { TargetingSettings, TargetPolicy } from '../registry/targeting-rule.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { Terminal, User } from '../registry/user.js';
import type { TerminalChoice } from './push-message.js';
import type { Setting, Targeting } from './targeting.js';

/** What is known of a terminal at this moment; asked for only when the policy needs it. */
export interface TerminalState {
  readonly isConnected: boolean;
  /** Whether it can be reached, all sources taken together (see `registry/merge-sources`). Absent when nobody has said anything. */
  readonly isAvailable?: boolean;
  /** When its newest live registration was made, or since when a source outside has called it available. */
  readonly registeredAt?: number;
  /** Its live registrations, newest first. */
  readonly bindings?: readonly Binding[];
}

/** What speaks against sending the push to a terminal; undefined when nothing does. Pure. */
export type Objection = (terminal: Terminal, state: TerminalState | undefined) => Unmet | undefined;

export interface Unmet {
  /** What the initiator is told when nothing is left to send to. */
  readonly code: ErrorCode;
  /** Fit for the initiator. */
  readonly reason: string;
}

export interface ChoiceSubject {
  readonly applicationId: string;
  readonly contentType: string;
  /** The one terminal that the push names. */
  readonly device?: DeviceIdentity | undefined;
  /** The push is for all terminals that take it, whatever the rules prefer (SIR-175). */
  readonly isForAll?: boolean | undefined;
  readonly objections?: readonly Objection[] | undefined;
  readonly targeting: Targeting;
  /** SIP URI of this gateway, for terminals that say whom they trust. */
  readonly gateway?: string | undefined;
  /** From when on the first terminal may get it (ms epoch). */
  readonly startsAt: number;
  /** Has the user several terminals (SIR-41)? */
  readonly isMulti: boolean;
}

export interface Choice {
  readonly policy: string;
  readonly completion?: 'any';
  readonly terminals: readonly TerminalChoice[];
}

/** `unmet` takes what spoke against terminals that would have been chosen. */
export function chooseTerminals(
  { terminals }: Pick<User, 'terminals'>,
  subject: ChoiceSubject,
  states: ReadonlyMap<TerminalId, TerminalState>,
  unmet = new Map<TerminalId, Unmet>(),
): Choice {
  const { device, targeting } = subject;
  const eligible = (terminal: Terminal, why: string): TerminalChoice => {
    const objection = firstObjection(terminal, states.get(terminal.id), subject);
    if (objection === undefined) return choice(terminal, true, why);
    unmet.set(terminal.id, objection);
    return choice(terminal, false, why, objection.reason);
  };
  if (device) {
    return {
      policy: 'named by the initiator',
      terminals: terminals.map((terminal) =>
        matchesAny([device], terminal.identities)
          ? eligible(terminal, 'the push names this terminal')
          : choice(terminal, false, 'the push names another terminal'),
      ),
    };
  }
  const candidates = terminals.map((terminal) => considered(terminal, subject, eligible));
  const policy = targeting.settings.target ?? 'all-subscribed';
  if (subject.isForAll) return { policy: 'all, by the word of the initiator', terminals: candidates };
  return settled(candidates, policy, subject, states);
}

/** Whether the terminal takes the push at all, by subscription and preference. */
function considered(
  terminal: Terminal,
  { applicationId, contentType, isMulti }: ChoiceSubject,
  eligible: (terminal: Terminal, why: string) => TerminalChoice,
): TerminalChoice {
  const preferences = statedPreferences(terminal);
  if (!subscribes(terminal, applicationId))
    return choice(terminal, false, `not subscribed to ${applicationId}`);
  const why = subscriptionsOf(terminal) ? `subscribed to ${applicationId}` : 'takes every application';
  if (isSwitchedOff(preferences, applicationId))
    return choice(terminal, false, why, `its preferences switch ${applicationId} off`);
  if (refusesType(preferences, contentType))
    return choice(terminal, false, why, `its preferences refuse ${contentType}`);
  return eligible(terminal, isMulti ? why : `${why}; the only terminal of the user`);
}

function firstObjection(
  terminal: Terminal,
  state: TerminalState | undefined,
  { objections = [], gateway }: ChoiceSubject,
): Unmet | undefined {
  const trusted = trustedGateways(terminal);
  if (gateway !== undefined && trusted !== undefined && !trusted.includes(gateway)) {
    return { code: 'forbidden', reason: 'the terminal does not trust this gateway' };
  }
  for (const objection of objections) {
    const unmet = objection(terminal, state);
    if (unmet !== undefined) return unmet;
  }
  return undefined;
}

/** The rules applied to the terminals that take the push: which, how many, in which order. */
function settled(
  candidates: readonly TerminalChoice[],
  policy: TargetPolicy,
  { targeting, startsAt }: ChoiceSubject,
  states: ReadonlyMap<TerminalId, TerminalState>,
): Choice {
  const { settings } = targeting;
  const listed = onlyListed(candidates, targeting);
  const kept = keptBy(policy, listed, states);
  const { fallbackSeconds } = settings;
  const isAny =
    settings.completion === 'any' || (settings.completion === undefined && settings.mode === 'open');
  if (fallbackSeconds === undefined) {
    return {
      policy,
      ...(isAny ? { completion: 'any' } : {}),
      terminals: narrowed(listed, kept, policy, targeting),
    };
  }
  const order = inTurn(listed, kept, settings);
  const reason = (place: number) =>
    place === 0
      ? `${sourceOf(targeting, 'fallbackSeconds')}: the first in turn`
      : `${sourceOf(targeting, 'fallbackSeconds')}: in turn after ${place * fallbackSeconds} s`;
  return {
    policy,
    completion: 'any',
    terminals: listed.map((candidate) => {
      const place = order.indexOf(candidate.terminal);
      if (place < 0) return candidate;
      const told = explain(candidate, reason(place));
      return place === 0 ? told : { ...told, startsAt: startsAt + place * fallbackSeconds * 1000 };
    }),
  };
}

/** A rule may name the only terminals that count. */
function onlyListed(candidates: readonly TerminalChoice[], targeting: Targeting): readonly TerminalChoice[] {
  const { terminals } = targeting.settings;
  if (terminals === undefined) return candidates;
  const from = sourceOf(targeting, 'terminals');
  return candidates.map((candidate) => {
    if (!candidate.selected) return candidate;
    if (terminals.includes(candidate.name)) return explain(candidate, `${from} names it`);
    return { ...explain(candidate, `${from} names ${terminals.join(', ')}`), selected: false };
  });
}

/** The terminals that the policy prefers; undefined when it has no preference, or none qualifies. */
function keptBy(
  policy: TargetPolicy,
  candidates: readonly TerminalChoice[],
  states: ReadonlyMap<TerminalId, TerminalState>,
): ReadonlySet<TerminalId> | undefined {
  const eligible = candidates.filter(({ selected }) => selected).map(({ terminal }) => terminal);
  const known = (terminal: TerminalId) => states.get(terminal);
  let kept: readonly TerminalId[] = [];
  switch (policy) {
    case 'all-subscribed':
      return undefined;
    case 'connected-first':
      kept = eligible.filter((terminal) => known(terminal)?.isConnected);
      break;
    case 'available-first':
      kept = eligible.filter((terminal) => known(terminal)?.isAvailable ?? known(terminal)?.isConnected);
      break;
    case 'newest-registered': {
      const age = (terminal: TerminalId) => known(terminal)?.registeredAt ?? 0;
      const [newest] = [...eligible].sort((a, b) => age(b) - age(a));
      kept = newest !== undefined && age(newest) > 0 ? [newest] : [];
    }
  }
  return kept.length === 0 ? undefined : new Set(kept);
}

function narrowed(
  candidates: readonly TerminalChoice[],
  kept: ReadonlySet<TerminalId> | undefined,
  policy: TargetPolicy,
  targeting: Targeting,
): readonly TerminalChoice[] {
  if (policy === 'all-subscribed' || candidates.filter(({ selected }) => selected).length < 2)
    return candidates;
  const name = targeting.from.target === undefined ? policy : `${policy} (${targeting.from.target})`;
  return candidates.map((candidate) => {
    if (kept === undefined) return explain(candidate, `${name}: none qualifies, all are kept`);
    if (kept.has(candidate.terminal)) return explain(candidate, `${name}: this one`);
    return { ...explain(candidate, `${name}: another one`), selected: false };
  });
}

/** Whom the policy prefers first, then in the order of the rule, else of the user's terminals. */
function inTurn(
  candidates: readonly TerminalChoice[],
  kept: ReadonlySet<TerminalId> | undefined,
  { terminals = [] }: TargetingSettings,
): readonly TerminalId[] {
  const place = (name: string) => {
    const at = terminals.indexOf(name);
    return at < 0 ? terminals.length : at;
  };
  return candidates
    .filter(({ selected }) => selected)
    .sort(
      (a, b) =>
        Number(kept?.has(b.terminal) ?? false) - Number(kept?.has(a.terminal) ?? false) ||
        place(a.name) - place(b.name),
    )
    .map(({ terminal }) => terminal);
}

function sourceOf({ from }: Targeting, setting: Setting): string {
  return from[setting] ?? 'the gateway';
}

function choice(terminal: Terminal, selected: boolean, ...reasons: readonly string[]): TerminalChoice {
  return { terminal: terminal.id, name: terminal.name, selected, reasons };
}

/** What is not selected has its reason already. */
function explain(candidate: TerminalChoice, reason: string): TerminalChoice {
  return candidate.selected ? { ...candidate, reasons: [...candidate.reasons, reason] } : candidate;
}

/** A subscription names an application id in full, by its last part (`mms.ua`), or `*` for all. */
export function subscribes(
  terminal: Pick<Terminal, 'subscriptions' | 'returned'>,
  applicationId: string,
): boolean {
  const subscriptions = subscriptionsOf(terminal);
  if (!subscriptions) return true;
  const wanted = applicationId.toLowerCase();
  return subscriptions.some((subscription) => {
    const known = subscription.toLowerCase();
    return known === '*' || known === wanted || known === wanted.slice(wanted.indexOf(':') + 1);
  });
}
