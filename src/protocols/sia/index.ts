/** The SIA body of a Session Initiation Request and our extension block. */

export { type ContactPoint, ipContactPoint, ipOfContactPoint } from '../wsp/index.js';
export type { ApplicationIdForm } from './application-ids.js';
export { RETURN_FLAGS, type ReturnFlag, SEND_FLAGS, type SendFlag, type SiaExtension } from './extension.js';
export { SIA_LIMITS, type SiaLimits } from './limits.js';
export { decodeSia, encodeSia, OTA_HTTP, OTA_HTTP_CPITAG, OTA_SIP, type Sia, signedOctets } from './sia.js';
