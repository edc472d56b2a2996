/**
 * The SIP bearer: wakes terminals by MESSAGE (SIR-83) and, in profile S2, carries small content by MESSAGE too (SIR-159,
 * SIR-160). A SIR for one terminal goes to its registered contact, to an address of its own, or through the SIP core; one for all
 * terminals of a user to every contact that is registered here, and to the core, which forks.
 */
import { DeliveryError, describeError } from '../kernel/errors.js';
import type { LaneConnections } from '../lane/lane.js';
import type { ConnectionItem, ConnectionOutcome, TerminalConnection } from '../lane/ports.js';
import type { SipResponse } from '../protocols/sip/index.js';
import { together } from '../push/bearer-outcome.js';
import { announcesPush } from '../push/connection.js';
import type { Bearer, BearerOutcome } from '../push/ports.js';
import type { Sir } from '../push/sir.js';
import { identityToCarry, type SipPresence } from '../push/sir-plan.js';
import type { Binding } from '../registry/binding.js';
import type { DeviceIdentity } from '../registry/device-identity.js';
import { mayBeBehind } from '../registry/hidden-terminal.js';
import type { OutsideReach } from '../registry/outside-reach.js';
import type { PublicUserIdentity } from '../registry/public-user-identity.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { Terminal } from '../registry/user.js';
import type { ClientRequest, SipStack } from '../transports/sip-stack/sip-stack.js';
import { contentOutcome, isForeign, told, wakeOutcome } from './sip-answer.js';
import { sirRequest } from './sip-sir.js';
import { contactTarget, type SipTarget, sipTarget } from './sip-target.js';
import type { SirSender } from './sir-body.js';

export interface SipBearerPorts {
  readonly stack: Pick<SipStack, 'request' | 'sizeOf'>;
  readonly bindings: (user: PublicUserIdentity) => Promise<readonly Binding[]>;
  readonly findTerminal: (terminal: TerminalId) => Promise<Terminal | undefined>;
  /** How a terminal that is not registered here can be reached through the SIP core. Absent: there is none. Never rejects. */
  readonly reachOutside?: (terminal: Terminal) => Promise<OutsideReach>;
  readonly now: () => number;
}

export interface SipBearerOptions extends SirSender {
  readonly node: string;
  readonly outboundProxy?: string;
}

/** Largest request that may travel over UDP outside a session (RFC 3428 §8), and largest content on any transport (SIR-160). */
const MAX_MESSAGE_BYTES = 1300;

/** What is known of the way to a terminal. */
interface Way {
  readonly binding: Binding | undefined;
  readonly address: string | undefined;
  /** Of its registration at the core. */
  readonly features: Readonly<Record<string, string>>;
  readonly presence: SipPresence;
  /** When there is none. */
  readonly why: string;
}

export class SipBearer implements Bearer {
  readonly #ports: SipBearerPorts;
  readonly #options: SipBearerOptions;
  /** Content on its way by MESSAGE: what lets go of it. */
  readonly #underWay = new Map<TerminalId, () => void>();

