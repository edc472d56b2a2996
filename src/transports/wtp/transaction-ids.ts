/**
 * Transaction ids of peers (WAP-224 §8.8): the last one of each is remembered, so that a request which was delayed in the network is not
 * taken for a new one; and our own, which count up for each peer. Both forget the peers that were heard of longest ago.
 */
import type { RandomBytes } from '../../kernel/clock.js';

const IDS = 0x8000;
const WINDOW = 0x4000;

export class TransactionIds {
  readonly #randomBytes: RandomBytes;
  readonly #maxPeers: number;
  readonly #received = new Map<string, number>();
  readonly #sent = new Map<string, number>();

  constructor(randomBytes: RandomBytes, maxPeers: number) {
    this.#randomBytes = randomBytes;
    this.#maxPeers = maxPeers;
  }

  /** Is this certainly a new request of the peer, and no old one? Then it is the last. */
  isNew(peer: string, transactionId: number, { beginsAnew }: { readonly beginsAnew: boolean }): boolean {
    const last = this.#received.get(peer);
    const ahead = last === undefined ? 1 : (transactionId - last + IDS) % IDS;
    if (beginsAnew || ahead === 0 || ahead > WINDOW) return false;
    this.confirmed(peer, transactionId);
    return true;
  }

  /** The peer says that the request is new. */
  confirmed(peer: string, transactionId: number): void {
    this.#keep(this.#received, peer, transactionId);
  }

  /** The next of our own. They begin anywhere, so that nobody can guess them. */
  next(peer: string): number {
    const last = this.#sent.get(peer);
    const [high = 0, low = 0] = last === undefined ? this.#randomBytes(2) : [];
    const id = last === undefined ? (high * 256 + low) % IDS : (last + 1) % IDS;
    this.#keep(this.#sent, peer, id);
    return id;
  }

  #keep(ids: Map<string, number>, peer: string, id: number): void {
    ids.delete(peer);
    ids.set(peer, id);
    const [oldest] = ids.keys();
    if (ids.size > this.#maxPeers && oldest !== undefined) ids.delete(oldest);
  }
}
