/** Standard Webhooks: secrets in their one form, and header fields over id, moment and body. */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import {
  decodeWebhookSecret,
  webhookHeaders,
  webhookProblem,
} from '../../../src/protocols/standard-webhooks/index.js';
import { mutated } from '../../support/mutations.js';
import { seededRandom } from '../../support/seeded-random.js';

describe('a secret', () => {
  it.each([24, 25, 26, 32, 64])('has the octets of its base64: %i', (size) => {
    const key = Buffer.alloc(size, size);
    expect(decodeWebhookSecret(`whsec_${key.toString('base64')}`)).toEqual(key);
  });

  it.each([
    ['is too short', `whsec_${Buffer.alloc(23).toString('base64')}`],
    ['is too long', `whsec_${Buffer.alloc(65).toString('base64')}`],
    ['has no prefix', Buffer.alloc(24).toString('base64')],
    ['has another prefix', `whpk__${Buffer.alloc(24).toString('base64')}`],
    ['is base64url', `whsec_${'-_'.repeat(16)}`],
    ['lacks its padding', `whsec_${Buffer.alloc(25).toString('base64').replace(/=+$/, '')}`],
    ['ends in a line break', `whsec_${Buffer.alloc(24).toString('base64')}\n`],
    ['is empty', ''],
    ['is endless', `whsec_${'A'.repeat(1_000_000)}`],
  ])('that %s is refused, without being repeated', (_what, text) => {
    expect(() => decodeWebhookSecret(text)).toThrow(DecodeError);
    expect(() => decodeWebhookSecret(text)).toThrow(
      'malformed: has to be whsec_ and the base64 of 24 to 64 octets',
    );
  });
});

describe('mutated secrets', () => {
  it('are refused or read, and what is read has its size', () => {
    const random = seededRandom(11);
    const valid = Buffer.from(`whsec_${Buffer.alloc(40, 7).toString('base64')}`);
    for (let round = 0; round < 2000; round += 1) {
      const text = mutated(valid, random).toString('latin1');
      try {
        const key = decodeWebhookSecret(text);
        expect(`whsec_${Buffer.from(key).toString('base64')}`).toBe(text);
        expect(key.length).toBeGreaterThanOrEqual(24);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    }
  });
});

describe('the header fields', () => {
  const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');

  it('are those of the published example', () => {
    const headers = webhookHeaders(
      {
        id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
        sentAt: 1_614_265_330_000,
        body: Buffer.from('{"test": 2432232314}'),
      },
      key,
    );
    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('sign every octet of a body that is no text', () => {
    const body = Buffer.from([0, 255, 10, 46]);
    const signed = Buffer.concat([Buffer.from('a.1.'), body]);
    const expected = createHmac('sha256', key).update(signed).digest('base64');
    expect(webhookHeaders({ id: 'a', sentAt: 1999, body }, key)['webhook-signature']).toBe(`v1,${expected}`);
  });

  it.each(['', 'a.b', 'a b', 'a\r\nb'])('are not made for the id %j', (id) => {
    expect(() => webhookHeaders({ id, sentAt: 0, body: Buffer.alloc(0) }, key)).toThrow('webhook-id');
  });
});

describe('a receiver', () => {
  const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
  const body = Buffer.from('{"test": 2432232314}');
  const sentAt = 1_614_265_330_000;
  const example = webhookHeaders({ id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', sentAt, body }, key);
  const problem = (
    change: Partial<Record<string, string | undefined>> = {},
    { octets = body, now = sentAt, by = key }: { octets?: Buffer; now?: number; by?: Buffer } = {},
  ) => webhookProblem((name) => ({ ...example, ...change })[name], octets, by, now);
  const signature = String(example['webhook-signature']);

  it('takes what was signed with its key just now', () => {
    expect(problem()).toBeUndefined();
    expect(problem({}, { now: sentAt + 299_000 })).toBeUndefined();
    expect(problem({}, { now: sentAt - 299_000 })).toBeUndefined();
  });

  it('takes one of several signatures, when keys change', () => {
    expect(problem({ 'webhook-signature': `v1a,x v1,${'A'.repeat(43)}= ${signature}` })).toBeUndefined();
  });

  it.each([
    ['no id', { 'webhook-id': undefined }, {}, 'not signed'],
    ['no signature', { 'webhook-signature': undefined }, {}, 'not signed'],
    ['no moment', { 'webhook-timestamp': undefined }, {}, 'not signed'],
    ['a moment that is none', { 'webhook-timestamp': 'yesterday' }, {}, 'no moment of sending'],
    ['another id', { 'webhook-id': 'msg_other' }, {}, 'a wrong signature'],
    ['another moment', { 'webhook-timestamp': '1614265331' }, {}, 'a wrong signature'],
    ['an empty signature', { 'webhook-signature': '' }, {}, 'a wrong signature'],
    ['another body', {}, { octets: Buffer.from('{}') }, 'a wrong signature'],
    ['another key', {}, { by: Buffer.alloc(24, 1) }, 'a wrong signature'],
    ['an old moment', {}, { now: sentAt + 301_000 }, 'sent at another time'],
    ['a moment to come', {}, { now: sentAt - 301_000 }, 'sent at another time'],
  ])('refuses %s', (_, change, more, expected) => {
    expect(problem(change, more)).toBe(expected);
  });
});
