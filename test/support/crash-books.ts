/**
 * The books of a crash test: what initiators submitted and were told, what terminals saw, what result notifications arrived.
 * Kept outside the gateway, by those who talk to it. `crash-audit.ts` compares them with the gateway's own story.
 */

import { type PushUid, pushUid } from '../../src/push/push-message.js';
import type { ReceivedContent } from '../../src/terminal/content.js';

export type Priority = 'high' | 'medium' | 'low';

/** A terminal of the run, `phone0 of sip:user0@…`. */
export interface TerminalName {
  readonly user: string;
  readonly terminal: string;
}

export const nameOf = ({ user, terminal }: TerminalName): string => `${terminal} of ${user}`;

export interface Submission {
  readonly uid: PushUid;
  readonly initiator: string;
  readonly pushId: string;
  /** Terminals that each address stands for. */
  readonly recipients: readonly { readonly address: string; readonly terminals: readonly TerminalName[] }[];
  readonly priority: Priority;
  readonly size: number;
  readonly sha256: string;
  /** Milliseconds since the epoch, whole seconds. */
  readonly deliverBefore?: number;
  readonly deliverAfter?: number;
  readonly wantsResult: boolean;
  /** When the first request left. */
  readonly sentAt: number;
  /** `accepted`: 1001, or 2007 to a repetition. `unknown`: no answer that says, and the initiator gave up. */
  fate: 'under way' | 'accepted' | 'unknown';
  /** When the answer was there. */
  answeredAt?: number;
  attempts: number;
}

/** Content that reached a terminal. */
export interface Sighting {
  readonly id: string;
  readonly at: number;
  readonly sha256: string;
  readonly via: ReceivedContent['via'];
  readonly isDuplicate: boolean;
}

export interface Notification {
  readonly initiator: string;
  readonly pushId: string;
  readonly address: string;
  readonly state: string;
  readonly code: number;
  readonly isAcknowledged: boolean;
}

export class CrashBooks {
  readonly submissions = new Map<PushUid, Submission>();
  /** By `nameOf` the terminal, in the order in which they happened. */
  readonly sightings = new Map<string, Sighting[]>();
  readonly notifications = new Map<PushUid, Notification[]>();
  /** Instants at which something was killed, halted or released. */
  readonly disturbances: number[] = [];
  /** What was seen at once to be wrong. */
  readonly violations: string[] = [];

  submitted(submission: Submission): void {
    this.submissions.set(submission.uid, submission);
  }

  saw(terminal: TerminalName, sighting: Sighting): void {
    const seen = this.sightings.get(nameOf(terminal)) ?? [];
    seen.push(sighting);
    this.sightings.set(nameOf(terminal), seen);
  }

  notified(notification: Notification): void {
    const uid = pushUid(notification.initiator, notification.pushId);
    this.notifications.set(uid, [...(this.notifications.get(uid) ?? []), notification]);
  }

  count(fate: Submission['fate']): number {
    return [...this.submissions.values()].filter((submission) => submission.fate === fate).length;
  }

  get sightingsAsNew(): number {
    return this.#sightings().filter(({ isDuplicate }) => !isDuplicate).length;
  }

  get duplicatesRecognised(): number {
    return this.#sightings().filter(({ isDuplicate }) => isDuplicate).length;
  }

  #sightings(): Sighting[] {
    return [...this.sightings.values()].flat();
  }
}
