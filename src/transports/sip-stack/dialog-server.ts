/**
 * The server side inside a dialog (RFC 3261 §12.2.2, §13.3.1.4, §14.2, §15.1.2): ACK, BYE and repeated INVITE.
 * A repeated offer that changes nothing (a session refresh) is answered with our body of before; one that would change
 * the session gets 488 and leaves it as it is.
 */
import { DecodeError } from '../../kernel/errors.js';
import type { SipHeader, SipRequest } from '../../protocols/sip/index.js';
import type { StackCore } from './core.js';
import { contactTarget, type Dialog } from './dialog.js';
import type { AckWait, OpenInvite } from './open-invite.js';
import type { OpenRequest } from './open-request.js';
import type { Essentials, Refusal } from './request-checks.js';

export const NO_DIALOG: Refusal = { status: 481, detail: 'no such dialog' };

export class DialogServer {
  readonly #core: StackCore;
  readonly #sendBye: (dialog: Dialog) => Promise<void>;
  readonly #ackWaits = new Map<string, AckWait>();

  constructor(core: StackCore, sendBye: (dialog: Dialog) => Promise<void>) {
    this.#core = core;
    this.#sendBye = sendBye;
  }

  /** From now on an ACK with the number of this 2xx ends the wait. */
  expectAck(dialog: Dialog, wait: AckWait): void {
    this.#ackWaits.get(dialog.key)?.settle('ended');
    this.#ackWaits.set(dialog.key, wait);
    void wait.outcome.then(() => {
      if (this.#ackWaits.get(dialog.key) === wait) this.#ackWaits.delete(dialog.key);
    });
  }

  receiveAck({ callId, cseq, fromTag, toTag }: Essentials): void {
    const dialog = this.#core.dialogs.find(callId, toTag, fromTag);
    const wait = dialog === undefined ? undefined : this.#ackWaits.get(dialog.key);
    if (wait?.cseq === cseq) wait.settle('acknowledged');
  }

  receiveBye(request: OpenRequest, dialog: Dialog | undefined): Refusal | undefined {
    if (dialog === undefined) return NO_DIALOG;
    request.respond(200);
    this.#core.dialogs.remove(dialog);
    this.#ackWaits.get(dialog.key)?.settle('ended');
    dialog.end('the peer ended the session');
    return undefined;
  }

  /** Only a refresh is accepted: no body (then ours is offered anew), or the very body of before. */
  receiveReInvite(
    invite: OpenInvite,
    dialog: Dialog,
    capabilities: readonly SipHeader[],
  ): Refusal | undefined {
    const { body } = invite.message;
    const { contact, localBody, localContentType, remoteBody } = dialog.parts;
    if (body.length > 0 && Buffer.compare(body, remoteBody) !== 0) {
      return { status: 488, detail: 'an offer that changes the session' };
    }
    const target = targetOrRefusal(invite.message);
    if (typeof target === 'string') dialog.refreshTarget(target);
    else if (target !== undefined) return target;
    const contentType = { name: 'Content-Type', value: localContentType ?? 'application/sdp' };
    const headers = [{ name: 'Contact', value: contact }, ...capabilities, contentType];
    const wait = invite.refresh({ headers, body: localBody });
    this.expectAck(dialog, wait);
    void wait.outcome.then((outcome) => {
      if (outcome === 'timeout') this.#endUnacknowledged(dialog);
    });
    return undefined;
  }

  /** Ends every wait; accept() then rejects. */
  close(): void {
    for (const wait of this.#ackWaits.values()) wait.settle('ended');
    this.#ackWaits.clear();
  }

  #endUnacknowledged(dialog: Dialog): void {
    void this.#sendBye(dialog);
    dialog.end('no ACK came for the 200 to a repeated INVITE');
  }
}

/** The Contact of an INVITE, undefined when it has none, or the refusal of a malformed one. */
export function targetOrRefusal(message: SipRequest): string | Refusal | undefined {
  try {
    return contactTarget(message);
  } catch (error) {
    if (error instanceof DecodeError) return { status: 400, detail: error.detail };
    throw error;
  }
}
