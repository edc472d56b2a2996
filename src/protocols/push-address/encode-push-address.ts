/** `PushAddress` parts to text, in the strict form: upper-case keywords, everything unsafe escaped, E.164 numbers without separators. */
import { InvariantError } from '../../kernel/errors.js';
import { escapePercent } from './percent-escape.js';
import type { PushAddress } from './push-address.js';

/** What an address is made of; the rest of `PushAddress` follows from it. */
export type PushAddressParts = Pick<PushAddress, 'type' | 'value' | 'device' | 'ppg' | 'port'>;

/** `WAPPUSH=<value>[/device=<identity>]/TYPE=<type>[@<ppg>]`. */
export function encodePushAddress(parts: PushAddressParts): string {
  if (parts.value === '' || (parts.port !== undefined && parts.type !== 'USER')) {
    throw new InvariantError('these parts make no push address');
  }
  const value = parts.port === undefined ? parts.value : `${parts.value}:${parts.port}`;
  const device = parts.device === undefined ? '' : `/device=${escapePercent(parts.device)}`;
  const ppg = parts.ppg === undefined ? '' : `@${parts.ppg}`;
  // IPv6 groups are separated by ":" in the grammar itself.
  const specifier = parts.type === 'IPv6' ? value : escapePercent(value);
  return `WAPPUSH=${specifier}${device}/TYPE=${parts.type}${ppg}`;
}
