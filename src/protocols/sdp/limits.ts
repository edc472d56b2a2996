/** What a session description may cost. Ours are a dozen lines; a peer's may list every codec it knows. */
import { KIB } from '../../kernel/units.js';

export interface SdpLimits {
  readonly maxBytes: number;
  /** Lines of the whole description. */
  readonly maxLines: number;
  /** `m=` sections: each has to be answered. */
  readonly maxMedia: number;
}

export const DEFAULT_SDP_LIMITS: SdpLimits = { maxBytes: 32 * KIB, maxLines: 512, maxMedia: 16 };
