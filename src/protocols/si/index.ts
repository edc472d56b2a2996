/** Service Indication: its value, and its XML and WBXML forms. */
export * from './si.js';
export { SI_TABLE } from './si-table.js';
