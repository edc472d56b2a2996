/** Status codes, the error mapping, timestamps. */
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../../src/kernel/errors.js';
import {
  formatTimestamp,
  isPapCode,
  PAP_CODE,
  PAP_REASON,
  PAP_STATUS,
  papStatusText,
  parseTimestamp,
} from '../../../src/protocols/pap/index.js';

describe('status codes', () => {
  it.each(Object.keys(PAP_STATUS).map(Number))('%i may stand in a code attribute', (code) => {
    expect(isPapCode(code)).toBe(true);
  });

  it.each([0, 999, 6000, 21000, 1000.5, Number.NaN])('%d may not', (code) => {
    expect(isPapCode(code)).toBe(false);
  });

  it('an unknown code reads as its class', () => {
    expect(papStatusText(2599)).toBe(PAP_STATUS[2000]);
  });

  it('every error of ours has a failure code and a sentence', () => {
    expect(ERROR_CODES.filter((code) => PAP_CODE[code] < 2000 || PAP_REASON[code].length === 0)).toEqual([]);
  });
});

describe('timestamps', () => {
  it.each([
    ['2026-08-02T00:00:00Z', Date.UTC(2026, 7, 2)],
    ['2024-02-29T23:59:59Z', Date.UTC(2024, 1, 29, 23, 59, 59)],
    ['1970-01-01T00:00:00Z', 0],
    ['9999-12-31T23:59:59Z', Date.UTC(9999, 11, 31, 23, 59, 59)],
  ])('%s is read and written', (text, instant) => {
    expect(parseTimestamp(text)).toBe(instant);
    expect(formatTimestamp(instant)).toBe(text);
  });

  it.each([
    '',
    '2026-08-02',
    '2026-08-02T00:00:00',
    '2026-08-02t00:00:00z',
    '2026-08-02 00:00:00Z',
    '2026-08-02T00:00:00.0Z',
    '2026-08-02T00:00:00+00:00',
    '2026-8-2T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-08-02T24:00:00Z',
    '2026-08-02T23:60:00Z',
    '2026-08-02T23:59:60Z',
    '2026-08-02T00:00:00Z ',
    '+002026-08-02T00:00:00Z',
  ])('%j is refused', (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });
});
