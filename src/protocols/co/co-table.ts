/** Tokens of Cache Operation 1.0 (WAP-175). */
import { tokenTable } from '../wbxml/index.js';

const page = 0;

export const CO_TABLE = tokenTable({
  publicId: 0x07,
  formalPublicId: '-//WAPFORUM//DTD CO 1.0//EN',
  systemId: 'http://www.wapforum.org/DTD/co_1.0.dtd',
  version: 0x02,
  tags: [
    { page, code: 0x05, name: 'co' },
    { page, code: 0x06, name: 'invalidate-object' },
    { page, code: 0x07, name: 'invalidate-service' },
  ],
  attributes: [
    { page, code: 0x05, name: 'uri' },
    { page, code: 0x06, name: 'uri', prefix: 'http://' },
    { page, code: 0x07, name: 'uri', prefix: 'http://www.' },
    { page, code: 0x08, name: 'uri', prefix: 'https://' },
    { page, code: 0x09, name: 'uri', prefix: 'https://www.' },
  ],
  values: [
    { page, code: 0x85, text: '.com/' },
    { page, code: 0x86, text: '.edu/' },
    { page, code: 0x87, text: '.net/' },
    { page, code: 0x88, text: '.org/' },
  ],
  valuesStand: 'anywhere',
  instants: [],
});
