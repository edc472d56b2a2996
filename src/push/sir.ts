/**
 * A Session Initiation Request before any bearer has encoded it (SIR-3 … SIR-5, SIR-49 … SIR-61): for whom it is, what it asks
 * for, and how it is to find the terminal. Values only; `session-initiation.ts` makes them, bearers encode them.
 */
import type { Priority } from '../protocols/pap/index.js';
import type { ReturnFlag, SendFlag } from '../protocols/sia/index.js';
import type { DeviceIdentity } from '../registry/device-identity.js';
import type { PublicUserIdentity } from '../registry/public-user-identity.js';
import type { IdentityPlace, SirMode } from '../registry/targeting-rule.js';
import type { TerminalId } from '../registry/terminal-id.js';

export interface Sir {
  /** Unique and unguessable; tells duplicates and replays apart (SIR-60). */
  readonly id: string;
  readonly user: PublicUserIdentity;
  /** Every mode but `delegated`, which sends none. */
  readonly mode: Exclude<SirMode, 'delegated'>;
  /** Who gets it: the terminal alone, or all terminals of the user. */
  readonly audience: 'terminal' | 'user';
  /** The terminal that it is for. Absent: it names the user only. */
  readonly device?: DeviceIdentity;
  /** Where the device identity stands; means nothing without one. */
  readonly identityIn: readonly IdentityPlace[];
  /** The application that the first held push is for. */
  readonly applicationId: string;
  /** The application that the terminal is to activate (SIR-54); absent: that of `applicationId`. */
  readonly activate?: { readonly id: string; readonly name?: string };
  readonly return: readonly ReturnFlag[];
  readonly send: readonly SendFlag[];
  /** SIP URI to connect to; absent: the sender's (SIR-58, SIR-59). */
  readonly ppg?: string;
  /** What waits, so that a terminal can decide on it before it connects. */
  readonly describes?: PushDescription;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly expiresAt: number;
  /** The terminal knows OTA-HTTP, so that it may connect by that too; the tag is that of the capabilities it is known by. */
  readonly otaHttp?: { readonly cpiTag?: Uint8Array };
  /** The terminal speaks WSP, so that it may open a session by that too. */
  readonly wsp?: true;
  /** Signs it (SIR-150). A secret: never logged. */
  readonly signingKey?: string;
}

export interface PushDescription {
  readonly contentType: string;
  /** Octets. */
  readonly size: number;
  readonly priority: Priority;
}

/** What is kept of a SIR while terminals may follow it, answer it, and return what it asked for. */
export interface SirRecord {
  readonly id: string;
  readonly user: PublicUserIdentity;
  readonly mode: SirMode;
  readonly bearer: string;
  /** The terminal whose lane sent it. */
  readonly terminal: TerminalId;
  /** Terminals that may cite it to open a session. */
  readonly mayOpen: readonly TerminalId[];
  readonly applicationId: string;
  readonly return: readonly ReturnFlag[];
  readonly send: readonly SendFlag[];
  readonly createdAt: number;
  readonly expiresAt: number;
}

export interface SirStore {
  /** Durable when it resolves; kept until it has expired, and for a while after, because returns come late. */
  keep(record: SirRecord): Promise<void>;
  find(id: string): Promise<SirRecord | undefined>;
}
