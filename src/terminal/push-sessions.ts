/**
 * The push sessions of a terminal: at most one with each gateway, however many SIRs ask for it (SIR-130, SIR-155). One that
 * broke, as opposed to one that was ended, is opened again when the policy says so.
 */
import type { Clock, RandomBytes, Timer } from '../kernel/clock.js';
import { describeError } from '../kernel/errors.js';
import { MINUTE_MS } from '../kernel/units.js';
import { gatewayKey } from './gateway-address.js';
import { PushSession, type PushSessionPorts, type SessionCause, type SessionEnd } from './push-session.js';
import type { TerminalEventFeed } from './terminal-events.js';
import type { TerminalPolicy } from './terminal-options.js';

export interface PushSessionsPorts
  extends Pick<
    PushSessionPorts,
    'stack' | 'msrp' | 'identity' | 'mediaHost' | 'maxContentBytes' | 'isSecure' | 'onContent'
  > {
  readonly events: Pick<TerminalEventFeed, 'emit'>;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly reconnectDelayMs: TerminalPolicy['reconnectDelayMs'];
}

const MAX_RECONNECT_DELAY_MS = MINUTE_MS;

export class PushSessions {
  readonly #ports: PushSessionsPorts;
  readonly #sessions = new Map<string, PushSession>();
  readonly #reconnects = new Map<string, Timer>();
  /** Attempts in a row that did not connect, by gateway. */
  readonly #failures = new Map<string, number>();
  #isClosed = false;

  constructor(ports: PushSessionsPorts) {
    this.#ports = ports;
  }

  /** Connected or connecting to the gateway with this `gatewayKey`. */
  has(key: string): boolean {
    return this.#sessions.has(key);
  }

  get connectedCount(): number {
    return [...this.#sessions.values()].filter(({ state }) => state === 'connected').length;
  }

  /** Opens a session, unless there is one. Rejects when the gateway refuses or cannot be reached. */
  async open(gateway: string, cause: SessionCause = {}): Promise<void> {
    const key = gatewayKey(gateway);
    if (this.#isClosed || this.has(key)) return;
    this.#reconnects.get(key)?.cancel();
    this.#reconnects.delete(key);
    const { events } = this.#ports;
    const { sirId } = cause;
    const session = new PushSession(gateway, cause, {
      ...this.#ports,
      onConnected: () => {
        this.#failures.delete(key);
        events.emit({ kind: 'connected', gateway, ...(sirId === undefined ? {} : { sirId }) });
      },
      onClosed: (closed, end) => this.#closed(key, closed, end),
    });
    this.#sessions.set(key, session);
    await session.open();
  }

  /** Ends every session with BYE. */
  async close(reason: string): Promise<void> {
    this.#stop();
    await Promise.all([...this.#sessions.values()].map((session) => session.close(reason)));
  }

  /** Ends every session on this side only. */
  abandon(): void {
    this.#stop();
    for (const session of this.#sessions.values()) session.abandon();
  }

  #stop(): void {
    this.#isClosed = true;
    for (const timer of this.#reconnects.values()) timer.cancel();
    this.#reconnects.clear();
  }

  #closed(key: string, session: PushSession, { reason, mayReopen }: SessionEnd): void {
    const { gateway, cause } = session;
    if (this.#sessions.get(key) === session) this.#sessions.delete(key);
    this.#ports.events.emit({ kind: 'closed', gateway, reason });
    if (mayReopen) this.#reconnectLater(key, gateway, cause);
    else this.#failures.delete(key);
  }

  #reconnectLater(key: string, gateway: string, cause: SessionCause): void {
    const { reconnectDelayMs, clock, randomBytes, events } = this.#ports;
    if (reconnectDelayMs === 'never' || this.#isClosed) return;
    // Spread over half of the delay: all terminals of a gateway that restarts notice at the same moment.
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const ceilingMs = Math.max(MAX_RECONNECT_DELAY_MS, reconnectDelayMs);
    const pauseMs = Math.min(reconnectDelayMs * 2 ** Math.min(failures, 16), ceilingMs);
    const delayMs = pauseMs * (1 + (randomBytes(1)[0] ?? 0) / 512);
    const timer = clock.after(delayMs, () => {
      this.#reconnects.delete(key);
      this.open(gateway, cause).catch((error: unknown) => {
        events.emit({ kind: 'error', doing: 'reconnecting', reason: describeError(error) });
      });
    });
    this.#reconnects.get(key)?.cancel();
    this.#reconnects.set(key, timer);
  }
}
