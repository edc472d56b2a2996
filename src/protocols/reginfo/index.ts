/** Registration information: the document, and the state that a sequence of them builds up. */
export * from './reginfo.js';
export * from './registration-view.js';
