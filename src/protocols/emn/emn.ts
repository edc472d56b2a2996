/**
 * E-Mail Notification 1.0 (OMA-Push-EMN-V1_0): wakes the mail client for one mailbox. In XML (`text/vnd.wap.emn+xml`) and WBXML
 * (`application/vnd.wap.emn+wbxml`). A mailbox is named by a URI: `mailat:`, `pop:`, `imap:`, `http:`.
 */
import { documentType, elementOf, instantAttribute, requiredAttribute } from '../wbxml/index.js';
import { formatTimestamp, type XmlElement } from '../xml/index.js';
import { EMN_TABLE } from './emn-table.js';

export interface EmailNotification {
  readonly mailbox: string;
  /** When the mail came, in milliseconds since the epoch; whole seconds are kept. */
  readonly timestamp?: number;
}

export const EMN = documentType({ grammar: 'emn', rootName: 'emn', table: EMN_TABLE, read, write });

function read(root: XmlElement): EmailNotification {
  const timestamp = instantAttribute(root, 'timestamp');
  return {
    mailbox: requiredAttribute(root, 'mailbox'),
    ...(timestamp === undefined ? {} : { timestamp }),
  };
}

function write({ mailbox, timestamp }: EmailNotification): XmlElement {
  return elementOf('emn', {
    mailbox,
    timestamp: timestamp === undefined ? undefined : formatTimestamp(timestamp),
  });
}
