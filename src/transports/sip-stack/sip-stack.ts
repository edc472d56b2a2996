/**
 * The SIP stack as the rest of the gateway sees it: requests in and out, INVITE dialogs, nothing of sockets or
 * timers. Everything about transactions (RFC 3261 §17), retransmission, duplicate absorption, Via, `received`/`rport`
 * and connection reuse happens behind this interface. The library that helps with it is imported in this folder only.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { SipHeader, SipRequest, SipResponse } from '../../protocols/sip/message.js';
import type { NameService } from './name-service.js';

export type SipTransportName = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';

/** Where a message came from, or where one is to go: a transport address, and the connection it belongs to when there is one. */
export interface SipFlow {
  readonly transport: SipTransportName;
  readonly address: string;
  readonly port: number;
  /** Present for connection-oriented transports: requests sent "on this flow" reuse exactly this connection. */
  readonly connectionId?: string;
  /** The name that the peer's certificate must prove when we connect over TLS (RFC 5922 §7.2); absent: its address. */
  readonly domain?: string;
}

/** Everything in PEM. */
export interface SipTls {
  /** Our certificate chain and its key: needed to listen, and shown to servers that ask for one. */
  readonly own?: { readonly cert: Buffer; readonly key: Buffer };
  /** CAs of the peers that we connect to; absent: those that Node knows. */
  readonly ca?: Buffer;
}

export interface SipStackOptions {
  readonly listen: readonly {
    readonly transport: 'udp' | 'tcp' | 'tls';
    readonly host: string;
    readonly port: number;
  }[];
  /** Absent: neither listens nor connects over TLS. */
  readonly tls?: SipTls;
  /** Absent: neither accepts nor opens WebSocket connections. */
  readonly webSocket?: {
    /** Of the URL that we connect to; default `/sip`. */
    readonly path?: string;
    /** Origins of pages that may connect to us; `*`: all. Default: none. */
    readonly allowedOrigins?: readonly string[];
  };
  /** Value of Server (in responses) and User-Agent (in requests). */
  readonly product: string;
  /** host or host:port to write into Via and Contact instead of the bound address (NAT, wildcard binds); the port is that of UDP and TCP. */
  readonly advertise?: string;
  readonly limits?: Partial<SipLimits>;
  /** Option tags that the handlers understand (Supported); any other tag in Require is answered 420. */
  readonly supported?: readonly string[];
  /** Media types of Accept in answers to OPTIONS; default `application/sdp`. */
  readonly accept?: readonly string[];
  /** Replaces the system's name service (RFC 3263), for tests and split-horizon set-ups. */
  readonly names?: NameService;
  readonly log?: (event: SipLogEvent) => void;
  /** Timers of RFC 3261 table 4, for tests: defaults T1 500, T2 4000, T4 5000 (ms). */
  readonly timers?: Partial<{ readonly t1: number; readonly t2: number; readonly t4: number }>;
}

export interface SipLimits {
  readonly maxMessageBytes: number; // 65,535
  readonly maxHeaderCount: number; // 128
  readonly maxHeaderBytes: number; // 8 KiB for one field
  readonly maxConnections: number; // 10,000
  readonly handshakeMs: number; // 10 s for the TLS handshake of a peer that connects
  readonly idleConnectionMs: number; // 10 min; a connection that never completed a message is closed after 32 s
  readonly maxTransactions: number; // 50,000; above it new requests get 503 with Retry-After
}

export interface SipLogEvent {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly reason?: string;
  readonly peer?: string;
  readonly callId?: string;
}

/** A request that reached us, already validated (RFC 3261 §8.2.1–8.2.3): the handler must answer it once. */
export interface ServerRequest {
  readonly message: SipRequest;
  readonly flow: SipFlow;
  /** Sends a final (or provisional, 101–199) response. Via, From, To (tag added), Call-ID and CSeq are filled in. */
  respond(status: number, options?: ResponseOptions): void;
}

