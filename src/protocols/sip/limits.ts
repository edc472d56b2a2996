/**
 * What a SIP message may cost before it is refused. Every reader of this folder takes these; the transport's own
 * limits extend them. A limit that is passed is a DecodeError with code `limitExceeded`, which the stack answers 413
 * (or 400) where there is enough of a request to answer.
 */
import { KIB } from '../../kernel/units.js';

export interface SipDecodeLimits {
  /** Octets of one whole message, start line to the last octet of the body. */
  readonly maxMessageBytes: number;
  /** Header field lines of one message. */
  readonly maxHeaderCount: number;
  /** Octets of one header field, folded lines included. */
  readonly maxHeaderBytes: number;
}

export const DEFAULT_SIP_DECODE_LIMITS: SipDecodeLimits = {
  maxMessageBytes: 64 * KIB - 1,
  maxHeaderCount: 128,
  maxHeaderBytes: 8 * KIB,
};
