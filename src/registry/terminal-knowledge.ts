/**
 * Everything that is known of a user's terminals at this moment, the registry's own knowledge and that of every source together. First the
 * registrations at the core, for they say how many terminals there are (SIR-45, SIR-48); devices that nobody knew become terminals.
 * A user with a single terminal needs no further look-up (SIR-42); for others the presence server is asked too.
 */
import {
  type AskedSource,
  type AskingPorts,
  askSource,
  nothingFrom,
  type SourceFinding,
} from './ask-source.js';
import { discoverDevices } from './device-discovery.js';
import { type Merged, mergeSources, type OwnState } from './merge-sources.js';
import { type OutsideReach, type OutsideReachOptions, outsideReach } from './outside-reach.js';
import type { PublicUserIdentity } from './public-user-identity.js';
import type { RegisteredTerminalPorts } from './registered-terminal.js';
import type { TerminalId } from './terminal-id.js';
import type { OutsideSourceName, SourceReport } from './terminal-source.js';
import type { Terminal, User } from './user.js';

export interface ConfiguredSource extends AskedSource {
  /** Whether devices that it names become terminals of the user. */
  readonly createsTerminals: boolean;
}

export interface KnowledgePorts extends AskingPorts, RegisteredTerminalPorts {
  readonly sources: Readonly<Partial<Record<OutsideSourceName, ConfiguredSource>>>;
  readonly observe: (report: SourceReport) => void;
  /** Lanes and registrations here of every terminal of the user. */
  ownStates(user: User): Promise<ReadonlyMap<TerminalId, OwnState>>;
}

export interface TerminalKnowledge extends Merged {
  /** With the terminals that were found on the way. */
  readonly user: User;
  readonly findings: readonly SourceFinding[];
}

export interface KnowledgeOptions {
  readonly maxTerminals: number;
  /** Whether it counts before or after the look-up at the presence server that the user has one terminal only (SIR-48). */
  readonly multiCheck: 'before' | 'after';
}

/** Never waits longer than the time-outs of the sources together. Rejects only when our own store is away. */
export async function terminalKnowledge(
  user: User,
  ports: KnowledgePorts,
  options: KnowledgeOptions,
): Promise<TerminalKnowledge> {
  const registered = await ask('reg-event', user, ports, options);
  const isSingle =
    options.multiCheck === 'before' &&
    registered.user.terminals.length === 1 &&
    ports.sources.presence !== undefined;
  const others = isSingle
    ? { user: registered.user, finding: nothingFrom('presence', 'not asked: the user has one terminal') }
    : await ask('presence', registered.user, ports, options);
  const findings = [registered.finding, others.finding];
  const own = await ports.ownStates(others.user);
  return { user: others.user, findings, ...mergeSources(others.user, own, findings, ports.clock.now()) };
}

/**
 * How a terminal that is not registered here can be reached. The presence server is asked only when the core can say nothing. Never
 * rejects.
 */
export async function reachOutside(
  terminal: Pick<Terminal, 'identities' | 'user'>,
  ports: Pick<KnowledgePorts, 'sources' | 'memory' | 'clock' | 'observe'>,
  options: OutsideReachOptions,
): Promise<OutsideReach> {
  const findings: SourceFinding[] = [];
  for (const name of ['reg-event', 'presence'] as const) {
    const source = ports.sources[name];
    if (source === undefined) continue;
    findings.push(await askAndTell(source, terminal.user, ports));
    const reach = outsideReach(terminal, findings, { mayTry: false });
    if (reach.kind !== 'unknown') return reach;
  }
  return outsideReach(terminal, findings, options);
}

async function askAndTell(
  source: AskedSource,
  user: PublicUserIdentity,
  ports: Pick<KnowledgePorts, 'memory' | 'clock' | 'observe'>,
): Promise<SourceFinding> {
  const finding = await askSource(source, user, ports);
  ports.observe(finding.report);
  return finding;
}

async function ask(
  name: OutsideSourceName,
  user: User,
  ports: KnowledgePorts,
  options: KnowledgeOptions,
): Promise<{ readonly user: User; readonly finding: SourceFinding }> {
  const configured = ports.sources[name];
  if (configured === undefined) return { user, finding: nothingFrom(name, 'not configured') };
  const finding = await askAndTell(configured, user.id, ports);
  if (!configured.createsTerminals) return { user, finding };
  return { user: await discoverDevices(user, finding.devices, ports, options), finding };
}
