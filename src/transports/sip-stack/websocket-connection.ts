/**
 * One WebSocket connection of the stack (RFC 7118): each message of it is one SIP message, each of ours one message of it, as text when
 * the octets are text. An empty line is a keep-alive (RFC 5626 §3.5.1), beside WebSocket's own pings, which we send too: pages cannot, and
 * proxies on the way forget who is silent (RFC 7118 §6). The peer cannot be called: a connection that is gone is gone.
 */
import { isUtf8 } from 'node:buffer';
import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import { DecodeError, DeliveryError } from '../../kernel/errors.js';
import { decodeSipMessage, type SipDecodeLimits, type SipStreamEvent } from '../../protocols/sip/index.js';
import { MAX_UNSENT_BYTES, type PeerConnection } from './connection.js';
import type { SipFlow } from './sip-stack.js';

export interface WebSocketConnectionOptions {
  readonly id: string;
  readonly transport: 'ws' | 'wss';
  readonly webSocket: WebSocket;
  /** Below it, for its addresses and to see whether octets come. */
  readonly socket: Socket;
  readonly limits: SipDecodeLimits;
  readonly onEvent: (event: SipStreamEvent, connection: PeerConnection) => void;
  readonly onClose: (connection: PeerConnection) => void;
}

/** A peer that has been silent for so long is asked; sooner where it would be given up sooner. */
const PING_AFTER_MS = 30_000;
/** [RFC 6455 §7.4.1] */
const GOING_AWAY = 1001;

export class WebSocketConnection implements PeerConnection {
  readonly protocol: string;
  readonly isReliable = true;
  readonly flow: SipFlow & { readonly connectionId: string };
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  readonly #options: WebSocketConnectionOptions;
  #lastActivityAt = Date.now();
  /** Octets read when the last whole message had come. */
  #readThen: number;
  /** Since when a message is incomplete, or since the connection exists without ever having carried one. */
  #waitingSince: number | undefined = Date.now();
  #hasCarriedMessage = false;
  #pingedAt = 0;
  #isFinishing = false;

  constructor(options: WebSocketConnectionOptions) {
    const { webSocket, socket, transport } = options;
    this.#options = options;
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#readThen = socket.bytesRead;
    this.protocol = transport.toUpperCase();
    this.flow = {
      transport,
      address: socket.remoteAddress ?? '',
      port: socket.remotePort ?? 0,
      connectionId: options.id,
    };
    webSocket.on('message', (octets) => this.#receive(octets));
    webSocket.on('ping', () => this.#noteActivity());
    webSocket.on('pong', () => this.#noteActivity());
    // An error (a frame that is too large, for one) is always followed by 'close'.
    webSocket.on('error', () => {});
    webSocket.once('close', () => options.onClose(this));
  }

  get isOpen(): boolean {
    return this.#webSocket.readyState === this.#webSocket.OPEN;
  }

  send(byteString: string): Promise<void> {
    this.#lastActivityAt = Date.now();
    return new Promise((resolve, reject) => {
      if (!this.isOpen) return reject(this.#unreachable('is closed'));
      if (this.#webSocket.bufferedAmount > MAX_UNSENT_BYTES) {
        this.#webSocket.terminate();
        return reject(this.#unreachable('does not read'));
      }
      const octets = Buffer.from(byteString, 'latin1');
      this.#webSocket.send(octets, { binary: !isUtf8(octets) }, (error) => {
        if (error) reject(this.#unreachable('failed', error));
        else resolve();
      });
    });
  }

  isOverdue(now: number, idleMs: number, stallMs: number): boolean {
    if (this.#waitingSince === undefined && this.#socket.bytesRead > this.#readThen) this.#waitingSince = now;
    if (this.#waitingSince !== undefined && now - this.#waitingSince > stallMs) return true;
    return now - this.#lastActivityAt > idleMs;
  }

  keepAlive(now: number, idleMs: number): void {
    const silentMs = Math.min(PING_AFTER_MS, idleMs / 3);
    if (!this.isOpen || now - Math.max(this.#lastActivityAt, this.#pingedAt) < silentMs) return;
    this.#pingedAt = now;
    this.#webSocket.ping();
  }

  expectNothing(): void {
    this.#hasCarriedMessage = true;
    this.#waitingSince = undefined;
  }

  finish(): void {
    this.#isFinishing = true;
    this.#waitingSince ??= Date.now();
    this.#webSocket.close(GOING_AWAY);
  }

  destroy(): void {
    this.#webSocket.terminate();
  }

  #receive(data: RawData): void {
    if (this.#isFinishing) return;
    this.#hasCarriedMessage = true;
    this.#noteActivity();
    const octets = Buffer.isBuffer(data) ? data : Buffer.concat([data].flat() as Buffer[]);
    if (/^[\r\n\0]{0,4}$/.test(octets.toString('latin1', 0, 5))) {
      // [RFC 5626 §4.4.1] the ping of two line ends is answered by one.
      if (octets.length === 4) this.send('\r\n').catch(() => {});
      return;
    }
    this.#options.onEvent(this.#read(octets), this);
  }

  /** What is wrong with one message says nothing about the next. */
  #read(octets: Buffer): SipStreamEvent {
    try {
      return { kind: 'message', message: decodeSipMessage(octets, this.#options.limits) };
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return { kind: 'malformed', error, head: octets, fatal: false };
    }
  }

  #noteActivity(): void {
    this.#lastActivityAt = Date.now();
    this.#readThen = this.#socket.bytesRead;
    // A peer that answers pings and says nothing else has no business here.
    if (this.#hasCarriedMessage) this.#waitingSince = undefined;
  }

  #unreachable(what: string, cause?: unknown): DeliveryError {
    const { address, port } = this.flow;
    return new DeliveryError('unreachable', `the ${this.protocol} connection to ${address}:${port} ${what}`, {
      retry: 'otherWay',
      cause,
    });
  }
}
