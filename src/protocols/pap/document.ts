/**
 * The PAP document model (OMA PAP 1.0 – 2.2): one value for each operation element, in the field's words.
 *
 * Attribute names are camel-cased (`push-id` is `pushId`); instants are milliseconds since the epoch with a resolution
 * of one second, because the wire has no finer one; addresses are the `address-value` text, byte for byte, since every
 * answer echoes it (`push-address` reads it). Attributes that have a default in the DTD are always present here.
 */

export const PAP_VERSIONS = ['1.0', '2.0', '2.1', '2.2'] as const;
export type PapVersion = (typeof PAP_VERSIONS)[number];

/** One `pap` document: what the prologue said, and the one operation that it holds. */
export interface PapDocument {
  /** The version that the document is written in, and that its answer is written in. */
  readonly version: PapVersion;
  /** The list of the `wap-pap-ver` instruction, as written: `2.0`, `1.*`. */
  readonly supportedVersions?: readonly string[];
  readonly productName?: string;
  readonly operation: PapOperation;
}

export type PapOperation =
  | PushMessage
  | PushResponse
  | CancelMessage
  | CancelResponse
  | ResultNotificationMessage
  | ResultNotificationResponse
  | StatusQueryMessage
  | StatusQueryResponse
  | CcqMessage
  | CcqResponse
  | BadMessageResponse;

/** The element name of an operation. */
export type PapOperationKind = PapOperation['kind'];

/** A status code as it travels: 1000 … 5999. `PAP_STATUS` names the ones that we know. */
export type PapCode = number;

export const PRIORITIES = ['high', 'medium', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];

export const DELIVERY_METHODS = ['confirmed', 'preferconfirmed', 'unconfirmed', 'notspecified'] as const;
export type DeliveryMethod = (typeof DELIVERY_METHODS)[number];

export const REPLACE_METHODS = ['all', 'pending-only'] as const;
export type ReplaceMethod = (typeof REPLACE_METHODS)[number];

export const MESSAGE_STATES = [
  'rejected',
  'pending',
  'delivered',
  'undeliverable',
  'expired',
  'aborted',
  'timeout',
  'cancelled',
  'unknown',
] as const;
export type MessageState = (typeof MESSAGE_STATES)[number];

export interface QualityOfService {
  readonly priority: Priority;
  readonly deliveryMethod: DeliveryMethod;
  readonly network?: string;
  readonly networkRequired: boolean;
  readonly bearer?: string;
  readonly bearerRequired: boolean;
}

/** The control entity of a push submission. */
export interface PushMessage {
  readonly kind: 'push-message';
  readonly pushId: string;
  readonly replacePushId?: string;
  /** Means something only beside `replacePushId`. */
  readonly replaceMethod: ReplaceMethod;
  readonly deliverBeforeTimestamp?: number;
  readonly deliverAfterTimestamp?: number;
  readonly sourceReference?: string;
  readonly progressNotesRequested: boolean;
  /** An absolute http or https URL; who may be called there is for the domain to say. */
  readonly ppgNotifyRequestedTo?: string;
  /** At least one. */
  readonly addresses: readonly string[];
  readonly qualityOfService?: QualityOfService;
}

export interface ProgressNote {
  readonly stage: string;
  readonly note?: string;
  readonly time?: number;
}

export interface PushResponse {
  readonly kind: 'push-response';
  readonly pushId: string;
  readonly senderAddress?: string;
  readonly senderName?: string;
  readonly replyTime?: number;
  readonly progressNotes: readonly ProgressNote[];
  readonly code: PapCode;
  readonly desc?: string;
}

export interface CancelMessage {
  readonly kind: 'cancel-message';
  readonly pushId: string;
  /** Empty: every recipient of the push. */
  readonly addresses: readonly string[];
}

/** The outcome of a cancellation for some addresses, or for all when it names none. */
export interface CancelResult {
  readonly code: PapCode;
  readonly desc?: string;
  readonly addresses: readonly string[];
}

export interface CancelResponse {
  readonly kind: 'cancel-response';
  readonly pushId: string;
  /** At least one. */
  readonly results: readonly CancelResult[];
}

export interface ResultNotificationMessage {
  readonly kind: 'resultnotification-message';
  readonly pushId: string;
  readonly senderAddress?: string;
  readonly senderName?: string;
  readonly receivedTime?: number;
  readonly eventTime?: number;
  readonly messageState: MessageState;
  readonly code: PapCode;
  readonly desc?: string;
  /** Exactly one in PAP 1.0, one or more in 2.x. */
  readonly addresses: readonly string[];
  readonly qualityOfService?: QualityOfService;
}

export interface ResultNotificationResponse {
  readonly kind: 'resultnotification-response';
  readonly pushId: string;
  readonly code: PapCode;
  readonly desc?: string;
  readonly addresses: readonly string[];
}

export interface StatusQueryMessage {
  readonly kind: 'statusquery-message';
  readonly pushId: string;
  /** Empty: every recipient of the push. */
  readonly addresses: readonly string[];
}

/** One state and the addresses that share it; no address means all of the push. */
export interface StatusQueryResult {
  readonly eventTime?: number;
  readonly messageState: MessageState;
  readonly code: PapCode;
  readonly desc?: string;
  readonly addresses: readonly string[];
  readonly qualityOfService?: QualityOfService;
}

export interface StatusQueryResponse {
  readonly kind: 'statusquery-response';
  readonly pushId: string;
  /** At least one. */
  readonly results: readonly StatusQueryResult[];
}

/** Client capabilities query. */
export interface CcqMessage {
  readonly kind: 'ccq-message';
  readonly queryId?: string;
  readonly appId?: string;
  readonly address: string;
}

/** The capabilities themselves travel as the second part of a multipart answer. */
export interface CcqResponse {
  readonly kind: 'ccq-response';
  readonly queryId?: string;
  readonly code: PapCode;
  readonly desc?: string;
  readonly address?: string;
}

export interface BadMessageResponse {
  readonly kind: 'badmessage-response';
  readonly code: PapCode;
  readonly desc?: string;
  readonly badMessageFragment?: string;
}
