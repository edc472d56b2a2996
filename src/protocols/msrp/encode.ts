/**
 * MSRP values to octets (RFC 4975 §7, §9). `encodeRequest` and `encodeResponse` write whole chunks; the `format…`
 * functions give the same text in pieces, as byte strings, to a sender that keeps the unchanging pieces of a session.
 * The caller chooses a transaction id whose end-line does not occur in the body: `hasEndLine` tells.
 */
import { InvariantError, RefusedError } from '../../kernel/errors.js';
import { headerText, isHeaderName, isIdent, isMessageId, isMethod, isPathUri } from './grammar.js';
import type { ByteRange, ContinuationFlag, MsrpHeader, MsrpRequest, MsrpResponse } from './message.js';

const HYPHENS = '-------';

/** Fields that the encoder writes itself; as an extension header they would contradict it. */
const OWN_FIELDS = new Set(
  'to-path from-path message-id success-report failure-report byte-range status content-type'.split(' '),
);

/** One chunk as octets. Throws RefusedError when a value cannot stand on the wire, InvariantError when the end-line occurs in the body. */
export function encodeRequest(request: MsrpRequest): Uint8Array {
  const { transactionId, body } = request;
  if (!isIdent(transactionId)) throw new RefusedError('malformed', 'transaction id is not an ident');
  if (!isMethod(request.method)) throw new RefusedError('malformed', 'method is not an upper-case word');
  if ((body === undefined) !== (request.contentType === undefined)) {
    throw new InvariantError('a body and its Content-Type come together');
  }
  if (body !== undefined && hasEndLine(body, transactionId)) {
    throw new InvariantError('the end-line of this transaction id occurs in the body');
  }
  const head = `${formatRequestLine(transactionId, request.method)}${formatPaths(request.toPath, request.fromPath)}${formatFields(request)}`;
  return join(
    head,
    body,
    `${body === undefined ? '' : '\r\n'}${formatEndLine(transactionId, request.continuation)}`,
  );
}

/** A response as octets. Throws RefusedError when a value cannot stand on the wire. */
export function encodeResponse(response: MsrpResponse): Uint8Array {
  if (!isIdent(response.transactionId)) throw new RefusedError('malformed', 'transaction id is not an ident');
  if (!Number.isInteger(response.status) || response.status < 100 || response.status > 999) {
    throw new RefusedError('malformed', 'status is not three digits');
  }
  const paths = formatPaths(response.toPath, response.fromPath) + formatHeaders(response.headers ?? []);
  const text = formatResponse(response.transactionId, response.status, response.comment, paths);
  return Buffer.from(text, 'latin1');
}

/** True when a reader could take octets of `body` for the end-line of this transaction (RFC 4975 §7.1). */
export function hasEndLine(body: Uint8Array, transactionId: string): boolean {
  const octets = asBuffer(body);
  const hyphens = octets.indexOf(HYPHENS, 0, 'latin1');
  return hyphens >= 0 && octets.indexOf(HYPHENS + transactionId, hyphens, 'latin1') >= 0;
}

export function formatRequestLine(transactionId: string, method: string): string {
  return `MSRP ${transactionId} ${method}\r\n`;
}

/** The To-Path and From-Path lines. */
export function formatPaths(toPath: readonly string[], fromPath: readonly string[]): string {
  return `To-Path: ${formatPath(toPath)}\r\nFrom-Path: ${formatPath(fromPath)}\r\n`;
}

/** A whole response; `paths` are the lines of `formatPaths`. */
export function formatResponse(
  transactionId: string,
  status: number,
  comment: string,
  paths: string,
): string {
  const text = comment === '' ? '' : ` ${headerText(comment, 'comment')}`;
  return `MSRP ${transactionId} ${status}${text}\r\n${paths}${HYPHENS}${transactionId}$\r\n`;
}

/** Every header field after the paths, and the empty line when a body follows. */
function formatFields(
  request: Omit<MsrpRequest, 'kind' | 'transactionId' | 'method' | 'toPath' | 'fromPath' | 'continuation'>,
): string {
  return `${formatLeadingFields(request)}${request.byteRange === undefined ? '' : formatByteRange(request.byteRange)}${formatTrailingFields(request)}`;
}

/** Fields before Byte-Range: the same for every chunk of a message. */
export function formatLeadingFields(
  request: Pick<MsrpRequest, 'messageId' | 'successReport' | 'failureReport'>,
): string {
  const { messageId, successReport, failureReport } = request;
  if (messageId !== undefined && !isMessageId(messageId)) {
    throw new RefusedError('malformed', 'Message-ID is not an ident');
  }
  const id = messageId === undefined ? '' : `Message-ID: ${messageId}\r\n`;
  const success = successReport === undefined ? '' : `Success-Report: ${successReport ? 'yes' : 'no'}\r\n`;
  return `${id}${success}${failureReport === undefined ? '' : `Failure-Report: ${failureReport}\r\n`}`;
}

export function formatByteRange(range: ByteRange): string {
  return `Byte-Range: ${range.start}-${range.end ?? '*'}/${range.total ?? '*'}\r\n`;
}

/** Fields after Byte-Range: the same for every chunk of a message. */
export function formatTrailingFields(
  request: Pick<MsrpRequest, 'status' | 'headers' | 'contentType'>,
): string {
  let text = '';
  if (request.status !== undefined) {
    const { namespace, code, comment } = request.status;
    const said = comment === '' ? '' : ` ${comment}`;
    text = `Status: ${headerText(`${namespace} ${String(code).padStart(3, '0')}${said}`, 'Status')}\r\n`;
  }
  text += formatHeaders(request.headers ?? []);
  if (request.contentType !== undefined) {
    text += `Content-Type: ${headerText(request.contentType, 'Content-Type')}\r\n\r\n`;
  }
  return text;
}

export function formatEndLine(transactionId: string, flag: ContinuationFlag): string {
  return `${HYPHENS}${transactionId}${flag}\r\n`;
}

function formatPath(path: readonly string[]): string {
  if (path.length === 0 || !path.every(isPathUri)) throw new RefusedError('malformed', 'bad path');
  return path.join(' ');
}

function formatHeaders(headers: readonly MsrpHeader[]): string {
  let text = '';
  for (const { name, value } of headers) {
    if (!isHeaderName(name) || OWN_FIELDS.has(name.toLowerCase())) {
      throw new RefusedError('malformed', `"${name}" cannot be an extension header field`);
    }
    text += `${name}: ${headerText(value, name)}\r\n`;
  }
  return text;
}

function join(head: string, body: Uint8Array | undefined, tail: string): Uint8Array {
  const size = body?.length ?? 0;
  const octets = Buffer.allocUnsafe(head.length + size + tail.length);
  octets.write(head, 0, 'latin1');
  if (body !== undefined) octets.set(body, head.length);
  octets.write(tail, head.length + size, 'latin1');
  return octets;
}

/** The same memory as a Buffer, for its searches. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
