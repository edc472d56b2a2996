/**
 * One TCP connection to an SMSC and what flows over it (SMPP 3.4 §2.7): PDUs in and out, responses matched to requests, each with a time
 * limit, the link looked after by enquire_link. Reading stops while too much that came is being handled. What a message means, whether to
 * send one, and what to do when the connection ends, is for its owner.
 */
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../kernel/clock.js';
import { DeliveryError, describeError } from '../../kernel/errors.js';
import { MINUTE_MS, SECOND_MS } from '../../kernel/units.js';
import {
  type BodyOf,
  type CommandName,
  encodePdu,
  NO_PARAMETERS,
  type Parameters,
  type Pdu,
  type PduOf,
  RESPONSE_BIT,
  SmppStreamReader,
  STATUS,
  type UnreadablePdu,
} from '../../protocols/smpp/index.js';

/** A message that an SMSC hands over: one of a subscriber's, or a receipt. */
export type Delivered = PduOf<'deliver_sm'> | PduOf<'data_sm'>;

export interface SmppConnectionOwner {
  /** Resolves with the status of the answer, when what was delivered is safe. Never rejects. */
  delivered(message: Delivered): Promise<number>;
  /** Once, at the end. */
  closed(reason: string): void;
}

export interface SmppConnectionOptions {
  readonly responseTimeoutMs: number;
  /** After so long without an octet from the SMSC it is asked whether it is there. */
  readonly enquireLinkMs: number;
  readonly clock: Clock;
}

interface Pending {
  readonly until: number;
  resolve(response: Pdu): void;
  reject(error: DeliveryError): void;
}

/** Deliveries that are handled at a time; beyond that nothing more is read. */
const MAX_HANDLING = 64;
/** Octets of ours that the SMSC has not taken yet; one that takes none and sends on is hung up on. */
const MAX_UNSENT_BYTES = 1_048_576;
/** What was written last has so long to go out. */
const LINGER_MS = 2 * SECOND_MS;
const MAX_SEQUENCE = 0x7fff_ffff;

export class SmppConnection {
  readonly #socket: Socket;
  readonly #owner: SmppConnectionOwner;
  readonly #options: SmppConnectionOptions;
  readonly #reader = new SmppStreamReader();
  /** In the order of their time limits. */
  readonly #pending = new Map<number, Pending>();
  #sequence = 0;
  #handling = 0;
  #isReading = true;
  #isCorked = false;
  #lastHeardAt: number;
  #closeReason: string | undefined;
  #expiry: Timer | undefined;
  #enquiry: Timer | undefined;

  /** Takes over a connected socket. */
  constructor(socket: Socket, owner: SmppConnectionOwner, options: SmppConnectionOptions) {
    this.#socket = socket;
    this.#owner = owner;
    this.#options = options;
    this.#lastHeardAt = options.clock.now();
    socket.setNoDelay(true);
    socket.setKeepAlive(true, MINUTE_MS);
    socket.on('data', (octets) => this.#receive(octets));
    socket.on('end', () => this.close('closed by the SMSC'));
    socket.on('error', (error) => this.close(describeError(error)));
    socket.on('close', () => this.close('connection lost'));
    this.#enquireLater();
  }

  /** Requests without an answer. */
  get underWay(): number {
    return this.#pending.size;
  }

  get isClosed(): boolean {
    return this.#closeReason !== undefined;
  }

  /**
   * Sends a request; resolves with its response, whatever its status, or with a generic_nack. Rejects with DeliveryError: `timeout`, or
   * `unreachable` when the connection ended first; then nobody knows what became of it. Throws RefusedError, with nothing sent, for
   * values that no PDU holds.
   */
  request<Name extends CommandName>(
    command: Name,
    body: BodyOf<Name>,
    parameters: Parameters = NO_PARAMETERS,
  ): Promise<Pdu> {
    const sequence = this.#nextSequence();
    const octets = encodePdu<Name>({ command, status: STATUS.ok, sequence, body, parameters });
    if (this.#closeReason !== undefined) {
      return Promise.reject(new DeliveryError('unreachable', this.#closeReason));
    }
    this.#write(octets);
    const { clock, responseTimeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      this.#pending.set(sequence, { until: clock.now() + responseTimeoutMs, resolve, reject });
      this.#expiry ??= clock.after(responseTimeoutMs, () => this.#expire());
    });
  }

  /** Ends the connection at once. Safe to repeat. */
  close(reason: string): void {
    if (this.#closeReason !== undefined) return;
    this.#closeReason = reason;
    this.#expiry?.cancel();
    this.#enquiry?.cancel();
    this.#uncork();
    this.#socket.destroySoon();
    // What the SMSC does not read would keep the socket for ever.
    const linger = this.#options.clock.after(LINGER_MS, () => this.#socket.destroy());
    this.#socket.once('close', () => linger.cancel());
    for (const { reject } of this.#pending.values()) reject(new DeliveryError('unreachable', reason));
    this.#pending.clear();
    this.#owner.closed(reason);
  }

  #receive(octets: Buffer): void {
    if (this.isClosed) return;
    this.#lastHeardAt = this.#options.clock.now();
    this.#reader.push(octets);
    this.#readOn();
  }

  #readOn(): void {
    try {
      while (!this.isClosed && this.#handling < MAX_HANDLING) {
        const pdu = this.#reader.next();
        if (pdu === undefined) break;
        this.#take(pdu);
      }
    } catch (error) {
      this.close(`the SMSC sent what is no SMPP: ${describeError(error)}`);
      return;
    }
    this.#pace();
  }

  #take(pdu: Pdu | UnreadablePdu): void {
    switch (pdu.command) {
      case 'deliver_sm':
      case 'data_sm':
        void this.#handle(pdu);
        break;
      case 'enquire_link':
        this.#answer('enquire_link_resp', pdu.sequence, STATUS.ok, {});
        break;
      case 'unbind':
        this.#answer('unbind_resp', pdu.sequence, STATUS.ok, {});
        this.close('the SMSC ended the session (unbind)');
        break;
      case 'alert_notification': // has no response (§4.12.1), and nobody here asked for it
        break;
      case 'unreadable':
        this.#refuseUnreadable(pdu);
        break;
      default:
        this.#settle(pdu);
    }
  }

  async #handle(message: Delivered): Promise<void> {
    this.#handling += 1;
    const status = await this.#owner.delivered(message);
    this.#handling -= 1;
    if (this.isClosed) return;
    this.#answer(`${message.command}_resp`, message.sequence, status, { messageId: '' });
    this.#readOn();
  }

