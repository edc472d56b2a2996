/**
 * The reference terminal: a SIP user agent of one public user identity and one device, which registers, judges the SIRs that
 * reach it, opens push sessions and receives content (units 21 to 24). This file puts the units together and owns the
 * sockets; what each step does stands in its own file. For tests, demonstrations and as the client library of a device.
 */
import { DeliveryError, describeError, RefusedError } from '../kernel/errors.js';
import { MIB } from '../kernel/units.js';
import type { PushContents } from '../protocols/wsp/index.js';
import { instanceIdentity, parseDeviceIdentity } from '../registry/device-identity.js';
import { publicUserIdentity } from '../registry/public-user-identity.js';
import { createMsrpConnections } from '../transports/msrp-connections/create-msrp-connections.js';
import type { MsrpConnections } from '../transports/msrp-connections/msrp-connections.js';
import { createSipStack } from '../transports/sip-stack/create-sip-stack.js';
import type { SipFlow, SipStack } from '../transports/sip-stack/sip-stack.js';
import { Carriers } from './carriers.js';
import { ContentReceiving } from './content-receiving.js';
import type { Judgement } from './judgement.js';
import { receiveMessage } from './message-receiving.js';
import { receiveOtaPush } from './ota-http-receiving.js';
import { OtaResponder } from './ota-http-responder.js';
import { OtaHttpSessions } from './ota-http-sessions.js';
import { PushSessions } from './push-sessions.js';
import { ReceivedIds } from './received-ids.js';
import { Registration } from './registration.js';
import type { ReceivedShortMessage } from './short-message.js';
import { localAddressTowards, registrarAddress, type SipIdentity, sipIdentity } from './sip-identity.js';
import { SIA_MEDIA_TYPE, type SirCarrier, sirOfBody } from './sir.js';
import { SirHandling } from './sir-handling.js';
import { SmsReceiving } from './sms-receiving.js';
import {
  TerminalEventFeed,
  type TerminalEventKind,
  type TerminalEventListener,
  type TerminalEventOf,
} from './terminal-events.js';
import {
  DEFAULT_POLICY,
  type TerminalOptions,
  type TerminalPolicy,
  type TerminalPorts,
} from './terminal-options.js';
import { receiveWspPush } from './wsp-receiving.js';
import { WspSessions } from './wsp-sessions.js';

const DEFAULT_MAX_CONTENT_BYTES = 2 * MIB;

/** The parts of a running terminal. */
interface TerminalParts {
  readonly identity: SipIdentity;
  readonly stack: SipStack;
  readonly msrp: MsrpConnections;
  readonly ids: ReceivedIds;
  readonly events: TerminalEventFeed;
  readonly registration: Registration;
  readonly sessions: PushSessions;
  readonly sirs: SirHandling;
  readonly sms: SmsReceiving;
  readonly carriers: Carriers;
  readonly otaSessions: OtaHttpSessions;
  readonly wspSessions: WspSessions;
}

export class ReferenceTerminal implements AsyncDisposable {
  readonly #parts: TerminalParts;
  #end: Promise<void> | undefined;

  private constructor(parts: TerminalParts) {
    this.#parts = parts;
  }

  /**
   * Binds, registers, and is then ready for SIRs. `onEvent` hears everything from the start. Rejects with RefusedError for
   * options that cannot stand or a registrar that refuses, with DeliveryError when something cannot be reached or used.
   */
  static async start(
    options: TerminalOptions,
    ports: TerminalPorts,
    onEvent: TerminalEventListener = () => undefined,
  ): Promise<ReferenceTerminal> {
    const events = new TerminalEventFeed(ports.clock, (error) =>
      ports.log({ level: 'warn', message: 'event listener failed', reason: describeError(error) }),
    );
    events.listen(onEvent);
    const terminal = new ReferenceTerminal(await bind(options, ports, events));
    try {
      const { carriers, registration } = terminal.#parts;
      for (const place of carriers.places) events.emit({ kind: 'listening', ...place });
      await registration.register();
      return terminal;
    } catch (error) {
      await terminal.abandon();
      throw error;
    }
  }

  /** Where it listens. Throws DeliveryError when it does not, over TLS and WebSocket. */
  get address(): SipFlow {
    const [bound] = this.#parts.stack.bound;
    if (bound === undefined) throw new DeliveryError('unreachable', 'the terminal only connects');
    return bound;
  }

  /** In a push session by SIP. */
  get isConnected(): boolean {
    return this.#parts.sessions.connectedCount > 0;
  }

