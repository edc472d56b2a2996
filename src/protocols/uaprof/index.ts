/** User agent profiles (UAProf): what a terminal can do, in RDF. */
export * from './uaprof.js';
export { UAPROF_COMPONENTS, UAPROF_VOCABULARY, type UaProfTerm } from './vocabulary-table.js';
