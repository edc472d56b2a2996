/**
 * The push: what an initiator submitted, for whom, and what has become of it for each terminal.
 * Values only. The immutable part (`Push`) is written once when the push is accepted; what changes afterwards is the
 * `DeliveryRecord` of each terminal and the `ResultRecord` of each address.
 */
import { createHash } from 'node:crypto';
import type { Brand } from '../kernel/brand.js';
import type { ErrorCode } from '../kernel/errors.js';
import type { LaneEntry, LaneRank } from '../lane/lane.js';
import { type PapVersion, PRIORITIES, type QualityOfService } from '../protocols/pap/index.js';
import type { PublicUserIdentity } from '../registry/public-user-identity.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { SourceReport } from '../registry/terminal-source.js';
import type { DeliveryState } from './journey.js';

/**
 * Names a push inside the gateway and on the wire (MSRP Message-ID, so 32 characters at most, RFC 4975 §9): hexadecimal digits
 * derived from initiator and push-id, so that a repeated submission meets the first one without an index.
 */
export type PushUid = Brand<string, 'PushUid'>;

export function pushUid(initiator: string, pushId: string): PushUid {
  const digest = createHash('sha256').update(initiator).update('\0').update(pushId).digest();
  return digest.toString('hex', 0, 16) as PushUid;
}

export interface PushHeader {
  readonly name: string;
  readonly value: string;
}

/** What is delivered: the octets, and the headers of the content entity that go with them. */
export interface PushContent {
  readonly contentType: string;
  readonly headers: readonly PushHeader[];
  readonly size: number;
  /** Lower-case hexadecimal SHA-256 of the octets when they are kept outside the record. */
  readonly blob?: string;
}

/** One `address` element, in the order of the submission. */
export interface Recipient {
  /** The address exactly as submitted; results echo it. */
  readonly address: string;
  /** Terminals that this address stands for; empty when it was refused. */
  readonly terminals: readonly TerminalId[];
  /** For the address of a user. */
  readonly decision?: Decision;
  /** For the address of a group. */
  readonly group?: GroupDecision;
  /** Why this address gets nothing, when other addresses of the same push were accepted. */
  readonly refused?: { readonly code: ErrorCode; readonly detail: string };
}

/** Which terminals of a user were chosen, and why: kept with the push and shown by the admin API (SIR-28, SIR-102). */
export interface Decision {
  readonly user: PublicUserIdentity;
  /** Has the identity more than one terminal (SIR-41)? */
  readonly multi: boolean;
  readonly policy: string;
  /** `any`: the first terminal that has the content is enough, the others are taken back. Absent: every one gets it. */
  readonly completion?: 'any';
  readonly terminals: readonly TerminalChoice[];
  /** Where the knowledge came from that it was decided on, and what was missing (SIR-35). Absent when provisioning was enough. */
  readonly sources?: readonly SourceReport[];
}

/** What was decided for the members of a group. All their terminals together have one state, that of the address. */
export interface GroupDecision {
  readonly group: PublicUserIdentity;
  readonly decisions: readonly Decision[];
  /** Members that the push does not go to, and why. */
  readonly left: readonly { readonly member: PublicUserIdentity; readonly reason: string }[];
}

/** The decision of every user that a recipient stands for. */
export function decisionsOf({ decision, group }: Pick<Recipient, 'decision' | 'group'>): readonly Decision[] {
  return group?.decisions ?? (decision === undefined ? [] : [decision]);
}

export interface TerminalChoice {
  readonly terminal: TerminalId;
  readonly name: string;
  readonly selected: boolean;
  /** It is its turn only from this instant (ms epoch) on: others come first. */
  readonly startsAt?: number;
  readonly reasons: readonly string[];
}

