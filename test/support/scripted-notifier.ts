/** A SIP stack whose other end is the test: SUBSCRIBEs are written down and answered by hand, NOTIFYs are made here. */
import {
  decodeSipMessage,
  headerValue,
  type SipHeader,
  type SipRequest,
} from '../../src/protocols/sip/index.js';
import type {
  ClientRequest,
  ResponseOptions,
  ServerRequest,
  SipStack,
} from '../../src/transports/sip-stack/sip-stack.js';

export interface SentSubscribe {
  readonly request: ClientRequest;
  readonly expires: number;
  answer(status: number, headers?: readonly SipHeader[]): void;
  fail(error: Error): void;
}

export interface NotifyOptions {
  /** Value of Subscription-State. */
  readonly state?: string;
  readonly event?: string;
  readonly contentType?: string;
  readonly body?: string;
  /** From tag of the notifier; default `n`. */
  readonly tag?: string;
  readonly cseq?: number;
  readonly contact?: string;
  readonly recordRoute?: string;
  readonly without?: 'event' | 'subscription-state' | 'contact';
}

export interface NotifyAnswer {
  readonly status: number;
  readonly options: ResponseOptions;
}

export class ScriptedNotifier {
  readonly sent: SentSubscribe[] = [];
  readonly stack: Pick<SipStack, 'request' | 'onRequest'>;
  #onNotify: ((request: ServerRequest) => void | Promise<void>) | undefined;
  #cseq = 0;

  constructor() {
    this.stack = {
      onRequest: (method, handler) => {
        if (method === 'NOTIFY') this.#onNotify = handler;
      },
      request: (request) =>
        new Promise((resolve, reject) => {
          this.sent.push({
            request,
            expires: Number(headerIn(request, 'expires')),
            answer: (status, headers = []) =>
              resolve({
                kind: 'response',
                status,
                reason: 'Scripted',
                headers: [{ name: 'To', value: `${request.to};tag=n` }, ...headers],
                body: new Uint8Array(0),
              }),
            fail: reject,
          });
        }),
    };
  }

  get last(): SentSubscribe {
    const last = this.sent.at(-1);
    if (last === undefined) throw new Error('nothing was sent');
    return last;
  }

  /** Answers the last SUBSCRIBE with 200. */
  accept(expires = this.last.expires): void {
    this.last.answer(200, [{ name: 'Expires', value: String(expires) }]);
  }

  /** A NOTIFY in the dialog of a SUBSCRIBE, by default the last one; the answer to it. */
  notify(options: NotifyOptions = {}, to: SentSubscribe = this.last): NotifyAnswer {
    this.#cseq = options.cseq ?? this.#cseq + 1;
    const {
      state = 'active;expires=600',
      event = headerIn(to.request, 'event'),
      tag = 'n',
      body = '',
    } = options;
    const { contact = '<sip:notifier@192.0.2.9>' } = options;
    const lines = [
      'NOTIFY sip:ppg@192.0.2.1 SIP/2.0',
      'Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1',
      `From: ${to.request.to.replace(/;tag=.*/, '')};tag=${tag}`,
      `To: ${to.request.from}`,
      `Call-ID: ${to.request.callId}`,
      `CSeq: ${this.#cseq} NOTIFY`,
      ...(options.without === 'event' ? [] : [`Event: ${event}`]),
      ...(options.without === 'subscription-state' ? [] : [`Subscription-State: ${state}`]),
      ...(options.without === 'contact' ? [] : [`Contact: ${contact}`]),
      ...(options.recordRoute === undefined ? [] : [`Record-Route: ${options.recordRoute}`]),
      ...(options.contentType === undefined ? [] : [`Content-Type: ${options.contentType}`]),
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    const message = decodeSipMessage(Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`)) as SipRequest;
    let answer: NotifyAnswer | undefined;
    void this.#onNotify?.({
      message,
      flow: { transport: 'udp', address: '192.0.2.9', port: 5060 },
      respond(status, given = {}) {
        answer ??= { status, options: given };
      },
    });
    if (answer === undefined) throw new Error('the NOTIFY was not answered at once');
    return answer;
  }
}

function headerIn(request: ClientRequest, name: string): string {
  return headerValue({ headers: request.headers ?? [] }, name) ?? '';
}
