/**
 * What has to be known to reach one terminal for what its lane holds: the terminal and its user, the push that goes first, the rules that
 * apply to it, and the ways that are left. Looked up once for each attempt, for SIRs and for direct delivery alike.
 */
import type { WakeRequest } from '../lane/ports.js';
import type { BearerName } from '../registry/bearer-name.js';
import { quietUntil, statedPreferences } from '../registry/stated-preferences.js';
import type { TargetingRule } from '../registry/targeting-rule.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { Terminal, User } from '../registry/user.js';
import { type BearerCosts, type Way, waysTo } from './bearer-choice.js';
import type { Bearer } from './ports.js';
import type { InitiatingPush, RecentPushes } from './recent-pushes.js';
import { NO_TARGETING, type Targeting, targetingFor } from './targeting.js';

export interface ReachPorts {
  /** The user that has the terminal, with all its terminals. */
  readonly findOwner: (terminal: TerminalId) => Promise<User | undefined>;
  readonly pushes: RecentPushes;
  readonly bearers: ReadonlyMap<BearerName, Bearer>;
  /** The operator's rules. */
  readonly rules: readonly TargetingRule[];
  readonly costs: BearerCosts;
}

export interface Reach {
  readonly terminal: Terminal;
  readonly user: User;
  /** The first that the lane holds; absent when it is no longer kept. */
  readonly push: InitiatingPush | undefined;
  readonly targeting: Targeting;
  readonly ways: readonly Way[];
  /** The terminal does not want to be disturbed before this instant (ms epoch). */
  readonly quietUntil?: number;
}

/** Undefined when the terminal is gone. */
export async function reachFor(
  terminalId: TerminalId,
  { entries, now }: WakeRequest,
  ports: ReachPorts,
): Promise<Reach | undefined> {
  const [user, push] = await Promise.all([ports.findOwner(terminalId), ports.pushes.firstOf(entries)]);
  const terminal = user?.terminals.find(({ id }) => id === terminalId);
  return terminal && user && reachOf(terminal, { user, push, now }, ports);
}

/** The same for a terminal and a push that are known. Pure. */
export function reachOf(
  terminal: Terminal,
  {
    user,
    push,
    now,
  }: { readonly user: User; readonly push: InitiatingPush | undefined; readonly now: number },
  ports: Pick<ReachPorts, 'bearers' | 'rules' | 'costs'>,
): Reach {
  const { contentType = '', applicationId = '' } = push ?? {};
  const targeting = push
    ? targetingFor({ user: user.id, applicationId, contentType }, user.policy, ports.rules)
    : NO_TARGETING;
  const preferences = statedPreferences(terminal);
  const { bearers: only } = targeting.settings;
  const ways =
    delegateWay(targeting) ??
    waysTo(terminal, push?.quality, ports.bearers, {
      costs: ports.costs,
      ...(only === undefined ? {} : { only }),
      ...(preferences.bearers === undefined ? {} : { liked: preferences.bearers }),
    });
  const quiet = push?.priority === 'high' ? undefined : quietUntil(preferences, now);
  return { terminal, user, push, targeting, ways, ...(quiet === undefined ? {} : { quietUntil: quiet }) };
}

/** Another gateway does the rest, whatever the terminal can be reached by (SIR-78). */
function delegateWay({ settings }: Targeting): readonly Way[] | undefined {
  if (settings.mode !== 'delegated' || settings.delegate === undefined) return undefined;
  return [{ bearer: 'delegate', address: settings.delegate, carries: 'content' }];
}
