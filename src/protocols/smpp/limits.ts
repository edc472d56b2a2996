/** How much an SMSC may feed us in one PDU. A message payload of SMPP 3.4 has at most 64 KiB; 255 parts of a short message have 35 KiB. */
export interface SmppLimits {
  readonly maxPduBytes: number;
  /** Optional parameters of one PDU. */
  readonly maxParameters: number;
  /** Octets of one text field, its end not counted: longer than any that the specification allows. */
  readonly maxTextBytes: number;
}

export const SMPP_LIMITS: SmppLimits = { maxPduBytes: 40_960, maxParameters: 64, maxTextBytes: 255 };
