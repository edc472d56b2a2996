/**
 * A request that waits for its answer: the ServerRequest that handlers see, on top of its server transaction. It
 * answers once; whatever comes after the final response (a second answer, an answer after CANCEL or after the peer
 * gave up) is dropped, because two parties may decide at the same moment and the first one counts.
 */
import type { SipRequest } from '../../protocols/sip/index.js';
import { sipMessageByteString } from '../../protocols/sip/index.js';
import { responseTo } from './compose.js';
import type { StackCore } from './core.js';
import type { Essentials } from './request-checks.js';
import type { ResponseOptions, ServerRequest, SipFlow } from './sip-stack.js';
import { transactionLifeMs } from './timers.js';
import { newTag } from './tokens.js';
import { type Outlet, openServerTransaction, type ServerTransaction } from './transactions.js';

export interface OpenRequestOptions {
  readonly core: StackCore;
  readonly message: SipRequest;
  readonly essentials: Essentials;
  readonly branch: string;
  readonly flow: SipFlow;
  readonly outlet: Outlet;
  /** The final response as sent. */
  readonly onAnswered: (status: number, byteString: string) => void;
  /** The transaction is over. */
  readonly onTerminated: () => void;
}

export class OpenRequest implements ServerRequest {
  readonly message: SipRequest;
  readonly essentials: Essentials;
  readonly flow: SipFlow;
  readonly outlet: Outlet;
  protected readonly core: StackCore;
  readonly #onAnswered: (status: number, byteString: string) => void;
  readonly #transaction: ServerTransaction;
  readonly #patience: NodeJS.Timeout;
  readonly toTag: string;
  #isAnswered = false;

  constructor(options: OpenRequestOptions) {
    const { core, message, essentials } = options;
    this.core = core;
    this.message = message;
    this.essentials = essentials;
    this.flow = options.flow;
    this.outlet = options.outlet;
    this.toTag = essentials.toTag ?? newTag();
    this.#onAnswered = options.onAnswered;
    this.#patience = setTimeout(() => this.onNeverAnswered(), this.patienceMs());
    this.#transaction = openServerTransaction({
      method: message.method,
      branch: options.branch,
      outlet: options.outlet,
      timers: core.timers,
      onTerminated: () => {
        clearTimeout(this.#patience);
        options.onTerminated();
      },
    });
  }

  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  respond(status: number, options: ResponseOptions = {}): void {
    this.answer(status, options);
  }

  /** A repetition of the request, or the ACK of a refused INVITE. */
  repeat(method: string): void {
    this.#transaction.receive(method);
  }

  /** Drops the transaction without an answer. */
  abandon(): void {
    this.#isAnswered = true;
    this.#transaction.dispose();
  }

  /** Sends a response; returns its octets, or undefined when a final one has been sent already. */
  protected answer(status: number, options: ResponseOptions): string | undefined {
    if (this.#isAnswered || (status < 200 && !this.maySendProvisional(status))) return undefined;
    const { product } = this.core;
    const toTag = status === 100 ? undefined : this.toTag;
    const byteString = sipMessageByteString(responseTo(this.message, status, { ...options, toTag, product }));
    if (status >= 200) {
      this.#isAnswered = true;
      clearTimeout(this.#patience);
      this.#onAnswered(status, byteString);
    }
    this.#transaction.respond(status, byteString);
    // What is left to do for an accepted INVITE is done elsewhere: its 200 is repeated until the ACK comes (AckWait),
    // and repetitions of it are absorbed like those of any answered request.
    if (status >= 200 && status < 300) this.#transaction.dispose();
    return byteString;
  }

  /** [RFC 4320 §4.1] a non-INVITE request gets no provisional response but 100, and that not over UDP. */
  protected maySendProvisional(status: number): boolean {
    return status === 100 && this.outlet.isReliable;
  }

  protected patienceMs(): number {
    return transactionLifeMs(this.core.timers);
  }

  /** [RFC 4320 §4.2] the client has given up by now: an answer would be of no use to it. */
  protected onNeverAnswered(): void {
    this.core.log.always({
      level: 'error',
      message: 'a request was never answered',
      reason: this.message.method,
      callId: this.essentials.callId,
    });
    this.abandon();
  }
}
