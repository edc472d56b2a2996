/** Tells people at the other end why a request was refused (RFC 3261 §20.43). */
import type { SipHeader } from '../../protocols/sip/index.js';

export function warning(host: string, text: string): SipHeader {
  return {
    name: 'Warning',
    value: `399 ${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host} "${text.replace(/[^\x20-\x7e]/g, ' ').replace(/["\\]/g, "'")}"`,
  };
}
