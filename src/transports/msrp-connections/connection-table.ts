/**
 * Every open MSRP connection, accepted or made by us: how many there may be, and which of them should not go on. One
 * timer looks after all of them, since ten thousand connections need no more precision than that.
 */
import type { Socket } from 'node:net';
import { DeliveryError } from '../../kernel/errors.js';
import { type ConnectionOwner, MsrpConnection } from './connection.js';
import type { MsrpLimits } from './msrp-connections.js';

/** The table is walked this many times within the shortest time-out, and at most once in a second. */
const WALKS_PER_TIMEOUT = 4;
const MAX_WALK_INTERVAL_MS = 1000;

export class ConnectionTable {
  readonly #limits: MsrpLimits;
  readonly #owner: ConnectionOwner;
  readonly #onWalk: (now: number) => void;
  readonly #connections = new Set<MsrpConnection>();
  #timer: NodeJS.Timeout | undefined;

  /** `onWalk` is called each time after the table was walked, with the instant of `performance.now()`. */
  constructor(limits: MsrpLimits, owner: ConnectionOwner, onWalk: (now: number) => void) {
    this.#limits = limits;
    this.#owner = owner;
    this.#onWalk = onWalk;
  }

  /** Takes over a connected socket. Throws DeliveryError when there are too many connections. */
  add(socket: Socket): MsrpConnection {
    if (this.#connections.size >= this.#limits.maxConnections) {
      throw new DeliveryError('busy', 'too many MSRP connections');
    }
    const connection = new MsrpConnection(socket, this.#owner, this.#limits);
    this.#connections.add(connection);
    this.#timer ??= setInterval(() => this.#walk(), this.#walkIntervalMs()).unref();
    return connection;
  }

  delete(connection: MsrpConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  closeAll(reason: string): void {
    for (const connection of [...this.#connections]) connection.close(reason);
  }

  #walk(): void {
    const now = performance.now();
    for (const connection of this.#connections) {
      const complaint = connection.complaintAt(now);
      if (complaint !== undefined) connection.close(complaint);
    }
    this.#onWalk(now);
  }

  #walkIntervalMs(): number {
    const { idleConnectionMs, stalledRequestMs, openMessageMs } = this.#limits;
    const shortest = Math.min(idleConnectionMs, stalledRequestMs, openMessageMs);
    return Math.max(1, Math.min(shortest / WALKS_PER_TIMEOUT, MAX_WALK_INTERVAL_MS));
  }
}
