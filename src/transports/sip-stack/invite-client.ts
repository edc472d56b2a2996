/**
 * INVITE as a caller (RFC 3261 §13.2): the offer goes out, provisional responses keep it alive, every 2xx is
 * acknowledged (again whenever it is repeated), the first makes the dialog, further ones of a forked call are ended by
 * BYE. CANCEL when the caller gives up or the other side rings for longer than Timer C.
 */
import { DecodeError, DeliveryError } from '../../kernel/errors.js';
import { headerValue, type SipResponse, sipMessageByteString, tagOf } from '../../protocols/sip/index.js';
import { ClientAuth } from './client-auth.js';
import { type Draft, draftRequest, requestOf, userOf, withHeaders } from './compose.js';
import { contactFor } from './core.js';
import { clientDialogParts, Dialog } from './dialog.js';
import type { Path } from './network.js';
import { SipRejection } from './sip-rejection.js';
import type { ClientRequest, SipDialog } from './sip-stack.js';
import { transactionLifeMs } from './timers.js';
import type { Sending, UserAgentClient } from './user-agent-client.js';

/** See SipStack.invite. */
export async function sendInvite(client: UserAgentClient, request: ClientRequest): Promise<SipDialog> {
  const { core } = client;
  const auth = new ClientAuth(request.credentials);
  let draft = draftRequest({ ...request, method: 'INVITE' }, core.product, undefined);
  const hasContact = headerValue(draft, 'contact') !== undefined;
  for (;;) {
    const path = await client.pathFor(draft, request.destination);
    const contact = contactFor(core, userOf(draft.from), path.flow);
    if (!hasContact) draft = withHeaders(draft, draft.cseq, [{ name: 'Contact', value: contact }]);
    const outcome = await new InviteAttempt(client, draft, path, request).outcome;
    if (outcome instanceof Dialog) return outcome;
    const next = auth.answer(draft, outcome);
    if (next === undefined) throw new SipRejection(outcome);
    draft = next;
  }
}

class InviteAttempt {
  /** The dialog, or the final response that refuses. Rejects with DeliveryError. */
  readonly outcome: Promise<Dialog | SipResponse>;
  readonly #client: UserAgentClient;
  readonly #draft: Draft;
  readonly #path: Path;
  readonly #request: ClientRequest;
  readonly #sending: Sending;
  /** To tag of each 2xx → sends its ACK again. */
  readonly #acks = new Map<string, () => void>();
  #resolve: (outcome: Dialog | SipResponse) => void = () => {};
  #reject: (error: DeliveryError) => void = () => {};
  #hasDialog = false;
  #isSettled = false;
  #hasProvisional = false;
  #cancelReason: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: UserAgentClient, draft: Draft, path: Path, request: ClientRequest) {
    this.#client = client;
    this.#draft = draft;
    this.#path = path;
    this.#request = request;
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#sending = client.send(draft, path, {
      onResponse: (response) => this.#receive(response),
      onFailure: (error) => this.#settle(() => this.#reject(error)),
    });
    request.signal?.addEventListener('abort', this.#onAbort);
    if (request.signal?.aborted === true) this.#onAbort();
  }

  readonly #onAbort = () => this.#cancel('given up');

  #receive(response: SipResponse): void {
    if (response.status < 200) {
      this.#provisional();
      return;
    }
    if (response.status >= 300) {
      this.#settle(() => this.#resolve(response));
      return;
    }
    this.#accepted(response);
  }

  #provisional(): void {
    if (this.#isSettled) return;
    const isFirst = !this.#hasProvisional;
    this.#hasProvisional = true;
    if (this.#cancelReason === undefined) {
      // Timer C [RFC 3261 §16.6]: 3 minutes from the last provisional response.
      clearTimeout(this.#timer);
      const timerCMs = 6 * transactionLifeMs(this.#client.core.timers);
      this.#timer = setTimeout(() => this.#cancel('no final answer'), timerCMs);
    } else if (isFirst) this.#sendCancel();
  }

  #accepted(response: SipResponse): void {
    let remoteTag: string | undefined;
    let dialog: Dialog;
    try {
      remoteTag = tagOf(headerValue(response, 'to') ?? '');
      const again = this.#acks.get(remoteTag ?? '');
      if (again !== undefined) {
        again();
        return;
      }
      const local = {
        contact: headerValue(this.#draft, 'contact') ?? '',
        contentType: this.#request.contentType,
        flow: this.#path.flow,
      };
      dialog = new Dialog(clientDialogParts(this.#draft, response, local), (ended) =>
        this.#client.sendBye(ended),
      );
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      const failure = new DeliveryError('malformed', `a 2xx that makes no dialog: ${error.detail}`, {
        cause: error,
      });
      this.#settle(() => this.#reject(failure));
      return;
    }
    this.#acks.set(remoteTag ?? '', () => {});
    const isWanted = !this.#isSettled && !this.#hasDialog && this.#cancelReason === undefined;
    if (isWanted) {
      this.#hasDialog = true;
      this.#client.core.dialogs.add(dialog);
    }
    void this.#acknowledge(dialog, remoteTag ?? '').then(() => {
      if (isWanted) return this.#settle(() => this.#resolve(dialog));
      // A second answer of a forked call, or one that came too late for our CANCEL.
      void dialog.bye();
      if (!this.#hasDialog) {
        this.#settle(() =>
          this.#reject(new DeliveryError('timeout', `cancelled: ${this.#cancelReason ?? ''}`)),
        );
      }
    });
  }

  /** [RFC 3261 §13.2.2.4] the ACK to a 2xx is a request of its own, along the dialog's route, with the INVITE's credentials. */
  async #acknowledge(dialog: Dialog, remoteTag: string): Promise<void> {
    const credentials = this.#draft.headers.filter(({ name }) => /^(?:proxy-)?authorization$/i.test(name));
    const ack = dialog.draft('ACK', credentials, this.#draft.cseq);
    // A Contact that leads nowhere is the peer's mistake; the way the INVITE took did work.
    const path = await this.#client.pathInDialog(dialog, ack).catch(() => this.#path);
    const byteString = sipMessageByteString(requestOf(ack, this.#client.newVia(path)));
    const send = () => path.outlet.send(byteString).catch(() => {});
    this.#acks.set(remoteTag, () => void send());
    await send();
  }

  #cancel(reason: string): void {
    if (this.#isSettled || this.#hasDialog || this.#cancelReason !== undefined) return;
    this.#cancelReason = reason;
    clearTimeout(this.#timer);
    // [RFC 3261 §9.1] not before a provisional response; Timer B ends an INVITE that gets none.
    if (this.#hasProvisional) this.#sendCancel();
  }

  #sendCancel(): void {
    const { core } = this.#client;
    const draft: Draft = {
      ...this.#draft,
      method: 'CANCEL',
      headers: [
        { name: 'Max-Forwards', value: '70' },
        { name: 'User-Agent', value: core.product },
      ],
      body: new Uint8Array(0),
    };
    const ignore = { onResponse() {}, onFailure() {} };
    this.#client.send(draft, this.#path, ignore, this.#sending.via);
    this.#timer = setTimeout(() => {
      const failure = new DeliveryError(
        'timeout',
        `no final response after CANCEL (${this.#cancelReason ?? ''})`,
      );
      this.#settle(() => this.#reject(failure));
      this.#sending.abandon();
    }, transactionLifeMs(core.timers));
  }

  #settle(act: () => void): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    clearTimeout(this.#timer);
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    act();
  }
}
