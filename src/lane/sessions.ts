/**
 * The push sessions that terminals have open on this node. A terminal has one: a newer session takes the place of the
 * older, which is closed. The lane learns of both ends in the store first, so that other nodes know where to turn.
 */
import type { TerminalId } from '../registry/terminal-id.js';
import type { LaneStore, TerminalConnection } from './ports.js';

export interface TerminalSession extends TerminalConnection {
  /** Unique among all sessions of all nodes. */
  readonly id: string;
  close(reason: string): void;
}

export interface SessionsPorts {
  readonly store: Pick<LaneStore, 'connected' | 'disconnected'>;
  readonly node: string;
  /** Something is to be done for the terminal: run its lane, and bring forward its alarm when it has one. */
  readonly wakeLane: (terminal: TerminalId, dueAt?: number) => void;
}

export class Sessions {
  readonly #open = new Map<TerminalId, TerminalSession>();
  readonly #ports: SessionsPorts;

  constructor(ports: SessionsPorts) {
    this.#ports = ports;
  }

  session(terminal: TerminalId): TerminalSession | undefined {
    return this.#open.get(terminal);
  }

  get size(): number {
    return this.#open.size;
  }

  /** The session is ready for content. */
  async opened(terminal: TerminalId, session: TerminalSession): Promise<void> {
    const older = this.#open.get(terminal);
    this.#open.set(terminal, session);
    const { held, dueAt } = await this.#ports.store.connected(terminal, {
      session: { id: session.id, node: this.#ports.node },
    });
    older?.close('a newer session of the same terminal');
    if (held > 0) this.#ports.wakeLane(terminal, dueAt);
  }

  /** The session is over, for whatever reason. Safe to repeat. */
  async closed(terminal: TerminalId, session: TerminalSession): Promise<void> {
    if (this.#open.get(terminal) === session) this.#open.delete(terminal);
    await this.#ports.store.disconnected(terminal, session.id);
    this.#ports.wakeLane(terminal);
  }

  closeAll(reason: string): void {
    for (const session of [...this.#open.values()]) session.close(reason);
  }
}
