/** What a push initiator is told for each error of ours. `badmessage-response` has its own two codes, 2000 and 3002. */
import type { ErrorCode } from '../../kernel/errors.js';
import type { KnownPapCode } from './pap-status-table.js';

export const PAP_CODE = {
  malformed: 2000,
  limitExceeded: 2001, // well-formed, refused by policy
  versionNotSupported: 3002,
  notImplemented: 3001,
  unauthenticated: 2001,
  forbidden: 2001,
  addressMalformed: 2002,
  addressNotFound: 2003,
  pushNotFound: 2004,
  duplicatePush: 2007,
  deadlinePassed: 2001, // an expired push is refused, as every known gateway does
  tooLate: 2008,
  unsupportedMediaType: 2006,
  transformationFailed: 3006,
  bearerNotAvailable: 3010,
  networkNotAvailable: 3009,
  methodNotPossible: 3007,
  capabilitiesMismatch: 2005,
  capabilitiesExceeded: 2006,
  capabilitiesUnreadable: 3004,
  capabilitiesUnknown: 3008,
  conflict: 2000,
  notFound: 2004,
  unreachable: 4000,
  timeout: 4000,
  busy: 4001,
  quotaExceeded: 4001,
  internal: 3000,
} as const satisfies Record<ErrorCode, KnownPapCode>;

/**
 * What is said beside the code: one fixed sentence for each error, free of detail that belongs in the log. An error whose
 * `publicDetail` was written for the peer, a limit of its own for instance, says that instead.
 */
export const PAP_REASON = {
  malformed: 'The request cannot be read',
  limitExceeded: 'Larger or more numerous than this gateway takes',
  versionNotSupported: 'Version not supported',
  notImplemented: 'This gateway does not offer the operation',
  unauthenticated: 'Credentials are missing or wrong',
  forbidden: 'Not allowed for this initiator',
  addressMalformed: 'The address is malformed or belongs to another gateway',
  addressNotFound: 'Nobody has this address',
  pushNotFound: 'Push ID not found',
  duplicatePush: 'Duplicate push ID',
  deadlinePassed: 'deliver-before-timestamp lies in the past',
  tooLate: 'The push has reached its final state',
  unsupportedMediaType: 'The recipient does not take this content type',
  transformationFailed: 'The content cannot be transformed for the recipient',
  bearerNotAvailable: 'The bearer that is required is not available',
  networkNotAvailable: 'The network that is required is not available',
  methodNotPossible: 'The delivery method asked for is not possible',
  capabilitiesMismatch: 'The recipient lacks what the push assumes of it',
  capabilitiesExceeded: 'The recipient lacks what the content needs',
  capabilitiesUnreadable: 'The assumed capabilities cannot be compared',
  capabilitiesUnknown: 'Nothing is known of the capabilities',
  conflict: 'The request contradicts what is stored',
  notFound: 'Not found',
  unreachable: 'The recipient cannot be reached at present',
  timeout: 'No answer in time',
  busy: 'Service unavailable, try again later',
  quotaExceeded: 'Rate or quota of this initiator is used up, try again later',
  internal: 'Internal server error',
} as const satisfies Record<ErrorCode, string>;
