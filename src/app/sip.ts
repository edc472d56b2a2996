/** SIP and MSRP put together: the stack, the registrar, push sessions, and the bearer that wakes and sends by MESSAGE. */
import { SipBearer } from '../bearers/sip-bearer.js';
import type { Listener, SirSender } from '../bearers/sir-body.js';
import type { Config } from '../config/schema.js';
import { DigestAuthentication } from '../endpoints/sip/digest-authentication.js';
import {
  acceptPushSession,
  type PushSessionOptions,
  type PushSessionPorts,
} from '../endpoints/sip/push-session.js';
import { Registrar } from '../endpoints/sip/registrar.js';
import { receiveSirReturn, type SirReturnsPorts } from '../endpoints/sip/sir-returns.js';
import {
  isThirdPartyRegister,
  receiveThirdPartyRegister,
  type ThirdPartyRegisterPorts,
} from '../endpoints/sip/third-party-register.js';
import { describeError } from '../kernel/errors.js';
import { SECOND_MS } from '../kernel/units.js';
import { terminalRegistered } from '../push/connection.js';
import { canonicalNetwork, networkTest } from '../registry/initiator-networks.js';
import type { PublicUserIdentity } from '../registry/public-user-identity.js';
import { each } from '../registry/untrusted-json.js';
import type { User } from '../registry/user.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { createMsrpConnections } from '../transports/msrp-connections/create-msrp-connections.js';
import type { MsrpConnections } from '../transports/msrp-connections/msrp-connections.js';
import { createSipStack } from '../transports/sip-stack/create-sip-stack.js';
import type { SipFlow, SipStack } from '../transports/sip-stack/sip-stack.js';
import type { GatewayConfig } from './admin-token.js';
import type { Engine } from './engine.js';
import type { Facts } from './facts.js';
import { readMsrpTls, readSipTls } from './http-tls.js';
import { advertisedPoint, atFreePorts, freePort, type HostAndPort } from './listening.js';
import { openSources, type Sources } from './sources.js';
import type { Stores } from './stores.js';
import { randomBytes, systemClock } from './system-clock.js';
import { VERSION } from './version.js';

export interface Signalling extends AsyncDisposable {
  readonly stack: SipStack;
  readonly msrp: MsrpConnections;
  readonly bearer: SipBearer;
  readonly sources: Sources;
  readonly sip: HostAndPort;
  /** SIP over TLS, when it is listened for. */
  readonly sips?: HostAndPort;
  /** MSRP over TLS, when it is listened for. */
  readonly msrps?: HostAndPort;
  readonly msrpAddress: HostAndPort;
  /** What SIRs say of us, on every bearer. */
  readonly sender: SirSender;
}

/** Opens the ports. Nothing is answered yet but OPTIONS; the handlers come with `answerTerminals`. */
export async function openSignalling(
  config: Config,
  stores: Stores,
  telemetry: Telemetry,
  node: string,
  otaHttp?: Listener,
  wsp?: Listener,
): Promise<Signalling> {
  const { log } = telemetry;
  const { host, advertise, ppgUser, outboundProxy } = config.sip;
  const msrpTls = readMsrpTls(config);
  const { moreHosts } = config.msrp;
  const msrp = createMsrpConnections({
    listen: { host: config.msrp.host, port: config.msrp.port, moreHosts },
    ...(msrpTls === undefined ? {} : { tls: msrpTls }),
    ...(config.msrp.tls === undefined
      ? {}
      : { tlsListen: { host: config.msrp.host, port: config.msrp.tls.port, moreHosts } }),
    ...(config.msrp.advertise === undefined ? {} : { advertise: config.msrp.advertise }),
    log: (event) => log(event),
  });
  const { stack, port } = await openStack(config, log);
  try {
    await msrp.listen();
  } catch (error) {
    await stack.close();
    throw error;
  }
  const ppgUri = `sip:${ppgUser}@${config.domain}`;
  const sender: SirSender = {
    ppgUri,
    contactPoint: advertisedPoint(advertise, host, port),
    ...(otaHttp === undefined ? {} : { otaHttp }),
    ...(wsp === undefined ? {} : { wsp }),
  };
  const sources = openSources(config, stack, stores, telemetry, ppgUri);
  const bearer = new SipBearer(
    {
      stack,
      bindings: (user) => stores.registry.bindings(user),
      findTerminal: (terminal) => stores.registry.findTerminal(terminal),
      ...(sources.asksOutside ? { reachOutside: (terminal) => sources.reach(terminal) } : {}),
      now: () => systemClock.now(),
    },
    {
      ...sender,
      node,
      ...(outboundProxy === undefined ? {} : { outboundProxy }),
    },
  );
  return {
    stack,
    msrp,
    bearer,
    sources,
    sender,
    sip: { host, port },
    ...addressOverTls(stack, host),
    ...(msrp.tlsPort === undefined ? {} : { msrps: { host: config.msrp.host, port: msrp.tlsPort } }),
    msrpAddress: { host: config.msrp.host, port: msrp.port ?? config.msrp.port },
    async [Symbol.asyncDispose]() {
      sources.close();
      await stack.close();
      await msrp.close();
    },
  };
}

