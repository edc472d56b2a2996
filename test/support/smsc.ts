/**
 * A simulated SMSC on a stack that is not ours (npm `smpp`). What it does with each submission is up to the test: take it, say no, be slow, be
 * silent, answer twice, answer in another order, lie about ids, hang up in the middle; and when and where it sends receipts. What it took for a number
 * under which a terminal is bound (its address_range) it hands over there; what such a terminal submits, to the first who is bound without a number.
 */
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { nodeSmpp, type PeerPdu, type PeerSession } from './node-smpp.js';

export interface SmscMessage {
  readonly systemId: string;
  readonly session: number;
  readonly source: string;
  readonly sourceTon: number;
  readonly destination: string;
  readonly destinationTon: number;
  readonly serviceType: string;
  readonly esmClass: number;
  readonly dataCoding: number;
  readonly registered: number;
  readonly validity: string;
  /** With the user data header in front when there is one. */
  readonly userData: Buffer;
  readonly ussdOperation?: number;
}

export interface Taken extends SmscMessage {
  /** As the response had it. */
  readonly messageId: string;
}

/** What becomes of one submission. */
export interface Behaviour {
  /** Default 0: taken. */
  readonly status?: number;
  /** Nobody answers. A message may be `taken` all the same. */
  readonly isSilent?: boolean;
  readonly isTaken?: boolean;
  readonly delayMs?: number;
  /** How often the response is sent. Default 1. */
  readonly responses?: number;
  /** Default: the count of those taken, in hexadecimal. */
  readonly messageId?: string;
  /** The connection breaks instead of an answer. */
  readonly hangsUp?: boolean;
  readonly receipt?: ReceiptOrder;
}

export interface ReceiptOrder {
  /** Default DELIVRD. */
  readonly stat?: string;
  /** Of the message in the receipt; default that of the response. */
  readonly id?: string;
  /** Default `after`. */
  readonly when?: 'before' | 'after';
  readonly times?: number;
  /** On the connection bound under this name; default the one that the message came by. */
  readonly over?: string | undefined;
}

export interface SmscOptions {
  readonly port?: number;
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
  readonly behave?: (message: SmscMessage, count: number) => Behaviour;
  /** Status of every bind. */
  readonly bindStatus?: number;
}

interface Bound {
  readonly peer: PeerSession;
  readonly systemId: string;
  readonly mode: string;
  /** Digits of the number that it is bound under; empty for an application. */
  readonly number: string;
}

export class Smsc implements AsyncDisposable {
  /** What was taken, in the order of arrival; what was refused is not among it. */
  readonly taken: Taken[] = [];
  /** Every submission that came. */
  count = 0;
  /** Most submissions without an answer at a time. */
  mostUnderWay = 0;
  behave: (message: SmscMessage, count: number) => Behaviour;
  onTaken: (message: Taken) => void = () => {};
  bindStatus: number;
  /** What the ESME answered to what was delivered, in order. */
  readonly deliveryAnswers: number[] = [];
  readonly binds: string[] = [];
  readonly #server: Server;
  readonly #sessions = new Map<number, Bound>();
  readonly #waiting = new Set<() => void>();
  readonly #open = new Set<PeerSession>();
  #sessionCount = 0;
  #underWay = 0;
  readonly #timers = new Set<NodeJS.Timeout>();

  private constructor({ tls, behave, bindStatus }: SmscOptions) {
    this.behave = behave ?? (() => ({}));
    this.bindStatus = bindStatus ?? 0;
    this.#server = nodeSmpp.createServer(tls ?? {}, (session) => this.#welcome(session));
  }

