/** WSP put together: the bearer that sends datagrams to terminals, and the port where terminals open sessions. */
import { isIP } from 'node:net';
import type { Listener, SirSender } from '../bearers/sir-body.js';
import { WspUdpBearer } from '../bearers/wsp-udp/wsp-udp-bearer.js';
import type { Config } from '../config/schema.js';
import { WspEndpoint } from '../endpoints/wsp/wsp-endpoint.js';
import { SECOND_MS } from '../kernel/units.js';
import type { Log } from '../telemetry/log.js';
import { datagramPeer } from '../transports/datagram/datagram-peer.js';
import { DatagramSocket } from '../transports/datagram/datagram-socket.js';
import { SirAddresses } from '../transports/wsp/sir-addresses.js';
import type { Engine } from './engine.js';
import type { Facts } from './facts.js';
import { advertisedPoint } from './listening.js';
import type { Stores } from './stores.js';
import { randomBytes, systemClock } from './system-clock.js';

export interface WspListener extends AsyncDisposable {
  readonly socket: DatagramSocket;
  /** What SIRs say of it. */
  readonly contactPoint: Listener;
  /** Who takes what comes, once somebody does. */
  receiver?: Pick<WspEndpoint, 'receive'>;
}

/**
 * The port where sessions will be taken; undefined when they are not. It is bound before anything else, because SIRs name it; what comes before
 * it is listened to is lost, and sent again. Rejects with the operating system's error when the port cannot be had.
 */
export async function wspListener({ wsp }: Pick<Config, 'wsp'>, log: Log): Promise<WspListener | undefined> {
  if (!wsp.enabled) return undefined;
  const { host, port, advertise } = wsp;
  let listener: WspListener | undefined;
  const socket = await DatagramSocket.open({
    host,
    port,
    onDatagram: (octets, from) => listener?.receiver?.receive(octets, from),
    onError: (error) => log({ level: 'warn', message: 'WSP socket failed', reason: error.message }),
  });
  listener = {
    socket,
    contactPoint: advertisedPoint(advertise, host, socket.bound.port),
    [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose](),
  };
  return listener;
}

export interface Wsp extends AsyncDisposable {
  /** Undefined when the gateway is to have none. */
  readonly bearer: WspUdpBearer | undefined;
  /** Takes sessions; they live until this is disposed of, so that what is under way can end. */
  listen(place: WspListener, stores: Stores, engine: Engine, facts: Facts): WspEndpoint;
}

/** Rejects with the operating system's error when the port of the bearer cannot be had. */
export async function openWsp(
  config: Pick<Config, 'bearers' | 'wsp' | 'push'>,
  sender: SirSender,
  log: Log,
): Promise<Wsp> {
  const sirs = new SirAddresses(systemClock);
  const opened = config.bearers.wsp.enabled ? await openBearer(config, sender, sirs, log) : undefined;
  let endpoint: WspEndpoint | undefined;
  return {
    bearer: opened?.bearer,
    listen(place, stores, engine, facts) {
      endpoint = listenForWsp(config, place.socket, stores, engine, facts, sirs, log);
      place.receiver = endpoint;
      return endpoint;
    },
    async [Symbol.asyncDispose]() {
      await endpoint?.[Symbol.asyncDispose]();
      await opened?.socket[Symbol.asyncDispose]();
    },
  };
}

async function openBearer(
  { bearers }: Pick<Config, 'bearers'>,
  sender: SirSender,
  sirs: SirAddresses,
  log: Log,
): Promise<{ readonly bearer: WspUdpBearer; readonly socket: DatagramSocket }> {
  const { host, port, allowPrivateAddresses, maxDatagramBytes } = bearers.wsp;
  const socket = await DatagramSocket.open({
    host,
    port,
    onError: (error) => log({ level: 'warn', message: 'WSP socket failed', reason: error.message }),
  });
  const family = isIP(socket.bound.address) === 6 ? 6 : 4;
  const setting = 'bearers.wsp.allowPrivateAddresses';
  const bearer = new WspUdpBearer(
    {
      resolve: (hostPort) => datagramPeer(hostPort, { family, allowPrivateAddresses, setting }),
      send: (octets, to) => socket.send(octets, to),
      onSir: (terminal, sir, { address }) => sirs.sent(address, terminal.id, sir.expiresAt),
    },
    { sender, maxDatagramBytes },
  );
  return { bearer, socket };
}

function listenForWsp(
  { wsp, push }: Pick<Config, 'wsp' | 'push'>,
  socket: DatagramSocket,
  stores: Stores,
  engine: Engine,
  facts: Facts,
  sirs: SirAddresses,
  log: Log,
): WspEndpoint {
  const { host, port, sirSuffices, addressSuffices, terminalSecret, maxSessions } = wsp;
  const { retransmitMs, maxRetransmissions, maxDatagramBytes, maxMessageBytes } = wsp;
  return WspEndpoint.on(
    socket,
    {
      registry: stores.registry,
      sessions: engine.sessions,
      findSir: (id) => stores.sirs.find(id),
      sirSentTo: (address) => sirs.only(address),
      now: () => systemClock.now(),
      clock: systemClock,
      randomBytes,
      log,
      observe: facts.session,
    },
    {
      host,
      port,
      sirSuffices,
      addressSuffices,
      ...(terminalSecret === undefined ? {} : { secret: terminalSecret }),
      maxSessions,
      maxWindow: push.window,
      idleMs: push.sessionIdleSeconds * SECOND_MS,
      wtp: { retransmitMs, maxRetransmissions, maxDatagramBytes, maxMessageBytes },
    },
  );
}
