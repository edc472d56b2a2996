/** The cache behind Timer J: what it keeps, for how long at least, and how much at most. */
import { afterEach, expect, test, vi } from 'vitest';
import { ResponseCache } from '../../../src/transports/sip-stack/response-cache.js';

const outlet = { protocol: 'UDP', isReliable: false, send: async () => {} };
const response = (byteString: string) => ({ byteString, outlet });

afterEach(() => {
  vi.useRealTimers();
});

test('a response is kept for its whole life and then forgotten', () => {
  vi.useFakeTimers();
  const cache = new ResponseCache(32_000);
  vi.advanceTimersByTime(3999);
  cache.set('a', response('A'));
  vi.advanceTimersByTime(32_000);
  expect(cache.get('a')?.byteString).toBe('A');
  vi.advanceTimersByTime(8001);
  expect(cache.get('a')).toBeUndefined();
});

test('nothing runs while nothing is held', () => {
  vi.useFakeTimers();
  const cache = new ResponseCache(32_000);
  expect(vi.getTimerCount()).toBe(0);
  cache.set('a', response('A'));
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(60_000);
  expect(vi.getTimerCount()).toBe(0);
});

test('above the bound the oldest go, the newest stay', () => {
  vi.useFakeTimers();
  const cache = new ResponseCache(32_000, 100_000);
  for (let index = 0; index < 1000; index += 1) {
    cache.set(`key${index}`, response('x'.repeat(400)));
    vi.advanceTimersByTime(10);
  }
  expect(cache.size).toBeLessThan(200);
  expect(cache.get('key999')).toBeDefined();
  expect(cache.get('key0')).toBeUndefined();
  cache.clear();
});
