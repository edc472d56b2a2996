/**
 * Octets and text of a SIP head. Header text is UTF-8 (RFC 3261 §7), but phones send Latin-1 display names, and what
 * we copy into a response has to leave as it came. An octet that is no UTF-8 becomes a lone surrogate U+DC80..U+DCFF
 * and turns back into that octet, so decoding and encoding are exact for any input.
 * A "byte string" is a string whose char codes are octets (0–255).
 */

const BEYOND_ASCII = /[^\x00-\x7f]/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Text of a byte string. Plain ASCII, nearly every head, is returned as it is. */
export function textOfByteString(byteString: string): string {
  if (!BEYOND_ASCII.test(byteString)) return byteString;
  const octets = Buffer.from(byteString, 'latin1');
  const text = octets.toString('utf8');
  return octets.equals(Buffer.from(text, 'utf8')) ? text : decodeKeepingStrayOctets(octets);
}

/** The byte string that `text` is on the wire: the inverse of textOfByteString. */
export function byteStringOfText(text: string): string {
  if (!BEYOND_ASCII.test(text)) return text;
  if (!LONE_SURROGATE.test(text)) return Buffer.from(text, 'utf8').toString('latin1');
  let byteString = '';
  for (const character of text) {
    const code = character.charCodeAt(0);
    const stray = character.length === 1 && code >= 0xdc80 && code <= 0xdcff;
    byteString += stray
      ? String.fromCharCode(code - 0xdc00)
      : Buffer.from(character, 'utf8').toString('latin1');
  }
  return byteString;
}

function decodeKeepingStrayOctets(octets: Buffer): string {
  let text = '';
  let offset = 0;
  while (offset < octets.length) {
    const character = characterAt(octets, offset);
    if (character === undefined) {
      text += String.fromCharCode(0xdc00 + octets.readUInt8(offset));
      offset += 1;
    } else {
      text += character.text;
      offset += character.size;
    }
  }
  return text;
}

/** The character whose UTF-8 form starts at `offset`, or undefined when no valid form does. */
function characterAt(octets: Buffer, offset: number): { text: string; size: number } | undefined {
  const lead = octets.readUInt8(offset);
  const size = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (size === 0 || offset + size > octets.length) return undefined;
  const form = octets.subarray(offset, offset + size);
  const text = form.toString('utf8');
  return Buffer.from(text, 'utf8').equals(form) ? { text, size } : undefined;
}
