/** Reference terminals as guests of a journey: started against its gateway, with everything that happens to them kept in order. */
import { randomBytes, systemClock } from '../../src/app/system-clock.js';
import { ReferenceTerminal } from '../../src/terminal/reference-terminal.js';
import type {
  TerminalEvent,
  TerminalEventKind,
  TerminalEventOf,
} from '../../src/terminal/terminal-events.js';
import type { TerminalOptions } from '../../src/terminal/terminal-options.js';
import { type E2eGateway, PATIENCE_MS } from './e2e-gateway.js';

/** An instance URN for tests: the same for the same number. */
export function instance(number: number): string {
  return `urn:uuid:00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

export interface TerminalGuestOptions extends Omit<TerminalOptions, 'registrar'> {
  readonly transport?: 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';
  /** The registrar and next hop; default: the gateway itself. */
  readonly at?: { readonly host: string; readonly port: number };
}

export class TerminalGuest implements AsyncDisposable {
  readonly terminal: ReferenceTerminal;
  readonly events: readonly TerminalEvent[];

  private constructor(terminal: ReferenceTerminal, events: readonly TerminalEvent[]) {
    this.terminal = terminal;
    this.events = events;
  }

  /** Resolves when it is registered. */
  static async start(gateway: E2eGateway, options: TerminalGuestOptions): Promise<TerminalGuest> {
    const { transport = 'udp', at = { host: '127.0.0.1', port: gateway.ports.sip }, ...rest } = options;
    const events: TerminalEvent[] = [];
    const terminal = await ReferenceTerminal.start(
      { ...rest, registrar: { host: at.host, port: at.port, transport } },
      { clock: systemClock, randomBytes, log: () => undefined, product: 'journey' },
      (event) => events.push(event),
    );
    return new TerminalGuest(terminal, events);
  }

  /** Ends its sessions, unregisters and is gone. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.terminal.close();
  }

  /** Events of one kind so far. */
  all<Kind extends TerminalEventKind>(kind: Kind): readonly TerminalEventOf<Kind>[] {
    return this.events.filter((event): event is TerminalEvent & TerminalEventOf<Kind> => event.kind === kind);
  }

  /** The events of a kind, once there are this many of them. */
  async after<Kind extends TerminalEventKind>(
    kind: Kind,
    count = 1,
  ): Promise<readonly TerminalEventOf<Kind>[]> {
    const options = { timeoutMs: PATIENCE_MS };
    while (this.all(kind).length < count) await this.terminal.next(kind, options);
    return this.all(kind);
  }

  /** Content so far as text, in the order of its arrival. */
  get texts(): readonly string[] {
    return this.all('content').map(({ content }) => Buffer.from(content.bytes).toString('utf8'));
  }
}
