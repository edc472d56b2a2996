/** `Retry-After` (RFC 9110 §10.2.3): a number of seconds, or a date. */
import { type HeaderField, headerValue } from '../mime/index.js';

/** Whatever a peer asks for, we look again within a day. */
const MAX_MS = 86_400_000;

/** From when on trying again is wanted, milliseconds since the epoch; undefined when the headers do not say, or it is past. */
export function retryAfter(headers: readonly HeaderField[], now: number): number | undefined {
  const value = headerValue(headers, 'retry-after')?.trim() ?? '';
  const at = /^[0-9]{1,10}$/.test(value) ? now + Number(value) * 1000 : httpDate(value);
  return at === undefined || at <= now ? undefined : Math.min(at, now + MAX_MS);
}

/** The three forms of RFC 9110 §5.6.7 begin with the name of a day; `Date.parse` reads many things that are no date of HTTP. */
function httpDate(text: string): number | undefined {
  if (text.length > 40 || !/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text)) return undefined;
  const at = Date.parse(/GMT$/.test(text) ? text : `${text} GMT`);
  return Number.isNaN(at) ? undefined : at;
}
