/**
 * MSRP requests and responses as plain values (RFC 4975 §7, §9). One request is one chunk: a SEND carries a piece of
 * a message, a REPORT says what became of one. Extension header fields keep their order and exact value.
 * Nothing here joins chunks into messages (see message-assembly.ts) or knows a session.
 */

/** One extension header field, or a MIME field that stands before Content-Type. */
export interface MsrpHeader {
  readonly name: string;
  readonly value: string;
}

/** `Byte-Range: start-end/total` (RFC 4975 §7.1.1). Octets count from 1; undefined stands for `*`. An empty message is `1-0/0`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number | undefined;
  readonly total: number | undefined;
}

/** The Status header field of a REPORT. Namespace `000` means that `code` is an MSRP status code (RFC 4975 §7.1.2). */
export interface MsrpStatus {
  readonly namespace: string;
  readonly code: number;
  readonly comment: string;
}

/** The last octet of the end-line: `$` the message ends here, `+` more chunks follow, `#` the sender gave the message up. */
export type ContinuationFlag = '$' | '+' | '#';

/** When the sender wants to hear of a failure: `yes` every response, `partial` failures only, `no` nothing (RFC 4975 §7.1.2). */
export type FailureReport = 'yes' | 'partial' | 'no';

export interface MsrpRequest {
  readonly kind: 'request';
  readonly transactionId: string;
  /** SEND, REPORT, or any other upper-case word. */
  readonly method: string;
  /** URIs as they stand on the wire, the next hop first. */
  readonly toPath: readonly string[];
  readonly fromPath: readonly string[];
  readonly messageId?: string | undefined;
  readonly byteRange?: ByteRange | undefined;
  /** Absent means no. */
  readonly successReport?: boolean | undefined;
  /** Absent means yes. */
  readonly failureReport?: FailureReport | undefined;
  readonly status?: MsrpStatus | undefined;
  /** Everything that has no field of its own here. */
  readonly headers?: readonly MsrpHeader[] | undefined;
  /** Present exactly when there is a body. */
  readonly contentType?: string | undefined;
  /** Undefined: the request has no body at all, which is not the same as an empty one. */
  readonly body?: Uint8Array | undefined;
  readonly continuation: ContinuationFlag;
}

export interface MsrpResponse {
  readonly kind: 'response';
  readonly transactionId: string;
  readonly status: number;
  readonly comment: string;
  readonly toPath: readonly string[];
  readonly fromPath: readonly string[];
  readonly headers?: readonly MsrpHeader[] | undefined;
}

/** A request as it came in. */
export interface ReceivedMsrpRequest extends MsrpRequest {
  /** Why a header field could not be understood. The framing is sound: answer 400 and read on. */
  readonly problem: string | undefined;
  /** The body grew past the limit: it was dropped, and the rest of the chunk is skipped without another event. */
  readonly isOversize: boolean;
}

/** A response as it came in. */
export interface ReceivedMsrpResponse extends MsrpResponse {
  readonly problem: string | undefined;
}

export type MsrpEvent = ReceivedMsrpRequest | ReceivedMsrpResponse;
