/** Web Push codecs: the example of RFC 8291, what others decrypt, and tokens that others verify. */
import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { RandomBytes } from '../../../src/kernel/clock.js';
import { DecodeError } from '../../../src/kernel/errors.js';
import {
  encryptMessage,
  MAX_PLAINTEXT_OCTETS,
  newSubscription,
  VapidKey,
} from '../../../src/protocols/web-push/index.js';
import { mutated } from '../../support/mutations.js';
import { seededRandom } from '../../support/seeded-random.js';
import { browserKeys, encryptWebPush } from '../../support/web-push-browser.js';

/** RFC 8291 §5 and appendix A. */
const EXAMPLE = {
  plaintext: 'When I grow up, I want to be a watermelon',
  p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
  auth: 'BTBZMqHH6r4Tts7J_aSIgg',
  ownPrivate: 'yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw',
  salt: 'DGv6ra1nlYgDCS1FRnbzlw',
  body: 'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
};

/** Gives these octets, one after the other. */
function drawn(...draws: readonly Uint8Array[]): RandomBytes {
  const left = [...draws];
  return () => left.shift() ?? Buffer.alloc(0);
}

describe('a message', () => {
  it('is encrypted as the example of RFC 8291 is', () => {
    const chance = drawn(
      Buffer.from(EXAMPLE.ownPrivate, 'base64url'),
      Buffer.from(EXAMPLE.salt, 'base64url'),
    );
    const body = encryptMessage(Buffer.from(EXAMPLE.plaintext), EXAMPLE, chance);
    expect(Buffer.from(body).toString('base64url')).toBe(EXAMPLE.body);
  });

  it.each([0, 1, 100, MAX_PLAINTEXT_OCTETS])('of %i octets is decrypted by somebody else’s code', (size) => {
    const { keys, decrypt } = browserKeys();
    const plaintext = randomBytes(size);
    const body = encryptMessage(plaintext, keys, randomBytes);
    expect(Buffer.compare(decrypt(body), plaintext)).toBe(0);
    expect(body.length).toBeLessThanOrEqual(4096);
  });

  it('is not decrypted with another secret, nor when an octet has changed', () => {
    const { keys, decrypt } = browserKeys();
    const body = Buffer.from(encryptMessage(Buffer.from('secret'), keys, randomBytes));
    const other = browserKeys();
    expect(() => other.decrypt(body)).toThrow();
    body[body.length - 1] = (body.at(-1) ?? 0) ^ 1;
    expect(() => decrypt(body)).toThrow();
  });

  it('is another one every time', () => {
    const { keys } = browserKeys();
    const once = () => Buffer.from(encryptMessage(Buffer.from('same'), keys, randomBytes)).toString('hex');
    expect(once()).not.toBe(once());
  });

  it('that is too large is a defect, and a key that is none is refused', () => {
    const { keys } = browserKeys();
    expect(() => encryptMessage(Buffer.alloc(MAX_PLAINTEXT_OCTETS + 1), keys, randomBytes)).toThrow(
      expect.objectContaining({ code: 'internal' }),
    );
    const broken = { ...keys, p256dh: Buffer.alloc(65, 4).toString('base64url') };
    expect(() => encryptMessage(Buffer.from('x'), broken, randomBytes)).toThrow(DecodeError);
  });

  it('passes over octets that are no private key', () => {
    const chance = drawn(
      Buffer.alloc(32),
      Buffer.alloc(32, 255),
      Buffer.from(EXAMPLE.ownPrivate, 'base64url'),
      Buffer.from(EXAMPLE.salt, 'base64url'),
    );
    const body = encryptMessage(Buffer.from(EXAMPLE.plaintext), EXAMPLE, chance);
    expect(Buffer.from(body).toString('base64url')).toBe(EXAMPLE.body);
  });
});

describe('a browser', () => {
  it('reads the example of RFC 8291', () => {
    const own = Buffer.from('q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94', 'base64url');
    const { keys, decrypt } = newSubscription(drawn(own, Buffer.from(EXAMPLE.auth, 'base64url')));
    expect(keys).toEqual({ p256dh: EXAMPLE.p256dh, auth: EXAMPLE.auth });
    expect(Buffer.from(decrypt(Buffer.from(EXAMPLE.body, 'base64url'))).toString()).toBe(EXAMPLE.plaintext);
  });

  it.each([0, 1, 100, MAX_PLAINTEXT_OCTETS])(
    'reads %i octets that somebody else’s code has encrypted',
    (size) => {
      const { keys, decrypt } = newSubscription(randomBytes);
      const plaintext = randomBytes(size);
      expect(Buffer.compare(decrypt(encryptWebPush(plaintext, keys)), plaintext)).toBe(0);
    },
  );

  it('does not read what was encrypted for another one', () => {
    const { decrypt } = newSubscription(randomBytes);
    const body = encryptMessage(Buffer.from('secret'), newSubscription(randomBytes).keys, randomBytes);
    expect(() => decrypt(body)).toThrow(DecodeError);
  });

  it('refuses whatever was changed on its way', () => {
    const random = seededRandom(8291);
    const { keys, decrypt } = newSubscription(randomBytes);
    const plaintext = Buffer.from('secret');
    const body = encryptMessage(plaintext, keys, randomBytes);
    for (let round = 0; round < 2000; round += 1) {
      const changed = mutated(body, random);
      // The size of a record stands in the salted header and is not authenticated.
      const isOnlySize =
        changed.length === body.length &&
        [...changed].every((octet, at) => octet === body[at] || (at > 15 && at < 20));
      if (isOnlySize) continue;
      expect(() => decrypt(changed)).toThrow(DecodeError);
    }
  });
});

describe('a token', () => {
  const key = new VapidKey(Buffer.from(EXAMPLE.ownPrivate, 'base64url'));

  it('is verified with the key that it names, and says whom it is for', () => {
    const value = key.authorization(
      'https://push.example.test',
      'mailto:ops@example.test',
      1_700_000_000_999,
    );
    const [, token = '', named = ''] = /^vapid t=([^,]+), k=(\S+)$/.exec(value) ?? [];
    expect(named).toBe(key.publicKey);
    const [header = '', claims = '', signature = ''] = token.split('.');
    const point = Buffer.from(named, 'base64url');
    const x = point.subarray(1, 33).toString('base64url');
    const y = point.subarray(33).toString('base64url');
    const publicKey = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
    const isValid = verify(
      'sha256',
      Buffer.from(`${header}.${claims}`),
      { key: publicKey, dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    );
    expect(isValid).toBe(true);
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({ typ: 'JWT', alg: 'ES256' });
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toEqual({
      aud: 'https://push.example.test',
      exp: 1_700_000_000,
      sub: 'mailto:ops@example.test',
    });
  });

  it('has the public key that belongs to the private one', () => {
    expect(key.publicKey).toBe(
      'BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8',
    );
  });

  it('of a key with a leading zero octet is made like any other', () => {
    const small = new VapidKey(Buffer.concat([Buffer.alloc(2), Buffer.alloc(30, 9)]));
    expect(small.authorization('https://a', 'mailto:a@b', 0)).toMatch(/^vapid t=/);
  });

  it.each([
    ['zero', Buffer.alloc(32)],
    ['beyond the order of the curve', Buffer.alloc(32, 255)],
    ['nothing', Buffer.alloc(0)],
  ])('cannot be made with a key that is %s', (_, octets) => {
    expect(() => new VapidKey(octets)).toThrow(DecodeError);
  });
});
