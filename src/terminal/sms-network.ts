/**
 * The mobile network of a terminal that has no radio: a connection to an SMSC by SMPP, bound under the number of the terminal. What the SMSC
 * hands over for that number, short messages and USSD notifications, reaches the terminal; what the terminal returns in short messages goes out
 * by it (SIR-84, SIR-86, SIR-88, SIR-134). The connection is kept up.
 */
import type { Clock, RandomBytes } from '../kernel/clock.js';
import { DeliveryError } from '../kernel/errors.js';
import { SECOND_MS } from '../kernel/units.js';
import {
  ESM_CLASS,
  isReceipt,
  NO_PARAMETERS,
  NUMBERING_PLAN,
  PARAMETER,
  STATUS,
  TYPE_OF_NUMBER,
} from '../protocols/smpp/index.js';
import { type TextMessage, textMessage } from '../protocols/sms/index.js';
import type { LinkFact, SmppLinkOptions } from '../transports/smpp/link-options.js';
import type { Delivered } from '../transports/smpp/smpp-connection.js';
import { SmppLink } from '../transports/smpp/smpp-link.js';
import type { ReceivedShortMessage, ShortMessage } from './short-message.js';

export interface SmscOptions {
  readonly host: string;
  readonly port: number;
  readonly systemId: string;
  readonly password: string;
  /** The terminal's, E.164 with `+`. */
  readonly number: string;
}

export interface SmsNetworkPorts {
  /** Must not reject. The SMSC is told that the terminal has it when this resolves. */
  readonly receive: (message: ReceivedShortMessage) => Promise<void>;
  /** The connection was lost, or is refused now. It is tried again. */
  readonly onLost: (reason: string) => void;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
}

const LINK = {
  name: 'the SMSC',
  bind: 'transceiver',
  systemType: '',
  window: 8,
  maxQueued: 256,
  maxWaitMs: 10 * SECOND_MS,
  connectTimeoutMs: 10 * SECOND_MS,
  responseTimeoutMs: 10 * SECOND_MS,
  enquireLinkMs: 30 * SECOND_MS,
  reconnectMs: [1, 2, 5, 10, 30].map((seconds) => seconds * SECOND_MS),
  throttleMs: [SECOND_MS, 5 * SECOND_MS],
} as const satisfies Partial<SmppLinkOptions>;

export class SmsNetwork implements AsyncDisposable {
  readonly #link: SmppLink;
  readonly #number: string;
  #reference: number;

  private constructor(link: SmppLink, number: string, reference: number) {
    this.#link = link;
    this.#number = number;
    this.#reference = reference;
  }

  /** Resolves when it is bound. Rejects with DeliveryError when the SMSC cannot be reached or refuses. */
  static async connect(options: SmscOptions, ports: SmsNetworkPorts): Promise<SmsNetwork> {
    const { number, ...place } = options;
    const { clock, randomBytes, receive, onLost } = ports;
    let first: ((fact: LinkFact) => void) | undefined;
    const link = new SmppLink(
      { ...LINK, ...place, addressRange: digitsOf(number) },
      {
        clock,
        delivered: (message) => take(message, number, receive),
        observe(fact) {
          if (first) first(fact);
          else if (fact.kind === 'state' && fact.state === 'waiting') onLost(fact.reason);
        },
      },
    );
    try {
      await new Promise<void>((resolve, reject) => {
        first = (fact) => {
          if (fact.kind !== 'state') return;
          if (fact.state === 'bound') resolve();
          if (fact.state === 'waiting')
            reject(new DeliveryError('unreachable', `SMSC ${place.host}:${place.port}: ${fact.reason}`));
        };
        link.start();
      });
    } catch (error) {
      await link[Symbol.asyncDispose]();
      throw error;
    } finally {
      first = undefined;
    }
    return new SmsNetwork(link, number, randomBytes(1)[0] ?? 0);
  }

  /** The number as a URI (RFC 5724): behind `sms:` it is the address of the activation method. */
  get url(): string {
    return `sms:${this.#number}`;
  }

  /** Resolves when the SMSC has all of it; rejects with DeliveryError when it does not take it. */
  async send({ to, text }: ShortMessage): Promise<void> {
    this.#reference = (this.#reference + 1) & 0xff;
    const message = textMessage(text, { reference: this.#reference, referenceBits: 8 });
    for (const part of message.parts) {
      const submitted = await this.#link.submit({
        message: this.#submission(to, message, part),
        parameters: NO_PARAMETERS,
      });
      if (submitted.kind !== 'accepted') throw new DeliveryError('unreachable', submitted.detail);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#link[Symbol.asyncDispose]();
  }

  #submission(to: string, { dataCoding, hasHeader }: TextMessage, shortMessage: Uint8Array) {
    return {
      serviceType: '',
      sourceTon: TYPE_OF_NUMBER.international,
      sourceNpi: NUMBERING_PLAN.isdn,
      source: digitsOf(this.#number),
      destinationTon: to.startsWith('+') ? TYPE_OF_NUMBER.international : TYPE_OF_NUMBER.unknown,
      destinationNpi: NUMBERING_PLAN.isdn,
      destination: digitsOf(to),
      esmClass: hasHeader ? ESM_CLASS.userDataHeader : 0,
      protocolId: 0,
      priority: 0,
      scheduleDeliveryTime: '',
      validityPeriod: '',
      registeredDelivery: 0,
      replaceIfPresent: 0,
      dataCoding,
      defaultMessageId: 0,
      shortMessage,
    };
  }
}

/** Receipts, and what is for other numbers of the SMSC, are acknowledged and dropped. */
async function take(
  { body, parameters }: Delivered,
  number: string,
  receive: SmsNetworkPorts['receive'],
): Promise<number> {
  const { source, destination, esmClass } = body;
  if (isReceipt(esmClass) || digitsOf(destination) !== digitsOf(number)) return STATUS.ok;
  const short = 'shortMessage' in body ? body.shortMessage : new Uint8Array();
  const userData = parameters.get(PARAMETER.messagePayload) ?? short;
  await receive({ from: source, userData, hasHeader: (esmClass & ESM_CLASS.userDataHeader) !== 0 });
  return STATUS.ok;
}

function digitsOf(number: string): string {
  return number.replace(/^\+/, '');
}
