/** Tokens of Service Loading 1.0 (WAP-168). */
import { tokenTable } from '../wbxml/index.js';

const page = 0;

export const SL_TABLE = tokenTable({
  publicId: 0x06,
  formalPublicId: '-//WAPFORUM//DTD SL 1.0//EN',
  systemId: 'http://www.wapforum.org/DTD/sl.dtd',
  version: 0x02,
  tags: [{ page, code: 0x05, name: 'sl' }],
  attributes: [
    { page, code: 0x05, name: 'action', whole: 'execute-low' },
    { page, code: 0x06, name: 'action', whole: 'execute-high' },
    { page, code: 0x07, name: 'action', whole: 'cache' },
    { page, code: 0x08, name: 'href' },
    { page, code: 0x09, name: 'href', prefix: 'http://' },
    { page, code: 0x0a, name: 'href', prefix: 'http://www.' },
    { page, code: 0x0b, name: 'href', prefix: 'https://' },
    { page, code: 0x0c, name: 'href', prefix: 'https://www.' },
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
