/**
 * Timers, counters and limits of WTP (WAP-224 §7.3, §9.1). The defaults are those that the standard suggests for IP; the acknowledgement
 * timer is that of a provider which waits for its user.
 */
import { SECOND_MS } from '../../kernel/units.js';

export interface WtpOptions {
  /** R: time until something that has no answer is sent again. */
  readonly retransmitMs: number;
  /** RCR: how often it is sent again before the peer counts as gone. */
  readonly maxRetransmissions: number;
  /** A: time until a request that the user has not answered is acknowledged in its place. */
  readonly ackMs: number;
  /** W: how long a transaction is remembered after its end, so that what the peer repeats finds it. */
  readonly waitMs: number;
  /** How long the result of a request that the peer has acknowledged may take. */
  readonly resultMs: number;
  /** Largest datagram; a message that is larger goes in segments. */
  readonly maxDatagramBytes: number;
  /** Largest message that is put together. */
  readonly maxMessageBytes: number;
  /** Transactions of peers at a time, ended ones that are remembered among them. */
  readonly maxTransactions: number;
  /** The same for one peer. */
  readonly maxTransactionsPerPeer: number;
  /** Peers whose last transaction id is remembered. */
  readonly maxPeers: number;
}

export const WTP_DEFAULTS: WtpOptions = {
  retransmitMs: 5 * SECOND_MS,
  maxRetransmissions: 4,
  ackMs: 2 * SECOND_MS,
  waitMs: 30 * SECOND_MS,
  resultMs: 60 * SECOND_MS,
  maxDatagramBytes: 1400,
  maxMessageBytes: 256 * 1024,
  maxTransactions: 10_000,
  maxTransactionsPerPeer: 64,
  maxPeers: 100_000,
};
