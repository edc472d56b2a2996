/**
 * The WSP session of a terminal: at most one at each gateway, opened because of a SIR, which is cited. A gateway that sends a SIR has no
 * session of the terminal any more, whatever the terminal believes, because WSP has no sign of life: the session that there is makes way.
 */
import type { Clock, RandomBytes } from '../kernel/clock.js';
import { DeliveryError } from '../kernel/errors.js';
import type { PushContents, WspHeader } from '../protocols/wsp/index.js';
import type { WtpOptions } from '../transports/wtp/wtp-options.js';
import { offerAddress, type SessionOffer } from './session-offer.js';
import type { TerminalEventFeed } from './terminal-events.js';
import { WspSession } from './wsp-session.js';

type WspOffer = Extract<SessionOffer, { readonly way: 'wsp' }>;

export interface WspSessionsPorts {
  readonly take: (push: PushContents) => Promise<number | undefined>;
  readonly events: Pick<TerminalEventFeed, 'emit'>;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
}

export interface WspSessionsOptions {
  readonly headers?: readonly WspHeader[];
  readonly wtp?: Partial<WtpOptions>;
}

export class WspSessions implements AsyncDisposable {
  readonly #ports: WspSessionsPorts;
  readonly #options: WspSessionsOptions;
  readonly #opening = new Set<string>();
  readonly #open = new Map<string, WspSession>();
  #isClosed = false;

  constructor(ports: WspSessionsPorts, options: WspSessionsOptions = {}) {
    this.#ports = ports;
    this.#options = options;
  }

  /** Connecting to this address now. */
  has(address: string): boolean {
    return this.#opening.has(address);
  }

  /** Resolves when the session is there. Rejects with DeliveryError. */
  async open(offer: WspOffer, sirId: string | undefined): Promise<void> {
    const address = offerAddress(offer);
    if (this.#isClosed) throw new DeliveryError('unreachable', 'the terminal has ended');
    if (this.has(address)) return;
    const { events } = this.#ports;
    const { host, port } = offer;
    const cited = sirId === undefined ? {} : { sirId };
    this.#opening.add(address);
    try {
      await this.#open.get(address)?.disconnect('a newer SIR of the gateway');
      const session = await WspSession.open({ host, port, ...this.#options, ...cited }, this.#ports);
      this.#open.set(address, session);
      events.emit({ kind: 'connected', gateway: address, ...cited });
      void session.closed.then(async (reason) => {
        if (this.#open.get(address) === session) this.#open.delete(address);
        events.emit({ kind: 'closed', gateway: address, reason });
        await session[Symbol.asyncDispose]();
      });
      if (this.#isClosed) await session.disconnect('the terminal closes');
    } finally {
      this.#opening.delete(address);
    }
  }

  /** Ends every session, and tells the gateways. Never throws. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#open.values()].map((session) => session.disconnect('the terminal closes')));
  }

  /** Ends every session on this side only. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#open.values()].map((session) => session[Symbol.asyncDispose]()));
  }
}
