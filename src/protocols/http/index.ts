/** HTTP/1.1 messages where Node's own client and server cannot be used. */
export { HTTP_LIMITS, type HttpLimits } from './limits.js';
export {
  decodeHttpHead,
  encodeHttpHead,
  encodeHttpMessage,
  type HttpHead,
  type HttpRequestHead,
  type HttpResponseHead,
} from './message.js';
export { type HttpResponse, HttpResponseReader } from './response-reader.js';
export { retryAfter } from './retry-after.js';
