/** How much a WBXML document may make us hold. What push carries is small: 255 short messages are 35 KiB. */
export interface WbxmlLimits {
  readonly maxBytes: number;
  readonly maxStringTableBytes: number;
  /** Elements inside each other. */
  readonly maxDepth: number;
  /** Elements, attributes and pieces of text together. */
  readonly maxNodes: number;
  /** Characters of all values and texts: a short reference can name a long string of the string table, again and again. */
  readonly maxTextLength: number;
}

export const WBXML_LIMITS: WbxmlLimits = {
  maxBytes: 65_536,
  maxStringTableBytes: 8_192,
  maxDepth: 32,
  maxNodes: 8_192,
  maxTextLength: 262_144,
};
