/**
 * The radio between a simulated SMSC and a terminal: what the SMSC took for its number it gets, and what it sends the SMSC delivers in as many parts as
 * it takes.
 */
import { encodeGsmText, encodeHeader } from '../../src/protocols/sms/index.js';
import type { ReceivedShortMessage } from '../../src/terminal/short-message.js';
import type { Smsc, Taken } from './smsc.js';

/** Septets of a part with a header of six octets. */
const PART = 153;

export class Handset {
  readonly #smsc: Smsc;
  readonly #number: string;
  #seen = 0;
  #references = 0;

  constructor(smsc: Smsc, number: string) {
    this.#smsc = smsc;
    this.#number = number.replace(/^\+/, '');
  }

  /** What came for this number since the last look. */
  news(): readonly Taken[] {
    const news = this.#smsc.taken.slice(this.#seen).filter(({ destination }) => destination === this.#number);
    this.#seen = this.#smsc.taken.length;
    return news;
  }

  /** Hands everything that comes from now on to `receive`, until the signal is aborted. */
  async listen(
    receive: (message: ReceivedShortMessage) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    let end: () => void = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    signal.addEventListener('abort', end, { once: true });
    while (!signal.aborted) {
      for (const { source, userData, esmClass } of this.news()) {
        await receive({ from: source, userData, hasHeader: (esmClass & 0x40) !== 0 });
      }
      const before = this.#smsc.taken.length;
      await Promise.race([this.#smsc.when(() => this.#smsc.taken.length > before), ended]);
    }
    signal.removeEventListener('abort', end);
  }

  /** Sends a text in the default alphabet; `over` names the binds by which its parts are delivered, in turn. Gives the answers. */
  async send(to: string, text: string, over: readonly string[]): Promise<readonly number[]> {
    const septets = encodeGsmText(text);
    if (!septets) throw new Error('not in the default alphabet');
    this.#references += 1;
    const total = Math.ceil(septets.length / PART);
    const parts = Array.from({ length: total }, (_, index) => {
      const data = septets.subarray(index * PART, (index + 1) * PART);
      if (total === 1) return data;
      const part = { reference: this.#references, referenceBits: 8, total, number: index + 1 } as const;
      return Buffer.concat([encodeHeader({ part }), data]);
    });
    // The last one first: parts come in any order.
    const answers: number[] = [];
    for (const [index, octets] of [...parts.entries()].reverse()) {
      const fields = {
        source_addr_ton: 1,
        source_addr_npi: 1,
        source_addr: this.#number,
        destination_addr: to.replace(/^\+/, ''),
        esm_class: total === 1 ? 0 : 0x40,
        data_coding: 0,
        short_message: total === 1 ? Buffer.from(octets) : withHeader(octets),
      };
      answers.push(await this.#smsc.deliver(fields, over[index % over.length]));
    }
    return answers;
  }
}

/** The stack of the SMSC takes the header apart from the rest. */
function withHeader(octets: Uint8Array): { readonly udh: Buffer; readonly message: Buffer } {
  const length = 1 + (octets[0] ?? 0);
  return { udh: Buffer.from(octets.subarray(0, length)), message: Buffer.from(octets.subarray(length)) };
}