  /** Returns the function that ends the listening. */
  listen(listener: TerminalEventListener): () => void {
    return this.#parts.events.listen(listener);
  }

  /** The next event of a kind. Rejects with DeliveryError('timeout') when none comes in time. */
  next<Kind extends TerminalEventKind>(
    kind: Kind,
    options: { readonly matches?: (event: TerminalEventOf<Kind>) => boolean; readonly timeoutMs: number },
  ): Promise<TerminalEventOf<Kind>> {
    return this.#parts.events.next(kind, options);
  }

  /** Registers again now, as a terminal does that comes back into coverage. */
  register(): Promise<void> {
    return this.#parts.registration.register();
  }

  /** Opens a push session of its own accord: to `gateway`, or to that of the last SIR that was for this terminal. */
  async connect(gateway = this.#parts.sirs.lastGateway): Promise<void> {
    if (gateway === undefined) throw new RefusedError('malformed', 'no gateway to connect to is known yet');
    await this.#parts.sessions.open(gateway);
  }

  /** Takes in a SIR that reached the device by another carrier (SIR-148). Throws DecodeError when the octets are no SIA body. */
  async receiveSia(octets: Uint8Array, carrier: Exclude<SirCarrier, 'sip'>): Promise<Judgement> {
    const sir = sirOfBody(octets, carrier);
    const judged = await this.#parts.sirs.judge(sir);
    void this.#parts.sirs.follow(sir, judged);
    return judged;
  }

  /** Takes in a short message, or a USSD notification, that whoever runs the terminal got from a network. Never rejects. */
  receiveShortMessage(message: ReceivedShortMessage): Promise<void> {
    return this.#parts.sms.receive(message);
  }

  /** Ends the sessions, unregisters and closes every socket. Safe to repeat; never throws. */
  close(): Promise<void> {
    this.#end ??= this.#close();
    return this.#end;
  }

  /** Vanishes as a phone does whose battery is taken out: nobody is told. */
  abandon(): Promise<void> {
    this.#end ??= this.#abandon();
    return this.#end;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const { sessions, wspSessions, registration, events } = this.#parts;
    await sessions.close('the terminal closes');
    await wspSessions.close();
    if (await registration.stop({ unregister: true })) events.emit({ kind: 'unregistered' });
    await this.#release();
  }

  async #abandon(): Promise<void> {
    const { sessions, registration } = this.#parts;
    sessions.abandon();
    await registration.stop({ unregister: false });
    await this.#release();
  }

  async #release(): Promise<void> {
    const { msrp, stack, ids, carriers, otaSessions, wspSessions } = this.#parts;
    await Promise.all([otaSessions[Symbol.asyncDispose](), wspSessions[Symbol.asyncDispose]()]);
    await Promise.all([msrp.close(), stack.close(), carriers[Symbol.asyncDispose]()]);
    await ids.close();
  }
}

async function bind(
  options: TerminalOptions,
  ports: TerminalPorts,
  events: TerminalEventFeed,
): Promise<TerminalParts> {
  const nextHop = await registrarAddress(options);
  const host = options.local?.host ?? (await localAddressTowards(nextHop));
  const stack = createSipStack({
    listen: listensOn(nextHop.transport).map((transport) => ({
      transport,
      host,
      port: options.local?.port ?? 0,
    })),
    tls: options.tls ?? {},
    webSocket: options.webSocketPath === undefined ? {} : { path: options.webSocketPath },
    product: ports.product ?? 'Carillon-terminal',
    accept: [SIA_MEDIA_TYPE],
    log: ports.log,
  });
  await stack.listen();
  try {
    const ids = await ReceivedIds.open(options.statePath);
    return await assemble(options, ports, { events, stack, ids, nextHop, host });
  } catch (error) {
    await stack.close();
    throw error;
  }
}

interface Bound {
  readonly events: TerminalEventFeed;
  readonly stack: SipStack;
  readonly ids: ReceivedIds;
  readonly nextHop: SipFlow;
  readonly host: string;
}

