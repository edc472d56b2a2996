/** Default limits of MSRP connections; docs/configuration.md tells operators about those that they can change. */
import { KIB, MIB, MINUTE_MS, SECOND_MS } from '../../kernel/units.js';
import type { MsrpLimits } from './msrp-connections.js';

const DEFAULT_MSRP_LIMITS: MsrpLimits = {
  chunkBytes: 16 * KIB,
  maxReceivedChunkBytes: MIB,
  maxReceivedMessageBytes: 2 * MIB,
  maxHeaderBytes: 8 * KIB,
  maxOpenMessages: 16,
  maxOpenBytes: 256 * MIB,
  maxConnections: 10_000,
  transactionTimeoutMs: 30 * SECOND_MS,
  reportTimeoutMs: 30 * SECOND_MS,
  maxInFlightChunks: 16,
  idleConnectionMs: 30 * SECOND_MS,
  stalledRequestMs: 30 * SECOND_MS,
  openMessageMs: 5 * MINUTE_MS,
};

/** Largest chunk that we send, whatever the configuration says. */
const MAX_CHUNK_BYTES = 64 * KIB;

/** A session that is never bound to a connection is closed after this time. */
export const DEFAULT_CONNECT_TIMEOUT_MS = 32 * SECOND_MS;

/** `given` over the defaults, the size of our chunks within bounds. */
export function msrpLimits(given: Partial<MsrpLimits> = {}): MsrpLimits {
  const limits = { ...DEFAULT_MSRP_LIMITS, ...given };
  return { ...limits, chunkBytes: Math.max(1, Math.min(limits.chunkBytes, MAX_CHUNK_BYTES)) };
}
