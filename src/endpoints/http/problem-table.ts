/**
 * What an HTTP client is told for each error of ours (RFC 9457): status and title are fixed for the code, so that a client can
 * rely on `type`. `docs/errors.md` explains every code.
 */
import type { ErrorCode } from '../../kernel/errors.js';

export const PROBLEM = {
  malformed: { status: 400, title: 'The request cannot be read' },
  limitExceeded: { status: 413, title: 'Larger or more numerous than this gateway takes' },
  versionNotSupported: { status: 400, title: 'The version is not supported' },
  notImplemented: { status: 501, title: 'This gateway does not offer that' },
  unauthenticated: { status: 401, title: 'Credentials are missing or wrong' },
  forbidden: { status: 403, title: 'Not allowed' },
  addressMalformed: { status: 400, title: 'The address is malformed or not served here' },
  addressNotFound: { status: 404, title: 'Nobody has this address' },
  pushNotFound: { status: 404, title: 'There is no such push' },
  duplicatePush: { status: 409, title: 'The push-id has been used before' },
  deadlinePassed: { status: 422, title: 'The deadline lies in the past' },
  tooLate: { status: 409, title: 'The push has reached its final state' },
  unsupportedMediaType: { status: 415, title: 'The content type is not taken' },
  transformationFailed: { status: 422, title: 'The content cannot be transformed for the receiver' },
  bearerNotAvailable: { status: 422, title: 'The bearer that is required is not available' },
  networkNotAvailable: { status: 422, title: 'The network that is required is not available' },
  methodNotPossible: { status: 422, title: 'The delivery method asked for is not possible' },
  capabilitiesMismatch: { status: 422, title: 'The recipient lacks what the push assumes of it' },
  capabilitiesExceeded: { status: 422, title: 'The recipient lacks what the content needs' },
  capabilitiesUnreadable: { status: 422, title: 'The assumed capabilities cannot be compared' },
  capabilitiesUnknown: { status: 404, title: 'Nothing is known of the capabilities' },
  conflict: { status: 409, title: 'The request contradicts what is stored' },
  notFound: { status: 404, title: 'There is no such resource' },
  unreachable: { status: 502, title: 'The other side cannot be reached at present' },
  timeout: { status: 504, title: 'The other side did not answer in time' },
  busy: { status: 503, title: 'Not possible at present, try again later' },
  quotaExceeded: { status: 429, title: 'Your rate or quota is used up, try again later' },
  internal: { status: 500, title: 'A defect of this gateway' },
} as const satisfies Record<ErrorCode, { readonly status: number; readonly title: string }>;

/** `type` of a problem document: a URN, because it has to stay the same wherever the gateway runs. */
export function problemType(code: ErrorCode): string {
  return `urn:carillon:problem:${code}`;
}
