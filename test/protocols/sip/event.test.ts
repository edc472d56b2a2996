/** The headers of event notification (RFC 6665 §8.2). */
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import { parseEventType, parseSubscriptionState } from '../../../src/protocols/sip/index.js';

describe('Event', () => {
  it.each([
    ['reg', { name: 'reg', id: undefined }],
    ['presence ; id=7', { name: 'presence', id: '7' }],
    ['presence.winfo;x=y', { name: 'presence.winfo', id: undefined }],
    ['Presence', { name: 'Presence', id: undefined }],
  ])('"%s" is read', (text, event) => {
    expect(parseEventType(text)).toEqual(event);
  });

  it.each(['', ';id=1', 'a b', '"reg"'])('"%s" is refused', (text) => {
    expect(() => parseEventType(text)).toThrow(DecodeError);
  });
});

describe('Subscription-State', () => {
  const nothing = { reason: undefined, expiresSeconds: undefined, retryAfterSeconds: undefined };
  it.each([
    ['active;expires=600', { ...nothing, state: 'active', expiresSeconds: 600 }],
    ['Pending', { ...nothing, state: 'pending' }],
    [
      'terminated;reason=Probation;retry-after=30',
      { ...nothing, state: 'terminated', reason: 'probation', retryAfterSeconds: 30 },
    ],
    ['active;expires=soon;reason', { ...nothing, state: 'active' }],
    ['active;expires=99999999999', { ...nothing, state: 'active' }],
  ])('"%s" is read', (text, state) => {
    expect(parseSubscriptionState(text)).toEqual(state);
  });

  it.each(['', ';expires=1', 'act ive', 'active expires=1'])('"%s" is refused', (text) => {
    expect(() => parseSubscriptionState(text)).toThrow(DecodeError);
  });
});
