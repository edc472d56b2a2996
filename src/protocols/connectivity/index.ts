/** OMA Client Provisioning: the document, and its XML and WBXML forms. */
export * from './connectivity.js';
export { CONNECTIVITY_TABLE } from './connectivity-table.js';
