/** A reference terminal on the stage, with everything that it has heard. */
import { ReferenceTerminal } from '../../terminal/reference-terminal.js';
import type { TerminalEvent, TerminalEventKind, TerminalEventOf } from '../../terminal/terminal-events.js';
import type { TerminalOptions } from '../../terminal/terminal-options.js';
import { randomBytes, systemClock } from '../system-clock.js';
import { PRODUCT } from '../version.js';

export class DemoTerminal {
  readonly #events: TerminalEvent[];
  readonly #terminal: ReferenceTerminal;

  private constructor(terminal: ReferenceTerminal, events: TerminalEvent[]) {
    this.#terminal = terminal;
    this.#events = events;
  }

  static async switchOn(options: TerminalOptions): Promise<DemoTerminal> {
    const events: TerminalEvent[] = [];
    const terminal = await ReferenceTerminal.start(
      options,
      { clock: systemClock, randomBytes, product: `${PRODUCT} demo`, log: () => undefined },
      (event) => events.push(event),
    );
    return new DemoTerminal(terminal, events);
  }

  get port(): number {
    return this.#terminal.address.port;
  }

  /** Events of a kind, oldest first. */
  heard<Kind extends TerminalEventKind>(kind: Kind): readonly TerminalEventOf<Kind>[] {
    return this.#events.filter(
      (event): event is TerminalEvent & TerminalEventOf<Kind> => event.kind === kind,
    );
  }

  /** Everything but its own registration. */
  get disturbances(): readonly TerminalEvent[] {
    return this.#events.filter(({ kind }) => kind !== 'registered' && kind !== 'unregistered');
  }

  connect(): Promise<void> {
    return this.#terminal.connect();
  }

  /** Switched off in order: it unregisters. */
  leave(): Promise<void> {
    return this.#terminal.close();
  }

  /** Gone without a word. */
  vanish(): Promise<void> {
    return this.#terminal.abandon();
  }
}