/** The SIP stack, listening, and the port for all transports but TLS. */
async function openStack(config: Config, log: Telemetry['log']) {
  const { host, transports, advertise } = config.sip;
  const tls = readSipTls(config);
  const open = async () => {
    const port = config.sip.port === 0 ? await freePort(host) : config.sip.port;
    const tlsPort = config.sip.tls?.port === 0 ? await freePort(host) : config.sip.tls?.port;
    const stack = createSipStack({
      listen: [host, ...config.sip.moreHosts].flatMap((address) => [
        ...transports
          .filter((transport) => transport !== 'ws')
          .map((transport) => ({ transport, host: address, port })),
        ...(tlsPort === undefined ? [] : [{ transport: 'tls', host: address, port: tlsPort } as const]),
      ]),
      tls,
      ...(transports.includes('ws') ? { webSocket: { allowedOrigins: config.sip.webSocketOrigins } } : {}),
      product: `Carillon/${VERSION}`,
      supported: ['path', 'gruu', 'outbound'],
      ...(advertise === undefined ? {} : { advertise }),
      log: (event) => log(event),
    });
    await stack.listen();
    return { stack, port };
  };
  const isAnyFree = config.sip.port === 0 || config.sip.tls?.port === 0;
  return isAnyFree ? atFreePorts(open) : open();
}

/** Answers REGISTER and INVITE. */
export function answerTerminals(
  signalling: Signalling,
  engine: Engine,
  config: GatewayConfig,
  stores: Stores,
  telemetry: Telemetry,
  facts: Facts,
  vapidPublicKey?: string,
): void {
  const { stack, msrp, sources } = signalling;
  const { sessions, node } = engine;
  const { log, metrics } = telemetry;
  const { registrar: limits, ppgUser } = config.sip;
  const { allowWithoutCredentials } = limits;
  const authentication = new DigestAuthentication({
    clock: systemClock,
    randomBytes,
    nonceKey: stores.nonceKey,
  });
  const registrar = new Registrar(
    {
      registry: stores.registry,
      authentication,
      events: {
        onRegistered({ terminal, binding, isRefresh }) {
          metrics.registrations.inc({ status: isRefresh ? 'refreshed' : 'registered' });
          terminalRegistered(
            terminal,
            { binding, isRefresh },
            { lanes: stores.lanes, wakeLane: engine.wakeLane },
          )
            .then(() => {
              if (!isRefresh) signalling.bearer.contactChanged(terminal); // by now the lane knows where to go on
            })
            .catch((error: unknown) =>
              log({
                level: 'warn',
                message: 'registration not seen by the lane',
                terminal,
                reason: describeError(error),
              }),
            );
        },
        onUnregistered({ terminal }) {
          metrics.registrations.inc({ status: 'unregistered' });
          log({ level: 'info', message: 'terminal unregistered', terminal });
        },
      },
      clock: systemClock,
      randomBytes,
      log,
    },
    {
      domain: config.domain,
      node,
      allowWithoutCredentials,
      limits,
      pushServices: {
        names: limits.pushServices,
        ...(vapidPublicKey === undefined ? {} : { vapidPublicKey }),
      },
    },
  );
  const isTrusted = trustedPeers(config);
  const thirdParty: ThirdPartyRegisterPorts = {
    findOrCreateUser: (identity) => findOrCreateUser(identity, config, stores),
    isTrusted,
    onRegistration: (user, told) => sources.registrationsChanged(user, told),
    clock: systemClock,
    log,
  };
  stack.onRequest('REGISTER', (request) =>
    isThirdPartyRegister(request, isTrusted)
      ? receiveThirdPartyRegister(request, thirdParty)
      : registrar.handle(request),
  );
  sources.announceTo(engine.wakeLane);
  stack.onFlowClosed((flow) => void registrar.flowClosed(flow));

  const sessionPorts: PushSessionPorts = {
    findUser: (identity) => stores.registry.findUser(identity),
    findSir: (id) => stores.sirs.find(id),
    isTrusted,
    bindings: (user) => stores.registry.bindings(user),
    authentication,
    sessions,
    msrp,
    clock: systemClock,
    log,
    observe: facts.session,
  };
  const sessionOptions: PushSessionOptions = {
    ppgUser,
    allowWithoutCredentials,
    sessionId: () => Buffer.from(randomBytes(12)).toString('base64url'),
    window: config.push.window,
    idleMs: config.push.sessionIdleSeconds * SECOND_MS,
    host: config.domain,
  };
  const returns: SirReturnsPorts = {
    findUser: sessionPorts.findUser,
    isTrusted,
    bindings: sessionPorts.bindings,
    authentication,
    take: engine.takeReturn,
    log,
  };
  stack.onRequest('MESSAGE', (request) => receiveSirReturn(request, returns, sessionOptions));
  stack.onInvite((invite) => acceptPushSession(invite, sessionPorts, sessionOptions));
}

function addressOverTls(stack: SipStack, host: string): Pick<Signalling, 'sips'> {
  const bound = stack.bound.find(({ transport }) => transport === 'tls');
  return bound === undefined ? {} : { sips: { host, port: bound.port } };
}

/**
 * True for what comes from the SIP core, which does not speak WebSocket to us: such a connection is that of a client behind a reverse
 * proxy on the same machine, perhaps. Throws DecodeError naming the key when an entry is no network.
 */
export function trustedPeers({
  sip,
}: {
  readonly sip: Pick<Config['sip'], 'trustedPeers'>;
}): (flow: SipFlow) => boolean {
  each('sip.trustedPeers', sip.trustedPeers, canonicalNetwork);
  const isAmong = networkTest(sip.trustedPeers);
  return ({ transport, address }) => transport !== 'ws' && transport !== 'wss' && isAmong(address);
}

/** A user that the core registers is known to the operator, whoever provisions users. */
async function findOrCreateUser(
  identity: PublicUserIdentity,
  { sources, push }: Config,
  { registry }: Stores,
): Promise<User | undefined> {
  const known = await registry.findUser(identity);
  if (known !== undefined || !sources.createUsers) return known;
  await registry.putUser({ id: identity, aliases: [], policy: { target: push.defaultPolicy } });
  return registry.findUser(identity);
}
