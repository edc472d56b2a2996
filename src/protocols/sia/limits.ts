/** How much of a SIA body we read. A SIR that came in short messages has at most 255 × 128 octets; real ones have below 500. */
export interface SiaLimits {
  readonly maxBytes: number;
  /** Of each list: application ids, contact points, protocol options, CPITags. */
  readonly maxEntries: number;
  readonly maxExtensionBytes: number;
  readonly maxExtensionLines: number;
}

export const SIA_LIMITS: SiaLimits = {
  maxBytes: 16_384,
  maxEntries: 64,
  maxExtensionBytes: 8_192,
  maxExtensionLines: 64,
};
