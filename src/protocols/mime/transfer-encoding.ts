/**
 * Content-Transfer-Encoding (RFC 2045 §6): undoing base64 and quoted-printable, strictly. What a sender garbled is refused
 * and not guessed, because the octets go to a terminal as they come out here.
 */
import { DecodeError } from '../../kernel/errors.js';

/**
 * The content without its transfer encoding; the same octets for 7bit, 8bit, binary and for no encoding at all. Throws
 * DecodeError for an unknown encoding and for content that breaks the rules of its own.
 */
export function decodeTransferEncoding(content: Uint8Array, encoding: string | undefined): Uint8Array {
  switch (encoding?.trim().toLowerCase()) {
    case undefined:
    case '7bit':
    case '8bit':
    case 'binary':
      return content;
    case 'base64':
      return decodeBase64(content);
    case 'quoted-printable':
      return decodeQuotedPrintable(content);
    default:
      throw new DecodeError('unknown Content-Transfer-Encoding', { clause: 'RFC 2045 §6.1' });
  }
}

/** Line breaks and white space between the characters are ignored; everything else outside the alphabet is refused. */
function decodeBase64(content: Uint8Array): Uint8Array {
  const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
    .toString('latin1')
    .replace(/[\r\n\t ]+/g, '');
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const characters = text.length - padding;
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*$/.test(text.slice(0, characters))) {
    throw new DecodeError('content is not base64', { clause: 'RFC 2045 §6.8' });
  }
  const decoded = Buffer.from(text, 'base64');
  // Bits beyond the last octet must be zero, or two different texts would stand for one content (RFC 4648 §3.5).
  if (decoded.toString('base64') !== text)
    throw new DecodeError('stray bits in base64', { clause: 'RFC 4648 §3.5' });
  return decoded;
}

const EQUALS = 0x3d;

function decodeQuotedPrintable(content: Uint8Array): Uint8Array {
  const decoded = Buffer.allocUnsafe(content.length);
  let written = 0;
  for (let at = 0; at < content.length; at += 1) {
    let octet = content[at] ?? 0;
    if (octet === EQUALS) {
      const softBreak = softLineBreakLength(content, at + 1);
      if (softBreak > 0) {
        at += softBreak;
        continue;
      }
      octet = hexOctet(content, at + 1);
      at += 2;
    } else if (octet > 0x7e || (octet < 0x20 && octet !== 0x09 && octet !== 0x0a && octet !== 0x0d)) {
      throw new DecodeError('octet that quoted-printable must escape', {
        offset: at,
        clause: 'RFC 2045 §6.7',
      });
    }
    decoded[written] = octet;
    written += 1;
  }
  return decoded.subarray(0, written);
}

/** Octets of a soft line break after its `=`: padding that transports may have added, then CRLF or LF. 0 when there is none. */
function softLineBreakLength(content: Uint8Array, start: number): number {
  let at = start;
  while (content[at] === 0x20 || content[at] === 0x09) at += 1;
  if (content[at] === 0x0d && content[at + 1] === 0x0a) return at + 2 - start;
  return content[at] === 0x0a ? at + 1 - start : 0;
}

function hexOctet(content: Uint8Array, at: number): number {
  const digits = String.fromCharCode(content[at] ?? 0, content[at + 1] ?? 0);
  if (!/^[0-9A-Fa-f]{2}$/.test(digits)) {
    throw new DecodeError('"=" without two hexadecimal digits', { offset: at, clause: 'RFC 2045 §6.7' });
  }
  return Number.parseInt(digits, 16);
}
