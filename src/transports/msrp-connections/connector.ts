/**
 * Outgoing connections, one per address: a second session to the same address shares the first one's connection
 * (RFC 4975 §5.4), also while that is still being opened. Over TLS only when it expects the same certificate.
 */
import { connect, type Socket } from 'node:net';
import { DeliveryError, describeError } from '../../kernel/errors.js';
import { type CertificateFingerprint, formatFingerprint } from '../../protocols/sdp/index.js';
import type { MsrpConnection } from './connection.js';
import { checkServer, connectSecurely, type MsrpTls } from './secure-connection.js';

export interface MsrpAddress {
  readonly host: string;
  readonly port: number;
  /** Over TLS, to a peer with one of these fingerprints, or with a good name when it has described none. */
  readonly secure?: { readonly fingerprints: readonly CertificateFingerprint[] | undefined };
}

export class Connector {
  readonly #adopt: (socket: Socket) => MsrpConnection;
  /** Open connections and those being opened, by address. What fails or closes is taken out at once. */
  readonly #byAddress = new Map<string, Promise<MsrpConnection>>();
  readonly #addresses = new Map<MsrpConnection, string>();
  readonly #opening = new Set<Socket>();

  readonly #tls: MsrpTls | undefined;

  /** `adopt` makes a connection of a connected socket; it throws DeliveryError when there are too many. */
  constructor(adopt: (socket: Socket) => MsrpConnection, tls: MsrpTls | undefined) {
    this.#adopt = adopt;
    this.#tls = tls;
  }

  /** Rejects with DeliveryError when the address cannot be reached in time. */
  connectTo(to: MsrpAddress, timeoutMs: number): Promise<MsrpConnection> {
    const address = keyOf(to);
    const shared = this.#byAddress.get(address);
    if (shared !== undefined) return shared;
    const opening = this.#open(to, timeoutMs).then(
      (connection) => {
        this.#addresses.set(connection, address);
        return connection;
      },
      (error: unknown) => {
        this.#byAddress.delete(address);
        throw error;
      },
    );
    this.#byAddress.set(address, opening);
    return opening;
  }

  /** The connection is gone; the next session opens another. */
  connectionClosed(connection: MsrpConnection): void {
    const address = this.#addresses.get(connection);
    if (address === undefined) return;
    this.#addresses.delete(connection);
    this.#byAddress.delete(address);
  }

  /** Ends the attempts under way. */
  close(): void {
    for (const socket of this.#opening) socket.destroy(new Error('shutting down'));
  }

  #open({ host, port, secure }: MsrpAddress, timeoutMs: number): Promise<MsrpConnection> {
    return new Promise((resolve, reject) => {
      const address = { host, port };
      const socket = secure
        ? connectSecurely(address, this.#tls ?? {}, secure.fingerprints)
        : connect(address);
      this.#opening.add(socket);
      const timer = setTimeout(() => socket.destroy(new Error('no answer in time')), timeoutMs);
      const settle = (): void => {
        clearTimeout(timer);
        this.#opening.delete(socket);
      };
      const failed = (cause: Error): void => {
        settle();
        const detail = `cannot connect to ${host}:${port}: ${describeError(cause)}`;
        reject(new DeliveryError('unreachable', detail, { cause }));
      };
      socket.once('error', failed);
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        settle();
        socket.off('error', failed);
        try {
          if (secure) checkServer(socket, secure.fingerprints);
          resolve(this.#adopt(socket));
        } catch (error) {
          socket.destroy();
          reject(error);
        }
      });
    });
  }
}

function keyOf({ host, port, secure }: MsrpAddress): string {
  if (!secure) return `${host} ${port}`;
  const expected = secure.fingerprints?.map(formatFingerprint).sort().join(',') ?? 'a good name';
  return `${host} ${port} ${expected}`;
}
