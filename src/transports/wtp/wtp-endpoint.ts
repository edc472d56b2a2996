/**
 * One end of WTP (WAP-224): finds the transaction that a PDU belongs to, begins new ones in both directions, and keeps their number within
 * limits. What the transactions mean is for its user, WSP; how datagrams move is for whoever owns the socket.
 */
import type { Clock, RandomBytes } from '../../kernel/clock.js';
import { DecodeError } from '../../kernel/errors.js';
import {
  decodeWtp,
  encodeWtp,
  type InvokePdu,
  PDU_TYPE,
  PROVIDER_ABORT,
  RESPONDER_BIT,
  type TransactionClass,
  type WtpPdu,
} from '../../protocols/wtp/index.js';
import type { DatagramPeer } from '../datagram/datagram-socket.js';
import { asResponder, type Ended, InitiatorTransaction } from './initiator-transaction.js';
import { type IncomingTransaction, ResponderTransaction } from './responder-transaction.js';
import { packetsOf } from './segments.js';
import { TransactionIds } from './transaction-ids.js';
import { WTP_DEFAULTS, type WtpOptions } from './wtp-options.js';

export interface WtpPorts {
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  /** Never throws: what does not leave is sent again. */
  readonly send: (octets: Uint8Array, to: DatagramPeer) => void;
  /** A request of class 1 or 2 is there. Must not throw. */
  readonly onInvoked: (transaction: IncomingTransaction) => void;
  /** A request of class 0: nobody waits for anything. Must not throw. */
  readonly onDatagram: (payload: Uint8Array, from: DatagramPeer) => void;
  /** Something was not taken. */
  readonly onRefused: (reason: string, from: DatagramPeer) => void;
}

export interface Invocation {
  readonly transactionClass: TransactionClass;
  readonly payload: Uint8Array;
  /** The peer's user is to acknowledge. */
  readonly wantsUserAck?: boolean;
}

export interface OutgoingTransaction {
  readonly ended: Promise<Ended>;
  /** Gives it up with a reason of WSP. Safe to repeat, and after the end. */
  abort(reason: number): void;
}

export class WtpEndpoint {
  readonly #ports: WtpPorts;
  readonly #options: WtpOptions;
  readonly #ids: TransactionIds;
  readonly #outgoing = new Map<string, InitiatorTransaction>();
  readonly #incoming = new Map<string, ResponderTransaction>();
  /** Of each peer, those that are not over. */
  readonly #activeOf = new Map<string, number>();
  /** Incoming ones that are over and remembered, the oldest first. */
  readonly #over = new Set<string>();
  #isClosed = false;

  constructor(ports: WtpPorts, options: Partial<WtpOptions> = {}) {
    this.#ports = ports;
    this.#options = { ...WTP_DEFAULTS, ...options };
    this.#ids = new TransactionIds(ports.randomBytes, this.#options.maxPeers);
  }

  /** Transactions of which something is remembered. */
  get size(): number {
    return this.#outgoing.size + this.#incoming.size;
  }

