/**
 * SIP messages as plain values (RFC 3261 §7). Header fields keep their order, their spelling and their exact value;
 * bodies are octets. Nothing here reads a socket or a clock.
 */

/** One header field as it stands on the wire: `name` as spelled by the sender (compact forms are kept), `value` unfolded and trimmed. */
export interface SipHeader {
  readonly name: string;
  readonly value: string;
}

export interface SipRequest {
  readonly kind: 'request';
  readonly method: string;
  /** The Request-URI, byte for byte. */
  readonly uri: string;
  readonly headers: readonly SipHeader[];
  readonly body: Uint8Array;
}

export interface SipResponse {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly SipHeader[];
  readonly body: Uint8Array;
}

export type SipMessage = SipRequest | SipResponse;
