/** MIME entities as far as push needs them: header fields, Content-Type values, multipart and its related kind, transfer encodings. */
export * from './content-type.js';
export * from './header-field.js';
export * from './multipart.js';
export * from './multipart-related.js';
export * from './transfer-encoding.js';
