/**
 * Tokens of E-Mail Notification 1.0 (OMA-Push-EMN-V1_0). The domains stand without a slash behind them, unlike those of SI: a
 * mailbox ends with its domain. Notifications as handsets take them agree; one dissector shows the slash all the same.
 */
import { tokenTable } from '../wbxml/index.js';

const page = 0;

export const EMN_TABLE = tokenTable({
  publicId: 0x0d,
  formalPublicId: '-//WAPFORUM//DTD EMN 1.0//EN',
  systemId: 'http://www.wapforum.org/DTD/emn.dtd',
  version: 0x03,
  tags: [{ page, code: 0x05, name: 'emn' }],
  attributes: [
    { page, code: 0x05, name: 'timestamp' },
    { page, code: 0x06, name: 'mailbox' },
    { page, code: 0x07, name: 'mailbox', prefix: 'mailat:' },
    { page, code: 0x08, name: 'mailbox', prefix: 'pop://' },
    { page, code: 0x09, name: 'mailbox', prefix: 'imap://' },
    { page, code: 0x0a, name: 'mailbox', prefix: 'http://' },
    { page, code: 0x0b, name: 'mailbox', prefix: 'http://www.' },
    { page, code: 0x0c, name: 'mailbox', prefix: 'https://' },
    { page, code: 0x0d, name: 'mailbox', prefix: 'https://www.' },
  ],
  values: [
    { page, code: 0x85, text: '.com' },
    { page, code: 0x86, text: '.edu' },
    { page, code: 0x87, text: '.net' },
    { page, code: 0x88, text: '.org' },
  ],
  valuesStand: 'anywhere',
  instants: ['timestamp'],
});
