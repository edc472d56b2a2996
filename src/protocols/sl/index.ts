/** Service Loading: its value, and its XML and WBXML forms. */
export * from './sl.js';
export { SL_TABLE } from './sl-table.js';
