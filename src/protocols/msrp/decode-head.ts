/**
 * Start line and header fields of one chunk (RFC 4975 §9), from the byte string that the stream reader has framed.
 * A start line that is not understood loses the framing and throws; a header field that is not understood is noted
 * in `problem`, since the end of the chunk can still be found. Unknown fields are kept.
 */
import { DecodeError } from '../../kernel/errors.js';
import { isHeaderName, isIdent, isMessageId, isMethod, isPathUri, textOf } from './grammar.js';
import type { ByteRange, ContinuationFlag, FailureReport, MsrpHeader, MsrpStatus } from './message.js';

/** Start line and fields of a chunk; `continuation` is set when the end-line follows at once, undefined when a body does. */
export interface MsrpHead {
  readonly transactionId: string;
  /** Undefined in a response. */
  readonly method: string | undefined;
  /** 0 in a request. */
  readonly statusCode: number;
  readonly comment: string;
  toPath: readonly string[];
  fromPath: readonly string[];
  messageId: string | undefined;
  byteRange: ByteRange | undefined;
  successReport: boolean;
  failureReport: FailureReport;
  status: MsrpStatus | undefined;
  headers: readonly MsrpHeader[];
  contentType: string | undefined;
  continuation: ContinuationFlag | undefined;
  problem: string | undefined;
}

const NO_PATH: readonly string[] = [];
const NO_HEADERS: readonly MsrpHeader[] = [];
const MAX_PATH_URIS = 16;
const BYTE_RANGE = /^(\d{1,15})-(\d{1,15}|\*)\/(\d{1,15}|\*)$/;
const STATUS = /^(\d{3}) +(\d{3})(?: (.*))?$/;

/**
 * Decodes a head: every line from the start line to the end-line, or to the empty line before a body, each with its
 * CRLF. Throws DecodeError when the start line or the end-line is broken.
 */
export function decodeHead(text: string, maxHeaders: number): MsrpHead {
  let eol = text.indexOf('\r\n');
  const head = decodeStartLine(text.slice(0, eol));
  let count = 0;
  for (let at = eol + 2; at < text.length; at = eol + 2) {
    eol = text.indexOf('\r\n', at);
    if (eol === at) break; // the empty line: a body follows
    if (text.charCodeAt(at) === 0x2d) {
      head.continuation = decodeEndLine(text.slice(at, eol), head.transactionId);
      // Some peers put a Content-Type into an empty SEND although nothing follows it: it describes nothing.
      head.contentType = undefined;
      break;
    }
    count += 1;
    if (count > maxHeaders) throw malformed('too many header fields', 'limitExceeded');
    decodeField(head, text, at, eol);
  }
  if (head.toPath === NO_PATH) head.problem ??= 'no To-Path';
  if (head.fromPath === NO_PATH) head.problem ??= 'no From-Path';
  if (head.continuation === undefined && head.contentType === undefined)
    head.problem ??= 'a body without Content-Type';
  return head;
}

function decodeStartLine(line: string): MsrpHead {
  const space = line.indexOf(' ', 5);
  const transactionId = line.slice(5, space < 0 ? line.length : space);
  const rest = space < 0 ? '' : line.slice(space + 1);
  if (!isIdent(transactionId)) throw malformed('transaction id is not an ident');
  const isResponse = rest.length >= 3 && rest.charCodeAt(0) <= 0x39;
  if (isResponse ? !/^\d{3}(?: |$)/.test(rest) : !isMethod(rest)) {
    throw malformed('neither a method nor a status code in the start line');
  }
  return {
    transactionId,
    method: isResponse ? undefined : rest,
    statusCode: isResponse ? Number(rest.slice(0, 3)) : 0,
    comment: isResponse ? textOf(rest.slice(4)) : '',
    toPath: NO_PATH,
    fromPath: NO_PATH,
    messageId: undefined,
    byteRange: undefined,
    successReport: false,
    failureReport: 'yes',
    status: undefined,
    headers: NO_HEADERS,
    contentType: undefined,
    continuation: undefined,
    problem: undefined,
  };
}

function decodeEndLine(line: string, transactionId: string): ContinuationFlag {
  const flag = line.slice(-1);
  const isOurs =
    line.length === transactionId.length + 8 &&
    line.startsWith('-------') &&
    line.startsWith(transactionId, 7);
  if (!isOurs || (flag !== '$' && flag !== '+' && flag !== '#'))
    throw malformed('the end-line does not match the start line');
  return flag;
}

