/**
 * Responses to requests (RFC 4975 §7.2) as byte strings: whether one is owed at all, and along which path it goes.
 */
import {
  type FailureReport,
  formatPaths,
  formatResponse,
  type MsrpStatusCode,
  type ReceivedMsrpRequest,
  STATUS_COMMENTS,
} from '../../protocols/msrp/index.js';
import type { MsrpConnection } from './connection.js';

/** Answers `request`, if it is owed an answer and has a path to answer along. */
export function answer(
  connection: MsrpConnection,
  request: ReceivedMsrpRequest,
  status: MsrpStatusCode,
): void {
  if (!isOwedAnswer(request, status)) return;
  const lines = responsePathLines(request);
  if (lines === undefined) return;
  connection.writeText(formatResponse(request.transactionId, status, STATUS_COMMENTS[status], lines));
}

/** [RFC 4975 §7.2] A REPORT never gets a response; `Failure-Report: no` asks for none, `partial` for none that says 200. */
function isOwedAnswer(request: ReceivedMsrpRequest, status: MsrpStatusCode): boolean {
  if (request.method === 'REPORT') return false;
  const wanted: FailureReport = request.failureReport ?? 'yes';
  return wanted === 'yes' || (wanted === 'partial' && status !== 200);
}

/** [RFC 4975 §7.2] The response to a SEND goes one hop back, to any other request all the way. */
function responsePathLines(request: ReceivedMsrpRequest): string | undefined {
  const { method, fromPath, toPath } = request;
  const back = fromPath[0];
  const own = toPath[0];
  if (back === undefined || own === undefined) return undefined;
  return formatPaths(method === 'SEND' ? [back] : fromPath, [own]);
}
