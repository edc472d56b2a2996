/**
 * A terminal that calls the gateway for OTA-HTTP (TO-TCP): it opens the connection, to a contact point of a SIR or of its own accord, and then
 * serves the requests that the gateway sends over it. It shows who it is by the SIR that it follows, by its key, or by the certificate
 * of its TLS connection.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { DeliveryError, describeError } from '../kernel/errors.js';
import { type HeaderField, headerValue } from '../protocols/mime/index.js';
import { sessionProof } from '../protocols/ota-http/index.js';
import type { OtaResponder } from './ota-http-responder.js';
import { otaServer } from './ota-http-server.js';

export interface OtaSessionOptions {
  readonly host: string;
  readonly port: number;
  /** The SIR that it follows. */
  readonly sirId?: string;
  /** The terminal's own key (`terminalKey`). */
  readonly key?: Uint8Array;
  /** PEM. `ca`: who vouches for the gateway, when the system's CAs do not; `cert` and `key` are shown. */
  readonly tls?: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
}

export class OtaHttpSession implements AsyncDisposable {
  readonly #socket: Socket;
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  /** Resolves when the connection is there; who the terminal is the gateway asks then. Rejects with DeliveryError. */
  static async open(responder: OtaResponder, options: OtaSessionOptions): Promise<OtaHttpSession> {
    const { host, port, tls } = options;
    const socket = tls === undefined ? connect(port, host) : connectTls({ ...tls, host, port });
    try {
      await once(socket, tls === undefined ? 'connect' : 'secureConnect');
    } catch (cause) {
      socket.destroy();
      throw new DeliveryError('unreachable', `${host}:${port}: ${describeError(cause)}`, { cause });
    }
    socket.on('error', () => socket.destroy());
    const session = new OtaHttpSession(socket);
    const server = otaServer(responder, (headers) => credentials(options, headers));
    server.keepAliveTimeout = 0; // the gateway ends it when there is nothing more
    server.emit('connection', socket);
    return session;
  }

  /** Cuts the connection, as a terminal does that goes out of coverage. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.closed;
  }
}

function credentials(
  { sirId, key }: OtaSessionOptions,
  headers: readonly HeaderField[],
): readonly HeaderField[] {
  const nonce = headerValue(headers, 'x-push-nonce');
  return [
    ...(sirId === undefined ? [] : [{ name: 'X-Push-Sir-Id', value: sirId }]),
    ...(key === undefined || nonce === undefined
      ? []
      : [{ name: 'X-Push-Authorization', value: sessionProof(key, nonce) }]),
  ];
}
