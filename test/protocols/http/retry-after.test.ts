/** `Retry-After` in its forms. */
import { describe, expect, it } from 'vitest';
import { retryAfter } from '../../../src/protocols/http/index.js';

const NOW = Date.UTC(2026, 6, 30, 10, 0, 0);
const at = (value: string) => retryAfter([{ name: 'retry-After', value }], NOW);

describe('Retry-After', () => {
  it.each([
    ['120', NOW + 120_000],
    ['Thu, 30 Jul 2026 10:00:30 GMT', NOW + 30_000],
    ['Thursday, 30-Jul-26 10:00:30 GMT', NOW + 30_000],
    ['Thu Jul 30 10:00:30 2026', NOW + 30_000],
    ['9999999999', NOW + 86_400_000],
  ])('%j is read', (value, expected) => {
    expect(at(value)).toBe(expected);
  });

  it.each(['', '0', '-1', '1.5', 'soon', 'Thu, 30 Jul 2026 09:00:00 GMT', '2026-07-31', 'Thu, nonsense GMT'])(
    '%j says nothing',
    (value) => {
      expect(at(value)).toBeUndefined();
    },
  );

  it('that is not there says nothing', () => {
    expect(retryAfter([], NOW)).toBeUndefined();
  });
});
