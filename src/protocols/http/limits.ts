/** How much of an HTTP/1.1 message we read. */
export interface HttpLimits {
  /** Octets of start line and header fields together. */
  readonly maxHeadBytes: number;
  readonly maxHeaders: number;
  readonly maxBodyBytes: number;
}

export const HTTP_LIMITS: HttpLimits = { maxHeadBytes: 16_384, maxHeaders: 100, maxBodyBytes: 65_536 };
