/**
 * The push session of a terminal that opened a WSP session: confirmed pushes as transactions of class 1, which the terminal acknowledges when
 * it has them, and unconfirmed ones as class 0 (WAP-230 §6.3.3, WAP-235). It ends when the terminal or we say so, when the terminal no
 * longer answers, or when nothing has been sent for a while. While it is suspended nothing is sent.
 */
import type { Clock, Timer } from '../../kernel/clock.js';
import { RefusedError } from '../../kernel/errors.js';
import { advance } from '../../kernel/transition-table.js';
import type { ConnectionItem, ConnectionOutcome } from '../../lane/ports.js';
import type { TerminalSession } from '../../lane/sessions.js';
import { ABORT, encodeWsp, OPTION } from '../../protocols/wsp/index.js';
import { binaryTypeOf } from '../../push/content-conversion.js';
import type { TerminalId } from '../../registry/terminal-id.js';
import type { Terminal } from '../../registry/user.js';
import type { DatagramPeer } from '../../transports/datagram/datagram-socket.js';
import { pushContents } from '../../transports/wsp/push-contents.js';
import type { OutgoingTransaction, WtpEndpoint } from '../../transports/wtp/wtp-endpoint.js';
import type { Agreed } from './agreement.js';
import { pushOutcome } from './push-outcome.js';
import { WSP_SESSION, type WspSessionEvent, type WspSessionState } from './wsp-session-states.js';

export interface WspTerminalSessionOptions {
  readonly id: string;
  /** As WSP numbers it. */
  readonly sessionId: number;
  readonly terminal: Terminal;
  readonly peer: DatagramPeer;
  readonly agreed: Agreed;
  readonly wtp: Pick<WtpEndpoint, 'invoke'>;
  /** Largest push that goes in one datagram. */
  readonly maxUnitBytes: number;
  readonly idleMs: number;
  readonly clock: Clock;
  readonly onClosed: (session: WspTerminalSession, reason: string) => void;
}

export class WspTerminalSession implements TerminalSession {
  readonly bearer = 'wsp-session';
  readonly id: string;
  readonly sessionId: number;
  readonly window: number;
  readonly #options: WspTerminalSessionOptions;
  readonly #underWay = new Set<OutgoingTransaction>();
  #state: WspSessionState = 'connecting';
  #peer: DatagramPeer;
  #idle: Timer | undefined;

  constructor(options: WspTerminalSessionOptions) {
    this.id = options.id;
    this.sessionId = options.sessionId;
    this.window = options.agreed.window;
    this.#options = options;
    this.#peer = options.peer;
    this.#startIdling();
  }

  get terminal(): TerminalId {
    return this.#options.terminal.id;
  }

  get peer(): DatagramPeer {
    return this.#peer;
  }

  get state(): WspSessionState {
    return this.#state;
  }

  get isOpen(): boolean {
    return this.#state === 'connected';
  }

  /** The binary form of a document is what is read from WSP, unless the terminal says that it reads the text. */
  accepts(contentType: string): boolean {
    const [type = ''] = contentType.split(';', 1);
    const mediaType = type.trim().toLowerCase();
    return binaryTypeOf(mediaType) === undefined || this.#options.agreed.accepts.has(mediaType);
  }

  async deliver(item: ConnectionItem): Promise<ConnectionOutcome> {
    const { options, maxBytes } = this.#options.agreed;
    const mayConfirm = (options & OPTION.confirmedPush) !== 0;
    if (item.confirmation === 'required' && !mayConfirm)
      return { kind: 'unfit', detail: 'the terminal confirms no pushes' };
    const size = item.content instanceof Uint8Array ? item.content.length : item.content.size;
    if (size > maxBytes) return this.#tooLarge(`content of ${size} octets, at most ${maxBytes}`);
    const content =
      item.content instanceof Uint8Array ? item.content : await item.content.read(0, item.content.size);
    let payload: Uint8Array;
    let isConfirmed = mayConfirm && (item.confirmation !== 'unwanted' || (options & OPTION.push) === 0);
    try {
      const contents = pushContents(item, content);
      payload = encodeWsp({ kind: isConfirmed ? 'confirmed-push' : 'push', ...contents });
      // What goes in segments is acknowledged in any case.
      if (!isConfirmed && mayConfirm && payload.length > this.#options.maxUnitBytes) {
        isConfirmed = true;
        payload = encodeWsp({ kind: 'confirmed-push', ...contents });
      }
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      return { kind: 'refused', why: 'declined', detail: error.detail };
    }
    if (payload.length > maxBytes) return this.#tooLarge(`${payload.length} octets, at most ${maxBytes}`);
    if (!this.isOpen) return { kind: 'lost', detail: 'the session is not open' };
    return this.#invoke(payload, isConfirmed);
  }

  /** The terminal has our answer to its request: pushes may go out. */
  opened(): void {
    this.#advance('open');
  }

  /** Nothing is sent until it is resumed; what is under way is given up. */
  suspend(): void {
    if (this.#state !== 'connected' && this.#state !== 'resuming') return;
    this.#advance('suspend');
    this.#abortAll(ABORT.suspend);
  }

  /** From where it is now. */
  resume(peer: DatagramPeer): void {
    this.#advance('resume');
    this.#peer = peer;
  }

  /** Ends it, and tells the terminal. Safe to repeat. */
  close(reason: string): void {
    if (this.#state === 'null') return;
    const payload = encodeWsp({ kind: 'disconnect', sessionId: this.sessionId });
    this.#options.wtp.invoke(this.#peer, { transactionClass: 0, payload });
    this.ended(reason);
  }

  /** The terminal ended it, or is gone. Safe to repeat. */
  ended(reason: string): void {
    if (this.#state === 'null') return;
    this.#advance('close');
    this.#idle?.cancel();
    this.#abortAll(ABORT.disconnect);
    this.#options.onClosed(this, reason);
  }

  async #invoke(payload: Uint8Array, isConfirmed: boolean): Promise<ConnectionOutcome> {
    this.#idle?.cancel();
    const transaction = this.#options.wtp.invoke(this.#peer, {
      transactionClass: isConfirmed ? 1 : 0,
      payload,
      wantsUserAck: isConfirmed,
    });
    this.#underWay.add(transaction);
    const ended = await transaction.ended;
    this.#underWay.delete(transaction);
    if (this.#underWay.size === 0) this.#startIdling();
    if (ended.kind === 'silent') this.close('the terminal does not answer any more');
    if (ended.kind === 'aborted' && ended.by === 'user') this.#aborted(ended.reason);
    return pushOutcome(ended, (detail) => this.#tooLarge(detail));
  }

  /** Some reasons are about the session, not about the push. */
  #aborted(reason: number): void {
    if (reason === ABORT.disconnect) this.ended('the terminal has no such session');
    if (reason === ABORT.suspend) this.suspend();
  }

  /** Another activation method may carry it, once this session is over. */
  #tooLarge(detail: string): ConnectionOutcome {
    const hasOtherWay = this.#options.terminal.activation.some(({ bearer }) => bearer !== 'wsp');
    return hasOtherWay ? { kind: 'unfit', detail } : { kind: 'refused', why: 'size', detail };
  }

  #abortAll(reason: number): void {
    for (const transaction of this.#underWay) transaction.abort(reason);
  }

  #startIdling(): void {
    this.#idle?.cancel();
    const { clock, idleMs } = this.#options;
    if (this.#state !== 'null') this.#idle = clock.after(idleMs, () => this.close('idle'));
  }

  #advance(event: WspSessionEvent): void {
    this.#state = advance(WSP_SESSION, this.#state, event);
  }
}
