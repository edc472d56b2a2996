/**
 * One question to one source, with an end (SIR-40): its answer, else after the time-out the last one that was stored, else nothing. A
 * source that is slow or away costs a push its time-out at most, and other pushes nothing at all.
 */
import type { Clock } from '../kernel/clock.js';
import { DAY_MS } from '../kernel/units.js';
import type { PublicUserIdentity } from './public-user-identity.js';
import type {
  DeviceReport,
  OutsideSourceName,
  SourceAnswer,
  SourceMemory,
  SourceReport,
  TerminalSource,
} from './terminal-source.js';

export interface AskedSource {
  readonly source: TerminalSource;
  readonly timeoutMs: number;
}

export interface AskingPorts {
  readonly memory: SourceMemory;
  readonly clock: Clock;
}

export interface SourceFinding {
  readonly report: SourceReport;
  /** Whether this is what the source says now, as opposed to what it said some time ago. Nothing when it says nothing. */
  readonly isFresh: boolean;
  readonly devices: readonly DeviceReport[];
}

/** What a source said longer ago tells nothing about now. */
const MAX_STALE_MS = DAY_MS;

/** Never rejects: a memory that is away counts as empty. */
export async function askSource(
  { source, timeoutMs }: AskedSource,
  user: PublicUserIdentity,
  { memory, clock }: AskingPorts,
): Promise<SourceFinding> {
  const answer = await withTimeout(source.states(user), timeoutMs, clock);
  const now = clock.now();
  if (answer.kind === 'found') {
    const { devices, at } = answer;
    const ageMs = Math.max(0, now - at);
    return {
      report: { source: source.name, state: 'used', detail: counted(devices), ageMs },
      isFresh: true,
      devices,
    };
  }
  const { why, detail } = answer;
  if (why === 'notConfigured') return nothingFrom(source.name, detail);
  const missing = nothingFrom(source.name, `${why}: ${detail}`);
  const stored = await memory.load(user, source.name).catch(() => undefined);
  if (stored === undefined) return missing;
  const ageMs = Math.max(0, now - stored.at);
  if (ageMs > MAX_STALE_MS) return missing;
  const devices = stored.devices.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now);
  const report = {
    source: source.name,
    state: 'stale',
    detail: `${why}: ${detail}; ${counted(devices)}`,
    ageMs,
  } as const;
  return { report, isFresh: false, devices };
}

/** The finding of a source that was not asked, or has nothing to say. */
export function nothingFrom(source: OutsideSourceName, detail: string): SourceFinding {
  return { report: { source, state: 'missing', detail }, isFresh: false, devices: [] };
}

function withTimeout(answer: Promise<SourceAnswer>, timeoutMs: number, clock: Clock): Promise<SourceAnswer> {
  return new Promise((resolve) => {
    const detail = `no answer within ${timeoutMs} ms`;
    const timer = clock.after(timeoutMs, () => resolve({ kind: 'missing', why: 'timeout', detail }));
    void answer.then((given) => {
      timer.cancel();
      resolve(given);
    });
  });
}

function counted(devices: readonly DeviceReport[]): string {
  const available = devices.filter(({ isAvailable }) => isAvailable === true).length;
  return `${devices.length} devices, ${available} available`;
}
