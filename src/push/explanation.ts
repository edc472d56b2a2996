/**
 * Explanation: what would happen to a push for a user as things are now, without doing any of it. The same functions decide that
 * decide for a real push, so what is said here is what will be done; every part says why.
 */
import type { LaneStore } from '../lane/ports.js';
import type { BearerName } from '../registry/bearer-name.js';
import type { PublicUserIdentity } from '../registry/public-user-identity.js';
import type { SourceReport } from '../registry/terminal-source.js';
import type { ActivationMethod, Terminal, User } from '../registry/user.js';
import type { Way } from './bearer-choice.js';
import type { Bearer } from './ports.js';
import type { TerminalChoice } from './push-message.js';
import { bearersMeant } from './quality-of-service.js';
import { type Reach, reachOf } from './reach.js';
import type { InitiatingPush } from './recent-pushes.js';
import { planFor, type SessionInitiationOptions, type SessionInitiationPorts } from './session-initiation.js';
import type { SirPlan } from './sir-plan.js';
import { type DecisionPorts, type Narrowing, weigh } from './target-resolution.js';
import type { Targeting } from './targeting.js';

export interface ExplanationPorts
  extends DecisionPorts,
    Pick<SessionInitiationPorts, 'bearers' | 'rules' | 'costs' | 'isMulti'> {
  readonly lanes: Pick<LaneStore, 'view'>;
  readonly now: () => number;
}

/** The push that is asked about. */
export interface ExplanationSubject extends Pick<InitiatingPush, 'applicationId' | 'contentType'> {
  readonly narrowing: Narrowing;
  /** When a real push is asked about: its wishes count too. */
  readonly push?: InitiatingPush;
}

export interface Explanation {
  readonly user: PublicUserIdentity;
  readonly multi: boolean;
  readonly policy: string;
  readonly completion?: 'any';
  /** Every setting of the rules that applies, and the rule that it comes from. */
  readonly settings: readonly { readonly setting: string; readonly value: unknown; readonly from: string }[];
  readonly sources: readonly SourceReport[];
  /** Why the push would be refused. */
  readonly refusal?: string;
  readonly terminals: readonly ExplainedTerminal[];
}

export interface ExplainedTerminal extends TerminalChoice {
  /** How it gets the push without being woken. */
  readonly connection: 'session' | 'message' | 'none';
  /** An operator holds its lane, for this reason. */
  readonly hold?: string;
  /** It does not want to be woken before (ms epoch). */
  readonly quietUntil?: number;
  /** A wake-up is under way, or the terminal wants to be left alone: no SIR before (ms epoch). */
  readonly wakeNotBefore?: number;
  /** How it would be reached otherwise, first choice first; empty for one that is not selected. */
  readonly ways: readonly ExplainedWay[];
  /** Activation methods that are out of the question. */
  readonly leftOut: readonly (ActivationMethod & { readonly reason: string })[];
}

export interface ExplainedWay {
  readonly bearer: BearerName;
  readonly address?: string;
  readonly carries: Way['carries'];
  /** Why it stands in this place. */
  readonly reasons: readonly string[];
  /** How its SIR would find the terminal. */
  readonly sir?: SirPlan;
}

export async function explain(
  user: User,
  subject: ExplanationSubject,
  ports: ExplanationPorts,
  options: Pick<SessionInitiationOptions, 'alwaysIncludeIdentity'>,
): Promise<Explanation> {
  const { applicationId, contentType, narrowing } = subject;
  const now = ports.now();
  const wish = { applicationId, contentType, startsAt: now, needsState: true };
  const { decision, targeting, refusal } = await weigh(user, narrowing, wish, ports);
  const { sources = [], multi, policy, completion } = decision;
  const push: InitiatingPush = subject.push ?? {
    applicationId,
    contentType,
    named: new Set(narrowing.device ? selectedOf(decision.terminals) : []),
    size: 0,
    priority: 'medium',
  };
  const byId = new Map(user.terminals.map((terminal) => [terminal.id, terminal]));
  const explained = decision.terminals.map(async (choice): Promise<ExplainedTerminal> => {
    const terminal = byId.get(choice.terminal);
    if (!terminal) return { ...choice, connection: 'none', ways: [], leftOut: [] };
    const reach = reachOf(terminal, { user, push, now }, ports);
    return { ...choice, ...(await explainReach(reach, choice.selected, ports, options)) };
  });
  return {
    user: user.id,
    multi,
    policy,
    ...(completion === undefined ? {} : { completion }),
    settings: settingsOf(targeting),
    sources,
    ...(refusal === undefined ? {} : { refusal: refusal.detail }),
    terminals: await Promise.all(explained),
  };
}

