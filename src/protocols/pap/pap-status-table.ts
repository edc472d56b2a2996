/**
 * PAP status codes (PAP §9.13): the name of each, which is also the description that we send when there is nothing better
 * to say. The first digit is the class; x500 to x999 are free for implementations.
 */
import type { PapCode } from './document.js';

export const PAP_STATUS = {
  1000: 'OK',
  1001: 'Accepted for processing',
  2000: 'Bad request',
  2001: 'Forbidden',
  2002: 'Address error',
  2003: 'Address not found',
  2004: 'Push ID not found',
  2005: 'Capabilities mismatch',
  2006: 'Required capabilities not supported',
  2007: 'Duplicate push ID',
  2008: 'Cancellation not possible',
  3000: 'Internal server error',
  3001: 'Not implemented',
  3002: 'Version not supported',
  3003: 'Not possible',
  3004: 'Capability matching not supported',
  3005: 'Multiple addresses not supported',
  3006: 'Transformation failure',
  3007: 'Specified delivery method not possible',
  3008: 'Capabilities not available',
  3009: 'Required network not available',
  3010: 'Required bearer not available',
  3011: 'Replacement not supported',
  4000: 'Service failure',
  4001: 'Service unavailable',
  5000: 'Mobile client aborted',
} as const satisfies Readonly<Record<number, string>>;

/** A code that this gateway has a name for. */
export type KnownPapCode = keyof typeof PAP_STATUS;

/** The default description of a code; of its class when the code itself is not known (PAP §9.13). */
export function papStatusText(code: PapCode): string {
  const table: Readonly<Record<number, string>> = PAP_STATUS;
  return table[code] ?? table[Math.floor(code / 1000) * 1000] ?? 'Unknown status';
}

/** True for a number that may stand in a `code` attribute. */
export function isPapCode(code: number): code is PapCode {
  return Number.isInteger(code) && code >= 1000 && code <= 5999;
}
