/**
 * `X-Wap-CPITag`: four octets by which a terminal marks the state of its capabilities (WAP-235). Two text forms are in use: Base64,
 * and hexadecimal digits of which one maker loses the leading zeros. A tag is given back to a terminal in the text that it used;
 * the octets are for the body of a SIR.
 */
import { InvariantError } from '../../kernel/errors.js';

export const CPI_TAG_OCTETS = 4;

/** The octets of a tag in either form; undefined for any other text. */
export function parseCpiTag(text: string): Uint8Array | undefined {
  const trimmed = text.trim().replace(/^"(.*)"$/, '$1');
  // Base64 of four octets always ends in "==", so no text is both.
  if (/^[0-9A-Fa-f]{1,8}$/.test(trimmed))
    return Buffer.from(trimmed.padStart(2 * CPI_TAG_OCTETS, '0'), 'hex');
  if (!/^[A-Za-z0-9+/]{6}==$/.test(trimmed)) return undefined;
  return Buffer.from(trimmed, 'base64');
}

export function formatCpiTag(octets: Uint8Array, form: 'base64' | 'hex' = 'base64'): string {
  if (octets.length !== CPI_TAG_OCTETS) throw new InvariantError('a CPITag has four octets');
  return Buffer.from(octets).toString(form);
}

/** Do two texts mean one tag? Texts that are no tag are compared as they stand. */
export function equalCpiTags(a: string, b: string): boolean {
  const [first, second] = [parseCpiTag(a), parseCpiTag(b)];
  if (first === undefined || second === undefined) return a.trim() === b.trim();
  return Buffer.compare(first, second) === 0;
}
