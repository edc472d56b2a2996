/**
 * The push request of OTA-HTTP (WAP-235): `POST /wappush` with a complete HTTP response in it, whose header fields are the push
 * headers and whose body is the content; or the content itself, which some terminals take too. Ours is a field beside the standard's:
 * `X-Push-Id`, the same for every attempt, by which a terminal knows what it has had already.
 */
import { DecodeError } from '../../kernel/errors.js';
import { decodeHttpHead, encodeHttpHead, HTTP_LIMITS, type HttpLimits } from '../http/index.js';
import { type HeaderField, headerValue } from '../mime/index.js';

export const WAP_PUSH_TARGET = '/wappush';
export const OTA_VERSION = '1.0';

/** Content as it goes to a terminal; Content-Type is not among the headers. */
export interface OtaContent {
  readonly contentType: string;
  readonly headers: readonly HeaderField[];
  readonly content: Uint8Array;
}

export interface PushRequest extends OtaContent {
  /** `X-Push-Id`. */
  readonly id?: string;
  /** `X-Wap-CPITag`, as text: what the sender takes the terminal for. */
  readonly cpiTag?: string;
}

export interface OtaHttpLimits extends HttpLimits {
  readonly maxContentBytes: number;
}

export const OTA_HTTP_LIMITS: OtaHttpLimits = { ...HTTP_LIMITS, maxContentBytes: 2_097_152 };

/** What stands in front of the content. `at`: when the response inside was made, milliseconds since the epoch. */
export interface PushRequestHead {
  /** Header fields of the POST; its length, that of `prefix` and the content together, is not among them. */
  readonly headers: readonly HeaderField[];
  /** The head of the response inside. */
  readonly prefix: Uint8Array;
}

export function encodePushRequestHead(
  { contentType, headers, id, cpiTag }: Omit<PushRequest, 'content'>,
  size: number,
  at: number,
): PushRequestHead {
  const inner = [
    { name: 'Date', value: new Date(at).toUTCString() },
    { name: 'Content-Type', value: oneLine(contentType) },
    ...headers
      .filter(({ name }) => !ABOUT_THE_MESSAGE.has(name.toLowerCase()))
      .map(({ name, value }) => ({ name, value: oneLine(value) })),
  ];
  return {
    headers: [
      { name: 'Content-Type', value: 'application/http' },
      { name: 'X-Wap-Push-OTA-Version', value: OTA_VERSION },
      ...(cpiTag === undefined ? [] : [{ name: 'X-Wap-CPITag', value: cpiTag }]),
      ...(id === undefined ? [] : [{ name: 'X-Push-Id', value: id }]),
    ],
    prefix: encodeHttpHead({ kind: 'response', status: 200, reason: 'OK', headers: inner }, size),
  };
}

/** Header fields and body of the POST. */
export function encodePushRequest(
  { content, ...rest }: PushRequest,
  at: number,
): { readonly headers: readonly HeaderField[]; readonly body: Uint8Array } {
  const { headers, prefix } = encodePushRequestHead(rest, content.length, at);
  return { headers, body: Buffer.concat([prefix, content]) };
}

/** A field value goes out on one line (RFC 9112 §5.2): what an initiator folded becomes a space. */
function oneLine(value: string): string {
  return value.replace(/[\r\n\0]+[\t ]*/g, ' ').trim();
}

/** Fields of the message that they stand in, not of the content. */
const ABOUT_THE_MESSAGE = new Set([
  'connection',
  'content-length',
  'content-type',
  'date',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Fields of OTA-HTTP itself. */
const ABOUT_THE_REQUEST = new Set(['x-wap-push-ota-version', 'x-wap-cpitag', 'x-push-id']);

/** Reads the POST of a gateway: the header fields of the request, and its body. Throws DecodeError. */
export function decodePushRequest(
  { headers, body }: { readonly headers: readonly HeaderField[]; readonly body: Uint8Array },
  limits: OtaHttpLimits = OTA_HTTP_LIMITS,
): PushRequest {
  const outer = headerValue(headers, 'content-type') ?? '';
  const id = headerValue(headers, 'x-push-id');
  const cpiTag = headerValue(headers, 'x-wap-cpitag');
  const told = { ...(id === undefined ? {} : { id }), ...(cpiTag === undefined ? {} : { cpiTag }) };
  const isWrapped = /^\s*application\/http\s*(?:;|$)/i.test(outer);
  const content = isWrapped ? wrapped(body, limits) : { ...ownHeaders(headers), content: body };
  if (content.content.length > limits.maxContentBytes)
    throw new DecodeError('content too long', { code: 'limitExceeded' });
  return { ...content, ...told };
}

/** A whole POST as octets, start line included. Its Content-Length is not looked at: see `wrapped`. */
export function decodePushRequestOctets(
  octets: Uint8Array,
  limits: OtaHttpLimits = OTA_HTTP_LIMITS,
): PushRequest {
  const { head, end } = decodeHttpHead(octets, 0, limits);
  if (head.kind !== 'request' || head.method !== 'POST')
    throw new DecodeError('not a POST', { offset: 0, clause: 'WAP-235' });
  return decodePushRequest({ headers: head.headers, body: octets.subarray(end) }, limits);
}

/**
 * Leniency: the Content-Length of the response inside is not looked at, its content goes to the end of the request. A maker's own test
 * data counts a few octets too many or too few there; the outer message has told the end already.
 */
function wrapped(octets: Uint8Array, limits: OtaHttpLimits): OtaContent {
  const { head, end } = decodeHttpHead(octets, 0, limits);
  if (head.kind !== 'response' || head.status < 200 || head.status > 299)
    throw new DecodeError('application/http without a successful response', { clause: 'WAP-235' });
  if (headerValue(head.headers, 'transfer-encoding') !== undefined)
    throw new DecodeError('a transfer coding inside application/http', { clause: 'WAP-235' });
  return { ...ownHeaders(head.headers), content: octets.subarray(end) };
}

function ownHeaders(headers: readonly HeaderField[]): Omit<OtaContent, 'content'> {
  return {
    contentType: headerValue(headers, 'content-type') ?? 'application/octet-stream',
    headers: headers.filter(({ name }) => {
      const lower = name.toLowerCase();
      return !ABOUT_THE_MESSAGE.has(lower) && !ABOUT_THE_REQUEST.has(lower);
    }),
  };
}
