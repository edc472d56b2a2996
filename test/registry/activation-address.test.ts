/** Addresses of activation methods that go over HTTP, and the keys of Web Push subscriptions. */
import { createECDH } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../src/kernel/errors.js';
import { activationAddress } from '../../src/registry/activation-address.js';
import { subscriptionKeys } from '../../src/registry/subscription-keys.js';

describe('the address of a terminal that listens for OTA-HTTP', () => {
  it.each([
    ['http://10.0.0.7', 'http://10.0.0.7:4035/wappush'],
    ['https://phone.example.test/', 'https://phone.example.test:4036/wappush'],
    ['http://10.0.0.7:80', 'http://10.0.0.7:80/wappush'],
    ['https://h:443/push?x=1', 'https://h:443/push?x=1'],
    ['http://[2001:DB8::1]/wappush', 'http://[2001:db8::1]:4035/wappush'],
    ['http://h:04035/', 'http://h:4035/wappush'],
  ])('%s is %s', (address, expected) => {
    expect(activationAddress('ota-http', address)).toBe(expected);
  });

  it('means the same when it comes in again', () => {
    for (const address of ['http://h', 'http://h:80', 'https://h:443/a', 'http://[::1]']) {
      const once = activationAddress('ota-http', address);
      expect(activationAddress('ota-http', once)).toBe(once);
    }
  });

  it.each(['', 'h:4035', 'ftp://h/', 'http://a:b@h/', 'http://h:99999/'])('%j is none', (address) => {
    expect(() => activationAddress('ota-http', address)).toThrow(DecodeError);
  });
});

it.each(['sip', 'http-callback', 'web-push'] as const)('%s can do without an address', (bearer) => {
  expect(activationAddress(bearer, undefined)).toBeUndefined();
});

it.each(['sms', 'wsp', 'ota-http', 'ussd'] as const)('%s cannot', (bearer) => {
  expect(() => activationAddress(bearer, undefined)).toThrow(DecodeError);
});

describe('keys of a subscription', () => {
  const ecdh = createECDH('prime256v1');
  const point = ecdh.generateKeys();
  const auth = Buffer.alloc(16, 7);
  const keys = { p256dh: point.toString('base64url'), auth: auth.toString('base64url') };
  const address = 'https://push.example.test/s';
  const read = (given: typeof keys) => subscriptionKeys('web-push', { address, keys: given });

  it('are kept in base64url, however they were written', () => {
    expect(read(keys)).toEqual(keys);
    expect(read({ p256dh: point.toString('base64'), auth: auth.toString('base64') })).toEqual(keys);
  });

  it('need not be there', () => {
    expect(subscriptionKeys('web-push', { address })).toBeUndefined();
  });

  it.each([
    ['a point that is not on the curve', { ...keys, p256dh: Buffer.alloc(65, 4).toString('base64url') }],
    ['a compressed point', { ...keys, p256dh: ecdh.getPublicKey('base64url', 'compressed') }],
    ['a short secret', { ...keys, auth: 'AAAA' }],
    ['what is no base64', { ...keys, auth: 'not base64 at all !' }],
  ])('with %s are refused, without repeating them', (_, given) => {
    expect(() => read(given)).toThrow(DecodeError);
    try {
      read(given);
    } catch (error) {
      expect((error as DecodeError).detail).not.toContain(given.auth);
    }
  });

  it('belong to Web Push alone, and to an address', () => {
    expect(() => subscriptionKeys('ota-http', { address: 'http://h/', keys })).toThrow(DecodeError);
    expect(() => subscriptionKeys('web-push', { keys })).toThrow(DecodeError);
  });
});