export interface ResponseOptions {
  readonly reason?: string;
  readonly headers?: readonly SipHeader[];
  readonly body?: Uint8Array;
}

/** An INVITE that reached us. `accept` sends 200 with the answer and resolves with the dialog when the ACK is there. */
export interface ServerInvite extends ServerRequest {
  /** Throws DeliveryError('timeout') when no ACK comes (RFC 3261 §13.3.1.4; a BYE has then been sent), or when the caller cancelled. */
  accept(options: {
    readonly body: Uint8Array;
    readonly contentType: string;
    readonly headers?: readonly SipHeader[];
  }): Promise<SipDialog>;
  /** Called when the caller sends CANCEL before a final response (487 has been sent). */
  onCancel(listener: () => void): void;
}

/** A confirmed INVITE dialog (RFC 3261 §12). */
export interface SipDialog {
  readonly callId: string;
  readonly remoteUri: string;
  /** The body (SDP) of the 2xx for a dialog that we started, of the INVITE for one that we accepted. */
  readonly remoteBody: Uint8Array;
  /** Sends BYE and waits for its final response; never throws. Idempotent. */
  bye(): Promise<void>;
  /** Called once, when the peer ends the dialog or it fails. */
  onEnd(listener: (reason: string) => void): void;
}

/** A request that we send. From, To, Call-ID, CSeq, Via, Max-Forwards and User-Agent are written by the stack unless given. */
export interface ClientRequest {
  readonly method: string;
  readonly uri: string;
  /** Full header values, e.g. `<sip:ppg@example.test>`; a From tag is added when missing. */
  readonly from: string;
  readonly to: string;
  readonly callId?: string;
  readonly headers?: readonly SipHeader[];
  readonly body?: Uint8Array;
  readonly contentType?: string;
  /** Route header values, topmost first; the first one decides where the request goes. */
  readonly route?: readonly string[];
  /** Send exactly here, whatever the URI says (a registered contact's flow, an outbound proxy). */
  readonly destination?: SipFlow;
  /** Answers 401/407 once with these (RFC 7616: MD5 and SHA-256). */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** INVITE only: aborting sends CANCEL; `invite` then rejects with the SipRejection (487) of the peer. */
  readonly signal?: AbortSignal;
}

export interface SipStack {
  /** Binds every listener; rejects with the operating system's error (EADDRINUSE …) when one cannot be bound. */
  listen(): Promise<void>;
  /** Addresses really bound (port 0 resolved). */
  readonly bound: readonly SipFlow[];
  /** Registers the handler for a method. Without one the method is answered 405 with Allow. */
  onRequest(method: string, handler: (request: ServerRequest) => void | Promise<void>): void;
  onInvite(handler: (invite: ServerInvite) => void | Promise<void>): void;
  /**
   * Sends a non-INVITE request and resolves with its final response, whatever its status.
   * Rejects with DeliveryError('timeout') after Timer F (32 s) and DeliveryError('unreachable') on a transport error.
   */
  request(request: ClientRequest): Promise<SipResponse>;
  /** Sends INVITE with an offer; resolves with the dialog (ACK sent), rejects with a SipRejection for a final response ≥ 300. */
  invite(request: ClientRequest): Promise<SipDialog>;
  /** Requests under way or held, for metrics. */
  readonly transactionCount: number;
  /** Octets that `request` would put on the wire, to choose between MESSAGE and a session (RFC 3428 §8). */
  sizeOf(request: ClientRequest): number;
  /** Called when a connection closes, so that flows bound to it can be dropped. */
  onFlowClosed(listener: (flow: SipFlow) => void): void;
  /**
   * Takes over the upgrade request of an HTTP server that is to become a WebSocket connection (RFC 7118): answers it, whether it may or
   * may not, and owns the socket from then on.
   */
  acceptWebSocket(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Stops taking requests in, answers what is open with 503, closes sockets. */
  close(): Promise<void>;
}
