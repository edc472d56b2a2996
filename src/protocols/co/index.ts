/** Cache Operation: its value, and its XML and WBXML forms. */
export * from './co.js';
export { CO_TABLE } from './co-table.js';
