/** A terminal that listens for OTA-HTTP (PO-TCP): the gateway calls it with pushes and SIRs. Plain or over TLS. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { WAP_PUSH_TARGET } from '../protocols/ota-http/index.js';
import type { OtaResponder } from './ota-http-responder.js';
import { otaListener, otaServer } from './ota-http-server.js';

export interface OtaListenerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** PEM. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
}

export class OtaHttpListener implements AsyncDisposable {
  readonly #server: Server;
  readonly #scheme: string;
  readonly #host: string;

  private constructor(server: Server, scheme: string, host: string) {
    this.#server = server;
    this.#scheme = scheme;
    this.#host = host;
  }

  /** Rejects with the operating system's error when the port cannot be had. */
  static async start(
    responder: OtaResponder,
    { host, port, tls }: OtaListenerOptions,
  ): Promise<OtaHttpListener> {
    const server = tls === undefined ? otaServer(responder) : createTlsServer(tls, otaListener(responder));
    server.listen(port, host);
    await once(server, 'listening');
    return new OtaHttpListener(server, tls === undefined ? 'http' : 'https', host);
  }

  /** What the gateway is told as the terminal's address. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    const host = this.#host.includes(':') ? `[${this.#host}]` : this.#host;
    return `${this.#scheme}://${host}:${port}${WAP_PUSH_TARGET}`;
  }

  /** Cuts every connection: a terminal that is gone is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}