  /** Takes a datagram. Never throws. */
  receive(octets: Uint8Array, from: DatagramPeer): void {
    if (this.#isClosed) return;
    let pdus: readonly WtpPdu[];
    try {
      pdus = decodeWtp(octets);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#ports.onRefused(`no WTP: ${error.detail}`, from);
      this.#answerMalformed(octets, from);
      return;
    }
    for (const pdu of pdus) this.#received(pdu, from);
  }

  /** Begins a transaction. */
  invoke(
    peer: DatagramPeer,
    { transactionClass, payload, wantsUserAck = false }: Invocation,
  ): OutgoingTransaction {
    const name = nameOf(peer);
    const transactionId = this.#freeId(name);
    const packets = packetsOf(
      {
        kind: 'invoke',
        transactionId,
        version: 0,
        isNewTid: false,
        wantsUserAck,
        transactionClass,
        tpis: [],
        payload,
      },
      this.#options.maxDatagramBytes,
    );
    const isTooLarge = packets === undefined || (transactionClass === 0 && packets.length > 1);
    if (isTooLarge) return ended({ kind: 'tooLarge' });
    if (this.#isClosed) return ended({ kind: 'given-up' });
    if (transactionClass === 0) {
      for (const packet of packets) this.#send(packet, peer);
      return ended({ kind: 'sent' });
    }
    const key = keyOf(name, transactionId);
    let resolve: (how: Ended) => void = () => undefined;
    const whenEnded = new Promise<Ended>((settle) => {
      resolve = settle;
    });
    const transaction = new InitiatorTransaction({
      transactionClass,
      packets,
      clock: this.#ports.clock,
      options: this.#options,
      send: (pdu) => this.#send(pdu, peer),
      onEnded: resolve,
      onForgotten: () => this.#outgoing.delete(key),
    });
    this.#outgoing.set(key, transaction);
    return { ended: whenEnded, abort: (reason) => transaction.abort(reason) };
  }

  /** Ends everything with a reason of WSP; nothing is sent or taken afterwards. */
  close(reason: number): void {
    for (const transaction of [...this.#outgoing.values()]) transaction.abort(reason);
    this.#isClosed = true;
    for (const transaction of [...this.#incoming.values()]) transaction.drop();
  }

  #received(pdu: WtpPdu, from: DatagramPeer): void {
    const name = nameOf(from);
    const isOurs = (pdu.transactionId & RESPONDER_BIT) !== 0;
    const key = keyOf(name, pdu.transactionId & ~RESPONDER_BIT);
    if (isOurs) {
      this.#receivedOfResponder(pdu, from, this.#outgoing.get(key));
      return;
    }
    const known = this.#incoming.get(key);
    switch (pdu.kind) {
      case 'invoke':
        if (known) known.received(pdu);
        else this.#begin(pdu, from, name, key);
        return;
      case 'segmented-invoke':
      case 'ack':
      case 'abort':
        known?.received(pdu);
        return;
      default:
        this.#ports.onRefused(`a ${pdu.kind} PDU of an initiator`, from);
        return;
    }
  }

  #receivedOfResponder(pdu: WtpPdu, from: DatagramPeer, known: InitiatorTransaction | undefined): void {
    switch (pdu.kind) {
      case 'ack':
      case 'result':
      case 'abort':
      case 'negative-ack':
        if (known) {
          known.received(pdu);
          return;
        }
        if (pdu.kind === 'result' || (pdu.kind === 'ack' && pdu.isTidVerification))
          this.#abort(pdu.transactionId & ~RESPONDER_BIT, PROVIDER_ABORT.invalidTid, from);
        return;
      case 'segmented-result':
        this.#abort(pdu.transactionId & ~RESPONDER_BIT, PROVIDER_ABORT.noSegmentation, from);
        return;
      default:
        this.#ports.onRefused(`a ${pdu.kind} PDU of a responder`, from);
        return;
    }
  }

  #begin(invoke: InvokePdu, peer: DatagramPeer, name: string, key: string): void {
    const { transactionId, transactionClass, version, isNewTid } = invoke;
    const refuse = (reason: number, why: string) => {
      this.#ports.onRefused(why, peer);
      this.#abort(asResponder(transactionId), reason, peer);
    };
    if (version !== 0) {
      refuse(PROVIDER_ABORT.wrongVersion, `WTP version ${version}`);
      return;
    }
    if (transactionClass === 0) {
      if (!invoke.isTrailer) {
        refuse(PROVIDER_ABORT.noSegmentation, 'segments without acknowledgement');
        return;
      }
      this.#ports.onDatagram(invoke.payload, peer);
      return;
    }
    const { maxTransactions, maxTransactionsPerPeer } = this.#options;
    const ofPeer = this.#activeOf.get(name) ?? 0;
    if (this.#incoming.size - this.#over.size >= maxTransactions || ofPeer >= maxTransactionsPerPeer) {
      refuse(PROVIDER_ABORT.capacity, 'too many transactions');
      return;
    }
    this.#activeOf.set(name, ofPeer + 1);
    let isForgotten = false;
    const transaction = new ResponderTransaction({
      peer,
      invoke: { ...invoke, transactionClass },
      isNew: this.#ids.isNew(name, transactionId, { beginsAnew: isNewTid }),
      clock: this.#ports.clock,
      options: this.#options,
      send: (pdu) => this.#send(pdu, peer),
      onIdConfirmed: () => this.#ids.confirmed(name, transactionId),
      onInvoked: this.#ports.onInvoked,
      onOver: () => {
        this.#over.add(key);
        this.#leaveActive(name);
      },
      onForgotten: () => {
        isForgotten = true; // it may end before it has been noted
        this.#incoming.delete(key);
        if (!this.#over.delete(key)) this.#leaveActive(name);
      },
    });
    if (!isForgotten) this.#incoming.set(key, transaction);
    this.#forgetOldest();
  }

  #leaveActive(name: string): void {
    const left = (this.#activeOf.get(name) ?? 1) - 1;
    if (left > 0) this.#activeOf.set(name, left);
    else this.#activeOf.delete(name);
  }

  /** What is over is remembered as long as there is room; what the peer repeats after that it has to vouch for. */
  #forgetOldest(): void {
    const [oldest] = this.#over;
    if (this.#over.size > this.#options.maxTransactions && oldest !== undefined)
      this.#incoming.get(oldest)?.drop();
  }

  /** A request that nobody can read is answered in the terms of the protocol; anything else is not. */
  #answerMalformed(octets: Uint8Array, from: DatagramPeer): void {
    const [first = 0, high = 0, low = 0] = octets;
    const transactionId = high * 256 + low;
    const isInvoke = octets.length >= 3 && ((first >> 3) & 0x0f) === PDU_TYPE.invoke;
    if (!isInvoke || (transactionId & RESPONDER_BIT) !== 0) return;
    this.#abort(asResponder(transactionId), PROVIDER_ABORT.protocolError, from);
  }

  #abort(transactionId: number, reason: number, to: DatagramPeer): void {
    this.#send({ kind: 'abort', transactionId, by: 'provider', reason, tpis: [] }, to);
  }

  #freeId(peer: string): number {
    for (;;) {
      const id = this.#ids.next(peer);
      if (!this.#outgoing.has(keyOf(peer, id))) return id;
    }
  }

  #send(pdu: WtpPdu, to: DatagramPeer): void {
    if (!this.#isClosed) this.#ports.send(encodeWtp(pdu), to);
  }
}

function nameOf({ address, port }: DatagramPeer): string {
  return `${address} ${port}`;
}

function keyOf(peer: string, transactionId: number): string {
  return `${peer} ${transactionId}`;
}

function ended(how: Ended): OutgoingTransaction {
  return { ended: Promise.resolve(how), abort: () => undefined };
}
