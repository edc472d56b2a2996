/** The browser's side of Web Push as somebody else wrote it: npm `http_ece` decrypts what the gateway encrypts. */
import { createECDH, type ECDH, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';

/** The part of the library that is used; it comes without types. */
interface HttpEce {
  encrypt(
    plaintext: Buffer,
    parameters: {
      readonly version: 'aes128gcm';
      readonly privateKey: ECDH;
      readonly dh: string;
      readonly authSecret: string;
    },
  ): Buffer;
  decrypt(
    body: Buffer,
    parameters: { readonly version: 'aes128gcm'; readonly privateKey: ECDH; readonly authSecret: string },
  ): Buffer;
}

const ece = createRequire(import.meta.url)('http_ece') as HttpEce;

/** The content of a push message. Throws when it was not made for this key and secret. */
export function decryptWebPush(body: Uint8Array, privateKey: ECDH, authSecret: string): Buffer {
  return ece.decrypt(Buffer.from(body), { version: 'aes128gcm', privateKey, authSecret });
}

/** What a sender makes of it for a subscription. */
export function encryptWebPush(
  plaintext: Uint8Array,
  { p256dh, auth }: { readonly p256dh: string; readonly auth: string },
): Buffer {
  const privateKey = createECDH('prime256v1');
  privateKey.generateKeys();
  return ece.encrypt(Buffer.from(plaintext), {
    version: 'aes128gcm',
    privateKey,
    dh: p256dh,
    authSecret: auth,
  });
}

/** A subscription as the Push API makes one, but for its endpoint. */
export function browserKeys() {
  const browser = createECDH('prime256v1');
  browser.generateKeys();
  const auth = randomBytes(16).toString('base64url');
  const keys = { p256dh: browser.getPublicKey('base64url'), auth };
  return { keys, decrypt: (body: Uint8Array) => decryptWebPush(body, browser, auth) };
}
