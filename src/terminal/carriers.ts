/**
 * The carriers by which SIRs and pushes reach a terminal besides SIP (SIR-84 … SIR-88, SIR-90, SIR-148): those that its options name are opened
 * together and closed together. What comes is for the unit that receives by that carrier.
 */
import type { Clock, RandomBytes } from '../kernel/clock.js';
import { DeliveryError } from '../kernel/errors.js';
import { decodeWebhookSecret } from '../protocols/standard-webhooks/index.js';
import { newSubscription } from '../protocols/web-push/index.js';
import type { PushContents } from '../protocols/wsp/index.js';
import { type EventReceivingPorts, receiveCallback, receivePushMessage } from './event-receiving.js';
import { OtaHttpListener } from './ota-http-listener.js';
import type { OtaResponder } from './ota-http-responder.js';
import { PostListener } from './post-listener.js';
import type { ShortMessage } from './short-message.js';
import { SmsNetwork } from './sms-network.js';
import type { SmsReceiving } from './sms-receiving.js';
import type { TerminalFact } from './terminal-events.js';
import type { TerminalOptions } from './terminal-options.js';
import { WspListener } from './wsp-listener.js';

export interface CarrierPorts extends EventReceivingPorts {
  readonly ota: OtaResponder;
  readonly takeByWsp: (push: PushContents) => Promise<unknown>;
  readonly sms: Pick<SmsReceiving, 'receive'>;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
}

type Place = Omit<Extract<TerminalFact, { readonly kind: 'listening' }>, 'kind'>;
type CarrierOptions = Pick<TerminalOptions, 'otaHttp' | 'wsp' | 'smsc' | 'httpCallback' | 'webPush'>;

export class Carriers implements AsyncDisposable {
  /** Where the terminal is to be reached: what the gateway has to be told. */
  readonly places: Place[] = [];
  readonly #opened: AsyncDisposable[] = [];
  #network: SmsNetwork | undefined;

  private constructor() {}

  /** Rejects with what stands in the way of the first that cannot be had; then none is open. */
  static async open(options: CarrierOptions, ports: CarrierPorts): Promise<Carriers> {
    const carriers = new Carriers();
    try {
      await carriers.#open(options, ports);
      return carriers;
    } catch (error) {
      await carriers[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Sends a short message. Rejects with DeliveryError. */
  async sendSms(message: ShortMessage): Promise<void> {
    if (!this.#network) throw new DeliveryError('unreachable', 'the terminal has no SMSC');
    await this.#network.send(message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#opened.map((carrier) => carrier[Symbol.asyncDispose]()));
  }

  async #open(options: CarrierOptions, ports: CarrierPorts): Promise<void> {
    const { otaHttp, wsp, smsc, httpCallback, webPush } = options;
    const { ota, takeByWsp, sms, events, clock, randomBytes } = ports;
    const failed = (doing: string) => (reason: string) => events.emit({ kind: 'error', doing, reason });
    if (otaHttp) this.#add(await OtaHttpListener.start(ota, otaHttp));
    if (wsp) {
      this.#add(await WspListener.start(wsp, { take: takeByWsp, onRefused: failed('receiving by WSP') }));
    }
    if (smsc) {
      this.#network = this.#add(
        await SmsNetwork.connect(smsc, {
          receive: (message) => sms.receive(message),
          onLost: failed('keeping the connection to the SMSC'),
          clock,
          randomBytes,
        }),
      );
    }
    if (httpCallback) {
      const { secret, ...place } = httpCallback;
      const key = decodeWebhookSecret(secret);
      const take = (post: Parameters<typeof receiveCallback>[0]) =>
        receiveCallback(post, { key, now: clock.now() }, ports);
      this.#add(await PostListener.start({ ...place, path: '/wake' }, take));
    }
    if (webPush) {
      const { keys, decrypt } = newSubscription(randomBytes);
      // [RFC 8030 §8.3] Nobody can guess the URL of a subscription.
      const path = `/push/${Buffer.from(randomBytes(16)).toString('base64url')}`;
      const listener = await PostListener.start({ ...webPush, path }, (post) =>
        receivePushMessage(post, { decrypt }, ports),
      );
      this.#add(listener, { keys });
    }
  }

  #add<Carrier extends AsyncDisposable & { readonly url: string }>(
    carrier: Carrier,
    more: Omit<Place, 'url'> = {},
  ): Carrier {
    this.#opened.push(carrier);
    this.places.push({ url: carrier.url, ...more });
    return carrier;
  }
}
