/**
 * Which terminals were sent a SIR at which address, so that one which calls from there, and cannot say who it is, is known. Only as long as
 * a SIR asks for a session, and only on this node, whose address stands in the SIR.
 */
import type { Clock } from '../../kernel/clock.js';
import type { TerminalId } from '../../registry/terminal-id.js';

/** Beyond it the oldest are forgotten: those terminals are woken once more. */
const MAX_ADDRESSES = 100_000;

export class SirAddresses {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #sent = new Map<string, Map<TerminalId, number>>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** `address` is an IP address, `expiresAt` milliseconds since the epoch. */
  sent(address: string, terminal: TerminalId, expiresAt: number): void {
    const terminals = this.#live(address);
    terminals.set(terminal, expiresAt);
    this.#sent.delete(address);
    this.#sent.set(address, terminals);
    const [oldest] = this.#sent.keys();
    if (this.#sent.size > MAX_ADDRESSES && oldest !== undefined) this.#sent.delete(oldest);
  }

  /** Undefined when there is none, or when several terminals share the address. */
  only(address: string): TerminalId | undefined {
    const [first, second] = this.#live(address).keys();
    return second === undefined ? first : undefined;
  }

  #live(address: string): Map<TerminalId, number> {
    const now = this.#clock.now();
    const terminals = this.#sent.get(address) ?? new Map<TerminalId, number>();
    for (const [terminal, until] of terminals) if (until <= now) terminals.delete(terminal);
    if (terminals.size === 0) this.#sent.delete(address);
    return terminals;
  }
}
