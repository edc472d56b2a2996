/**
 * One connection, TCP or TLS, and what flows over it for all sessions that share it (RFC 4975 §5.4): framing in, chunks out in
 * turns, responses matched to requests. Back-pressure works both ways: no chunk is asked for while the socket is full, and
 * nothing is read while answers pile up or received messages wait for their handlers.
 * It does not decide what a request means; its `owner` does.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { describeError } from '../../kernel/errors.js';
import { KIB } from '../../kernel/units.js';
import { type MsrpEvent, MsrpStreamReader, type ReceivedMsrpRequest } from '../../protocols/msrp/index.js';
import { ConnectionOutput } from './connection-output.js';
import { DeadlineQueue } from './deadline-queue.js';
import type { MsrpLimits } from './msrp-connections.js';
import { peerCertificate } from './secure-connection.js';

/** Something that writes chunks when its turn comes. */
export interface ChunkSource {
  /** Writes at most one chunk to `connection.output`. True when it could write another one at once. */
  writeChunk(connection: MsrpConnection): boolean;
}

/** A request that waits for its response. Exactly one of the two is called, unless the connection closes first. */
export interface Transaction {
  answered(status: number, comment: string): void;
  expired(): void;
}

/** What a session is to the connection that carries it. */
export interface ConnectionUser {
  connectionLost(reason: string): void;
}

export interface ConnectionOwner {
  requestReceived(connection: MsrpConnection, request: ReceivedMsrpRequest): void;
  connectionClosed(connection: MsrpConnection, reason: string): void;
}

/** Chunks are gathered up to this size before they are handed to the socket. */
const WRITE_BYTES = 64 * KIB;
/** Answers that may wait for a full socket before reading stops. */
const MAX_WAITING_OUTPUT_BYTES = 256 * KIB;
/** A chunk from a peer that has not shown yet that it knows a session: ten thousand of them must not fill the memory. */
const MAX_STRANGER_CHUNK_BYTES = 64 * KIB;
/** Received messages that may wait for their handlers before reading stops. */
const MAX_HANDLING_COUNT = 256;

export class MsrpConnection {
  readonly peer: string;
  readonly isSecure: boolean;
  /** What the peer has shown over TLS, DER. */
  readonly peerCertificate: Buffer | undefined;
  readonly output = new ConnectionOutput();
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #limits: MsrpLimits;
  readonly #reader: MsrpStreamReader;
  readonly #users = new Set<ConnectionUser>();
  readonly #transactions: DeadlineQueue<Transaction>;
  /** Sources with something to send, the one whose turn is next first. */
  readonly #ready = new Set<ChunkSource>();
  #isFlushScheduled = false;
  /** Since when the socket has taken nothing more; 0 when it does. */
  #blockedAt = 0;
  #handlingCount = 0;
  #handlingBytes = 0;
  #isReadingPaused = false;
  #lastOctetsAt = performance.now();
  #unusedSince = performance.now();
  #closeReason: string | undefined;