  /** Requests of a kind that only an SMSC takes are as foreign here as those that nobody knows. */
  #settle(pdu: Pdu): void {
    if (!pdu.command.endsWith('_resp') && pdu.command !== 'generic_nack') {
      this.#answer('generic_nack', pdu.sequence, STATUS.invalidCommand, {});
      return;
    }
    const pending = this.#pending.get(pdu.sequence);
    if (!pending) return; // too late, or made up
    this.#pending.delete(pdu.sequence);
    pending.resolve(pdu);
  }

  #refuseUnreadable({ commandId, sequence, status }: UnreadablePdu): void {
    const isResponse = (commandId & RESPONSE_BIT) !== 0;
    if (!isResponse) this.#answer('generic_nack', sequence, status, {});
  }

  #answer<Name extends CommandName>(
    command: Name,
    sequence: number,
    status: number,
    body: BodyOf<Name>,
  ): void {
    this.#write(encodePdu<Name>({ command, status, sequence, body, parameters: NO_PARAMETERS }));
  }

  /** What one turn of the event loop writes travels together. */
  #write(octets: Buffer): void {
    if (this.#socket.writableLength > MAX_UNSENT_BYTES) {
      this.close('the SMSC reads no more');
      return;
    }
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
      process.nextTick(() => this.#uncork());
    }
    this.#socket.write(octets);
  }

  #uncork(): void {
    if (!this.#isCorked) return;
    this.#isCorked = false;
    this.#socket.uncork();
  }

  /** Reads while there is room for what comes. */
  #pace(): void {
    const mayRead = this.#handling < MAX_HANDLING;
    if (mayRead === this.#isReading) return;
    this.#isReading = mayRead;
    if (mayRead) this.#socket.resume();
    else this.#socket.pause();
  }

  #expire(): void {
    this.#expiry = undefined;
    const { clock } = this.#options;
    for (const [sequence, { until, reject }] of this.#pending) {
      const left = until - clock.now();
      if (left > 0) {
        this.#expiry = clock.after(left, () => this.#expire());
        return;
      }
      this.#pending.delete(sequence);
      reject(new DeliveryError('timeout', 'the SMSC did not answer in time'));
    }
  }

  #enquireLater(): void {
    const { clock, enquireLinkMs } = this.#options;
    const silentMs = clock.now() - this.#lastHeardAt;
    this.#enquiry = clock.after(Math.max(enquireLinkMs - silentMs, 1), () => void this.#enquire());
  }

  async #enquire(): Promise<void> {
    const { clock, enquireLinkMs } = this.#options;
    if (clock.now() - this.#lastHeardAt < enquireLinkMs) return this.#enquireLater();
    try {
      await this.request('enquire_link', {});
    } catch {
      return this.close('the SMSC does not answer (enquire_link)');
    }
    if (!this.isClosed) this.#enquireLater();
  }

  #nextSequence(): number {
    this.#sequence = this.#sequence >= MAX_SEQUENCE ? 1 : this.#sequence + 1;
    return this.#sequence;
  }
}
