/**
 * Operation elements to values, one function for each element of PAP §9. The document is valid by its DTD when it comes here,
 * so only what a DTD cannot express is still checked; `BadAttribute` says what was wrong.
 */

import { present } from '../../kernel/present.js';
import type { XmlElement } from '../xml/index.js';
import {
  addressesOf,
  BadAttribute,
  flag,
  oneOf,
  optionalId,
  optionalInstant,
  optionalText,
  requiredCode,
  requiredId,
  requiredText,
} from './attribute-reader.js';
import {
  type BadMessageResponse,
  type CancelMessage,
  type CancelResponse,
  type CcqMessage,
  type CcqResponse,
  DELIVERY_METHODS,
  MESSAGE_STATES,
  type PapOperation,
  type PapOperationKind,
  PRIORITIES,
  type ProgressNote,
  type PushMessage,
  type PushResponse,
  type QualityOfService,
  REPLACE_METHODS,
  type ResultNotificationMessage,
  type ResultNotificationResponse,
  type StatusQueryMessage,
  type StatusQueryResponse,
  type StatusQueryResult,
} from './document.js';

const READERS: {
  readonly [Kind in PapOperationKind]: (element: XmlElement) => Extract<PapOperation, { kind: Kind }>;
} = {
  'push-message': readPushMessage,
  'push-response': readPushResponse,
  'cancel-message': readCancelMessage,
  'cancel-response': readCancelResponse,
  'resultnotification-message': readResultNotificationMessage,
  'resultnotification-response': readResultNotificationResponse,
  'statusquery-message': readStatusQueryMessage,
  'statusquery-response': readStatusQueryResponse,
  'ccq-message': readCcqMessage,
  'ccq-response': readCcqResponse,
  'badmessage-response': readBadMessageResponse,
};

/** The operation that an element name stands for. */
export function operationKind(name: string): PapOperationKind | undefined {
  return Object.hasOwn(READERS, name) ? (name as PapOperationKind) : undefined;
}

/** The value of an operation element of that kind. Throws BadAttribute. */
export function readOperation(kind: PapOperationKind, element: XmlElement): PapOperation {
  return READERS[kind](element);
}

