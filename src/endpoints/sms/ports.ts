/** What the endpoint of short messages needs from the gateway behind it. `app/` fills these. */

import type { IdRelation } from '../../protocols/smpp/index.js';
import type { DefaultAlphabet } from '../../protocols/sms/index.js';
import type { PartsLedger } from '../../push/parts.js';
import type { Receipt } from '../../push/receipt.js';
import type { SirReceipt } from '../../push/sir-receipt.js';
import type { ReturnSender, TakenReturn } from '../../push/sir-return.js';
import type { BearerName } from '../../registry/bearer-name.js';
import type { TerminalId } from '../../registry/terminal-id.js';

/** What has to be known of a link to read what comes over it. */
export interface ReceivingLink {
  readonly name: string;
  readonly centre: string;
  readonly receiptIds: IdRelation;
  readonly defaultAlphabet: DefaultAlphabet;
}

export interface SmsEndpointPorts {
  readonly ledger: Pick<PartsLedger, 'find' | 'findOrKeep' | 'raise'>;
  readonly assembly: IncomingParts;
  /** Resolves when what a receipt says of a push is durable. Safe to repeat. */
  readonly receipt: (receipt: Receipt) => Promise<void>;
  /** The same for a session initiation request. */
  readonly sirReceipt: (receipt: SirReceipt) => Promise<void>;
  /** Resolves when it is durable. Throws as `takeSirReturn`. */
  readonly take: (body: Uint8Array, sender: ReturnSender) => Promise<TakenReturn>;
  readonly observe: (fact: SmsReceivedFact) => void;
  readonly now: () => number;
}

/** Parts of messages of subscribers, until all of a message are there. What has come is durable when `add` resolves. */
export interface IncomingParts {
  /** All parts in their order when this was the last one, else undefined. Safe to repeat, until `done`. */
  add(part: IncomingPart): Promise<readonly IncomingText[] | undefined>;
  /** The message has been dealt with: its parts are forgotten. */
  done(part: IncomingPart): Promise<void>;
}

export interface IncomingText {
  readonly octets: Uint8Array;
  readonly dataCoding: number;
}

export interface IncomingPart extends IncomingText {
  readonly from: string;
  readonly to: string;
  readonly reference: number;
  readonly total: number;
  readonly number: number;
}

export type SmsReceivedFact =
  | {
      readonly kind: 'receipt';
      readonly link: string;
      readonly state: string;
      /** Absent: nobody knows the message (yet). */
      readonly push?: string;
      readonly sir?: string;
      readonly terminal?: TerminalId;
      readonly bearer?: BearerName;
    }
  | {
      readonly kind: 'message';
      readonly link: string;
      /** The number; whoever writes it down makes it unreadable. */
      readonly from: string;
      readonly result: 'returned' | 'refused' | 'unknown' | 'part' | 'notNow';
      readonly detail: string;
      readonly terminal?: TerminalId;
    };