function selectedOf(choices: readonly TerminalChoice[]) {
  return choices.filter(({ selected }) => selected).map(({ terminal }) => terminal);
}

function settingsOf({ settings, from }: Targeting): Explanation['settings'] {
  return Object.entries(settings).map(([setting, value]) => ({
    setting,
    value,
    from: from[setting as keyof typeof from] ?? '',
  }));
}

async function explainReach(
  reach: Reach,
  isSelected: boolean,
  ports: ExplanationPorts,
  options: Pick<SessionInitiationOptions, 'alwaysIncludeIdentity'>,
): Promise<Omit<ExplainedTerminal, keyof TerminalChoice>> {
  const { terminal, ways, quietUntil } = reach;
  const { connections, hold, wake } = await ports.lanes.view(terminal.id);
  const isReadyForMessage = (connections.messageUntil ?? 0) > ports.now();
  const connection = connections.session ? 'session' : isReadyForMessage ? 'message' : 'none';
  const explained = ways.map(async (way): Promise<ExplainedWay> => {
    const { bearer, address, carries } = way;
    return {
      bearer,
      ...(address === undefined ? {} : { address }),
      carries,
      reasons: whyWay(way, reach, ports.bearers),
      ...(carries === 'sir' ? { sir: await planFor(reach, way, ports, options) } : {}),
    };
  });
  return {
    connection,
    ...(hold === undefined ? {} : { hold: hold.reason }),
    ...(quietUntil === undefined ? {} : { quietUntil }),
    ...(wake.notBefore > ports.now() ? { wakeNotBefore: wake.notBefore } : {}),
    ways: isSelected ? await Promise.all(explained) : [],
    leftOut: isSelected ? leftOut(terminal, reach) : [],
  };
}

/** In the order in which `waysTo` weighs. */
function whyWay(
  { bearer, address }: Way,
  { terminal, targeting, push }: Reach,
  bearers: ReadonlyMap<BearerName, Bearer>,
): readonly string[] {
  const known = bearers.get(bearer);
  const place = terminal.activation.findIndex((one) => one.bearer === bearer && one.address === address);
  const { bearers: only } = targeting.settings;
  if (bearer === 'delegate') return [`${targeting.from.mode} wants another gateway to do it`];
  const wish = push?.quality?.bearer;
  return [
    ...(known ? [] : [`this gateway has no ${bearer} bearer`]),
    ...(known?.isDown?.(address) ? ['known to be down: tried last'] : []),
    ...(bearersMeant(wish)?.includes(bearer) ? [`the push wishes ${wish}`] : []),
    ...(only === undefined ? [] : [`${targeting.from.bearers} allows ${only.join(', ')}`]),
    `number ${place + 1} of the activation methods`,
  ];
}

function leftOut(
  { activation }: Pick<Terminal, 'activation'>,
  { ways, targeting }: Reach,
): ExplainedTerminal['leftOut'] {
  const { bearers: only } = targeting.settings;
  return activation
    .filter((method) => !ways.some((way) => way.bearer === method.bearer && way.address === method.address))
    .map((method) => ({
      ...method,
      reason:
        only && !only.includes(method.bearer)
          ? `${targeting.from.bearers} allows ${only.join(', ')}`
          : targeting.settings.mode === 'delegated'
            ? `${targeting.from.mode} wants another gateway to do it`
            : 'the push requires another bearer',
    }));
}
