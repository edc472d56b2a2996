/**
 * Taking in WebSocket connections for SIP (RFC 7118 §4): the HTTP server hands its upgrade requests over. The client must offer the
 * subprotocol `sip`, and a page of a browser must come from an origin that may (RFC 6455 §10.2): its visitor is on the operator's own
 * network, perhaps. That a page comes from the very host that it calls is no recommendation, for a name can be made to lead here.
 */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

export interface WebSocketServerOptions {
  readonly maxMessageBytes: number;
  /** Origins of pages that may connect; `*`: all. */
  readonly allowedOrigins: readonly string[];
  readonly onConnection: (webSocket: WebSocket, socket: Socket, transport: 'ws' | 'wss') => void;
  readonly onRefused: (socket: Socket, reason: string) => void;
}

export class SipWebSocketServer {
  readonly #options: WebSocketServerOptions;
  readonly #server: WebSocketServer;

  constructor(options: WebSocketServerOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes,
      handleProtocols: () => 'sip',
    });
    this.#server.on('wsClientError', (error, socket) => this.#refuse(socket as Socket, 400, error.message));
  }

  /** Takes an upgrade request over, with the socket that it came on. */
  accept(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    const socket = duplex as Socket;
    const refusal = refusalOf(request, this.#options.allowedOrigins);
    if (refusal !== undefined) {
      this.#refuse(socket, refusal.status, refusal.reason);
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) =>
      this.#options.onConnection(webSocket, socket, 'encrypted' in socket ? 'wss' : 'ws'),
    );
  }

  #refuse(socket: Socket, status: number, reason: string): void {
    this.#options.onRefused(socket, reason);
    socket.on('error', () => {});
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      () => socket.destroy(),
    );
  }
}

/** It must speak SIP, and be no browser, or show a page of an origin that is allowed. */
function refusalOf({ headers }: IncomingMessage, allowed: readonly string[]) {
  const offered = headers['sec-websocket-protocol']?.split(',') ?? [];
  if (!offered.some((protocol) => protocol.trim().toLowerCase() === 'sip')) {
    return { status: 400, reason: 'the subprotocol sip is not offered' };
  }
  const { origin } = headers;
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin)) return undefined;
  return { status: 403, reason: `pages of ${origin.slice(0, 200)} may not connect` };
}
