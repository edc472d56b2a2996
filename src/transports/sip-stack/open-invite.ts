/**
 * An INVITE that waits for its answer (RFC 3261 §13.3): 100 when the handler takes its time, 2xx repeated until the
 * ACK comes whatever the transport (§13.3.1.4), CANCEL. The dialog exists from the 2xx on, for the peer may end it
 * before its ACK has arrived.
 */
import { DecodeError, DeliveryError, InvariantError } from '../../kernel/errors.js';
import { headerValue, parseUri, type SipHeader } from '../../protocols/sip/index.js';
import { contactFor } from './core.js';
import { Dialog, serverDialogParts } from './dialog.js';
import { OpenRequest, type OpenRequestOptions } from './open-request.js';
import type { ResponseOptions, ServerInvite, SipDialog } from './sip-stack.js';
import { Retransmission, transactionLifeMs } from './timers.js';
import type { Outlet } from './transactions.js';

export interface OpenInviteOptions extends OpenRequestOptions {
  /** Headers of every 2xx: Allow, Supported. */
  readonly capabilities: () => readonly SipHeader[];
  /** Registers a wait for the ACK of this dialog's 2xx. */
  readonly expectAck: (dialog: Dialog, wait: AckWait) => void;
  readonly sendBye: (dialog: Dialog) => Promise<void>;
}

/** How the wait for an ACK ended. */
export type AckOutcome = 'acknowledged' | 'timeout' | 'ended';

/** A 2xx on its way: repeated until its ACK arrives, for 64*T1. */
export class AckWait {
  readonly cseq: number;
  readonly outcome: Promise<AckOutcome>;
  readonly #retransmission: Retransmission;
  readonly #timer: NodeJS.Timeout;
  #resolve: (outcome: AckOutcome) => void = () => {};

  constructor(
    cseq: number,
    byteString: string,
    outlet: Outlet,
    timers: { t1: number; t2: number; t4: number },
  ) {
    this.cseq = cseq;
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    const send = () => void outlet.send(byteString).catch(() => {});
    this.#retransmission = new Retransmission(timers.t1, timers.t2, send);
    this.#timer = setTimeout(() => this.settle('timeout'), transactionLifeMs(timers));
  }

  settle(outcome: AckOutcome): void {
    this.#retransmission.stop();
    clearTimeout(this.#timer);
    this.#resolve(outcome);
  }
}

export class OpenInvite extends OpenRequest implements ServerInvite {
  readonly #options: OpenInviteOptions;
  readonly #trying: NodeJS.Timeout;
  #cancelListeners: (() => void)[] = [];
  #isCancelled = false;

  constructor(options: OpenInviteOptions) {
    super(options);
    this.#options = options;
    // [RFC 3261 §17.2.1] 100 within 200 ms unless an answer comes first.
    this.#trying = setTimeout(() => this.answer(100, {}), Math.min(200, options.core.timers.t1 / 2));
  }

  override respond(status: number, options: ResponseOptions = {}): void {
    if (status >= 200 && status < 300) throw new InvariantError('a 2xx to INVITE is sent by accept()');
    this.answer(status, options);
  }

  async accept(options: Parameters<ServerInvite['accept']>[0]): Promise<SipDialog> {
    if (this.#isCancelled)
      throw new DeliveryError('unreachable', 'the caller has cancelled', { retry: 'never' });
    if (this.isAnswered) throw new InvariantError('the INVITE has been answered already');
    const dialog = this.#dialogWith(options.body, options.contentType);
    const given = options.headers ?? [];
    const hasContact = headerValue({ headers: given }, 'contact') !== undefined;
    const byteString = this.answer(200, {
      headers: [
        ...(hasContact ? [] : [{ name: 'Contact', value: dialog.parts.contact }]),
        ...this.#options.capabilities(),
        ...given,
        { name: 'Content-Type', value: options.contentType },
      ],
      body: options.body,
    });
    const { core } = this;
    core.dialogs.add(dialog);
    const wait = new AckWait(this.essentials.cseq, byteString ?? '', this.outlet, core.timers);
    this.#options.expectAck(dialog, wait);
    const outcome = await wait.outcome;
    if (outcome === 'acknowledged') return dialog;
    if (outcome === 'ended') throw new DeliveryError('unreachable', 'the caller hung up before its ACK');
    core.dialogs.remove(dialog);
    void dialog.bye();
    throw new DeliveryError('timeout', 'no ACK came for the 200');
  }

  /** Sends a 200 inside a dialog that exists already. */
  refresh(options: ResponseOptions): AckWait {
    const byteString = this.answer(200, options) ?? '';
    return new AckWait(this.essentials.cseq, byteString, this.outlet, this.core.timers);
  }

  onCancel(listener: () => void): void {
    if (this.#isCancelled) queueMicrotask(listener);
    else this.#cancelListeners.push(listener);
  }

  /** The caller cancels: 487 unless a final response has gone out (RFC 3261 §9.2). */
  cancel(): void {
    if (this.isAnswered) return;
    this.#isCancelled = true;
    this.answer(487, {});
    const listeners = this.#cancelListeners;
    this.#cancelListeners = [];
    for (const listener of listeners) listener();
  }

  protected override answer(status: number, options: ResponseOptions): string | undefined {
    clearTimeout(this.#trying);
    return super.answer(status, options);
  }

  override abandon(): void {
    clearTimeout(this.#trying);
    super.abandon();
  }

  protected override maySendProvisional(): boolean {
    return true;
  }

  /** A called party may ring for long; 64*T1 six times over is the 3 minutes of Timer C. */
  protected override patienceMs(): number {
    return 6 * transactionLifeMs(this.core.timers);
  }

  protected override onNeverAnswered(): void {
    this.answer(500, { reason: 'No Answer' });
  }

  #dialogWith(body: Uint8Array, contentType: string): Dialog {
    const { core, essentials, flow, message, toTag } = this;
    const { callId, cseq, fromTag } = essentials;
    const uri = parseUri(message.uri);
    const { user, scheme } = uri.kind === 'sip' ? uri : { user: undefined, scheme: 'sip' as const };
    const contact = contactFor(core, user, flow, scheme);
    try {
      const parts = serverDialogParts(
        message,
        { callId, cseq, localTag: toTag, remoteTag: fromTag },
        { contact, body, contentType, flow },
      );
      return new Dialog(parts, this.#options.sendBye);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.answer(400, { reason: 'Bad Contact Or Record-Route' });
      throw error;
    }
  }
}
