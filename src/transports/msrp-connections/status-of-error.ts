/** The MSRP edge of the error model: which status answers a message that the receiver of a session refused. */
import { type ErrorCode, GatewayError } from '../../kernel/errors.js';
import type { MsrpStatusCode } from '../../protocols/msrp/index.js';

const STATUS_OF_CODE = {
  malformed: 400,
  limitExceeded: 413,
  versionNotSupported: 400,
  notImplemented: 400,
  unauthenticated: 403,
  forbidden: 403,
  addressMalformed: 400,
  addressNotFound: 400,
  pushNotFound: 400,
  duplicatePush: 400,
  deadlinePassed: 400,
  tooLate: 400,
  unsupportedMediaType: 415,
  transformationFailed: 415,
  bearerNotAvailable: 400,
  networkNotAvailable: 400,
  methodNotPossible: 400,
  capabilitiesMismatch: 400,
  capabilitiesExceeded: 400,
  capabilitiesUnreadable: 400,
  capabilitiesUnknown: 400,
  conflict: 400,
  notFound: 400,
  // MSRP has no status for "not now": 408 is the one after which a sender may try the same message again.
  unreachable: 408,
  timeout: 408,
  busy: 408,
  quotaExceeded: 408,
  internal: 408,
} as const satisfies Record<ErrorCode, MsrpStatusCode>;

/** The status for anything that a handler threw. What is not of our error model is a failure of ours. */
export function statusOfError(error: unknown): MsrpStatusCode {
  return error instanceof GatewayError ? STATUS_OF_CODE[error.code] : STATUS_OF_CODE.internal;
}
