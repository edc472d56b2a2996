/**
 * The `bad-message-fragment` of a badmessage-response (PAP §9.12): the piece of the document where reading stopped, so that the
 * initiator sees what we could not read. Short by design: it is untrusted text that goes back out.
 */
import { escapeXml } from '../xml/index.js';

/** Longest fragment, in characters of its escaped form. */
export const MAX_FRAGMENT_LENGTH = 256;
/** How much stands before the place of the error. */
const CONTEXT_OCTETS = 40;

/** The fragment around `offset` (octets); not escaped yet, but short enough to be within the limit once it is. */
export function badMessageFragment(bytes: Uint8Array, offset = 0): string {
  const start = Math.max(0, Math.min(offset, bytes.length) - CONTEXT_OCTETS);
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString('utf8', start, start + MAX_FRAGMENT_LENGTH)
    // A cut through a character, and the zero octets of UTF-16, say nothing to the reader.
    .replace(/^\ufffd+|\ufffd+$|\u0000/g, '');
  let fragment = '';
  let length = 0;
  for (const character of raw) {
    length += escapeXml(character).length;
    if (length > MAX_FRAGMENT_LENGTH) break;
    fragment += character;
  }
  return fragment;
}
