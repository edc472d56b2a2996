/**
 * The error model of the gateway. Every error answers three questions: whose fault it is, whether trying again
 * can help, and (through `code`) what the peer is told. The public text of a code is fixed at the edge that
 * answers (PAP, SIP, MSRP, HTTP); `detail` is for the log only, `publicDetail` is written for the peer.
 */

/** Every code an error of ours can carry. Each edge maps all of them: a new code does not compile until it does. */
export const ERROR_CODES = [
  'malformed', // bytes or values that no grammar of ours accepts
  'limitExceeded', // well-formed so far, but larger or more numerous than we take
  'versionNotSupported', // a protocol version that we do not speak
  'notImplemented', // a legal request for something that this gateway does not offer
  'unauthenticated', // credentials are missing or wrong
  'forbidden', // known peer, not allowed
  'addressMalformed', // a recipient address outside the address grammar, or not ours to serve
  'addressNotFound', // a well-formed recipient address that nobody has
  'pushNotFound', // no push of that id for this initiator
  'duplicatePush', // the initiator has used this push-id already
  'deadlinePassed', // deliver-before lies in the past
  'tooLate', // the push has reached a final state
  'unsupportedMediaType', // the receiver refuses this content type
  'transformationFailed', // content that does not become the form which the receiver reads
  'bearerNotAvailable', // no way to the recipient by the bearer that is required
  'networkNotAvailable', // no way to the recipient over the network that is required
  'methodNotPossible', // the delivery method asked for cannot be had
  'capabilitiesMismatch', // the initiator assumes what a terminal is known not to have
  'capabilitiesExceeded', // the content needs what a terminal is known not to have
  'capabilitiesUnreadable', // assumed capabilities in a form that cannot be compared
  'capabilitiesUnknown', // nothing is known of what the terminal can do
  'conflict', // the change contradicts what is stored
  'notFound', // no such resource
  'unreachable', // the other side cannot be reached at present
  'timeout', // the other side did not answer in time
  'busy', // too much at once, or the store is away; trying later helps
  'quotaExceeded', // the peer has used up its own rate or quota; trying later helps
  'internal', // a defect of ours
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

export type Fault = 'peer' | 'us' | 'downstream';
export type Retry = 'never' | 'later' | 'otherWay';

export interface GatewayErrorOptions {
  readonly code: ErrorCode;
  readonly fault: Fault;
  readonly retry: Retry;
  /** For the log: what exactly was wrong. Never sent to a peer unless the edge says so. */
  readonly detail: string;
  readonly cause?: unknown;
}

export class GatewayError extends Error {
  override readonly name: string = 'GatewayError';
  readonly code: ErrorCode;
  readonly fault: Fault;
  readonly retry: Retry;
  readonly detail: string;

  constructor(options: GatewayErrorOptions) {
    super(`${options.code}: ${options.detail}`, options.cause === undefined ? {} : { cause: options.cause });
    this.code = options.code;
    this.fault = options.fault;
    this.retry = options.retry;
    this.detail = options.detail;
  }
}

/** A peer sent bytes that the grammar refuses. `offset` is the octet where reading stopped, `clause` the rule broken. */
export class DecodeError extends GatewayError {
  override readonly name = 'DecodeError';
  readonly offset: number | undefined;
  readonly clause: string | undefined;

  constructor(
    detail: string,
    where: {
      offset?: number;
      clause?: string;
      code?: 'malformed' | 'limitExceeded' | 'versionNotSupported';
      cause?: unknown;
    } = {},
  ) {
    super({ code: where.code ?? 'malformed', fault: 'peer', retry: 'never', detail, cause: where.cause });
    this.offset = where.offset;
    this.clause = where.clause;
  }
}

/** What `read` makes of something; undefined when that is broken. For what is of no use then, and no reason to refuse anything. */
export function unlessBroken<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** A well-formed request that we refuse. */
export class RefusedError extends GatewayError {
  override readonly name = 'RefusedError';
  /** Written for the peer: an edge that has room for a text says it instead of its own fixed sentence. */
  readonly publicDetail: string | undefined;
  /** From when on trying again is worth it, where that is known. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    detail: string,
    retry: Retry = 'never',
    told: { readonly publicDetail?: string; readonly retryAfterMs?: number } = {},
  ) {
    super({ code, fault: 'peer', retry, detail });
    this.publicDetail = told.publicDetail;
    this.retryAfterMs = told.retryAfterMs;
  }

  /** A refusal that the peer can act on only when it knows which rule it met. The text is log line and answer in one. */
  static telling(code: ErrorCode, text: string, retry: Retry = 'never'): RefusedError {
    return new RefusedError(code, text, retry, { publicDetail: text });
  }
}

/** Something we tried to reach or use did not do its part. */
export class DeliveryError extends GatewayError {
  override readonly name = 'DeliveryError';

  constructor(code: ErrorCode, detail: string, options: { retry?: Retry; cause?: unknown } = {}) {
    super({ code, fault: 'downstream', retry: options.retry ?? 'later', detail, cause: options.cause });
  }
}

/** A defect of ours. Never caught below the process edge. */
export class InvariantError extends GatewayError {
  override readonly name = 'InvariantError';

  constructor(detail: string, cause?: unknown) {
    super({ code: 'internal', fault: 'us', retry: 'never', detail, cause });
  }
}

/** The text of anything thrown, for a log line or a `detail`. */
export function describeError(error: unknown): string {
  if (error instanceof GatewayError) return error.detail;
  return error instanceof Error ? error.message : String(error);
}
