/**
 * One state for each terminal out of what several sources say of its devices (SIR-25, SIR-35). Pure. A device belongs to the terminal that has any
 * of its identities (SIR-22). Whether a terminal is available is decided by the first of these that applies:
 *
 * 1. it has a connection with us: yes;
 * 2. a presence server says so now: what it says, for that is what the user or the device wants known;
 * 3. it is registered here, or at the core now: yes;
 * 4. the core answers now and does not name it: no;
 * 5. a presence server said so some time ago: what it said;
 * 6. it was registered at the core some time ago and that has not lapsed: yes;
 * 7. nobody has said anything: unknown.
 */
import type { SourceFinding } from './ask-source.js';
import type { Binding } from './binding.js';
import { matchesAny } from './device-identity.js';
import type { TerminalId } from './terminal-id.js';
import type { DeviceReport, OutsideSourceName, SourceReport } from './terminal-source.js';
import type { Terminal, User } from './user.js';

/** What the gateway itself knows of a terminal. */
export interface OwnState {
  readonly isConnected: boolean;
  /** Its live registrations here, newest first. */
  readonly bindings: readonly Binding[];
}

export interface MergedState extends OwnState {
  /** Absent when nobody has said anything. */
  readonly isAvailable?: boolean;
  /** Since when it is: its newest live registration, or the newest source that calls it available. */
  readonly registeredAt?: number;
}

export interface Merged {
  readonly states: ReadonlyMap<TerminalId, MergedState>;
  /** Every source that was asked, and what became of it. */
  readonly sources: readonly SourceReport[];
}

export function mergeSources(
  user: User,
  own: ReadonlyMap<TerminalId, OwnState>,
  findings: readonly SourceFinding[],
  now: number,
): Merged {
  const states = new Map(
    user.terminals.map((terminal) => {
      const state = own.get(terminal.id) ?? { isConnected: false, bindings: [] };
      return [terminal.id, mergedState(terminal, state, findings)];
    }),
  );
  const sources = [
    ownReport(user, own),
    ...findings.map(({ report }) => report),
    ...returnedReport(user, now),
  ];
  return { states, sources };
}

/** What a finding says of one terminal: the reports of its devices. */
export function reportsOf(
  terminal: Pick<Terminal, 'identities'>,
  { devices }: SourceFinding,
): readonly DeviceReport[] {
  return devices.filter(({ identities }) => matchesAny(identities, terminal.identities));
}

function mergedState(terminal: Terminal, own: OwnState, findings: readonly SourceFinding[]): MergedState {
  const registrations = statement('reg-event', terminal, findings);
  const presence = statement('presence', terminal, findings);
  const isAvailable = availability(own, registrations, presence);
  const moments = [
    ...own.bindings.map(({ registeredAt }) => registeredAt),
    ...[registrations, presence].flatMap((said) => (said?.isAvailable === true ? said.since : [])),
  ];
  return {
    ...own,
    ...(isAvailable === undefined ? {} : { isAvailable }),
    ...(isAvailable !== false && moments.length > 0 ? { registeredAt: Math.max(...moments) } : {}),
  };
}

interface Statement {
  readonly isFresh: boolean;
  readonly isAvailable: boolean | undefined;
  readonly since: readonly number[];
}

/** What the source says of the terminal; undefined when it says nothing at all. */
function statement(
  source: OutsideSourceName,
  terminal: Terminal,
  findings: readonly SourceFinding[],
): Statement | undefined {
  const finding = findings.find(({ report }) => report.source === source);
  if (finding === undefined || finding.report.state === 'missing') return undefined;
  const reports = reportsOf(terminal, finding);
  const available = reports.filter(({ isAvailable }) => isAvailable === true);
  const said = reports.some(({ isAvailable }) => isAvailable !== undefined);
  return {
    isFresh: finding.isFresh,
    isAvailable: said ? available.length > 0 : undefined,
    since: available.flatMap(({ since }) => since ?? []),
  };
}

function availability(
  own: OwnState,
  registrations: Statement | undefined,
  presence: Statement | undefined,
): boolean | undefined {
  if (own.isConnected) return true;
  if (presence?.isFresh && presence.isAvailable !== undefined) return presence.isAvailable;
  if (own.bindings.length > 0) return true;
  if (registrations?.isFresh) return registrations.isAvailable === true;
  if (presence?.isAvailable !== undefined) return presence.isAvailable;
  return registrations?.isAvailable === true ? true : undefined;
}

function ownReport({ terminals }: User, own: ReadonlyMap<TerminalId, OwnState>): SourceReport {
  const states = terminals.flatMap(({ id }) => own.get(id) ?? []);
  const registered = states.filter(({ bindings }) => bindings.length > 0).length;
  const connected = states.filter(({ isConnected }) => isConnected).length;
  const detail = `${terminals.length} terminals, ${registered} registered here, ${connected} connected`;
  return { source: 'registry', state: 'used', detail, ageMs: 0 };
}

/** Named only when a terminal has ever reported anything: most never do. */
function returnedReport({ terminals }: User, now: number): readonly SourceReport[] {
  const reports = terminals.flatMap(({ reported }) => Object.values(reported ?? {}));
  if (reports.length === 0) return [];
  const newest = Math.max(...reports.map(({ at }) => at));
  const detail = `${terminals.filter(({ reported }) => reported !== undefined).length} terminals reported what they can do`;
  return [{ source: 'returned', state: 'used', detail, ageMs: Math.max(0, now - newest) }];
}
