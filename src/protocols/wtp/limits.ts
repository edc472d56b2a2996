/** How much a WTP peer may feed us in one datagram. Messages of several datagrams are bounded where they are put together. */
export interface WtpLimits {
  readonly maxDatagramBytes: number;
  /** PDUs that are concatenated in one datagram. */
  readonly maxPdus: number;
  /** Transport information items of one PDU. */
  readonly maxTpis: number;
}

export const WTP_LIMITS: WtpLimits = { maxDatagramBytes: 65_507, maxPdus: 32, maxTpis: 16 };
