/**
 * The connections by which a terminal fetches over OTA-HTTP (TO-TCP): at most one to each gateway, opened because of a SIR, which is cited.
 * The gateway ends them when there is nothing more; nothing is opened again before the next SIR.
 */
import { DeliveryError } from '../kernel/errors.js';
import type { OtaResponder } from './ota-http-responder.js';
import { OtaHttpSession } from './ota-http-session.js';
import { offerAddress, type SessionOffer } from './session-offer.js';
import type { TerminalEventFeed } from './terminal-events.js';

type OtaOffer = Extract<SessionOffer, { readonly way: 'ota-http' }>;

export class OtaHttpSessions implements AsyncDisposable {
  readonly #responder: OtaResponder;
  readonly #events: Pick<TerminalEventFeed, 'emit'>;
  readonly #sessions = new Map<string, Promise<OtaHttpSession>>();
  #isClosed = false;

  constructor(responder: OtaResponder, events: Pick<TerminalEventFeed, 'emit'>) {
    this.#responder = responder;
    this.#events = events;
  }

  /** Connected or connecting to this address. */
  has(address: string): boolean {
    return this.#sessions.has(address);
  }

  /** Resolves when the connection is there. Rejects with DeliveryError. */
  async open(offer: OtaOffer, sirId: string | undefined): Promise<void> {
    const address = offerAddress(offer);
    if (this.#isClosed) throw new DeliveryError('unreachable', 'the terminal has ended');
    if (this.has(address)) return;
    const { host, port } = offer;
    const cited = sirId === undefined ? {} : { sirId };
    const opening = OtaHttpSession.open(this.#responder, { host, port, ...cited });
    this.#sessions.set(address, opening);
    try {
      const { closed } = await opening;
      this.#events.emit({ kind: 'connected', gateway: address, ...cited });
      void closed.then(() => {
        this.#sessions.delete(address);
        this.#events.emit({ kind: 'closed', gateway: address, reason: 'the connection ended' });
      });
    } catch (error) {
      this.#sessions.delete(address);
      throw error;
    }
  }

  /** Cuts every connection. Never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const opened = await Promise.allSettled(this.#sessions.values());
    await Promise.all(
      opened.map((session) =>
        session.status === 'fulfilled' ? session.value[Symbol.asyncDispose]() : undefined,
      ),
    );
  }
}
