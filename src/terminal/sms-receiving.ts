/**
 * What reaches the terminal in short messages to the port of WAP push, and in USSD notifications (SIR-84, SIR-88, SIR-148): parts are put together
 * whatever their order, a SIA body is a SIR, anything else is content. A short message has no id, so a repetition is known by its octets.
 * Nobody hears what became of it: what is no push is reported and dropped.
 */
import { createHash } from 'node:crypto';
import { describeError } from '../kernel/errors.js';
import { formatContentType } from '../protocols/mime/index.js';
import { decodeUserData, type Part, WAP_PUSH_PORTS } from '../protocols/sms/index.js';
import { decodePush } from '../protocols/wsp/index.js';
import type { ContentReceiving } from './content-receiving.js';
import type { ReceivedShortMessage } from './short-message.js';
import { SIA_MEDIA_TYPE, sirOfBody } from './sir.js';
import type { SirHandling } from './sir-handling.js';
import type { TerminalEventFeed } from './terminal-events.js';

export interface SmsReceivingPorts {
  readonly sirs: Pick<SirHandling, 'judge' | 'follow'>;
  readonly content: Pick<ContentReceiving, 'receive'>;
  readonly events: Pick<TerminalEventFeed, 'emit'>;
}

/** Messages of which not all parts are there, at most: the oldest make room. */
const MAX_INCOMPLETE = 16;

export class SmsReceiving {
  readonly #ports: SmsReceivingPorts;
  readonly #incomplete = new Map<string, Map<number, Uint8Array>>();

  constructor(ports: SmsReceivingPorts) {
    this.#ports = ports;
  }

  /** Resolves when content is safe and a SIR is being judged: the network does not wait for a user who is asked. Never rejects. */
  async receive({ from, userData, hasHeader }: ReceivedShortMessage): Promise<void> {
    try {
      if (!hasHeader) return await this.#take(userData, 'ussd');
      const { header, data } = decodeUserData(userData);
      if (header.ports?.destination !== WAP_PUSH_PORTS.destination) return;
      const whole = header.part ? this.#joined(from, header.part, data) : data;
      if (whole) await this.#take(whole, 'sms');
    } catch (error) {
      this.#ports.events.emit({ kind: 'error', doing: 'receiving by SMS', reason: describeError(error) });
    }
  }

  /** The message when this was the part that lacked. */
  #joined(from: string, part: Part, data: Uint8Array): Uint8Array | undefined {
    const { reference, referenceBits, total, number } = part;
    const key = [from, referenceBits, reference, total].join(' ');
    const parts = this.#incomplete.get(key) ?? new Map<number, Uint8Array>();
    parts.set(number, data);
    this.#incomplete.set(key, parts);
    const [oldest] = this.#incomplete.keys();
    if (this.#incomplete.size > MAX_INCOMPLETE && oldest !== undefined) this.#incomplete.delete(oldest);
    if (parts.size < total) return undefined;
    this.#incomplete.delete(key);
    return Buffer.concat(
      Array.from({ length: total }, (_, index) => parts.get(index + 1) ?? new Uint8Array()),
    );
  }

  async #take(octets: Uint8Array, carrier: 'sms' | 'ussd'): Promise<void> {
    const { sirs, content } = this.#ports;
    const { contentType, headers, body } = decodePush(octets);
    if (contentType.mediaType === SIA_MEDIA_TYPE) {
      const sir = sirOfBody(body, carrier);
      void sirs.judge(sir).then((judged) => sirs.follow(sir, judged));
      return;
    }
    await content.receive({
      id: createHash('sha256').update(octets).digest('hex'),
      via: 'sms',
      contentType: formatContentType(contentType.mediaType, contentType.parameters),
      headers: headers.map(({ name, value }) => ({ name, value })),
      bytes: body,
    });
  }
}
