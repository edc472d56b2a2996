/** Presence documents: PIDF with the data model, and what they say of each device. */
export * from './devices.js';
export * from './pidf.js';
