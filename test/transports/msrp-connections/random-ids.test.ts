import { describe, expect, it } from 'vitest';
import { isIdent } from '../../../src/protocols/msrp/index.js';
import {
  newSessionId,
  newTransactionId,
  transactionIdFor,
} from '../../../src/transports/msrp-connections/random-ids.js';

describe('identifiers', () => {
  it('of transactions are idents, and no two are equal, beyond one filling of the pool', () => {
    const ids = Array.from({ length: 5000 }, () => newTransactionId());
    expect([new Set(ids).size, ids.every(isIdent)]).toEqual([5000, true]);
  });

  it('of transactions use every character of their alphabet', () => {
    const seen = new Set(Array.from({ length: 5000 }, () => newTransactionId()).join(''));
    expect(seen.size).toBe(64);
  });

  it('of a transaction are drawn again while their end-line occurs in the content', () => {
    const drawn = ['first', 'second', 'third'];
    const content = Buffer.from('a -------second b\r\n-------first$\r\n');
    expect(transactionIdFor(content, () => drawn.shift() ?? '')).toBe('third');
  });

  it('of sessions carry 128 random bits', () => {
    const ids = Array.from({ length: 1000 }, newSessionId);
    expect([new Set(ids).size, Buffer.from(ids[0] ?? '', 'base64url').length]).toEqual([1000, 16]);
  });
});