  static async start(options: SmscOptions = {}): Promise<Smsc> {
    const smsc = new Smsc(options);
    smsc.#server.listen(options.port ?? 0, '127.0.0.1');
    await once(smsc.#server, 'listening');
    return smsc;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get boundCount(): number {
    return this.#sessions.size;
  }

  /** Resolves as soon as it holds, looked at whenever something happened. */
  when(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!holds()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Hands a message of a subscriber over; resolves with the status of the answer. */
  deliver(fields: Readonly<Record<string, unknown>>, systemId?: string): Promise<number> {
    const [session] = this.#receivers(systemId);
    if (!session) throw new Error('nobody is bound who receives');
    return new Promise((resolve, reject) => {
      session.once('close', () => reject(new Error('the connection ended')));
      session.deliver_sm(fields, ({ command_status: status }) => {
        this.deliveryAnswers.push(status);
        resolve(status);
        this.#tell();
      });
    });
  }

  /** Breaks every connection, in the middle of whatever is under way. */
  hangUp(): void {
    for (const session of this.#open) session.destroy();
  }

  /** Octets that no PDU has, to everybody who is bound. */
  babble(octets: Buffer): void {
    for (const { peer } of this.#sessions.values()) peer.socket.write(octets);
  }

  receipt(
    message: Taken,
    { stat = 'DELIVRD', id = message.messageId, over }: ReceiptOrder = {},
  ): Promise<number> {
    const day = '2611270000';
    const text = `id:${id} sub:001 dlvrd:001 submit date:${day} done date:${day} stat:${stat} err:000 text:`;
    const addresses = { source_addr: message.destination, destination_addr: message.source };
    const fields = {
      ...addresses,
      source_addr_ton: 1,
      esm_class: 4,
      data_coding: 0,
      short_message: Buffer.from(text),
    };
    return this.deliver(fields, over ?? message.systemId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.hangUp();
    await closed;
  }

  #receivers(systemId: string | undefined): readonly PeerSession[] {
    return [...this.#sessions.values()]
      .filter(
        (bound) =>
          bound.mode !== 'bind_transmitter' && (systemId === undefined || bound.systemId === systemId),
      )
      .map(({ peer }) => peer);
  }

  #welcome(session: PeerSession): void {
    this.#sessionCount += 1;
    const number = this.#sessionCount;
    this.#open.add(session);
    session.setMaxListeners(0); // one for each delivery under way
    session.on('error', () => session.destroy());
    session.on('close', () => {
      this.#open.delete(session);
      this.#sessions.delete(number);
      this.#tell();
    });
    session.on('pdu', (pdu: PeerPdu) => {
      switch (pdu.command) {
        case 'bind_transceiver':
        case 'bind_transmitter':
        case 'bind_receiver': {
          const systemId = String(pdu['system_id']);
          this.binds.push(`${pdu.command} ${systemId} ${String(pdu['password'])}`);
          if (this.bindStatus === 0)
            this.#sessions.set(number, {
              peer: session,
              systemId,
              mode: pdu.command,
              number: String(pdu['address_range']),
            });
          session.send(pdu.response({ command_status: this.bindStatus, system_id: 'smsc' }));
          break;
        }
        case 'submit_sm':
          this.#submitted(session, number, pdu);
          break;
        case 'enquire_link':
        case 'unbind':
          session.send(pdu.response());
          break;
        default: // responses have their own listeners
      }
      this.#tell();
    });
  }

  #submitted(session: PeerSession, number: number, pdu: PeerPdu): void {
    this.count += 1;
    const message = messageOf(pdu, number, this.#sessions.get(number)?.systemId ?? '');
    const behaviour = this.behave(message, this.count);
    if (behaviour.hangsUp) {
      if (behaviour.isTaken) this.#take(message, behaviour);
      session.destroy();
      return;
    }
    this.#underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.#underWay);
    const answer = () => {
      if (!behaviour.isSilent) this.#underWay -= 1;
      this.#answer(session, pdu, message, behaviour);
      this.#tell();
    };
    if (behaviour.delayMs === undefined) answer();
    else {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        answer();
      }, behaviour.delayMs);
      this.#timers.add(timer);
    }
  }

  #answer(session: PeerSession, pdu: PeerPdu, message: SmscMessage, behaviour: Behaviour): void {
    const { status = 0, isSilent = false, responses = 1, receipt } = behaviour;
    const isTaken = behaviour.isTaken ?? (status === 0 && !isSilent);
    const taken = isTaken ? this.#take(message, behaviour) : undefined;
    if (taken) this.#handOver(taken, pdu);
    const sendReceipts = () => {
      for (let time = 0; taken && receipt && time < (receipt.times ?? 1); time += 1) {
        void this.receipt(taken, receipt).catch(() => {});
      }
    };
    if (receipt?.when === 'before') sendReceipts();
    for (let time = 0; !isSilent && time < responses; time += 1) {
      session.send(pdu.response({ command_status: status, message_id: taken?.messageId ?? '' }));
    }
    if (receipt?.when !== 'before') sendReceipts();
  }

