/**
 * A transaction that we began (WAP-224 §9, initiator): sent again until it is answered, in segments when it is large. It ends once, and says
 * how; a result that the peer repeats is acknowledged again for a while.
 */
import type { Clock, Timer } from '../../kernel/clock.js';
import { advance, type TransitionTable } from '../../kernel/transition-table.js';
import {
  type AbortPdu,
  type AckPdu,
  type NegativeAckPdu,
  PROVIDER_ABORT,
  RESPONDER_BIT,
  type ResultPdu,
  sequenceNumberOf,
  type TransactionClass,
  type WtpPdu,
} from '../../protocols/wtp/index.js';
import { groupEnd, type Packet } from './segments.js';
import type { WtpOptions } from './wtp-options.js';

export type Ended =
  /** Class 0: it is on its way. */
  | { readonly kind: 'sent' }
  | { readonly kind: 'acknowledged' }
  | { readonly kind: 'result'; readonly payload: Uint8Array }
  | { readonly kind: 'aborted'; readonly by: 'provider' | 'user'; readonly reason: number }
  /** The peer did not answer, however often it was sent. */
  | { readonly kind: 'silent' }
  /** It is larger than any message can be. */
  | { readonly kind: 'tooLarge' }
  /** We gave it up. */
  | { readonly kind: 'given-up' };

type State = 'resultWait' | 'waitTimeout' | 'null';
type Event = 'acknowledge' | 'receiveResult' | 'abort' | 'exceed' | 'giveUp' | 'expire';

export const INITIATOR: TransitionTable<State, Event> = {
  resultWait: {
    acknowledge: 'null',
    receiveResult: 'waitTimeout',
    abort: 'null',
    exceed: 'null',
    giveUp: 'null',
  },
  waitTimeout: { expire: 'null', abort: 'null', giveUp: 'null' },
  null: {},
};

export interface InitiatorOptions {
  readonly transactionClass: Exclude<TransactionClass, 0>;
  readonly packets: readonly Packet[];
  readonly clock: Clock;
  readonly options: WtpOptions;
  readonly send: (pdu: WtpPdu) => void;
  /** How it ended: once, before `onForgotten`. */
  readonly onEnded: (ended: Ended) => void;
  /** Nothing that comes is for it any more. */
  readonly onForgotten: () => void;
}

export class InitiatorTransaction {
  readonly #with: InitiatorOptions;
  readonly #transactionId: number;
  #state: State = 'resultWait';
  #timer: Timer | undefined;
  /** Packets of the group that is under way. */
  #from = 0;
  #to = 0;
  #retransmissions = 0;

  constructor(options: InitiatorOptions) {
    this.#with = options;
    this.#transactionId = options.packets[0]?.transactionId ?? 0;
    this.#sendGroup(0);
  }

  received(pdu: AckPdu | ResultPdu | AbortPdu | NegativeAckPdu): void {
    switch (pdu.kind) {
      case 'ack':
        if (pdu.isTidVerification) this.#confirmId();
        else this.#acknowledged(pdu);
        return;
      case 'negative-ack':
        this.#sendAgain(pdu.missing);
        return;
      case 'result':
        this.#resultReceived(pdu);
        return;
      case 'abort':
        this.#end('abort', { kind: 'aborted', by: pdu.by, reason: pdu.reason });
        return;
    }
  }