async function assemble(
  options: TerminalOptions,
  ports: TerminalPorts,
  bound: Bound,
): Promise<TerminalParts> {
  const { events, stack, ids, nextHop, host } = bound;
  const { clock, randomBytes } = ports;
  const policy = policyOf(options);
  const identity = sipIdentity(options, stack.bound[0], nextHop, randomBytes);
  const instance = instanceIdentity(options.instance);
  const ownIdentities = [instance, ...(options.identities ?? []).map(parseDeviceIdentity)];
  const ownUsers = [identity.user, ...(options.aliases ?? []).map(publicUserIdentity)];
  const maxContentBytes = options.msrpLimits?.maxReceivedMessageBytes ?? DEFAULT_MAX_CONTENT_BYTES;
  const msrp = createMsrpConnections({
    advertise: host,
    ...(options.secureSessions === true ? { tls: options.tls ?? {} } : {}),
    limits: { ...options.msrpLimits, maxReceivedMessageBytes: maxContentBytes },
    log: ports.log,
  });

  const registration = new Registration(
    identity,
    {
      stack,
      clock,
      randomBytes,
      onRegistered: (registered) => events.emit({ kind: 'registered', ...registered }),
      onFailure: (reason) => events.emit({ kind: 'error', doing: 'registering', reason }),
    },
    options.expiresSeconds === undefined ? {} : { expiresSeconds: options.expiresSeconds },
  );
  const content = new ContentReceiving({ ids, events, take: options.take });
  const sessions = new PushSessions({
    stack,
    msrp,
    identity,
    mediaHost: host,
    maxContentBytes,
    isSecure: options.secureSessions === true,
    clock,
    randomBytes,
    events,
    reconnectDelayMs: policy.reconnectDelayMs,
    onContent: ({ messageId, contentType, headers, content: bytes }) =>
      content.receive({ id: messageId, via: 'msrp', contentType, headers, bytes }),
  });
  const responder: OtaResponder = new OtaResponder({
    take: (push) => receiveOtaPush(push, { sirs, content, events }),
  });
  const otaSessions = new OtaHttpSessions(responder, events);
  const takeByWsp = (push: PushContents) => receiveWspPush(push, { sirs, content, events });
  const { retransmitMs, maxRetransmissions } = options.wsp ?? {};
  const wtp = {
    ...(retransmitMs === undefined ? {} : { retransmitMs }),
    ...(maxRetransmissions === undefined ? {} : { maxRetransmissions }),
  };
  const wspSessions = new WspSessions({ take: takeByWsp, events, clock, randomBytes }, { wtp });
  const profile = options.profile ?? 'both';
  const sirs: SirHandling = new SirHandling({
    ids,
    isConnectedTo: (place) => sessions.has(place) || otaSessions.has(place) || wspSessions.has(place),
    async connect(offer, cause) {
      if (offer.way === 'ota-http') return otaSessions.open(offer, cause.sirId);
      if (offer.way === 'wsp') return wspSessions.open(offer, cause.sirId);
      return profile === 'S2' ? registration.register() : sessions.open(offer.gateway, cause);
    },
    events,
    clock,
    policy,
    own: () => ({
      identities: [...ownIdentities, ...registration.gruus],
      users: [...ownUsers, ...registration.associatedUsers],
      isRegistrar: ({ address, port }) =>
        address === nextHop.address && (nextHop.transport !== 'udp' || port === nextHop.port),
    }),
    instance,
    responding: {
      stack,
      identity,
      policy,
      register: () => registration.register(),
      sendSms: options.sendSms ?? (options.smsc && ((message) => carriers.sendSms(message))),
      onSms: (message) => events.emit({ kind: 'sms', ...message }),
    },
  });

  const sms = new SmsReceiving({ sirs, content, events });
  stack.onRequest('MESSAGE', (request) => receiveMessage(request, { sirs, content, events, profile }));
  stack.onFlowClosed((flow) => registration.flowClosed(flow));
  const receiving = { ota: responder, takeByWsp, sms, sirs, content, events };
  const carriers: Carriers = await Carriers.open(options, { ...receiving, clock, randomBytes });
  const byIp = { otaSessions, wspSessions };
  return { identity, stack, msrp, ids, events, registration, sessions, sirs, sms, carriers, ...byIp };
}

/** A terminal that listens for WSP follows a SIR by WSP, where it is not told otherwise. */
function policyOf({ wsp, policy }: TerminalOptions): TerminalPolicy {
  const { sessionWays } = DEFAULT_POLICY;
  const ways = wsp === undefined ? sessionWays : (['wsp', 'sip', 'ota-http'] as const);
  return { ...DEFAULT_POLICY, sessionWays: ways, ...policy };
}

/** Over TLS and WebSocket it has nothing to show to those that would connect. */
function listensOn(transport: SipFlow['transport']): readonly ('udp' | 'tcp')[] {
  return transport === 'udp' || transport === 'tcp' ? [transport] : [];
}
