/** E-Mail Notification: its value, and its XML and WBXML forms. */
export * from './emn.js';
export { EMN_TABLE } from './emn-table.js';
