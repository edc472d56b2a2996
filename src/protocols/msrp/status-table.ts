/**
 * MSRP status codes (RFC 4975 §10, RFC 4976, the IANA registry "MSRP Parameters") with the comment that we send.
 * The comment is for people who read traces; no program may depend on it.
 */
export const STATUS_COMMENTS = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  408: 'Request Timeout',
  413: 'Message Too Large',
  415: 'Unsupported Media Type',
  423: 'Parameter Out Of Bounds',
  481: 'Session Does Not Exist',
  501: 'Method Not Understood',
  506: 'Session Already In Use',
} as const;

export type MsrpStatusCode = keyof typeof STATUS_COMMENTS;
