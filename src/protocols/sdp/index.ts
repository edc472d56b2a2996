/** The SDP codec: descriptions as lines, and the MSRP media of offers and answers. */
export * from './fingerprint.js';
export * from './limits.js';
export * from './msrp-media.js';
export * from './sdp.js';