  /** Takes over a connected socket. */
  constructor(socket: Socket, owner: ConnectionOwner, limits: MsrpLimits) {
    this.#socket = socket;
    this.#owner = owner;
    this.#limits = limits;
    this.peer = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
    this.isSecure = socket instanceof TLSSocket;
    this.peerCertificate = peerCertificate(socket);
    this.#reader = new MsrpStreamReader({
      maxHeaderBytes: limits.maxHeaderBytes,
      maxChunkBytes: Math.min(limits.maxReceivedChunkBytes, MAX_STRANGER_CHUNK_BYTES),
    });
    this.#transactions = new DeadlineQueue(limits.transactionTimeoutMs, (transaction) =>
      transaction.expired(),
    );
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.on('data', (octets) => this.#receive(octets));
    socket.on('drain', () => this.#drained());
    socket.on('end', () => this.close('closed by the peer'));
    socket.on('error', (error) => this.close(describeError(error)));
    socket.on('close', () => this.close('connection lost'));
  }

  get isClosed(): boolean {
    return this.#closeReason !== undefined;
  }

  attach(user: ConnectionUser): void {
    this.#users.add(user);
    this.#reader.maxChunkBytes = this.#limits.maxReceivedChunkBytes;
  }

  detach(user: ConnectionUser): void {
    if (this.#users.delete(user)) this.#unusedSince = performance.now();
  }

  /** `source` has something to send; it is asked for chunks in turn with the others. */
  wantsToSend(source: ChunkSource): void {
    this.#ready.add(source);
    this.#scheduleFlush();
  }

  /** `source` has nothing to send any more. */
  stopsSending(source: ChunkSource): void {
    this.#ready.delete(source);
  }

  /** Writes a response, or a request that gets none. Never refused: it is the reading that stops when these pile up. */
  writeText(byteString: string): void {
    if (this.isClosed) return;
    this.output.addText(byteString);
    this.#scheduleFlush();
  }

  /** Waits for the response to the request `transactionId`, which the caller has written. */
  startTransaction(transactionId: string, transaction: Transaction): void {
    this.#transactions.add(transactionId, transaction);
  }

  /** A received message of `size` octets is with its handler, until the returned function is called. */
  holdForHandler(size: number): () => void {
    this.#handlingCount += 1;
    this.#handlingBytes += size;
    this.#updateReading();
    return () => {
      this.#handlingCount -= 1;
      this.#handlingBytes -= size;
      this.#updateReading();
    };
  }

  /** Why this connection should not go on at instant `now`, undefined when nothing is wrong with it. */
  complaintAt(now: number): string | undefined {
    const { idleConnectionMs, stalledRequestMs } = this.#limits;
    if (this.#users.size === 0 && now - this.#unusedSince >= idleConnectionMs) return 'no session uses it';
    if (this.#blockedAt !== 0 && now - this.#blockedAt >= stalledRequestMs) return 'the peer does not read';
    const isStalled = this.#reader.isMidChunk && !this.#isReadingPaused;
    if (isStalled && now - this.#lastOctetsAt >= stalledRequestMs) return 'a request was not finished';
    return undefined;
  }

  /** Writes what is gathered, then closes. Idempotent. */
  close(reason: string): void {
    if (this.#closeReason !== undefined) return;
    this.#write();
    this.#closeReason = reason;
    this.#transactions.clear();
    this.#ready.clear();
    // A peer that never reads would keep the socket open: what is unwritten when the time is up is dropped.
    this.#socket.destroySoon();
    if (!this.#socket.destroyed) {
      const timer = setTimeout(() => this.#socket.destroy(), 1000).unref();
      this.#socket.once('close', () => clearTimeout(timer));
    }
    for (const user of [...this.#users]) user.connectionLost(reason);
    this.#users.clear();
    this.#owner.connectionClosed(this, reason);
  }

  #receive(octets: Buffer): void {
    if (this.isClosed) return;
    this.#lastOctetsAt = performance.now();
    this.#reader.push(octets);
    try {
      for (let event = this.#reader.next(); event !== undefined; event = this.#reader.next()) {
        this.#dispatch(event);
        if (this.isClosed) return;
      }
    } catch (error) {
      // [RFC 4975 §7.1] Where the next request begins cannot be known any more, for any session.
      this.close(`broken framing: ${describeError(error)}`);
    }
  }

  #dispatch(event: MsrpEvent): void {
    if (event.kind === 'request') this.#owner.requestReceived(this, event);
    else this.#transactions.take(event.transactionId)?.answered(event.status, event.comment);
  }

  #scheduleFlush(): void {
    if (this.#isFlushScheduled || this.isClosed) return;
    this.#isFlushScheduled = true;
    process.nextTick(() => {
      this.#isFlushScheduled = false;
      this.#flush();
    });
  }

  /** Writes answers and then chunks, one of each source in turn, until the socket has enough. */
  #flush(): void {
    if (this.isClosed) return;
    while (this.#blockedAt === 0) {
      this.#gatherChunks();
      if (this.output.size === 0) break;
      this.#write();
    }
    this.#updateReading();
  }

  #gatherChunks(): void {
    for (const source of this.#ready) {
      if (this.output.size >= WRITE_BYTES) return;
      this.#ready.delete(source);
      // Added again behind the others; the iteration goes on with it when its turn comes.
      if (source.writeChunk(this)) this.#ready.add(source);
    }
  }

  #write(): void {
    if (this.output.size === 0 || this.#socket.destroyed) return;
    const gathered = this.output.take();
    const hasRoom =
      typeof gathered === 'string' ? this.#socket.write(gathered, 'latin1') : this.#socket.write(gathered);
    if (!hasRoom && this.#blockedAt === 0) this.#blockedAt = performance.now();
  }

  #drained(): void {
    this.#blockedAt = 0;
    this.#flush();
  }

  /**
   * Only answers that wait and messages with their handlers stop the reading. Chunks of ours that wait must not, or two
   * peers that send to each other would both stop.
   */
  #updateReading(): void {
    if (this.isClosed) return;
    const shouldPause =
      (this.#blockedAt !== 0 && this.output.size > MAX_WAITING_OUTPUT_BYTES) ||
      this.#handlingCount > MAX_HANDLING_COUNT ||
      this.#handlingBytes > 2 * this.#limits.maxReceivedMessageBytes;
    if (shouldPause === this.#isReadingPaused) return;
    this.#isReadingPaused = shouldPause;
    if (shouldPause) this.#socket.pause();
    else {
      this.#lastOctetsAt = performance.now();
      this.#socket.resume();
    }
  }
}
