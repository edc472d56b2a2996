/** One attempt to hand a message to an SMSC, as records tell it: for billing, and for whoever wants to know where a message went. */
import type { BearerName } from '../../registry/bearer-name.js';
import type { TerminalId } from '../../registry/terminal-id.js';

export interface SmsAttempt {
  readonly bearer: BearerName;
  /** Uid of the push, or id of the SIR. */
  readonly push?: string;
  readonly sir?: string;
  readonly terminal: TerminalId;
  /** The number; whoever writes it down makes it unreadable. */
  readonly address: string;
  readonly link: string;
  /** Short messages that this attempt was to send. */
  readonly segments: number;
  /** How many of them the SMSC took. */
  readonly accepted: number;
  readonly result: 'accepted' | 'refused' | 'notSent' | 'unknown';
  readonly detail: string;
  readonly latencyMs: number;
}
