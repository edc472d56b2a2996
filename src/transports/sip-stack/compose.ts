/**
 * Building the messages that the stack sends: responses from the request they answer (RFC 3261 §8.2.6), requests from
 * a ClientRequest or a dialog (§8.1.1, §12.2.1.1). A draft is a request without its Via, which each transmission gets anew.
 */
import { DecodeError, InvariantError } from '../../kernel/errors.js';
import {
  canonicalHeaderName,
  parameter,
  parseCSeq,
  parseNameAddr,
  parseUri,
  reasonPhrase,
  type SipHeader,
  type SipRequest,
  type SipResponse,
  tagOf,
  type Uri,
} from '../../protocols/sip/index.js';
import type { ClientRequest, ResponseOptions } from './sip-stack.js';
import { newTag, randomToken } from './tokens.js';

const EMPTY_BODY = new Uint8Array(0);

export interface Draft {
  readonly method: string;
  readonly uri: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly cseq: number;
  /** Route values, topmost first. */
  readonly route: readonly string[];
  /** Everything but Via, Route, From, To, Call-ID, CSeq and Content-Length. */
  readonly headers: readonly SipHeader[];
  readonly body: Uint8Array;
}

/** Headers that the stack alone writes. */
const OWN_HEADERS = new Set(['via', 'route', 'from', 'to', 'call-id', 'cseq', 'content-length']);

/** A draft of a request outside any dialog. Throws InvariantError when From or To is no address. */
export function draftRequest(request: ClientRequest, product: string, contact: string | undefined): Draft {
  const given = request.headers ?? [];
  const names = new Set(given.map(({ name }) => canonicalHeaderName(name)));
  const headers: SipHeader[] = [];
  if (!names.has('max-forwards')) headers.push({ name: 'Max-Forwards', value: '70' });
  if (contact !== undefined && !names.has('contact')) headers.push({ name: 'Contact', value: contact });
  headers.push(...given.filter(({ name }) => !OWN_HEADERS.has(canonicalHeaderName(name))));
  if (!names.has('user-agent')) headers.push({ name: 'User-Agent', value: product });
  if (request.contentType !== undefined) headers.push({ name: 'Content-Type', value: request.contentType });
  const cseq = given.find(({ name }) => canonicalHeaderName(name) === 'cseq');
  return {
    method: request.method,
    uri: request.uri,
    from: withTag(asNameAddr(request.from), newTag()),
    to: asNameAddr(request.to),
    callId: request.callId ?? randomToken(16),
    cseq: cseq === undefined ? 1 : parseCSeq(cseq.value).number,
    route: request.route ?? [],
    headers,
    body: request.body ?? EMPTY_BODY,
  };
}

/** The whole request with its Via. */
export function requestOf(draft: Draft, via: string): SipRequest {
  const headers: SipHeader[] = [{ name: 'Via', value: via }];
  for (const value of draft.route) headers.push({ name: 'Route', value });
  headers.push(
    { name: 'From', value: draft.from },
    { name: 'To', value: draft.to },
    { name: 'Call-ID', value: draft.callId },
    { name: 'CSeq', value: `${draft.cseq} ${draft.method}` },
    ...draft.headers,
  );
  return { kind: 'request', method: draft.method, uri: draft.uri, headers, body: draft.body };
}

/** The draft with other headers in place of those of the same name. */
export function withHeaders(draft: Draft, cseq: number, headers: readonly SipHeader[]): Draft {
  const replaced = new Set(headers.map(({ name }) => canonicalHeaderName(name)));
  const kept = draft.headers.filter(({ name }) => !replaced.has(canonicalHeaderName(name)));
  return { ...draft, cseq, headers: [...headers, ...kept] };
}

/**
 * Request-URI and Route of a request that follows a route set (RFC 3261 §12.2.1.1): a first hop without `lr` is a
 * strict router, which wants itself in the Request-URI and the target at the end of the route.
 */
export function routed(
  target: string,
  routeSet: readonly string[],
): { readonly uri: string; readonly route: readonly string[] } {
  const [first, ...rest] = routeSet;
  if (first === undefined) return { uri: target, route: [] };
  const firstUri = parseNameAddr(first).uri;
  const uri = parseUri(firstUri);
  const isLoose = uri.kind === 'sip' && parameter(uri.parameters, 'lr') !== undefined;
  return isLoose ? { uri: target, route: routeSet } : { uri: firstUri, route: [...rest, `<${target}>`] };
}

/** The URI that decides where a request goes: its topmost Route, else its Request-URI (RFC 3261 §8.1.2). */
export function nextHopUri(draft: { readonly uri: string; readonly route: readonly string[] }): Uri {
  const [first] = draft.route;
  if (first === undefined) return parseUri(draft.uri);
  const hop = parseUri(parseNameAddr(first).uri);
  const isLoose = hop.kind === 'sip' && parameter(hop.parameters, 'lr') !== undefined;
  // In front of a strict router the Request-URI already names it; a bare Route of the caller's counts as loose.
  return isLoose || hop.kind === 'sip' ? hop : parseUri(draft.uri);
}

export interface ResponseParts extends ResponseOptions {
  /** Undefined for 100, which carries the request's To as it is. */
  readonly toTag: string | undefined;
  readonly product: string;
}

/** The response to a request. Via values are those of the request, `received` and `rport` included. */
export function responseTo(request: SipRequest, status: number, parts: ResponseParts): SipResponse {
  const headers: SipHeader[] = [];
  const establishes = status > 100 && status < 300;
  for (const header of request.headers) {
    switch (canonicalHeaderName(header.name)) {
      case 'via':
      case 'from':
      case 'call-id':
      case 'cseq':
      case 'timestamp':
        headers.push(header);
        break;
      case 'to':
        headers.push(
          parts.toTag === undefined ? header : { ...header, value: withTag(header.value, parts.toTag) },
        );
        break;
      case 'record-route':
        if (establishes) headers.push(header);
        break;
      default:
    }
  }
  if (parts.headers !== undefined) headers.push(...parts.headers);
  headers.push({ name: 'Server', value: parts.product });
  return {
    kind: 'response',
    status,
    reason: parts.reason ?? reasonPhrase(status),
    headers,
    body: parts.body ?? EMPTY_BODY,
  };
}

/** The address with a tag; one that has a tag already keeps it. A malformed tag counts as none. */
export function withTag(address: string, tag: string): string {
  try {
    return tagOf(address) === undefined ? `${address};tag=${tag}` : address;
  } catch (error) {
    if (error instanceof DecodeError) return `${address};tag=${tag}`;
    throw error;
  }
}

/** The user part of an address; undefined when it has none or cannot be read. */
export function userOf(from: string): string | undefined {
  try {
    const uri = parseUri(parseNameAddr(from).uri);
    return uri.kind === 'sip' ? uri.user : undefined;
  } catch {
    return undefined;
  }
}

/** A bare URI in angle brackets, so that its parameters stay its own. */
function asNameAddr(address: string): string {
  if (address.includes('<')) return address;
  if (!/^[a-z][a-z0-9+.-]*:/i.test(address)) throw new InvariantError(`"${address}" is no address`);
  return `<${address}>`;
}