  constructor(ports: SipBearerPorts, options: SipBearerOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  async wake(terminal: Terminal, sir: Sir, address: string | undefined): Promise<BearerOutcome> {
    try {
      return sir.audience === 'user'
        ? await this.#wakeAll(terminal, sir)
        : await this.#wakeOne(terminal, sir, address);
    } catch (error) {
      return { kind: 'failed', detail: describeError(error) };
    }
  }

  async presence(terminal: Terminal, address: string | undefined): Promise<SipPresence> {
    return (await this.#way(terminal, address)).presence;
  }

  async #wakeOne(terminal: Terminal, sir: Sir, address: string | undefined): Promise<BearerOutcome> {
    if (sir.mode === 'proxy-routed' && this.#options.outboundProxy !== undefined) {
      return this.#sendSir(sir, this.#coreTarget(sir.user, this.#options.outboundProxy));
    }
    const way = await this.#way(terminal, address);
    const target = this.#target(terminal, way, sir.device);
    if (!target) return { kind: 'failed', detail: way.why };
    if (target.elsewhere !== undefined) {
      return { kind: 'failed', detail: 'registered through another node', elsewhere: target.elsewhere };
    }
    return this.#sendSir(sir, sir.mode === 'proxy-routed' ? { ...target, uri: target.address } : target);
  }

  /** Where the SIR names a device, only that one can refuse: the others say no to what is not for them. */
  async #wakeAll(terminal: Terminal, sir: Sir): Promise<BearerOutcome> {
    const { node: self, outboundProxy } = this.#options;
    const bindings = await this.#ports.bindings(sir.user);
    const here = bindings.map((binding) => ({
      terminal: binding.terminal,
      target: contactTarget({ binding, self }),
    }));
    const core =
      outboundProxy === undefined
        ? []
        : [{ terminal: undefined, target: this.#coreTarget(sir.user, outboundProxy) }];
    const targets = [...here, ...core];
    const outcomes = await Promise.all(targets.map(({ target }) => this.#sendCopy(sir, target)));
    const [elsewhere] = targets.flatMap(({ target }) => target.elsewhere ?? []);
    if (outcomes.every(({ kind }) => kind === 'failed') && elsewhere !== undefined) {
      return { kind: 'failed', detail: 'registered through other nodes', elsewhere };
    }
    const refusals = outcomes.flatMap(({ kind, detail }, index) => {
      const who = targets[index]?.terminal;
      const isMeant = sir.device === undefined || who === terminal.id;
      return kind === 'refused' && who !== undefined && isMeant ? [{ terminal: who, detail }] : [];
    });
    const addresses = targets.map(({ target }) => target.address);
    const { kind, detail, retryAt } = together(outcomes, addresses);
    const own = refusals.find((refusal) => refusal.terminal === terminal.id);
    if (own) return { kind: 'refused', detail: own.detail, refusals };
    // A no of contacts that nobody knows says nothing of this terminal.
    const later = retryAt === undefined ? {} : { retryAt };
    return { kind: kind === 'refused' ? 'failed' : kind, detail, refusals, ...later };
  }

  async #sendCopy(sir: Sir, target: SipTarget): Promise<BearerOutcome> {
    if (target.elsewhere !== undefined) return { kind: 'failed', detail: 'registered through another node' };
    return this.#sendSir(sir, target).catch(failed);
  }

  /** The address of record: the core finds the contacts. */
  #coreTarget(user: PublicUserIdentity, outboundProxy: string): SipTarget {
    return { uri: user, route: [`<${outboundProxy}>`], address: user };
  }

  async #sendSir(sir: Sir, target: SipTarget): Promise<BearerOutcome> {
    const response = await this.#send(sirRequest(sir, target, this.#options), target);
    return { ...wakeOutcome(response, this.#ports.now()), detail: told(response), address: target.address };
  }

  /** A way to send small content to the terminal's registered contact, while its lane says that it takes such. */
  async message(
    terminalId: TerminalId,
    connections: LaneConnections,
  ): Promise<TerminalConnection | undefined> {
    if ((connections.messageUntil ?? 0) <= this.#ports.now()) return undefined;
    const terminal = await this.#ports.findTerminal(terminalId);
    const way = terminal && (await this.#way(terminal, undefined));
    const target = way && this.#target(terminal, way, identityToCarry(terminal));
    if (!target || target.elsewhere !== undefined) return undefined;
    const isAnnounced = announcesPush(way.binding ?? { features: way.features });
    return {
      bearer: 'sip-message',
      window: 1,
      isOpen: true,
      deliver: (item) =>
        Promise.race([
          this.#contactChanges(terminalId),
          this.#deliver(target, item, { isAnnounced }),
        ]).finally(() => this.#underWay.delete(terminalId)),
    };
  }

  /** The terminal has registered another contact: nobody waits any longer for what the old one answers. */
  contactChanged(terminal: TerminalId): void {
    this.#underWay.get(terminal)?.();
  }

  #contactChanges(terminal: TerminalId): Promise<ConnectionOutcome> {
    return new Promise((resolve) => {
      this.#underWay.set(terminal, () =>
        resolve({ kind: 'lost', detail: 'the terminal registered elsewhere' }),
      );
    });
  }

  /** Its registration here, else the address that it was given, else how the core reaches it. */
  async #way(terminal: Terminal, address: string | undefined): Promise<Way> {
    const bindings = await this.#ports.bindings(terminal.user);
    const binding = bindings.find((candidate) => candidate.terminal === terminal.id);
    if (binding || address !== undefined)
      return { binding, address, features: {}, presence: 'alone', why: '' };
    const none = { binding, address, features: {} };
    const presence = (await this.#mayBeAmong(bindings, terminal)) ? 'hidden' : 'absent';
    const { reachOutside } = this.#ports;
    if (!reachOutside) return { ...none, presence, why: 'not registered, and no address of its own' };
    const reach = await reachOutside(terminal);
    switch (reach.kind) {
      case 'reachable':
        return { binding, address: reach.uri, features: reach.features, presence: 'alone', why: '' };
      case 'absent':
        return { ...none, presence, why: 'not registered, neither here nor at the core' };
      case 'unknown':
        return { ...none, presence: 'hidden', why: 'nobody knows where it is registered' };
    }
  }

  async #mayBeAmong(bindings: readonly Binding[], wanted: Terminal): Promise<boolean> {
    for (const { terminal } of bindings) {
      const owner = terminal === undefined ? undefined : await this.#ports.findTerminal(terminal);
      if (mayBeBehind(owner, wanted)) return true;
    }
    return false;
  }

  /** Without a device identity the contact itself is asked for: a SIR must not name the device by the way (SIR-46). */
  #target(
    terminal: Terminal,
    { binding, address }: Way,
    carried: DeviceIdentity | undefined,
  ): SipTarget | undefined {
    return sipTarget(terminal, carried, {
      binding,
      address,
      self: this.#options.node,
      outboundProxy: this.#options.outboundProxy,
    });
  }

  #request(target: SipTarget, to: string): ClientRequest {
    return {
      method: 'MESSAGE',
      uri: target.uri,
      from: `<${this.#options.ppgUri}>`,
      to: `<${to}>`,
      ...(target.route === undefined ? {} : { route: target.route }),
      ...(target.destination === undefined ? {} : { destination: target.destination }),
    };
  }

  async #send(request: ClientRequest, { otherwise }: SipTarget): Promise<SipResponse> {
    try {
      return await this.#ports.stack.request(request);
    } catch (error) {
      if (!(error instanceof DeliveryError) || error.retry !== 'otherWay' || !otherwise) throw error;
      return this.#ports.stack.request({ ...request, destination: otherwise });
    }
  }

