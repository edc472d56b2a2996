/**
 * Delivery receipts (SMPP 3.4 appendix B, §5.3.2): what an SMSC says became of a message. Two forms, which may stand side by side: optional
 * parameters, which count where they are, and a text whose layout every vendor varies: letter case, spaces, fields left out.
 */
import { ESM_CLASS, PARAMETER } from './parameter-table.js';
import type { Parameters } from './pdu.js';

/** What is known of the message. `delivered` and the failures are final; the others say that it is on its way. */
export type ReceiptState =
  | 'enroute'
  | 'delivered'
  | 'expired'
  | 'deleted'
  | 'undeliverable'
  | 'accepted'
  | 'unknown'
  | 'rejected';

export interface Receipt {
  /** As the SMSC wrote it; see `message-id.ts` for the forms that it may have. */
  readonly messageId: string;
  readonly state: ReceiptState;
  /** `err` of the text, or the network's own code: for people. */
  readonly error?: string;
}

/** message_state (§5.2.28). */
const STATE_BY_CODE: Readonly<Record<number, ReceiptState>> = {
  1: 'enroute',
  2: 'delivered',
  3: 'expired',
  4: 'deleted',
  5: 'undeliverable',
  6: 'accepted',
  7: 'unknown',
  8: 'rejected',
};

/** `stat` of the text: the names of appendix B, by the letters that no vendor changes. */
const STATE_BY_NAME: readonly (readonly [start: string, state: ReceiptState])[] = [
  ['DELIV', 'delivered'],
  ['EXPIR', 'expired'],
  ['DELET', 'deleted'],
  ['UNDEL', 'undeliverable'],
  ['ACCEP', 'accepted'],
  ['REJEC', 'rejected'],
  ['ENROU', 'enroute'],
  ['BUFF', 'enroute'],
  ['UNKNO', 'unknown'],
];

/** Is a delivered message about another one, whether a receipt or a notification in between (§5.2.12)? */
export function isReceipt(esmClass: number): boolean {
  const type = esmClass & ESM_CLASS.typeMask;
  return (
    type === ESM_CLASS.receipt ||
    type === ESM_CLASS.deliveryAcknowledgement ||
    type === ESM_CLASS.intermediateNotification
  );
}

/** A receipt has about a hundred octets; what stands behind so many is no part of it. */
const MAX_TEXT_OCTETS = 1024;

/** `text`: the short message; an empty one may have its text in message_payload. Undefined when it names no message or no state: then it says nothing. */
export function decodeReceipt(text: Uint8Array, parameters: Parameters): Receipt | undefined {
  const octets = text.length > 0 ? text : (parameters.get(PARAMETER.messagePayload) ?? text);
  const told = Buffer.from(octets.subarray(0, MAX_TEXT_OCTETS)).toString('latin1');
  const messageId = parameterText(parameters.get(PARAMETER.receiptedMessageId)) || field(told, 'id', '[^ ]');
  const code = parameters.get(PARAMETER.messageState)?.[0];
  const state =
    (code === undefined ? undefined : STATE_BY_CODE[code]) ?? stateNamed(field(told, 'stat', '[A-Za-z]'));
  if (messageId === undefined || messageId === '' || state === undefined) return undefined;
  const error = networkError(parameters.get(PARAMETER.networkErrorCode)) ?? field(told, 'err', '[0-9A-Za-z]');
  return { messageId, state, ...(error === undefined ? {} : { error }) };
}

/** `name:value`, the value made of such characters. `id` must not be taken for the end of another name. */
function field(text: string, name: string, character: string): string | undefined {
  return new RegExp(`(?:^|[^a-z])${name} ?: ?(${character}{1,64})`, 'i').exec(text)?.[1];
}

function stateNamed(name: string | undefined): ReceiptState | undefined {
  const upper = name?.toUpperCase();
  return upper === undefined ? undefined : STATE_BY_NAME.find(([start]) => upper.startsWith(start))?.[1];
}

function parameterText(octets: Uint8Array | undefined): string | undefined {
  if (octets === undefined) return undefined;
  return Buffer.from(octets).toString('latin1').replace(/\0.*$/s, '').slice(0, 64);
}

/** network_error_code: one octet that names the kind of network, two with its code (§5.3.2.31). */
function networkError(octets: Uint8Array | undefined): string | undefined {
  const [, high, low] = octets ?? [];
  return high === undefined || low === undefined ? undefined : String(high * 256 + low);
}
