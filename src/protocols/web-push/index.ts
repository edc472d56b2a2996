/** Web Push: what goes to a push service, as octets and header fields. */
export { encryptMessage, MAX_PLAINTEXT_OCTETS, type Subscription } from './message-encryption.js';
export { PRIVATE_KEY_OCTETS } from './p256.js';
export { VAPID_LIFE_MS, VapidKey } from './vapid.js';