  async #deliver(
    target: SipTarget,
    item: ConnectionItem,
    { isAnnounced }: { readonly isAnnounced: boolean },
  ): Promise<ConnectionOutcome> {
    const { content } = item;
    if (!(content instanceof Uint8Array)) return { kind: 'unfit', detail: 'too large for a MESSAGE' };
    const request: ClientRequest = {
      ...this.#request(target, target.uri),
      callId: item.id, // the same for every repetition: the terminal tells a duplicate by it
      headers: item.headers,
      contentType: item.contentType,
      body: content,
    };
    const isDatagram = (target.destination?.transport ?? 'udp') === 'udp';
    const size = isDatagram ? this.#ports.stack.sizeOf(request) : content.length;
    if (size > MAX_MESSAGE_BYTES)
      return { kind: 'unfit', detail: `too large for a MESSAGE (${size} octets)` };
    try {
      const response = await this.#send(request, target);
      if (!isAnnounced && isForeign(response)) {
        return { kind: 'lost', detail: 'the terminal takes no content by MESSAGE' };
      }
      return contentOutcome(response, this.#ports.now());
    } catch (error) {
      if (error instanceof DeliveryError) return { kind: 'lost', detail: error.detail };
      throw error;
    }
  }
}

function failed(error: unknown): BearerOutcome {
  return { kind: 'failed', detail: describeError(error) };
}
