/**
 * PAP values to octets: prologue of the wanted version and one element for each value (PAP §7 – §9). Always UTF-8. What a version
 * has no words for is a defect of the caller; nothing is dropped silently.
 */
import { InvariantError } from '../../kernel/errors.js';
import { formatTimestamp, type XmlAttributes, xmlElement } from '../xml/index.js';
import type {
  CancelResult,
  PapOperation,
  PapVersion,
  ProgressNote,
  PushMessage,
  PushResponse,
  QualityOfService,
  ResultNotificationMessage,
  StatusQueryResult,
} from './document.js';
import { isPapCode } from './pap-status-table.js';
import { DOCTYPE } from './pap-version.js';

export interface EncodePapOptions {
  readonly version: PapVersion;
  readonly productName?: string;
  /** Written as a `wap-pap-ver` instruction: what the receiver may use towards us. */
  readonly supportedVersions?: readonly string[];
}

/** One document with one operation. */
export function encodePap(operation: PapOperation, options: EncodePapOptions): Uint8Array {
  const { publicId, systemId } = DOCTYPE[options.version];
  const supported = options.supportedVersions?.join(',');
  if (supported !== undefined && !/^[0-9.*,]+$/.test(supported))
    throw new InvariantError('bad list of PAP versions');
  const subset = supported === undefined ? '' : ` [<?wap-pap-ver supported-versions="${supported}"?>]`;
  const root = xmlElement(
    'pap',
    { 'product-name': options.productName },
    writeOperation(operation, options.version),
  );
  return Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE pap PUBLIC "${publicId}" "${systemId}"${subset}>\n${root}\n`,
    'utf8',
  );
}

function writeOperation(operation: PapOperation, version: PapVersion): string {
  switch (operation.kind) {
    case 'push-message':
      return writePushMessage(operation, version);
    case 'push-response':
      return writePushResponse(operation);
    case 'cancel-message':
    case 'statusquery-message':
      return xmlElement(operation.kind, { 'push-id': operation.pushId }, writeAddresses(operation.addresses));
    case 'cancel-response':
      return xmlElement(
        operation.kind,
        { 'push-id': operation.pushId },
        atLeastOne(operation.results).map(writeCancelResult).join(''),
      );
    case 'resultnotification-message':
      return writeResultNotification(operation, version);
    case 'resultnotification-response':
      return xmlElement(
        operation.kind,
        { 'push-id': operation.pushId, ...codeAndDesc(operation) },
        writeAddresses(operation.addresses),
      );
    case 'statusquery-response':
      return xmlElement(
        operation.kind,
        { 'push-id': operation.pushId },
        atLeastOne(operation.results).map(writeStatusQueryResult).join(''),
      );
    case 'ccq-message':
      return xmlElement(
        operation.kind,
        { 'query-id': operation.queryId, 'app-id': operation.appId },
        writeAddresses([operation.address]),
      );
    case 'ccq-response':
      return xmlElement(
        operation.kind,
        { 'query-id': operation.queryId, ...codeAndDesc(operation) },
        operation.address === undefined ? '' : writeAddresses([operation.address]),
      );
    case 'badmessage-response':
      return xmlElement(operation.kind, {
        ...codeAndDesc(operation),
        'bad-message-fragment': operation.badMessageFragment,
      });
  }
}

function writePushMessage(message: PushMessage, version: PapVersion): string {
  if (version === '1.0' && message.replacePushId !== undefined) {
    throw new InvariantError('PAP 1.0 has no replacement');
  }
  return xmlElement(
    message.kind,
    {
      'push-id': message.pushId,
      'replace-push-id': message.replacePushId,
      'replace-method': message.replacePushId === undefined ? undefined : message.replaceMethod,
      'deliver-before-timestamp': instant(message.deliverBeforeTimestamp),
      'deliver-after-timestamp': instant(message.deliverAfterTimestamp),
      'source-reference': message.sourceReference,
      'progress-notes-requested': message.progressNotesRequested ? 'true' : undefined,
      'ppg-notify-requested-to': message.ppgNotifyRequestedTo,
    },
    writeAddresses(atLeastOne(message.addresses)) + writeQuality(message.qualityOfService),
  );
}

function writePushResponse(response: PushResponse): string {
  return xmlElement(
    response.kind,
    {
      'push-id': response.pushId,
      'sender-address': response.senderAddress,
      'sender-name': response.senderName,
      'reply-time': instant(response.replyTime),
    },
    response.progressNotes.map(writeProgressNote).join('') +
      xmlElement('response-result', codeAndDesc(response)),
  );
}

function writeProgressNote(note: ProgressNote): string {
  return xmlElement('progress-note', { stage: note.stage, note: note.note, time: instant(note.time) });
}

function writeCancelResult(result: CancelResult): string {
  return xmlElement('cancel-result', codeAndDesc(result), writeAddresses(result.addresses));
}

function writeResultNotification(message: ResultNotificationMessage, version: PapVersion): string {
  if (version === '1.0' && message.addresses.length > 1) {
    throw new InvariantError('a PAP 1.0 result notification has one address');
  }
  return xmlElement(
    message.kind,
    {
      'push-id': message.pushId,
      'sender-address': message.senderAddress,
      'sender-name': message.senderName,
      'received-time': instant(message.receivedTime),
      'event-time': instant(message.eventTime),
      'message-state': message.messageState,
      ...codeAndDesc(message),
    },
    writeAddresses(atLeastOne(message.addresses)) + writeQuality(message.qualityOfService),
  );
}

function writeStatusQueryResult(result: StatusQueryResult): string {
  return xmlElement(
    'statusquery-result',
    { 'event-time': instant(result.eventTime), 'message-state': result.messageState, ...codeAndDesc(result) },
    writeAddresses(result.addresses) + writeQuality(result.qualityOfService),
  );
}

function writeAddresses(addresses: readonly string[]): string {
  let text = '';
  for (const address of addresses) text += xmlElement('address', { 'address-value': address });
  return text;
}

function writeQuality(quality: QualityOfService | undefined): string {
  if (quality === undefined) return '';
  return xmlElement('quality-of-service', {
    priority: quality.priority,
    'delivery-method': quality.deliveryMethod,
    network: quality.network,
    'network-required': quality.networkRequired ? 'true' : undefined,
    bearer: quality.bearer,
    'bearer-required': quality.bearerRequired ? 'true' : undefined,
  });
}

function codeAndDesc(value: { readonly code: number; readonly desc?: string }): XmlAttributes {
  if (!isPapCode(value.code)) throw new InvariantError(`${value.code} is no PAP status code`);
  return { code: String(value.code), desc: value.desc };
}

function instant(value: number | undefined): string | undefined {
  return value === undefined ? undefined : formatTimestamp(value);
}

function atLeastOne<T>(values: readonly T[]): readonly T[] {
  if (values.length === 0) throw new InvariantError('a PAP element that needs a child has none');
  return values;
}
