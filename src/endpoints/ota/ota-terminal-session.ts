/**
 * The push session of a terminal that called us for OTA-HTTP: as many pushes at a time as it takes, each confirmed or aborted by its status.
 * It ends with its connection, when another session takes its place, or when nothing has been sent for a while.
 */
import type { Clock, Timer } from '../../kernel/clock.js';
import { describeError } from '../../kernel/errors.js';
import type { ConnectionItem, ConnectionOutcome } from '../../lane/ports.js';
import type { TerminalSession } from '../../lane/sessions.js';
import type { TerminalId } from '../../registry/terminal-id.js';
import type { Terminal } from '../../registry/user.js';
import { connectionOutcome } from '../../transports/ota-http/push-outcome.js';
import {
  acceptsMediaType,
  pushToTerminal,
  type TerminalExchangePorts,
} from '../../transports/ota-http/terminal-exchange.js';
import type { OtaConnection } from './ota-connection.js';

export interface OtaTerminalSessionOptions extends TerminalExchangePorts {
  readonly id: string;
  readonly terminal: Terminal;
  readonly connection: OtaConnection;
  readonly window: number;
  readonly idleMs: number;
  readonly clock: Clock;
}

export class OtaTerminalSession implements TerminalSession {
  readonly bearer = 'ota-session';
  readonly id: string;
  readonly window: number;
  readonly #options: OtaTerminalSessionOptions;
  #terminal: Terminal;
  #underWay = 0;
  #idle: Timer | undefined;

  constructor(options: OtaTerminalSessionOptions) {
    this.id = options.id;
    this.window = options.window;
    this.#options = options;
    this.#terminal = options.terminal;
    this.#startIdling();
  }

  get terminal(): TerminalId {
    return this.#terminal.id;
  }

  get isOpen(): boolean {
    return this.#options.connection.isOpen;
  }

  accepts(contentType: string): boolean {
    const [mediaType = ''] = contentType.split(';', 1);
    return acceptsMediaType(this.#terminal, mediaType.trim().toLowerCase());
  }

  async deliver(item: ConnectionItem): Promise<ConnectionOutcome> {
    const { connection } = this.#options;
    this.#underWay += 1;
    this.#idle?.cancel();
    try {
      const exchange = connection.exchange.bind(connection);
      const answered = await pushToTerminal(this.#terminal, item, exchange, this.#options);
      this.#terminal = answered.terminal ?? this.#terminal;
      return connectionOutcome(answered);
    } catch (error) {
      return { kind: 'lost', detail: describeError(error) };
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#startIdling();
    }
  }

  close(reason: string): void {
    this.#idle?.cancel();
    this.#options.connection.close(reason);
  }

  #startIdling(): void {
    this.#idle?.cancel();
    const { clock, idleMs } = this.#options;
    if (this.isOpen) this.#idle = clock.after(idleMs, () => this.close('idle'));
  }
}
