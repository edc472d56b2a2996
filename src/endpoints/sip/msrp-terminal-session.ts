/**
 * A terminal's push session: one SIP dialog, one MSRP session (profile S1, SIR-158). Content goes out by SEND under the push's
 * uid and counts as delivered when the terminal's success report for the whole message is there. The session ends when
 * either side says BYE, when the connection is lost, or when nothing has been sent for a while (SIR-161).
 */
import type { Clock, Timer } from '../../kernel/clock.js';
import type { ConnectionItem, ConnectionOutcome } from '../../lane/ports.js';
import type { TerminalSession } from '../../lane/sessions.js';
import type { MsrpOutcome, MsrpSession } from '../../transports/msrp-connections/msrp-connections.js';
import type { SipDialog } from '../../transports/sip-stack/sip-stack.js';
import { acceptsType } from './accept-types.js';

export interface MsrpTerminalSessionOptions {
  readonly id: string;
  readonly msrp: MsrpSession;
  /** `accept-types` of the terminal's offer. */
  readonly acceptTypes: readonly string[];
  /** `max-size` of the terminal's offer, octets. */
  readonly maxSize?: number;
  readonly window: number;
  readonly idleMs: number;
  readonly clock: Clock;
  readonly onClosed: (session: MsrpTerminalSession, reason: string) => void;
}

export class MsrpTerminalSession implements TerminalSession {
  readonly bearer = 'msrp';
  readonly id: string;
  readonly window: number;
  readonly #options: MsrpTerminalSessionOptions;
  #dialog: SipDialog | undefined;
  #underWay = 0;
  #idle: Timer | undefined;
  #isClosed = false;

  constructor(options: MsrpTerminalSessionOptions) {
    this.id = options.id;
    this.window = options.window;
    this.#options = options;
    this.#startIdling();
  }

  get isOpen(): boolean {
    return !this.#isClosed && this.#options.msrp.isConnected;
  }

  /** The ACK is there: from now on the dialog can be ended from both sides. */
  bind(dialog: SipDialog): void {
    this.#dialog = dialog;
    dialog.onEnd((reason) => this.close(reason));
    if (this.#isClosed) void dialog.bye();
  }

  accepts(contentType: string): boolean {
    return acceptsType(this.#options.acceptTypes, contentType);
  }

  async deliver(item: ConnectionItem): Promise<ConnectionOutcome> {
    const { msrp, maxSize } = this.#options;
    if (!this.accepts(item.contentType)) {
      return {
        kind: 'refused',
        why: 'mediaType',
        detail: `the terminal does not accept ${item.contentType}`,
      };
    }
    const size = item.content instanceof Uint8Array ? item.content.length : item.content.size;
    if (maxSize !== undefined && size > maxSize) {
      return { kind: 'refused', why: 'size', detail: `the terminal takes at most ${maxSize} octets` };
    }
    this.#underWay += 1;
    this.#idle?.cancel();
    try {
      const { id: messageId, contentType, headers, content } = item;
      const outcome = await msrp.send({ messageId, contentType, headers, content, successReport: true });
      const told = connectionOutcome(outcome);
      if (told.kind === 'lost') this.close(told.detail);
      return told;
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#startIdling();
    }
  }

  /** Safe to repeat. */
  close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#idle?.cancel();
    this.#options.msrp.close(reason);
    void this.#dialog?.bye();
    this.#options.onClosed(this, reason);
  }

  #startIdling(): void {
    this.#idle?.cancel();
    if (!this.#isClosed)
      this.#idle = this.#options.clock.after(this.#options.idleMs, () => this.close('idle'));
  }
}

/** What an MSRP status means for the push (RFC 4975 §10). */
export function connectionOutcome(outcome: MsrpOutcome): ConnectionOutcome {
  if (outcome.kind === 'confirmed') return { kind: 'confirmed' };
  if (outcome.kind === 'lost') return { kind: 'lost', detail: outcome.error.detail };
  const detail = `the terminal answered MSRP ${outcome.status} ${outcome.comment}`.trimEnd();
  switch (outcome.status) {
    case 415:
      return { kind: 'refused', why: 'mediaType', detail };
    case 413:
      return { kind: 'refused', why: 'size', detail };
    case 400:
    case 403:
    case 423:
      return { kind: 'refused', why: 'declined', detail };
    default:
      return { kind: 'lost', detail }; // 408, 481, 501, 506: says nothing about the content
  }
}
