/**
 * What others than the registry know of a user's terminals (SIR-31 … SIR-35, SIR-166): a SIP core that has them registered, a presence
 * server that has their state. Each of them is a source behind one port; what is made of several answers stands in `merge-sources.ts`.
 */
import type { BearerName } from './bearer-name.js';
import type { DeviceIdentity } from './device-identity.js';
import type { PublicUserIdentity } from './public-user-identity.js';

/**
 * `registry`: our own registrar, lanes and provisioning. `reg-event`: registrations at the core. `presence`: a presence server.
 * `returned`: what terminals reported of themselves.
 */
const SOURCE_NAMES = ['registry', 'reg-event', 'presence', 'returned'] as const;
export type SourceName = (typeof SOURCE_NAMES)[number];
export type OutsideSourceName = Exclude<SourceName, 'registry' | 'returned'>;

/** One device of a user, as a source knows it. */
export interface DeviceReport {
  /** Everything by which the source names the device; at least one. */
  readonly identities: readonly DeviceIdentity[];
  /** Whether it can be reached now. Absent: the source knows the device and says nothing about that. */
  readonly isAvailable?: boolean;
  /** Since when, milliseconds since the epoch. */
  readonly since?: number;
  /** When this lapses without being renewed, milliseconds since the epoch. */
  readonly expiresAt?: number;
  /** URI that reaches this device and no other (RFC 5627). */
  readonly gruu?: string;
  /** Where it can be reached otherwise, and by which bearer. */
  readonly contact?: string;
  readonly bearer?: BearerName;
  /** Feature parameters of its registration, names in lower case. */
  readonly features?: Readonly<Record<string, string>>;
}

/** What a source knew of a user at a moment (`at`, milliseconds since the epoch). */
export interface SourceState {
  readonly at: number;
  readonly devices: readonly DeviceReport[];
}

export type SourceAnswer =
  | ({ readonly kind: 'found' } & SourceState)
  | {
      readonly kind: 'missing';
      /** `refused`: the source will not tell us. `timeout`: it does not answer. `notConfigured`: there is none for this user. */
      readonly why: 'timeout' | 'refused' | 'notConfigured';
      /** For the operator. */
      readonly detail: string;
    };

export interface TerminalSource {
  readonly name: OutsideSourceName;
  /**
   * What the source says of the user now. It may take as long as it likes: whoever asks waits only as long as configured, and what comes
   * later is there for the next one. Safe to repeat; questions about one user share one look-up. Never rejects.
   */
  states(user: PublicUserIdentity): Promise<SourceAnswer>;
}

/** Remembers the last answer of each source, on all nodes and over restarts: what counts while a source is away (SIR-40). */
export interface SourceMemory {
  save(user: PublicUserIdentity, source: OutsideSourceName, state: SourceState): Promise<void>;
  load(user: PublicUserIdentity, source: OutsideSourceName): Promise<SourceState | undefined>;
}

/** What became of one source in a decision: kept with the push and shown to people. */
export interface SourceReport {
  readonly source: SourceName;
  /** `stale`: the last value that was stored, because the source gave none now. */
  readonly state: 'used' | 'missing' | 'stale';
  readonly detail: string;
  /** How old what was used is, milliseconds. */
  readonly ageMs?: number;
}
