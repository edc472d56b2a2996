/**
 * One TCP or TLS connection of the stack (RFC 3261 §18.3, RFC 5626 §3.5.1): framing, keep-alive answers, and the facts that
 * the connection table judges it by (idle, stalled in a message, reading too slowly). Accepted and opened connections
 * are the same thing once they exist.
 */
import type { Socket } from 'node:net';
import { DeliveryError } from '../../kernel/errors.js';
import { type SipDecodeLimits, type SipStreamEvent, SipStreamReader } from '../../protocols/sip/index.js';
import type { SipFlow } from './sip-stack.js';
import type { Outlet } from './transactions.js';

/** Octets that may wait for a peer that does not read; above it the connection is cut. */
export const MAX_UNSENT_BYTES = 4 * 1024 * 1024;

/** A connection to a peer as the connection table sees it. */
export interface PeerConnection extends Outlet {
  readonly flow: SipFlow & { readonly connectionId: string };
  readonly isOpen: boolean;
  /** True when the peer has been silent, or stuck inside a message, for too long. */
  isOverdue(now: number, idleMs: number, stallMs: number): boolean;
  /** Asks a peer that has been silent whether it is still there, where the protocol has a question for that. */
  keepAlive?(now: number, idleMs: number): void;
  /** A request of ours went out first: the peer owes nothing before it answers. */
  expectNothing(): void;
  /** Sends what is queued, then closes; a peer that does not close its side is cut off as one that stalls. */
  finish(): void;
  destroy(): void;
}

export interface ConnectionOptions {
  readonly id: string;
  readonly transport: 'tcp' | 'tls';
  readonly socket: Socket;
  readonly limits: SipDecodeLimits;
  readonly onEvent: (event: SipStreamEvent, connection: Connection) => void;
  readonly onClose: (connection: Connection) => void;
}

export class Connection implements PeerConnection {
  readonly protocol: string;
  readonly isReliable = true;
  readonly flow: SipFlow & { readonly connectionId: string };
  readonly #socket: Socket;
  readonly #reader: SipStreamReader;
  readonly #onEvent: ConnectionOptions['onEvent'];
  #lastActivityAt = Date.now();
  /** Since when a message is incomplete, or since the connection exists without ever having carried one. */
  #waitingSince: number | undefined = Date.now();
  #isOpen = true;
  #isFinishing = false;

  constructor(options: ConnectionOptions) {
    const { socket } = options;
    this.#socket = socket;
    this.#onEvent = options.onEvent;
    this.#reader = new SipStreamReader(options.limits);
    this.protocol = options.transport.toUpperCase();
    this.flow = {
      transport: options.transport,
      address: socket.remoteAddress ?? '',
      port: socket.remotePort ?? 0,
      connectionId: options.id,
    };
    socket.setNoDelay(true);
    socket.on('data', (octets) => this.#receive(octets));
    // An error is always followed by 'close', which tells everybody who needs to know.
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#isOpen = false;
      options.onClose(this);
    });
  }

  get isOpen(): boolean {
    return this.#isOpen && !this.#socket.destroyed;
  }

  send(byteString: string): Promise<void> {
    this.#lastActivityAt = Date.now();
    return new Promise((resolve, reject) => {
      if (!this.isOpen) return reject(this.#unreachable('is closed'));
      if (this.#socket.writableLength > MAX_UNSENT_BYTES) {
        this.#socket.destroy();
        return reject(this.#unreachable('does not read'));
      }
      this.#socket.write(byteString, 'latin1', (error) => {
        if (error) reject(this.#unreachable('failed', error));
        else resolve();
      });
    });
  }

  isOverdue(now: number, idleMs: number, stallMs: number): boolean {
    if (this.#waitingSince !== undefined && now - this.#waitingSince > stallMs) return true;
    return now - this.#lastActivityAt > idleMs;
  }

  expectNothing(): void {
    this.#waitingSince = undefined;
  }

  finish(): void {
    this.#isFinishing = true;
    this.#waitingSince ??= Date.now();
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #receive(octets: Buffer): void {
    if (this.#isFinishing) return;
    const now = Date.now();
    this.#lastActivityAt = now;
    this.#reader.push(octets);
    for (;;) {
      const event = this.#reader.next();
      if (event === undefined) break;
      this.#waitingSince = undefined;
      if (event.kind === 'ping') this.send('\r\n').catch(() => {});
      else this.#onEvent(event, this);
    }
    if (this.#reader.isMidMessage) this.#waitingSince ??= now;
  }

  #unreachable(what: string, cause?: unknown): DeliveryError {
    const { address, port } = this.flow;
    return new DeliveryError('unreachable', `the ${this.protocol} connection to ${address}:${port} ${what}`, {
      cause,
    });
  }
}
