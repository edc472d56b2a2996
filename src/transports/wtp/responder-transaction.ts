/**
 * A transaction that a peer began (WAP-224 §9, responder): whether its id is really new is asked when in doubt, segments are put together,
 * and what is repeated is answered again. The user acknowledges, replies or aborts.
 */
import type { Clock, Timer } from '../../kernel/clock.js';
import { advance, type TransitionTable } from '../../kernel/transition-table.js';
import {
  type AbortPdu,
  type AckPdu,
  type InvokePdu,
  PROVIDER_ABORT,
  type SegmentedPdu,
  sequenceNumberTpi,
  type WtpPdu,
} from '../../protocols/wtp/index.js';
import type { DatagramPeer } from '../datagram/datagram-socket.js';
import { Assembly } from './assembly.js';
import { asResponder } from './initiator-transaction.js';
import type { WtpOptions } from './wtp-options.js';

/** What became of a result. */
export type Replied = 'acknowledged' | 'aborted' | 'silent';

/** A request of a peer, as its user sees it. */
export interface IncomingTransaction {
  readonly peer: DatagramPeer;
  readonly transactionClass: 1 | 2;
  readonly payload: Uint8Array;
  /** Class 1: it is taken. */
  acknowledge(): void;
  /** Class 2: answers. Resolves when the peer has the answer, or will not have it. */
  reply(payload: Uint8Array): Promise<Replied>;
  /**
   * Class 2: answers once and forgets it, so that a stranger, or somebody who sends under the address of another, has us keep nothing and
   * send no more than it did. A peer that does not get the answer asks again.
   */
  replyOnce(payload: Uint8Array): void;
  /** Gives it up with a reason of WSP. */
  abort(reason: number): void;
}

type State =
  | 'tidOkWait'
  | 'assembling'
  | 'invokeResponseWait'
  | 'resultWait'
  | 'resultResponseWait'
  | 'waitTimeout'
  | 'null';
type Event =
  | 'confirmTid'
  | 'complete'
  | 'acknowledge'
  | 'holdOn'
  | 'reply'
  | 'receiveAck'
  | 'exceed'
  | 'abort'
  | 'expire';

export const RESPONDER: TransitionTable<State, Event> = {
  tidOkWait: { confirmTid: 'assembling', abort: 'null', expire: 'null' },
  assembling: { complete: 'invokeResponseWait', abort: 'null', expire: 'null' },
  invokeResponseWait: {
    acknowledge: 'waitTimeout',
    holdOn: 'resultWait',
    reply: 'resultResponseWait',
    abort: 'null',
    expire: 'null',
  },
  resultWait: { reply: 'resultResponseWait', abort: 'null', expire: 'null' },
  resultResponseWait: { receiveAck: 'waitTimeout', exceed: 'null', abort: 'null' },
  waitTimeout: { expire: 'null', abort: 'null' },
  null: {},
};

export interface ResponderOptions {
  readonly peer: DatagramPeer;
  readonly invoke: InvokePdu & { readonly transactionClass: 1 | 2 };
  /** Is the id surely new? */
  readonly isNew: boolean;
  readonly clock: Clock;
  readonly options: WtpOptions;
  readonly send: (pdu: WtpPdu) => void;
  /** The peer says that the id is its own. */
  readonly onIdConfirmed: () => void;
  /** The request is there, whole. */
  readonly onInvoked: (transaction: IncomingTransaction) => void;
  /** Nothing is under way any more; what the peer repeats is still answered. */
  readonly onOver: () => void;
  readonly onForgotten: () => void;
}

export class ResponderTransaction {
  readonly #with: ResponderOptions;
  readonly #assembly: Assembly;
  #state: State;
  #timer: Timer | undefined;
  #retransmissions = 0;
  /** What an acknowledgement of the whole request says of its last packet. */
  #lastPacket: number | undefined;
  #onReplied: (replied: Replied) => void = () => undefined;

  constructor(options: ResponderOptions) {
    this.#with = options;
    this.#assembly = new Assembly(options.options.maxMessageBytes);
    this.#state = options.isNew ? 'assembling' : 'tidOkWait';
    if (options.isNew) this.#firstPacket();
    else this.#askForId();
  }

  received(pdu: InvokePdu | SegmentedPdu | AckPdu | AbortPdu): void {
    switch (pdu.kind) {
      case 'invoke':
        this.#repeated(pdu);
        return;
      case 'segmented-invoke':
        if (this.#state === 'assembling') {
          this.#assemble(pdu);
          return;
        }
        if (this.#isAnswered) this.#sendAck({ isRetransmission: true });
        return;
      case 'ack':
        if (this.#state === 'tidOkWait') {
          if (pdu.isTidVerification) this.#idConfirmed();
          return;
        }
        if (this.#state === 'resultResponseWait' && !pdu.isTidVerification)
          this.#replied('receiveAck', 'acknowledged');
        return;
      case 'abort':
        if (this.#state === 'resultResponseWait') {
          this.#replied('abort', 'aborted');
          return;
        }
        this.#forget('abort');
        return;
    }
  }

  /** Nothing more is sent or taken. Safe to repeat. */
  drop(): void {
    if (this.#state === 'resultResponseWait') this.#replied('abort', 'aborted');
    else this.#forget('abort');
  }

  /** The first packet once more. */
  #repeated(invoke: InvokePdu): void {
    switch (this.#state) {
      case 'tidOkWait':
        this.#askForId();
        return;
      case 'assembling':
        this.#assemble({ ...invoke, sequenceNumber: 0 });
        return;
      default:
        if (this.#isAnswered) this.#sendAck({ isRetransmission: true });
    }
  }

  /** The peer has been told that its request is there. */
  get #isAnswered(): boolean {
    const { transactionClass } = this.#with.invoke;
    return this.#state === 'resultWait' || (this.#state === 'waitTimeout' && transactionClass === 1);
  }

  #askForId(): void {
    const { options } = this.#with;
    this.#with.send({ kind: 'ack', ...this.#ids, isTidVerification: true, isRetransmission: false });
    this.#arm(options.waitMs, () => this.#forget('expire'));
  }

  #idConfirmed(): void {
    this.#with.onIdConfirmed();
    this.#state = advance(RESPONDER, this.#state, 'confirmTid');
    this.#firstPacket();
  }

