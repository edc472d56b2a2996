/**
 * Points in time and spans of it as SMPP writes them (SMPP 3.4 §7.1.1): `YYMMDDhhmmsstnnp`. A span ends in `R` and needs no clock that
 * agrees with that of the SMSC.
 */
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../kernel/units.js';

/** A month is no fixed span, so the longest one is written in days. */
const LONGEST_SPAN_MS = 99 * DAY_MS;

/** A span from now on, rounded up to whole seconds, at least one. */
export function formatSpan(ms: number): string {
  const span = Math.min(Math.max(Math.ceil(ms / SECOND_MS) * SECOND_MS, SECOND_MS), LONGEST_SPAN_MS);
  const days = Math.floor(span / DAY_MS);
  const hours = Math.floor((span % DAY_MS) / HOUR_MS);
  const minutes = Math.floor((span % HOUR_MS) / MINUTE_MS);
  const seconds = Math.floor((span % MINUTE_MS) / SECOND_MS);
  return `0000${[days, hours, minutes, seconds].map(twoDigits).join('')}000R`;
}

/** An instant in UTC; `at` in milliseconds since the epoch. */
export function formatInstant(at: number): string {
  const date = new Date(at);
  const parts = [
    date.getUTCFullYear() % 100,
    date.getUTCMonth() + 1,
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
  ];
  return `${parts.map(twoDigits).join('')}${Math.floor(date.getUTCMilliseconds() / 100)}00+`;
}

const twoDigits = (value: number): string => String(value).padStart(2, '0');