function decodeField(head: MsrpHead, text: string, at: number, eol: number): void {
  const colon = text.indexOf(':', at);
  if (colon < 0 || colon > eol) {
    head.problem ??= 'a header line without a colon';
    return;
  }
  const name = text.slice(at, colon);
  // Exactly one space stands after the colon in the grammar; none or several are accepted, since nothing else can be meant.
  const exact =
    text.charCodeAt(colon + 1) === 0x20 &&
    text.charCodeAt(colon + 2) > 0x20 &&
    text.charCodeAt(eol - 1) > 0x20;
  const value = exact ? text.slice(colon + 2, eol) : text.slice(colon + 1, eol).trim();
  if (setField(head, name, value)) return;
  // Literals in ABNF are case-insensitive: try once more with the spelling of the RFC.
  const canonical = CANONICAL_NAMES.get(name.toLowerCase());
  if (canonical !== undefined && canonical !== name) {
    setField(head, canonical, value);
    return;
  }
  if (!isHeaderName(name)) {
    head.problem ??= 'a header field name that is no token';
    return;
  }
  const field = { name, value: textOf(value) };
  if (head.headers === NO_HEADERS) head.headers = [field];
  else (head.headers as MsrpHeader[]).push(field);
}

const CANONICAL_NAMES: ReadonlyMap<string, string> = new Map(
  [
    'To-Path',
    'From-Path',
    'Message-ID',
    'Byte-Range',
    'Success-Report',
    'Failure-Report',
    'Status',
    'Content-Type',
  ].map((name) => [name.toLowerCase(), name]),
);

/** True when the field is one of MSRP's own in its usual spelling. A second one of a kind is a problem: which would count? */
function setField(head: MsrpHead, name: string, value: string): boolean {
  switch (name) {
    case 'To-Path':
      if (head.toPath !== NO_PATH) head.problem ??= 'two To-Path fields';
      head.toPath = decodePath(head, value);
      return true;
    case 'From-Path':
      if (head.fromPath !== NO_PATH) head.problem ??= 'two From-Path fields';
      head.fromPath = decodePath(head, value);
      return true;
    case 'Message-ID':
      if (head.messageId !== undefined) head.problem ??= 'two Message-ID fields';
      if (isMessageId(value)) head.messageId = value;
      else head.problem ??= 'bad Message-ID';
      return true;
    case 'Byte-Range':
      if (head.byteRange !== undefined) head.problem ??= 'two Byte-Range fields';
      head.byteRange = parseByteRange(value);
      if (head.byteRange === undefined) head.problem ??= 'bad Byte-Range';
      return true;
    case 'Success-Report':
      decodeSuccessReport(head, value.toLowerCase());
      return true;
    case 'Failure-Report':
      decodeFailureReport(head, value.toLowerCase());
      return true;
    case 'Status':
      decodeStatus(head, value);
      return true;
    case 'Content-Type':
      if (head.contentType !== undefined) head.problem ??= 'two Content-Type fields';
      if (value === '') head.problem ??= 'empty Content-Type';
      head.contentType = textOf(value);
      return true;
    default:
      return false;
  }
}

/** URIs of a path. They are not parsed here: only the one that names a session matters, and that is looked up as it stands. */
function decodePath(head: MsrpHead, value: string): readonly string[] {
  if (isPathUri(value)) return [value];
  const path = value.split(/ +/, MAX_PATH_URIS + 1);
  if (path.length <= MAX_PATH_URIS && path.every(isPathUri)) return path;
  head.problem ??= 'bad path';
  return NO_PATH;
}

/** `start-end/total`, undefined when it is not that or contradicts itself. */
function parseByteRange(value: string): ByteRange | undefined {
  const match = BYTE_RANGE.exec(value);
  if (match === null) return undefined;
  const start = Number(match[1]);
  const end = match[2] === '*' ? undefined : Number(match[2]);
  const total = match[3] === '*' ? undefined : Number(match[3]);
  if (start < 1 || (end !== undefined && end < start - 1)) return undefined;
  if (total !== undefined && (start > total + 1 || (end !== undefined && end > total))) return undefined;
  return { start, end, total };
}

function decodeSuccessReport(head: MsrpHead, value: string): void {
  if (value === 'yes' || value === 'no') head.successReport = value === 'yes';
  else head.problem ??= 'bad Success-Report';
}

function decodeFailureReport(head: MsrpHead, value: string): void {
  if (value === 'yes' || value === 'no' || value === 'partial') head.failureReport = value;
  else head.problem ??= 'bad Failure-Report';
}

function decodeStatus(head: MsrpHead, value: string): void {
  const match = STATUS.exec(value);
  if (match === null) head.problem ??= 'bad Status';
  else head.status = { namespace: match[1] ?? '', code: Number(match[2]), comment: textOf(match[3] ?? '') };
}

function malformed(detail: string, code: 'malformed' | 'limitExceeded' = 'malformed'): DecodeError {
  return new DecodeError(detail, { code, clause: 'RFC 4975 §9' });
}
