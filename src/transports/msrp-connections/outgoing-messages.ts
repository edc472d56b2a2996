/**
 * The messages that one session sends: first in, first out, chunk by chunk, with a bounded number of chunks
 * unanswered (RFC 4975 §7.1). The connection asks for one chunk at a time, so that its sessions take turns.
 */
import { DeliveryError, RefusedError } from '../../kernel/errors.js';
import {
  formatByteRange,
  formatEndLine,
  formatRequestLine,
  isIdent,
  type ReceivedMsrpRequest,
} from '../../protocols/msrp/index.js';
import type { ChunkSource, MsrpConnection, Transaction } from './connection.js';
import { DeadlineQueue } from './deadline-queue.js';
import type { MsrpLimits, MsrpMessageToSend, MsrpOutcome } from './msrp-connections.js';
import { OutgoingMessage } from './outgoing-message.js';
import { newTransactionId, transactionIdFor } from './random-ids.js';

export class OutgoingMessages implements ChunkSource {
  readonly #limits: MsrpLimits;
  /** Called with the status of a response that ends the whole session. */
  readonly #onSessionRefused: (status: number) => void;
  /** Not sent whole yet, in order. */
  readonly #queue: OutgoingMessage[] = [];
  /** Fate open, by Message-ID. */
  readonly #open = new Map<string, OutgoingMessage>();
  readonly #unreported: DeadlineQueue<OutgoingMessage>;
  #connection: MsrpConnection | undefined;
  #pathLines = '';
  #unansweredChunks = 0;
  #queuedBytes = 0;
  #isClosed = false;

  constructor(limits: MsrpLimits, onSessionRefused: (status: number) => void) {
    this.#limits = limits;
    this.#onSessionRefused = onSessionRefused;
    this.#unreported = new DeadlineQueue(limits.reportTimeoutMs, (message) =>
      message.settle({ kind: 'lost', error: new DeliveryError('timeout', 'no success report in time') }),
    );
  }

  /** Octets queued and not yet handed to the connection. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Chunks go out on this connection from now on; `pathLines` begin each of them. */
  start(connection: MsrpConnection, pathLines: string): void {
    this.#connection = connection;
    this.#pathLines = pathLines;
    if (this.#isReady) connection.wantsToSend(this);
  }

  async send(message: MsrpMessageToSend): Promise<MsrpOutcome> {
    if (!isIdent(message.messageId)) throw new RefusedError('malformed', 'Message-ID is not an ident');
    if (this.#open.has(message.messageId)) throw new RefusedError('conflict', 'Message-ID is in use');
    if (this.#isClosed)
      return { kind: 'lost', error: new DeliveryError('unreachable', 'the session is closed') };
    return new Promise((resolve) => {
      const outgoing = new OutgoingMessage(message, (outcome) => {
        this.#forget(outgoing);
        resolve(outcome);
      });
      this.#open.set(outgoing.messageId, outgoing);
      this.#queue.push(outgoing);
      this.#queuedBytes += outgoing.size;
      if (this.#isReady) this.#connection?.wantsToSend(this);
    });
  }

  writeChunk(connection: MsrpConnection): boolean {
    const message = this.#queue[0];
    if (message === undefined || !this.#isReady) return false;
    const octets = message.nextChunk(this.#limits.chunkBytes, () => {
      if (this.#isReady) connection.wantsToSend(this);
    });
    if (octets === undefined) return false;

    const id = transactionIdFor(octets);
    const range = formatByteRange(message.rangeOfNext(octets.length));
    message.chunkWritten(octets.length);
    connection.output.addText(
      formatRequestLine(id, 'SEND') +
        this.#pathLines +
        message.leadingFields +
        range +
        message.trailingFields,
    );
    connection.output.addBytes(octets);
    connection.output.addText(`\r\n${formatEndLine(id, message.isSentWhole ? '$' : '+')}`);
    connection.startTransaction(id, this.#chunkTransaction(message));
    this.#unansweredChunks += 1;
    this.#queuedBytes -= octets.length;
    if (message.isSentWhole) this.#queue.shift();
    return this.#isReady;
  }

  /** Matches a REPORT by Message-ID. Reports about anything else are ignored, as are those without a Status that we know. */
  receiveReport(report: ReceivedMsrpRequest): void {
    const message = this.#open.get(report.messageId ?? '');
    const { status } = report;
    if (message === undefined || !message.hasBegun || status === undefined || status.namespace !== '000')
      return;
    message.reported(status.code, status.comment, report.byteRange);
  }

  /** Nothing more is sent; every message whose fate is open is lost. */
  close(error: DeliveryError): void {
    this.#isClosed = true;
    this.#connection = undefined;
    this.#unreported.clear();
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    for (const message of [...this.#open.values()]) message.settle({ kind: 'lost', error });
  }

  get #isReady(): boolean {
    return (
      this.#connection !== undefined &&
      this.#queue.length > 0 &&
      this.#unansweredChunks < this.#limits.maxInFlightChunks
    );
  }

  #chunkTransaction(message: OutgoingMessage): Transaction {
    return {
      answered: (status, comment) => {
        this.#chunkDone();
        message.chunkAnswered(status, comment);
        if (message.successReport && message.isOnlyUnreported)
          this.#unreported.add(message.messageId, message);
        // [RFC 4975 §10] The peer does not know the session (481), or knows it elsewhere (506): it is of no more use.
        if (status === 481 || status === 506) this.#onSessionRefused(status);
      },
      expired: () => {
        this.#chunkDone();
        // [RFC 4975 §7.1.2] As if 408 had come, except that nobody said so.
        message.settle({ kind: 'lost', error: new DeliveryError('timeout', 'no answer to a chunk in time') });
      },
    };
  }

  #chunkDone(): void {
    this.#unansweredChunks -= 1;
    if (this.#isReady) this.#connection?.wantsToSend(this);
  }

  #forget(message: OutgoingMessage): void {
    this.#open.delete(message.messageId);
    this.#unreported.take(message.messageId);
    const at = message.isSentWhole ? -1 : this.#queue.indexOf(message);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    this.#queuedBytes -= message.unsentBytes;
    if (message.hasBegun) this.#abandon(message);
  }

  /** [RFC 4975 §7.1.1] Tells the peer that the rest will not come, so that it can forget what it has. */
  #abandon(message: OutgoingMessage): void {
    if (this.#connection === undefined) return;
    const id = newTransactionId();
    const range = formatByteRange({ ...message.rangeOfNext(0), end: undefined });
    const fields = `Message-ID: ${message.messageId}\r\n${range}Failure-Report: no\r\n`;
    this.#connection.writeText(
      `${formatRequestLine(id, 'SEND')}${this.#pathLines}${fields}${formatEndLine(id, '#')}`,
    );
  }
}
