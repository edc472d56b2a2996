/** Web Push: what goes to a push service, as octets and header fields; and the keys and the reading of its browser. */
export {
  encryptMessage,
  MAX_PLAINTEXT_OCTETS,
  newSubscription,
  type OwnSubscription,
  type Subscription,
} from './message-encryption.js';
export { PRIVATE_KEY_OCTETS } from './p256.js';
export { VAPID_LIFE_MS, VapidKey } from './vapid.js';
