/**
 * SIP message → octets (RFC 3261 §7). Headers leave in the order given; Content-Length is written here and nowhere
 * else, always last, so it cannot disagree with the body. Sending is strict: a value that would break the framing
 * (CR, LF, a name that is no token) throws InvariantError, because it is our own defect.
 */
import { InvariantError } from '../../kernel/errors.js';
import { isToken } from './grammar.js';
import { canonicalHeaderName } from './headers.js';
import type { SipMessage } from './message.js';
import { byteStringOfText } from './text.js';

const LINE_BREAK = /[\r\n]/;

/** The octets of a whole message. */
export function encodeSipMessage(message: SipMessage): Uint8Array {
  const head = Buffer.from(headByteString(message), 'latin1');
  return message.body.length === 0 ? head : Buffer.concat([head, message.body]);
}

/** The same octets as a byte string (char codes 0–255), the form in which they pass through string-only interfaces. */
export function sipMessageByteString(message: SipMessage): string {
  const head = headByteString(message);
  if (message.body.length === 0) return head;
  const { body } = message;
  return head + Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1');
}

function headByteString(message: SipMessage): string {
  let text = startLine(message);
  for (const { name, value } of message.headers) {
    if (LINE_BREAK.test(value) || !isToken(name)) {
      throw new InvariantError(`header ${JSON.stringify(name)} cannot be written`);
    }
    if (canonicalHeaderName(name) !== 'content-length') text += `${name}: ${value}\r\n`;
  }
  return byteStringOfText(`${text}Content-Length: ${message.body.length}\r\n\r\n`);
}

function startLine(message: SipMessage): string {
  if (message.kind === 'request') {
    if (!isToken(message.method) || message.uri === '' || /[\x00-\x20\x7f]/.test(message.uri)) {
      throw new InvariantError(`request line "${message.method} ${message.uri}" cannot be written`);
    }
    return `${message.method} ${message.uri} SIP/2.0\r\n`;
  }
  if (LINE_BREAK.test(message.reason) || message.status < 100 || message.status > 699) {
    throw new InvariantError(`status line "${message.status} ${message.reason}" cannot be written`);
  }
  return `SIP/2.0 ${message.status} ${message.reason}\r\n`;
}
