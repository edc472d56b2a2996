/**
 * MSRP sessions over shared connections, TCP or TLS (RFC 4975, RFC 6135), for the gateway and for the terminal alike.
 * A session is one `path` on each side; several sessions share a connection. Content goes out in chunks that are
 * interleaved fairly between sessions, with back-pressure from the socket up to the source.
 */
import type { DeliveryError } from '../../kernel/errors.js';
import type { CertificateFingerprint } from '../../protocols/sdp/index.js';
import type { MsrpTls } from './secure-connection.js';

export interface MsrpMessageToSend {
  /**
   * Message-ID, unique for this message and kept when it is sent again after a lost connection: an `ident` of
   * RFC 4975 §9, 4 to 32 characters of letters, digits and `.-+%=` (a UUID fits without its hyphens).
   */
  readonly messageId: string;
  readonly contentType: string;
  /** Extension header fields, sent in every chunk before Content-Type (RFC 4975 §9, `ext-header`). */
  readonly headers?: readonly { readonly name: string; readonly value: string }[];
  readonly content: MsrpContent;
  /** Ask for a success report (`Success-Report: yes`) and wait for it: the message counts as delivered only then. */
  readonly successReport: boolean;
}

/** Octets in hand, or a source that is read piece by piece (large content is never held whole). */
export type MsrpContent =
  | Uint8Array
  | { readonly size: number; read(offset: number, length: number): Promise<Uint8Array> };

/** What became of one sent message. `status` is the MSRP status of the transaction or the report that decided. */
export type MsrpOutcome =
  | { readonly kind: 'confirmed' } // all chunks 200 and, when asked for, REPORT 000 200 for the whole message
  | { readonly kind: 'refused'; readonly status: number; readonly comment: string }
  | { readonly kind: 'lost'; readonly error: DeliveryError }; // connection gone or no answer in time: unknown, may be sent again

/** One message received whole. Chunks are put together in any order; the octets are exact. */
export interface MsrpReceivedMessage {
  readonly messageId: string;
  readonly contentType: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly content: Uint8Array;
}

/** What the session description of a peer over TLS says of its certificate; see `fingerprintsOf`. */
export interface PeerDescription {
  readonly fingerprints?: readonly CertificateFingerprint[] | undefined;
}

export interface MsrpSessionOptions {
  /** Over TLS (`msrps`). */
  readonly isSecure?: boolean;
  /** Where the peer is, as far as that is known: our path names an address of that family if there is one. */
  readonly peerAddress?: string;
  /**
   * Decides on a received message. Returning lets the stack answer 200 (and the success REPORT when one was asked
   * for); throwing a RefusedError answers 4xx: `unsupportedMediaType` 415, `limitExceeded` 413, `forbidden` 403, `timeout`,
   * `busy`, `unreachable` and `internal` 408 (trying again may help), others 400. Anything else thrown answers 408.
   * The answer to the last chunk waits for the promise: store first, answer second. Called in the order in which
   * messages became whole, without waiting for the promise of the one before. Without this, messages are answered 403.
   */
  onMessage?(message: MsrpReceivedMessage): void | Promise<void>;
  /** The session is bound to a connection: the first SEND of the peer arrived, or we connected. Called once. */
  onConnected?(): void;
  /** The connection is gone or the session was closed. Called once. */
  onClosed?(reason: string): void;
  /** A session that is never bound to a connection is closed after this time. Default 32 s. */
  readonly connectTimeoutMs?: number;
}

export interface MsrpSession {
  /** Our URI for the SDP `path` attribute, `msrp://host:port/<128 random bits>;tcp`. */
  readonly localPath: string;
  readonly isConnected: boolean;
  /**
   * Passive: remember the peer's path and wait. Its first request must come From this path (RFC 4975 §7.3). A request
   * that overtook the SDP answer is kept, within limits, until this is called. Over TLS a peer that described its certificate has to
   * show it; of one that did not, knowing our path is enough.
   */
  awaitPeer(remotePath: readonly string[], peer?: PeerDescription): void;
  /**
   * Active: connect (or share a connection) to the peer's path and send the empty SEND that binds it. `address` is
   * where to connect instead of the path's first URI: the c= and m= lines of the SDP under CEMA (RFC 6714 §4.2).
   * Over TLS the peer must show the certificate that it described, else one for its host that a CA vouches for.
   * Rejects with DeliveryError when the peer cannot be reached or does not take the session; the session is closed then.
   * Rejects with DecodeError when the path is not one, as `awaitPeer` throws; the session stays as it was.
   */
  connect(
    remotePath: readonly string[],
    options?: PeerDescription & { readonly address?: { readonly host: string; readonly port: number } },
  ): Promise<void>;
  /**
   * Queues a message; resolves when its fate is known. Messages go out in the order of the calls; before the session
   * is connected they wait. Rejects with RefusedError when the Message-ID, a header field or the content type cannot stand on the
   * wire, or when the Message-ID is in use by a message whose fate is open.
   */
  send(message: MsrpMessageToSend): Promise<MsrpOutcome>;
  /** Octets queued and not yet handed to the socket. */
  readonly queuedBytes: number;
  close(reason?: string): void;
}

export interface MsrpListen {
  readonly host: string;
  readonly port: number;
  /** Further addresses, on the same port. */
  readonly moreHosts?: readonly string[];
}

export interface MsrpConnectionsOptions {
  /** Absent: never listens (a terminal that is always active). */
  readonly listen?: MsrpListen;
  /** Absent: no session can be over TLS. With a certificate of our own it listens on `tlsListen`. */
  readonly tls?: MsrpTls;
  readonly tlsListen?: MsrpListen;
  /** host or host:port written into local paths instead of what is bound; the port is that of plain MSRP. */
  readonly advertise?: string;
  readonly limits?: Partial<MsrpLimits>;
  readonly log?: (event: {
    level: 'debug' | 'info' | 'warn';
    message: string;
    reason?: string;
    peer?: string;
  }) => void;
}

export interface MsrpLimits {
  readonly chunkBytes: number; // 16 KiB of content in each chunk that we send (at most 64 KiB)
  readonly maxReceivedChunkBytes: number; // 1 MiB
  readonly maxReceivedMessageBytes: number; // 2 MiB, 413 above
  readonly maxHeaderBytes: number; // 8 KiB for a chunk's start line and header fields
  readonly maxOpenMessages: number; // 16 partly received messages in one session
  readonly maxOpenBytes: number; // 256 MiB for the partly received messages of all sessions together
  readonly maxConnections: number; // 10,000
  readonly transactionTimeoutMs: number; // 30 s without the answer to a chunk (RFC 4975 §7.1.2)
  readonly reportTimeoutMs: number; // 30 s from the last chunk's 200 to the success REPORT
  readonly maxInFlightChunks: number; // 16 chunks of one session without an answer
  readonly idleConnectionMs: number; // 30 s for a connection that no session uses, from the accept on
  readonly stalledRequestMs: number; // 30 s without an octet in the middle of a request, or without the peer reading ours
  readonly openMessageMs: number; // 5 min without a further chunk of a partly received message
}

export interface MsrpConnections {
  listen(): Promise<void>;
  /** Port really bound, undefined when not listening. */
  readonly port: number | undefined;
  /** The same for TLS. */
  readonly tlsPort: number | undefined;
  /** Of our certificate, for session descriptions. */
  readonly fingerprint: CertificateFingerprint | undefined;
  openSession(options: MsrpSessionOptions): MsrpSession;
  readonly sessionCount: number;
  close(): Promise<void>;
}
