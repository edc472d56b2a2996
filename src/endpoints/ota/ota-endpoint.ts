/**
 * Where terminals call us for OTA-HTTP (TO-TCP, WAP-235): after a SIR that offers this listener, or of their own accord. The roles are
 * reversed on such a connection: we ask for the terminal's registration, and once it has shown who it is the connection is its push session.
 * Whoever does not answer, or is not who it says, is hung up on.
 */
import { createHash } from 'node:crypto';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import type { Clock, RandomBytes } from '../../kernel/clock.js';
import { describeError } from '../../kernel/errors.js';
import { SECOND_MS } from '../../kernel/units.js';
import type { Sessions } from '../../lane/sessions.js';
import { readRegistration, registrationHeaders, terminalKey } from '../../protocols/ota-http/index.js';
import { type DeviceIdentity, deviceIdentity } from '../../registry/device-identity.js';
import type { Registry } from '../../registry/ports.js';
import type { Log } from '../../telemetry/log.js';
import { storeCapabilities } from '../../transports/ota-http/terminal-exchange.js';
import { limitPeers } from '../http/connection-limits.js';
import type { PushSessionFact } from '../sip/push-session.js';
import { OtaConnection } from './ota-connection.js';
import { OtaTerminalSession } from './ota-terminal-session.js';
import { type IdentificationPorts, identifyTerminal } from './terminal-identification.js';

export interface OtaEndpointPorts extends Omit<IdentificationPorts, 'registry'> {
  readonly registry: Pick<Registry, 'findUser' | 'findTerminal' | 'changeTerminal'>;
  readonly sessions: Pick<Sessions, 'opened' | 'closed'>;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly log: Log;
  readonly observe: (fact: PushSessionFact) => void;
}

export interface OtaEndpointOptions {
  readonly host: string;
  readonly port: number;
  /** PEM. Absent: plain TCP. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
  /** Whether the id of a SIR shows who a terminal is. */
  readonly sirSuffices: boolean;
  readonly secret?: string;
  readonly maxConnections: number;
  /** The most pushes under way to a terminal, whatever it says that it takes. */
  readonly maxWindow: number;
  readonly answerTimeoutMs: number;
  readonly idleMs: number;
}

export interface OtaEndpoint extends AsyncDisposable {
  /** Really bound (port 0 resolved). */
  readonly address: { readonly host: string; readonly port: number };
}

/** One address may have this part of the connections: many terminals behind one NAT still find room. */
const SHARE_OF_ONE_PEER = 1 / 4;
const HANDSHAKE_TIMEOUT_MS = 10 * SECOND_MS;

/** Rejects with the operating system's error when the port cannot be had. */
export async function listenForTerminals(
  ports: OtaEndpointPorts,
  options: OtaEndpointOptions,
): Promise<OtaEndpoint> {
  const { tls, host, port, maxConnections } = options;
  const arriving = new Set<OtaConnection>();
  const onSocket = (socket: Socket) => void receiveTerminal(socket, arriving, ports, options);
  const server =
    tls === undefined
      ? createServer(onSocket)
      : createTlsServer(
          {
            ...tls,
            minVersion: 'TLSv1.2',
            handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
            requestCert: true, // a certificate of the terminal's own making is as good: its digest is what counts
            rejectUnauthorized: false,
          },
          onSocket,
        );
  server.maxConnections = maxConnections;
  limitPeers(server, Math.ceil(maxConnections * SHARE_OF_ONE_PEER), ports.log, 'OTA');
  await listening(server, port, host);
  return {
    address: { host, port: (server.address() as AddressInfo).port },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const connection of arriving) connection.close('the gateway is stopping');
      // Sessions go on: the engine closes them once what is under way has ended.
    },
  };
}

async function listening(server: Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}

/** One connection, from the call of the terminal to its session. Never rejects. */
async function receiveTerminal(
  socket: Socket,
  arriving: Set<OtaConnection>,
  ports: OtaEndpointPorts,
  options: OtaEndpointOptions,
): Promise<void> {
  const { clock, log, sessions, observe } = ports;
  const peer = socket.remoteAddress ?? '';
  let session: OtaTerminalSession | undefined;
  const report = (error: unknown) =>
    log({ level: 'warn', message: 'OTA session not recorded', reason: describeError(error) });
  const connection = new OtaConnection(socket, {
    clock,
    answerTimeoutMs: options.answerTimeoutMs,
    onClosed(reason) {
      arriving.delete(connection);
      if (!session) return;
      session.close(reason);
      observe({ kind: 'closed', terminal: session.terminal, session: session.id, reason });
      sessions.closed(session.terminal, session).catch(report);
    },
  });
  arriving.add(connection);
  try {
    const opened = await register(connection, socket, ports, options);
    if (typeof opened === 'string') {
      log({ level: 'info', message: 'OTA session refused', reason: opened, peer });
      return connection.close(opened);
    }
    if (!connection.isOpen) return opened.close('it hung up');
    arriving.delete(connection);
    session = opened;
    observe({ kind: 'opened', terminal: session.terminal, session: session.id });
    await sessions.opened(session.terminal, session);
  } catch (error) {
    log({ level: 'info', message: 'OTA session failed', reason: describeError(error), peer });
    connection.close(describeError(error));
  }
}

/** The session of the terminal that called, or why there is none. */
async function register(
  connection: OtaConnection,
  socket: Socket,
  ports: OtaEndpointPorts,
  options: OtaEndpointOptions,
): Promise<OtaTerminalSession | string> {
  const nonce = Buffer.from(ports.randomBytes(18)).toString('base64url');
  const answer = await connection.exchange({ method: 'OPTIONS', headers: registrationHeaders({ nonce }) });
  const registration = readRegistration(answer);
  if (!registration) return `it answered HTTP ${answer.status} to its registration`;
  const { sirSuffices, secret, maxWindow, idleMs } = options;
  const presented = { registration, nonce, sirSuffices, fingerprints: fingerprintsOf(socket) };
  const terminal = await identifyTerminal(
    { ...presented, ...(secret === undefined ? {} : { keyOf: ({ id }) => terminalKey(secret, id) }) },
    ports,
  );
  if (typeof terminal === 'string') return terminal;
  const told = await storeCapabilities(terminal.id, answer.headers, ports);
  return new OtaTerminalSession({
    id: Buffer.from(ports.randomBytes(12)).toString('base64url'),
    terminal: told ?? terminal,
    connection,
    window: Math.min(registration.maxPushRequests, maxWindow),
    idleMs,
    registry: ports.registry,
    clock: ports.clock,
  });
}

/** SHA-256 of the certificate that the terminal showed, and of its public key: the handshake has proved that it has the private one. */
function fingerprintsOf(socket: Socket): readonly DeviceIdentity[] {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  if (!certificate) return [];
  const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return [certificate.raw, key].map((octets) => {
    const digest = createHash('sha256').update(octets).digest('base64url');
    return deviceIdentity('fingerprint', `ni:///sha-256;${digest}`);
  });
}
