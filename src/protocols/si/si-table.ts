/** Tokens of Service Indication 1.0 (WAP-167). */
import { tokenTable } from '../wbxml/index.js';

const page = 0;

export const SI_TABLE = tokenTable({
  publicId: 0x05,
  formalPublicId: '-//WAPFORUM//DTD SI 1.0//EN',
  systemId: 'http://www.wapforum.org/DTD/si.dtd',
  version: 0x02,
  tags: [
    { page, code: 0x05, name: 'si' },
    { page, code: 0x06, name: 'indication' },
    { page, code: 0x07, name: 'info' },
    { page, code: 0x08, name: 'item' },
  ],
  attributes: [
    { page, code: 0x05, name: 'action', whole: 'signal-none' },
    { page, code: 0x06, name: 'action', whole: 'signal-low' },
    { page, code: 0x07, name: 'action', whole: 'signal-medium' },
    { page, code: 0x08, name: 'action', whole: 'signal-high' },
    { page, code: 0x09, name: 'action', whole: 'delete' },
    { page, code: 0x0a, name: 'created' },
    { page, code: 0x0b, name: 'href' },
    { page, code: 0x0c, name: 'href', prefix: 'http://' },
    { page, code: 0x0d, name: 'href', prefix: 'http://www.' },
    { page, code: 0x0e, name: 'href', prefix: 'https://' },
    { page, code: 0x0f, name: 'href', prefix: 'https://www.' },
    { page, code: 0x10, name: 'si-expires' },
    { page, code: 0x11, name: 'si-id' },
    { page, code: 0x12, name: 'class' },
  ],
  values: [
    { page, code: 0x85, text: '.com/' },
    { page, code: 0x86, text: '.edu/' },
    { page, code: 0x87, text: '.net/' },
    { page, code: 0x88, text: '.org/' },
  ],
  valuesStand: 'anywhere',
  instants: ['created', 'si-expires'],
});
