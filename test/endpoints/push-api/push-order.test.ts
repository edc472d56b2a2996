/** The body of a submission in JSON: hostile variations never get further than a DecodeError, and a fingerprint says what it must. */
import { describe, expect, it } from 'vitest';
import { decodePushOrder } from '../../../src/endpoints/push-api/push-order.js';
import { DecodeError } from '../../../src/kernel/errors.js';
import { mutated } from '../../support/mutations.js';
import { seededRandom } from '../../support/seeded-random.js';

const ORDER = {
  pushId: 'p1',
  to: ['sip:alice@example.test', { user: 'sip:bob@example.test', device: 'urn:gsma:imei:35209900-176148-1' }],
  content: {
    type: 'text/plain; charset=utf-8',
    text: 'Hello',
    headers: { 'X-A': 'b', 'Content-Language': 'de' },
  },
  deliverAfter: '2026-03-01T09:00:00+01:00',
  deliverBefore: '2026-03-01T12:00:00.5Z',
  priority: 'low',
  deliveryMethod: 'confirmed',
  notify: { url: 'https://pi.test/', secret: `whsec_${Buffer.alloc(24, 1).toString('base64')}` },
  sourceReference: 'x',
};
const LIMITS = { maxAddresses: 10 };
const fingerprint = (changes: object) =>
  decodePushOrder({ ...ORDER, ...changes }, LIMITS).submission.json.fingerprint;

describe('a mutated order', () => {
  it('is read or refused, and never anything else', () => {
    const random = seededRandom(4242);
    const valid = Buffer.from(JSON.stringify(ORDER));
    let refused = 0;
    let read = 0;
    for (let round = 0; round < 4000; round += 1) {
      let body: unknown;
      try {
        body = JSON.parse(mutated(valid, random).toString('utf8'));
      } catch {
        continue; // never gets here: the body is read as JSON first
      }
      try {
        const { submission } = decodePushOrder(body, LIMITS);
        for (const { name, value } of submission.headers) expect(`${name}${value}`).not.toMatch(/[\r\n\0]/);
        read += 1;
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
        refused += 1;
      }
    }
    expect(Math.min(read, refused)).toBeGreaterThan(50);
  });

  it.each([
    ['null', null],
    ['a number', 7],
    ['a deep nest', JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`)],
    [
      'a prototype',
      JSON.parse('{"__proto__":{"to":[]},"to":["sip:a@b"],"content":{"type":"a/b","text":""}}'),
    ],
    [
      'headers of a prototype',
      { ...ORDER, content: { ...ORDER.content, headers: JSON.parse('{"__proto__":"x"}') } },
    ],
  ])('of %s does no harm', (_what, body) => {
    try {
      expect(decodePushOrder(body, LIMITS).submission.headers).toEqual([]);
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError);
    }
    expect({}).not.toHaveProperty('to');
  });
});

describe('an order without measure', () => {
  const refusal = (body: object): DecodeError => {
    try {
      decodePushOrder(body, LIMITS);
    } catch (error) {
      if (error instanceof DecodeError) return error;
    }
    throw new Error('it was not refused');
  };

  it('is refused for its addresses before any of them is read', () => {
    const { code, detail } = refusal({ ...ORDER, to: Array(300_000).fill(7) });
    expect([code, detail]).toEqual(['limitExceeded', 'to: more than 10 addresses']);
  });

  it('is refused for its headers before any of them is read', () => {
    const headers = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`x${index}`, 7]));
    const { code, detail } = refusal({ ...ORDER, content: { ...ORDER.content, headers } });
    expect([code, detail]).toEqual(['limitExceeded', 'content.headers: more than 64']);
  });

  it('does not have all of its unknown properties read back to it', () => {
    const unknown = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`x${index}`, 7]));
    expect(refusal({ ...ORDER, ...unknown }).detail.length).toBeLessThanOrEqual(300);
  });
});

describe('a fingerprint', () => {
  it('is the same for the same order, whatever it is called', () => {
    expect(fingerprint({ pushId: 'other' })).toBe(fingerprint({}));
  });

  it('is the same for text and for its octets', () => {
    const { text, ...content } = ORDER.content;
    const base64 = Buffer.from(text).toString('base64');
    expect(fingerprint({ content: { ...content, base64 } })).toBe(fingerprint({}));
  });

  it.each([
    ['the order of addresses', { to: [...ORDER.to].reverse() }],
    ['a header', { content: { ...ORDER.content, headers: { 'X-A': 'c', 'Content-Language': 'de' } } }],
    [
      'the secret',
      { notify: { ...ORDER.notify, secret: `whsec_${Buffer.alloc(24, 2).toString('base64')}` } },
    ],
    ['the reference', { sourceReference: 'y' }],
    ['what it replaces', { replace: { pushId: 'p0' } }],
    ['how it replaces', { replace: { pushId: 'p0', method: 'pending-only' } }],
  ])('changes with %s', (_what, changes) => {
    expect(fingerprint(changes)).not.toBe(fingerprint({}));
  });
});