function readPushMessage(element: XmlElement): PushMessage {
  const ppgNotifyRequestedTo = optionalText(element, 'ppg-notify-requested-to');
  if (ppgNotifyRequestedTo !== undefined && !/^https?:\/\/[^\s<>"]+$/i.test(ppgNotifyRequestedTo)) {
    throw new BadAttribute('ppg-notify-requested-to is not an http or https URL');
  }
  return {
    kind: 'push-message',
    pushId: requiredId(element, 'push-id'),
    ...present('replacePushId', optionalId(element, 'replace-push-id')),
    replaceMethod: oneOf(element, 'replace-method', REPLACE_METHODS, 'all'),
    ...present('deliverBeforeTimestamp', optionalInstant(element, 'deliver-before-timestamp')),
    ...present('deliverAfterTimestamp', optionalInstant(element, 'deliver-after-timestamp')),
    ...present('sourceReference', optionalText(element, 'source-reference')),
    progressNotesRequested: flag(element, 'progress-notes-requested'),
    ...present('ppgNotifyRequestedTo', ppgNotifyRequestedTo),
    addresses: addressesOf(element),
    ...present('qualityOfService', qualityOfServiceOf(element)),
  };
}

function readPushResponse(element: XmlElement): PushResponse {
  const result = element.children.find((child) => child.name === 'response-result');
  if (result === undefined) throw new BadAttribute('response-result is missing');
  return {
    kind: 'push-response',
    pushId: requiredId(element, 'push-id'),
    ...present('senderAddress', optionalText(element, 'sender-address')),
    ...present('senderName', optionalText(element, 'sender-name')),
    ...present('replyTime', optionalInstant(element, 'reply-time')),
    progressNotes: element.children.filter((child) => child.name === 'progress-note').map(readProgressNote),
    code: requiredCode(result),
    ...present('desc', optionalText(result, 'desc')),
  };
}

function readProgressNote(element: XmlElement): ProgressNote {
  return {
    stage: requiredText(element, 'stage'),
    ...present('note', optionalText(element, 'note')),
    ...present('time', optionalInstant(element, 'time')),
  };
}

function readCancelMessage(element: XmlElement): CancelMessage {
  return { kind: 'cancel-message', pushId: requiredId(element, 'push-id'), addresses: addressesOf(element) };
}

function readCancelResponse(element: XmlElement): CancelResponse {
  return {
    kind: 'cancel-response',
    pushId: requiredId(element, 'push-id'),
    results: element.children.map((result) => ({ ...codeAndDesc(result), addresses: addressesOf(result) })),
  };
}

function readResultNotificationMessage(element: XmlElement): ResultNotificationMessage {
  return {
    kind: 'resultnotification-message',
    pushId: requiredId(element, 'push-id'),
    ...present('senderAddress', optionalText(element, 'sender-address')),
    ...present('senderName', optionalText(element, 'sender-name')),
    ...present('receivedTime', optionalInstant(element, 'received-time')),
    ...present('eventTime', optionalInstant(element, 'event-time')),
    messageState: oneOf(element, 'message-state', MESSAGE_STATES),
    ...codeAndDesc(element),
    addresses: addressesOf(element),
    ...present('qualityOfService', qualityOfServiceOf(element)),
  };
}

function readResultNotificationResponse(element: XmlElement): ResultNotificationResponse {
  return {
    kind: 'resultnotification-response',
    pushId: requiredId(element, 'push-id'),
    ...codeAndDesc(element),
    addresses: addressesOf(element),
  };
}

function readStatusQueryMessage(element: XmlElement): StatusQueryMessage {
  return {
    kind: 'statusquery-message',
    pushId: requiredId(element, 'push-id'),
    addresses: addressesOf(element),
  };
}

function readStatusQueryResponse(element: XmlElement): StatusQueryResponse {
  return {
    kind: 'statusquery-response',
    pushId: requiredId(element, 'push-id'),
    results: element.children.map(readStatusQueryResult),
  };
}

function readStatusQueryResult(element: XmlElement): StatusQueryResult {
  return {
    ...present('eventTime', optionalInstant(element, 'event-time')),
    messageState: oneOf(element, 'message-state', MESSAGE_STATES),
    ...codeAndDesc(element),
    addresses: addressesOf(element),
    ...present('qualityOfService', qualityOfServiceOf(element)),
  };
}

function readCcqMessage(element: XmlElement): CcqMessage {
  const [address] = addressesOf(element);
  if (address === undefined) throw new BadAttribute('address is missing', 2002);
  return {
    kind: 'ccq-message',
    ...present('queryId', optionalId(element, 'query-id')),
    ...present('appId', optionalText(element, 'app-id')),
    address,
  };
}

function readCcqResponse(element: XmlElement): CcqResponse {
  return {
    kind: 'ccq-response',
    ...present('queryId', optionalId(element, 'query-id')),
    ...codeAndDesc(element),
    ...present('address', addressesOf(element)[0]),
  };
}

function readBadMessageResponse(element: XmlElement): BadMessageResponse {
  return {
    kind: 'badmessage-response',
    ...codeAndDesc(element),
    ...present('badMessageFragment', element.attributes.get('bad-message-fragment')),
  };
}

function codeAndDesc(element: XmlElement): { readonly code: number; readonly desc?: string } {
  return { code: requiredCode(element), ...present('desc', optionalText(element, 'desc')) };
}

function qualityOfServiceOf(element: XmlElement): QualityOfService | undefined {
  const quality = element.children.find((child) => child.name === 'quality-of-service');
  if (quality === undefined) return undefined;
  return {
    priority: oneOf(quality, 'priority', PRIORITIES, 'medium'),
    deliveryMethod: oneOf(quality, 'delivery-method', DELIVERY_METHODS, 'notspecified'),
    ...present('network', optionalText(quality, 'network')),
    networkRequired: flag(quality, 'network-required'),
    ...present('bearer', optionalText(quality, 'bearer')),
    bearerRequired: flag(quality, 'bearer-required'),
  };
}
