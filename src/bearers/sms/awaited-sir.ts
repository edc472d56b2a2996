/** The receipts of one SIR: under which names the network has its parts, and what was said of them before everything was sent. */
import type { Clock } from '../../kernel/clock.js';
import { namesOfPart } from '../../push/part-names.js';
import { joinPart, type PartReceipt, type PartState, type PartsLedger, wholeOf } from '../../push/parts.js';
import type { BearerOutcome } from '../../push/ports.js';
import type { Sir } from '../../push/sir.js';
import type { BearerName } from '../../registry/bearer-name.js';
import type { TerminalId } from '../../registry/terminal-id.js';
import type { SmsLink } from './sms-link.js';

export class AwaitedSir {
  readonly #sir: Pick<Sir, 'id' | 'expiresAt'>;
  readonly #to: { readonly terminal: TerminalId; readonly bearer: BearerName; readonly address: string };
  readonly #ledger: Pick<PartsLedger, 'note' | 'raise'>;
  readonly #states: PartState[];
  #early: PartReceipt | undefined;

  constructor(
    sir: Pick<Sir, 'id' | 'expiresAt'>,
    to: { readonly terminal: TerminalId; readonly bearer: BearerName; readonly address: string },
    total: number,
    ledger: Pick<PartsLedger, 'note' | 'raise'>,
  ) {
    this.#sir = sir;
    this.#to = to;
    this.#ledger = ledger;
    this.#states = Array.from({ length: total }, () => 'open');
  }

  /** The network has a part. Resolves when it will be known again by its receipt. */
  async taken(link: SmsLink, number: number, messageId: string): Promise<void> {
    if (!link.hasReceipts) return;
    const { id, expiresAt: until } = this.#sir;
    const { address, ...to } = this.#to;
    const total = this.#states.length;
    const part = { what: 'sir', id, ...to, number, total } as const;
    const { name, aliases } = namesOfPart(messageId, address, link);
    const early = await this.#ledger.note(part, name, aliases, until);
    const state = early?.state ?? 'accepted';
    this.#early ??= early;
    this.#know(number - 1, state);
    if (total === 1) return;
    // Receipts of other parts have been taken meanwhile, and whoever learns of the last one has to tell.
    for (const [index, known] of (await this.#ledger.raise(part, state, { until })).entries()) {
      this.#know(index, known);
    }
  }

  /** What a SIR that the network took comes to, with what was said of it meanwhile. */
  outcome(detail: string, clock: Pick<Clock, 'now'>): BearerOutcome {
    const whole = wholeOf(this.#states);
    const told = this.#early?.detail ?? 'the message centre has reported on every part';
    if (whole === 'failed') return { kind: 'failed', detail: told };
    if (whole !== 'delivered') return { kind: 'handed', detail };
    return { kind: 'handed', detail, receipt: { outcome: 'delivered', at: clock.now(), detail: told } };
  }

  #know(index: number, state: PartState): void {
    this.#states[index] = joinPart(this.#states[index] ?? 'open', state);
  }
}
