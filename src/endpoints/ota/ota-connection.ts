/**
 * A connection that a terminal opened and on which we send the requests (TO-TCP): several may be under way, and answers come in their
 * order (RFC 9112 §9.3). Content goes out in pieces, no faster than the terminal reads. When anything goes wrong the connection
 * ends, and with it everything that has no answer yet.
 */
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../kernel/clock.js';
import { DecodeError, DeliveryError } from '../../kernel/errors.js';
import { KIB } from '../../kernel/units.js';
import { encodeHttpHead, type HttpLimits, HttpResponseReader } from '../../protocols/http/index.js';
import { WAP_PUSH_TARGET } from '../../protocols/ota-http/index.js';
import { type OtaAnswer, type OtaRequest, sizeOf } from '../../transports/ota-http/terminal-exchange.js';

export interface OtaConnectionOptions {
  readonly clock: Clock;
  /** How long nothing may move while an answer is due. */
  readonly answerTimeoutMs: number;
  readonly onClosed: (reason: string) => void;
}

interface Pending {
  resolve(answer: OtaAnswer): void;
  reject(error: DeliveryError): void;
}

/** Terminals answer with header fields; more is not read. */
const ANSWER_LIMITS: HttpLimits = { maxHeadBytes: 16 * KIB, maxHeaders: 100, maxBodyBytes: 4 * KIB };
const PIECE_BYTES = 64 * KIB;

export class OtaConnection {
  readonly #socket: Socket;
  readonly #options: OtaConnectionOptions;
  readonly #reader = new HttpResponseReader(ANSWER_LIMITS);
  readonly #pending: Pending[] = [];
  readonly #host: string;
  /** Settles when everything so far has been written. */
  #written: Promise<void> = Promise.resolve();
  #patience: Timer | undefined;
  #closedFor: string | undefined;

  constructor(socket: Socket, options: OtaConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    const { remoteAddress = '', remotePort = 0 } = socket;
    this.#host = remoteAddress.includes(':')
      ? `[${remoteAddress}]:${remotePort}`
      : `${remoteAddress}:${remotePort}`;
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    socket.on('data', (octets: Buffer) => this.#received(octets));
    socket.on('end', () => this.#ended());
    socket.on('error', (error) => this.close(error.message));
    socket.on('close', () => this.close('the terminal closed the connection'));
  }

  get isOpen(): boolean {
    return this.#closedFor === undefined;
  }

  /** Sends one request behind those before it. Rejects with DeliveryError when the connection ends before its answer. */
  exchange(request: OtaRequest): Promise<OtaAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#closedFor !== undefined) return reject(lost(this.#closedFor));
      this.#pending.push({ resolve, reject });
      this.#moved();
      this.#written = this.#written
        .then(() => this.#write(request))
        .catch((error: Error) => this.close(error.message));
    });
  }

  /** Safe to repeat. */
  close(reason: string): void {
    if (this.#closedFor !== undefined) return;
    this.#closedFor = reason;
    this.#patience?.cancel();
    this.#socket.destroy();
    for (const pending of this.#pending.splice(0)) pending.reject(lost(reason));
    this.#options.onClosed(reason);
  }

  async #write({ method, headers, body }: OtaRequest): Promise<void> {
    const size = body === undefined ? 0 : body.prefix.length + sizeOf(body.content);
    const host = { name: 'Host', value: this.#host };
    const head = { kind: 'request', method, target: WAP_PUSH_TARGET, headers: [host, ...headers] } as const;
    await this.#send(encodeHttpHead(head, size));
    if (body === undefined) return;
    await this.#send(body.prefix);
    const { content } = body;
    if (content instanceof Uint8Array) return this.#send(content);
    for (let at = 0; at < content.size && this.isOpen; at += PIECE_BYTES)
      await this.#send(await content.read(at, Math.min(PIECE_BYTES, content.size - at)));
  }

  /** Resolves when the octets have left, or never will. */
  async #send(octets: Uint8Array): Promise<void> {
    if (octets.length === 0 || !this.isOpen) return;
    await new Promise<void>((resolve) => this.#socket.write(octets, () => resolve()));
    this.#moved();
  }

  #received(octets: Buffer): void {
    this.#reader.push(octets);
    this.#takeAnswers();
  }

  #ended(): void {
    this.#reader.end();
    this.#takeAnswers();
    this.close('the terminal closed the connection');
  }

  #takeAnswers(): void {
    try {
      for (let answer = this.#reader.next(); answer && this.isOpen; answer = this.#reader.next()) {
        const pending = this.#pending.shift();
        pending?.resolve(answer);
        if (pending === undefined) this.close('an answer without a request');
        else if (answer.isLast) this.close('the terminal ends the connection');
        else this.#moved();
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.close(`no HTTP: ${error.detail}`);
    }
  }

  /** Something went on; from now on patience begins anew while an answer is due. */
  #moved(): void {
    this.#patience?.cancel();
    this.#patience = undefined;
    if (this.#pending.length === 0 || !this.isOpen) return;
    const { clock, answerTimeoutMs } = this.#options;
    this.#patience = clock.after(answerTimeoutMs, () => this.close(`no answer within ${answerTimeoutMs} ms`));
  }
}

function lost(reason: string): DeliveryError {
  return new DeliveryError('unreachable', reason);
}
