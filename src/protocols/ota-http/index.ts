/** OTA-HTTP: pushes over HTTP to terminals, and what they answer. */
export { CPI_TAG_OCTETS, equalCpiTags, formatCpiTag, parseCpiTag } from './cpi-tag.js';
export {
  decodePushRequest,
  decodePushRequestOctets,
  encodePushRequest,
  encodePushRequestHead,
  OTA_HTTP_LIMITS,
  type OtaContent,
  type OtaHttpLimits,
  type PushRequest,
  type PushRequestHead,
  WAP_PUSH_TARGET,
} from './push-request.js';
export { type PushResponse, pushResponseHeaders, readPushResponse } from './push-response.js';
export { formatPushStatus, PUSH_STATUS, parsePushStatus } from './push-status-table.js';
export { type Registration, readRegistration, registrationHeaders } from './registration.js';
export { isSessionProof, sessionProof, terminalKey } from './session-proof.js';
