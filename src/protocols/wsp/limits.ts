/** How much a WSP peer may feed us. A push over SMS is at most 255 parts of 128 octets; over UDP one datagram. */
export interface WspLimits {
  readonly maxPduBytes: number;
  /** Content type and headers together, as counted by the PDU's HeadersLen. */
  readonly maxHeaderBytes: number;
  readonly maxHeaders: number;
  /** Capabilities of a session, and addresses of a redirect. */
  readonly maxEntries: number;
  readonly maxUriBytes: number;
}

export const WSP_LIMITS: WspLimits = {
  maxPduBytes: 65_507,
  maxHeaderBytes: 8_192,
  maxHeaders: 64,
  maxEntries: 32,
  maxUriBytes: 2_048,
};