  #firstPacket(): void {
    this.#assemble({ ...this.#with.invoke, sequenceNumber: 0 });
  }

  #assemble(packet: Parameters<Assembly['add']>[0]): void {
    const { send, options } = this.#with;
    const assembled = this.#assembly.add(packet);
    switch (assembled?.kind) {
      case 'complete':
        this.#lastPacket = assembled.sequenceNumber === 0 ? undefined : assembled.sequenceNumber;
        this.#complete(assembled.message);
        return;
      case 'group':
        send({
          kind: 'ack',
          ...this.#ids,
          tpis: [sequenceNumberTpi(assembled.sequenceNumber)],
          isTidVerification: false,
          isRetransmission: false,
        });
        break;
      case 'missing':
        send({
          kind: 'negative-ack',
          ...this.#ids,
          isRetransmission: false,
          missing: assembled.sequenceNumbers,
        });
        break;
      case 'tooLarge':
        this.#abort('provider', PROVIDER_ABORT.messageTooLarge);
        return;
      default:
    }
    this.#arm(options.waitMs, () => this.#forget('expire'));
  }

  #complete(payload: Uint8Array): void {
    const { peer, invoke, options, onInvoked } = this.#with;
    const { transactionClass, wantsUserAck } = invoke;
    this.#state = advance(RESPONDER, this.#state, 'complete');
    // A class 1 request whose user is to acknowledge is not acknowledged in its place. [WAP-224 §7.7]
    if (transactionClass === 2 || !wantsUserAck) this.#arm(options.ackMs, () => this.#userIsSlow());
    else this.#arm(options.resultMs, () => this.#forget('expire'));
    onInvoked({
      peer,
      transactionClass,
      payload,
      acknowledge: () => this.#acknowledge(),
      reply: (result) => this.#reply(result),
      replyOnce: (result) => this.#replyOnce(result),
      abort: (reason) => this.#abort('user', reason),
    });
  }

  #userIsSlow(): void {
    const { invoke, options } = this.#with;
    if (invoke.transactionClass === 1) {
      this.#acknowledge();
      return;
    }
    this.#sendAck({ isRetransmission: false });
    this.#state = advance(RESPONDER, this.#state, 'holdOn');
    this.#arm(options.resultMs, () => this.#forget('expire'));
  }

  #acknowledge(): void {
    if (this.#state !== 'invokeResponseWait') return;
    this.#sendAck({ isRetransmission: false });
    this.#isOver('acknowledge');
  }

  #reply(payload: Uint8Array): Promise<Replied> {
    if (this.#state !== 'invokeResponseWait' && this.#state !== 'resultWait')
      return Promise.resolve('aborted');
    this.#state = advance(RESPONDER, this.#state, 'reply');
    return new Promise((resolve) => {
      this.#onReplied = resolve;
      this.#sendResult(this.#resultOf(payload));
    });
  }

  #replyOnce(payload: Uint8Array): void {
    if (this.#state !== 'invokeResponseWait' && this.#state !== 'resultWait') return;
    this.#with.send(this.#resultOf(payload));
    this.#forget('abort');
  }

  #resultOf(payload: Uint8Array): Extract<WtpPdu, { kind: 'result' }> {
    const trailers = { isGroupTrailer: false, isTrailer: true, isRetransmission: false };
    return { kind: 'result', ...this.#ids, ...trailers, payload };
  }

  #sendResult(result: Extract<WtpPdu, { kind: 'result' }>): void {
    const { send, options } = this.#with;
    send(result);
    this.#arm(options.retransmitMs, () => {
      this.#retransmissions += 1;
      if (this.#retransmissions > options.maxRetransmissions) this.#replied('exceed', 'silent');
      else this.#sendResult({ ...result, isRetransmission: true });
    });
  }

  #replied(event: 'receiveAck' | 'exceed' | 'abort', replied: Replied): void {
    if (event === 'receiveAck') this.#isOver(event);
    else this.#forget(event);
    this.#onReplied(replied);
  }

  #isOver(event: 'acknowledge' | 'receiveAck'): void {
    this.#state = advance(RESPONDER, this.#state, event);
    this.#arm(this.#with.options.waitMs, () => this.#forget('expire'));
    this.#with.onOver();
  }

  #abort(by: 'provider' | 'user', reason: number): void {
    if (this.#state === 'null' || this.#state === 'waitTimeout') return;
    this.#with.send({ kind: 'abort', ...this.#ids, by, reason });
    this.drop();
  }

  get #ids() {
    return { transactionId: asResponder(this.#with.invoke.transactionId), tpis: [] };
  }

  #sendAck({ isRetransmission }: { readonly isRetransmission: boolean }): void {
    const tpis = this.#lastPacket === undefined ? [] : [sequenceNumberTpi(this.#lastPacket)];
    this.#with.send({ kind: 'ack', ...this.#ids, tpis, isTidVerification: false, isRetransmission });
  }

  #arm(ms: number, task: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#with.clock.after(ms, task);
  }

  #forget(event: 'expire' | 'abort' | 'exceed'): void {
    if (this.#state === 'null') return;
    this.#state = advance(RESPONDER, this.#state, event);
    this.#timer?.cancel();
    this.#with.onForgotten();
  }
}
