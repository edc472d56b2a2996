/**
 * What one session receives: chunks put together, whole messages handed to the owner of the session, the answer to the
 * last chunk and the success report after the owner has taken the message (RFC 4975 §7.3.1).
 */
import { describeError } from '../../kernel/errors.js';
import {
  type AssembledMessage,
  formatByteRange,
  formatEndLine,
  formatPaths,
  formatRequestLine,
  MsrpMessageAssembler,
  type OpenMessageBudget,
  type ReceivedMsrpRequest,
} from '../../protocols/msrp/index.js';
import { answer } from './answers.js';
import type { MsrpConnection } from './connection.js';
import type { MsrpConnectionsOptions, MsrpLimits } from './msrp-connections.js';
import { newTransactionId } from './random-ids.js';
import { statusOfError } from './status-of-error.js';

/** Takes a whole message; throws, or rejects, to refuse it. */
export type TakeMessage = (message: AssembledMessage) => void | Promise<void>;

export class IncomingMessages {
  readonly #assembler: MsrpMessageAssembler;
  readonly #take: TakeMessage;
  readonly #log: NonNullable<MsrpConnectionsOptions['log']>;
  readonly #openMessageMs: number;

  constructor(
    around: {
      readonly limits: MsrpLimits;
      readonly openMessageBudget: OpenMessageBudget;
      readonly log: NonNullable<MsrpConnectionsOptions['log']>;
    },
    take: TakeMessage,
  ) {
    const { limits } = around;
    this.#assembler = new MsrpMessageAssembler(
      {
        maxMessageBytes: limits.maxReceivedMessageBytes,
        maxOpenMessages: limits.maxOpenMessages,
        maxOpenBytes: 4 * limits.maxReceivedMessageBytes,
      },
      around.openMessageBudget,
    );
    this.#take = take;
    this.#log = around.log;
    this.#openMessageMs = limits.openMessageMs;
  }

  receiveSend(connection: MsrpConnection, chunk: ReceivedMsrpRequest): void {
    const isPartOfMessage =
      chunk.body !== undefined || (chunk.messageId !== undefined && this.#assembler.has(chunk.messageId));
    if (!isPartOfMessage) {
      // Only there to bind the session, or to keep it alive.
      answer(connection, chunk, 200);
      return;
    }
    const result = this.#assembler.add(chunk, performance.now());
    if (result.kind === 'complete') this.#handOver(connection, chunk, result.message);
    else answer(connection, chunk, result.kind === 'refused' ? result.status : 200);
  }

  /** Forgets messages whose next chunk is overdue at instant `now`. */
  forgetOverdue(now: number): void {
    if (this.#assembler.openCount > 0) this.#assembler.forgetIdle(now - this.#openMessageMs);
  }

  close(): void {
    this.#assembler.forgetIdle(Number.POSITIVE_INFINITY);
  }

  #handOver(connection: MsrpConnection, chunk: ReceivedMsrpRequest, message: AssembledMessage): void {
    try {
      const taken = this.#take(message);
      if (!(taken instanceof Promise)) {
        this.#accept(connection, chunk, message);
        return;
      }
      const release = connection.holdForHandler(message.content.length);
      taken.then(
        () => {
          release();
          this.#accept(connection, chunk, message);
        },
        (error: unknown) => {
          release();
          this.#refuse(connection, chunk, error);
        },
      );
    } catch (error) {
      this.#refuse(connection, chunk, error);
    }
  }

  #accept(connection: MsrpConnection, chunk: ReceivedMsrpRequest, message: AssembledMessage): void {
    answer(connection, chunk, 200);
    if (chunk.successReport !== true) return;
    const id = newTransactionId();
    const size = message.content.length;
    const range = formatByteRange({ start: 1, end: size, total: size });
    connection.writeText(
      `${formatRequestLine(id, 'REPORT')}${formatPaths(chunk.fromPath, chunk.toPath.slice(0, 1))}Message-ID: ${message.messageId}\r\n${range}Status: 000 200 OK\r\n${formatEndLine(id, '$')}`,
    );
  }

  #refuse(connection: MsrpConnection, chunk: ReceivedMsrpRequest, error: unknown): void {
    const status = statusOfError(error);
    this.#log({
      level: status === 408 ? 'warn' : 'info',
      message: `MSRP message refused with ${status}`,
      reason: describeError(error),
      peer: connection.peer,
    });
    answer(connection, chunk, status);
  }
}
