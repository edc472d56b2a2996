import { describe, expect, it } from 'vitest';
import { randomBytes } from '../../src/app/system-clock.js';

describe('random octets', () => {
  it('are as many as asked for, few or many', () => {
    for (const size of [0, 1, 12, 4095, 4096, 4097, 100_000]) expect(randomBytes(size)).toHaveLength(size);
  });

  it('are never given twice, across many draws of the pool', () => {
    const drawn = Array.from({ length: 5000 }, () => Buffer.from(randomBytes(16)).toString('hex'));
    expect(new Set(drawn).size).toBe(drawn.length);
  });

  it('do not change when more are drawn', () => {
    const first = randomBytes(16);
    const copy = Buffer.from(first);
    for (let count = 0; count < 1000; count += 1) randomBytes(16);
    expect(Buffer.from(first).equals(copy)).toBe(true);
  });

  it('use every value of an octet', () => {
    expect(new Set(randomBytes(100_000)).size).toBe(256);
  });
});
