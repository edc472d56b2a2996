/** Client addresses of pushes: `WAPPUSH=…/TYPE=…@…` and bare SIP and telephone URIs. */
export { decodePushAddress, MAX_PUSH_ADDRESS_LENGTH } from './decode-push-address.js';
export { encodePushAddress, type PushAddressParts } from './encode-push-address.js';
export * from './push-address.js';