  #handOver(taken: Taken, pdu: PeerPdu): void {
    const { session, destination } = taken;
    const bound = [...this.#sessions.values()];
    const isFromTerminal = this.#sessions.get(session)?.number !== '';
    const receiver =
      bound.find(({ number }) => number === destination) ??
      (isFromTerminal
        ? bound.find(({ number, mode }) => number === '' && mode !== 'bind_transmitter')
        : undefined);
    if (!receiver) return;
    const names = ['source_addr', 'source_addr_ton', 'source_addr_npi', 'destination_addr', 'dest_addr_ton'];
    const more = ['dest_addr_npi', 'service_type', 'esm_class', 'data_coding', 'ussd_service_op'];
    const copied = [...names, ...more].flatMap((name) =>
      pdu[name] === undefined ? [] : [[name, pdu[name]]],
    );
    receiver.peer.deliver_sm({
      ...Object.fromEntries(copied),
      short_message: forwarded(pdu['short_message'] as PeerMessage),
    });
  }

  #take(message: SmscMessage, { messageId }: Behaviour): Taken {
    const taken = {
      ...message,
      messageId: messageId ?? (this.taken.length + 1).toString(16).padStart(8, '0'),
    };
    this.taken.push(taken);
    this.onTaken(taken);
    return taken;
  }

  #tell(): void {
    for (const look of [...this.#waiting]) look();
  }
}

/** As the stack reads it: the elements of the header apart, and text where the coding is one of text. */
interface PeerMessage {
  readonly udh?: readonly Buffer[];
  readonly message: Buffer | string;
}

/** As the stack writes it. */
function forwarded({ udh, message }: PeerMessage): object {
  return udh === undefined ? { message } : { udh: headerOf(udh), message };
}

function headerOf(elements: readonly Buffer[]): Buffer {
  const header = Buffer.concat([...elements]);
  return Buffer.concat([Buffer.of(header.length), header]);
}

function messageOf(pdu: PeerPdu, session: number, systemId: string): SmscMessage {
  const number = (name: string) => Number(pdu[name]);
  const text = (name: string) => String(pdu[name]);
  const { udh, message } = pdu['short_message'] as PeerMessage;
  const octets = Buffer.from(message as string);
  const userData = udh === undefined ? octets : Buffer.concat([headerOf(udh), octets]);
  const operation = pdu['ussd_service_op'];
  return {
    systemId,
    session,
    source: text('source_addr'),
    sourceTon: number('source_addr_ton'),
    destination: text('destination_addr'),
    destinationTon: number('dest_addr_ton'),
    serviceType: text('service_type'),
    esmClass: number('esm_class'),
    dataCoding: number('data_coding'),
    registered: number('registered_delivery'),
    validity: validityOf(pdu['validity_period']),
    userData,
    ...(operation === undefined ? {} : { ussdOperation: Number(operation) }),
  };
}

/** The stack reads it as a date. */
function validityOf(value: unknown): string {
  return value instanceof Date ? value.toISOString() : String(value ?? '');
}