/** From when on a terminal may get the push, by the recipient that lets it have it first; 0: from the beginning. */
export function startFor(terminal: TerminalId, recipients: readonly Recipient[]): number {
  const starts = recipients
    .filter(({ terminals }) => terminals.includes(terminal))
    .map((recipient) => {
      const choices = decisionsOf(recipient).flatMap(({ terminals }) => terminals);
      return choices.find((choice) => choice.terminal === terminal)?.startsAt ?? 0;
    });
  return starts.length === 0 ? 0 : Math.min(...starts);
}

/** Why a delivery was taken back when the first terminal is enough. */
export const FIRST_HAS_IT = 'another terminal of the user has it';

/** Is the first terminal that has the content enough for this address? */
export function endsWithFirst(recipient: Pick<Recipient, 'decision' | 'group'>): boolean {
  return recipient.decision?.completion === 'any';
}

/** What every delivery of a push needs to know: the push without its recipients. */
export interface PushHead {
  readonly uid: PushUid;
  readonly initiator: string;
  readonly pushId: string;
  /** Instants are milliseconds since the epoch. */
  readonly acceptedAt: number;
  readonly notBefore?: number;
  /** When what is still held expires: `deliver-before`, or the gateway's own maximum age. */
  readonly expiresAt: number;
  readonly content: PushContent;
  /** As submitted; echoed in results when the initiator gave it. */
  readonly quality?: QualityOfService;
  readonly notifyTo?: string;
  readonly sourceReference?: string;
  readonly progressNotes: boolean;
  /** PAP version of the submission: results are written in it. Absent for a push that came as JSON. */
  readonly papVersion?: PapVersion;
  /** Set for a push that came as JSON: its results are webhooks. */
  readonly json?: JsonSubmission;
  /** The push that this one takes the place of: taken back before this one is placed. */
  readonly replaces?: PushUid;
  /** It takes a place in a quota of its initiator until its last delivery is settled. */
  readonly isCounted?: true;
}

/** What is kept of a submission in JSON beside the push itself. */
export interface JsonSubmission {
  /** Digest of all that was asked for: tells a repeated submission from another one under the same push-id. */
  readonly fingerprint: string;
  /** Signs the webhooks; present when results are wanted. Never shown, never logged. */
  readonly webhookSecret?: string;
}

/** The place of a push in a lane: by priority, under its uid. */
export function laneEntryOf(push: PushHead): LaneEntry {
  return { id: push.uid, rank: PRIORITIES.indexOf(push.quality?.priority ?? 'medium') as LaneRank };
}

export interface Push extends PushHead {
  readonly recipients: readonly Recipient[];
}

/** What has become of a push for one terminal. */
export interface DeliveryRecord {
  readonly terminal: TerminalId;
  readonly state: DeliveryState;
  /** When it entered the state. */
  readonly at: number;
  readonly attempts: number;
  readonly lastAttemptAt?: number;
  /** PAP code of a final state. */
  readonly code?: number;
  /** Why, in words for the operator. */
  readonly reason?: string;
  /** How the last attempt went out: `msrp`, `sip-message`, or the name of a bearer. */
  readonly bearer?: string;
  /** Of a delivery that is `delivered`: a network has it, nobody confirmed that the terminal has. */
  readonly isUnconfirmed?: true;
  /** Bearers that took it and gave it up. */
  readonly failedBearers?: readonly string[];
}

/** The report that an initiator asked for, one for each address. */
export interface ResultRecord {
  readonly recipient: number;
  readonly state: 'owed' | 'sent' | 'abandoned';
  readonly attempts: number;
  readonly at: number;
  readonly lastError?: string;
}

/** What has become of one address of a push: enough for its report, however many addresses the push has. */
export interface RecipientStory {
  readonly push: PushHead;
  readonly recipient: Recipient;
  /** Those that the address stands for. */
  readonly deliveries: readonly DeliveryRecord[];
  readonly result?: ResultRecord;
}

/** A push with everything that has happened to it. */
export interface PushStory {
  readonly push: Push;
  readonly deliveries: readonly DeliveryRecord[];
  readonly results: readonly ResultRecord[];
}