  /** Gives it up, and tells the peer why. Safe to repeat. */
  abort(reason: number): void {
    if (this.#state === 'null') return;
    const { transactionId } = this.#ids;
    if (this.#state === 'resultWait')
      this.#with.send({ kind: 'abort', transactionId, by: 'user', reason, tpis: [] });
    this.#end('giveUp', { kind: 'given-up' });
  }

  get #ids() {
    return { transactionId: this.#transactionId, tpis: [] };
  }

  /** The peer is not sure that the id is ours. [WAP-224 §8.8.3] */
  #confirmId(): void {
    if (this.#state !== 'resultWait') return;
    this.#with.send({ kind: 'ack', ...this.#ids, isTidVerification: true, isRetransmission: false });
  }

  #acknowledged(ack: AckPdu): void {
    if (this.#state !== 'resultWait') return;
    const { packets, transactionClass, options } = this.#with;
    const isLastGroup = this.#to === packets.length - 1;
    if (!isLastGroup) {
      if (sequenceNumberOf(ack) === this.#to) this.#sendGroup(this.#to + 1);
      return;
    }
    const upTo = sequenceNumberOf(ack);
    if (packets.length > 1 && upTo !== undefined && upTo < this.#to) return; // of a group before
    if (transactionClass === 1) {
      this.#end('acknowledge', { kind: 'acknowledged' });
      return;
    }
    // The peer has it, and needs time: nothing is sent again. [WAP-224 §7.9]
    this.#arm(options.resultMs, () => this.#silent());
  }

  #resultReceived({ isTrailer, payload }: ResultPdu): void {
    const { transactionClass, send, clock, options, onEnded } = this.#with;
    if (transactionClass !== 2 || this.#state === 'null') return;
    if (!isTrailer) {
      const reason = PROVIDER_ABORT.noSegmentation;
      send({ kind: 'abort', ...this.#ids, by: 'provider', reason });
      this.#end('abort', { kind: 'aborted', by: 'provider', reason });
      return;
    }
    send({
      kind: 'ack',
      ...this.#ids,
      isTidVerification: false,
      isRetransmission: this.#state === 'waitTimeout',
    });
    if (this.#state === 'waitTimeout') return;
    this.#state = advance(INITIATOR, this.#state, 'receiveResult');
    this.#timer?.cancel();
    this.#timer = clock.after(options.waitMs, () => this.#end('expire'));
    onEnded({ kind: 'result', payload });
  }

  #sendGroup(from: number): void {
    const { packets, send } = this.#with;
    this.#from = from;
    this.#to = groupEnd(from, packets.length);
    this.#retransmissions = 0;
    for (const packet of packets.slice(from, this.#to + 1)) send(packet);
    this.#armRetransmission();
  }

  /** `missing` empty: the whole group. */
  #sendAgain(missing: readonly number[]): void {
    if (this.#state !== 'resultWait') return;
    const wanted = missing.filter((number) => number >= this.#from && number <= this.#to);
    const { packets, send, options } = this.#with;
    // A peer that never has enough does not keep us at it for ever.
    this.#retransmissions += 1;
    if (this.#retransmissions > options.maxRetransmissions) {
      this.#silent();
      return;
    }
    for (let number = this.#from; number <= this.#to; number += 1) {
      const packet = packets[number];
      if (packet && (missing.length === 0 || wanted.includes(number)))
        send({ ...packet, isRetransmission: true });
    }
    this.#armRetransmission();
  }

  /** Of a group its last packet is enough: it is answered with what is missing. The peer has to know the first packet for that. */
  #retransmit(): void {
    const { packets, send, options } = this.#with;
    this.#retransmissions += 1;
    if (this.#retransmissions > options.maxRetransmissions) {
      this.#silent();
      return;
    }
    for (const number of new Set([this.#from === 0 ? 0 : this.#to, this.#to])) {
      const packet = packets[number];
      if (packet) send({ ...packet, isRetransmission: true });
    }
    this.#armRetransmission();
  }

  #silent(): void {
    this.#end('exceed', { kind: 'silent' });
  }

  #armRetransmission(): void {
    this.#arm(this.#with.options.retransmitMs, () => this.#retransmit());
  }

  #arm(ms: number, task: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#with.clock.after(ms, task);
  }

  #end(event: Event, ended?: Ended): void {
    if (this.#state === 'null') return;
    const wasOpen = this.#state === 'resultWait';
    this.#state = advance(INITIATOR, this.#state, event);
    this.#timer?.cancel();
    if (wasOpen && ended) this.#with.onEnded(ended);
    this.#with.onForgotten();
  }
}

/** The id as the responder writes it. */
export const asResponder = (transactionId: number): number => transactionId | RESPONDER_BIT;
