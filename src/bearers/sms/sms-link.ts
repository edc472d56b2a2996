/** A link to an SMSC as the bearers see it: where it leads, what its messages look like, and how one goes out. */
import type { IdRelation, ShortMessage } from '../../protocols/smpp/index.js';
import type { Submission, Submitted } from '../../transports/smpp/link-options.js';
import type { Route } from './sms-route.js';

export interface SmsLink extends Route {
  readonly sender: SmsSender;
  /** Whether the SMSC says what became of a message. */
  readonly hasReceipts: boolean;
  /** Whose message ids they are; links to one SMSC have the same. */
  readonly centre: string;
  readonly receiptIds: IdRelation;
  readonly serviceType: string;
  /** Would a message go out soon? */
  readonly isUsable: boolean;
  submit(submission: Submission): Promise<Submitted>;
}

export interface SmsSender {
  readonly address: string;
  readonly ton: number;
  readonly npi: number;
}

/** The links that lead to the number, those first that a message would go out by. */
export function usableFirst<Each extends SmsLink>(links: readonly Each[]): readonly Each[] {
  return [...links].sort((a, b) => Number(b.isUsable) - Number(a.isUsable));
}

export interface MessageOptions {
  /** E.164 with `+`. */
  readonly address: string;
  readonly userData: Uint8Array;
  readonly hasHeader: boolean;
  readonly dataCoding: number;
  readonly validityPeriod: string;
  readonly wantsReceipt: boolean;
}

const INTERNATIONAL = 1;
const ISDN = 1;
const USER_DATA_HEADER = 0x40;

export function shortMessage(
  { sender, serviceType }: Pick<SmsLink, 'sender' | 'serviceType'>,
  { address, userData, hasHeader, dataCoding, validityPeriod, wantsReceipt }: MessageOptions,
): ShortMessage {
  return {
    serviceType,
    sourceTon: sender.ton,
    sourceNpi: sender.npi,
    source: sender.address,
    destinationTon: INTERNATIONAL,
    destinationNpi: ISDN,
    destination: address.replace(/^\+/, ''),
    esmClass: hasHeader ? USER_DATA_HEADER : 0,
    protocolId: 0,
    priority: 0,
    scheduleDeliveryTime: '',
    validityPeriod,
    registeredDelivery: wantsReceipt ? 1 : 0,
    replaceIfPresent: 0,
    dataCoding,
    defaultMessageId: 0,
    shortMessage: userData,
  };
}
