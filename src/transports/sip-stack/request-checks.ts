/**
 * What every request must have before anybody looks at what it asks for (RFC 3261 §8.1.1, §8.2.2): the mandatory
 * headers, once each and well-formed, a scheme that we serve, hops left, no extension that we lack.
 * Missing Max-Forwards is tolerated, as RFC 2543 clients send none. Each refusal is a status for the response.
 */
import { DecodeError } from '../../kernel/errors.js';
import {
  branchOf,
  canonicalHeaderName,
  headerValues,
  parseCSeq,
  parseNameAddr,
  parseUri,
  parseVia,
  type SipHeader,
  type SipRequest,
  splitHeaderList,
  type Via,
} from '../../protocols/sip/index.js';

/** The headers that the transaction and dialog layers work with, read once. */
export interface Essentials {
  readonly callId: string;
  readonly cseq: number;
  readonly fromTag: string;
  readonly toTag: string | undefined;
}

export interface Refusal {
  readonly status: number;
  readonly reason?: string;
  readonly headers?: readonly SipHeader[];
  /** For the log. */
  readonly detail: string;
}

/** The topmost Via and where it stands; throws DecodeError when there is none to answer to. */
export function topViaOf(message: { readonly headers: readonly SipHeader[] }): {
  readonly via: Via;
  readonly headerIndex: number;
  /** The other values of the same line. */
  readonly rest: readonly string[];
} {
  const headerIndex = message.headers.findIndex(({ name }) => canonicalHeaderName(name) === 'via');
  const header = message.headers[headerIndex];
  if (header === undefined) throw new DecodeError('no Via', { clause: 'RFC 3261 §8.1.1' });
  const { value } = header;
  if (!value.includes(',')) return { via: parseVia(value), headerIndex, rest: [] };
  const [first = '', ...rest] = splitHeaderList(value);
  return { via: parseVia(first), headerIndex, rest };
}

/**
 * The key of the transaction that a request belongs to (RFC 3261 §17.2.3): branch, sent-by and method, where an ACK
 * belongs to its INVITE. A branch without the magic cookie comes from an RFC 2543 client: then the headers that stay
 * the same over a transaction make the key.
 */
export function transactionKey(request: SipRequest, via: Via, method: string): string {
  const branch = branchOf(via);
  const sentBy = `${via.host.toLowerCase()}:${via.port ?? ''}`;
  if (branch?.startsWith('z9hG4bK') === true && branch.length > 7) return `${branch}|${sentBy}|${method}`;
  const parts = ['from', 'call-id', 'cseq'].map((wanted) => {
    const header = request.headers.find(({ name }) => canonicalHeaderName(name) === wanted);
    return wanted === 'cseq' ? Number.parseInt(header?.value ?? '', 10) : header?.value;
  });
  return `rfc2543|${request.uri}|${sentBy}|${parts.join('|')}|${method}`;
}

/** The essentials of a request, or why it is refused with 400. */
export function readEssentials(request: SipRequest): Essentials | Refusal {
  const single = new Map<string, string>();
  for (const { name, value } of request.headers) {
    const canonical = canonicalHeaderName(name);
    if (canonical !== 'from' && canonical !== 'to' && canonical !== 'call-id' && canonical !== 'cseq')
      continue;
    if (single.has(canonical)) return badRequest(`two ${canonical} headers`);
    single.set(canonical, value);
  }
  const from = single.get('from');
  const to = single.get('to');
  const callId = single.get('call-id');
  const cseq = single.get('cseq');
  if (from === undefined || to === undefined || cseq === undefined)
    return badRequest('a mandatory header is missing');
  if (callId === undefined || callId === '' || /\s/.test(callId)) return badRequest('no usable Call-ID');
  try {
    const { number, method } = parseCSeq(cseq);
    if (method !== request.method) return badRequest('CSeq names another method');
    const fromTag = tagIn(from);
    if (fromTag === undefined) return badRequest('no From tag');
    return { callId, cseq: number, fromTag, toTag: tagIn(to) };
  } catch (error) {
    if (error instanceof DecodeError) return badRequest(error.detail);
    throw error;
  }
}

/** Scheme, hops and extensions of a request other than ACK and CANCEL; undefined when nothing stands against it. */
export function refusalOf(request: SipRequest, supported: readonly string[]): Refusal | undefined {
  try {
    if (parseUri(request.uri).kind === 'other') {
      return { status: 416, detail: 'the scheme of the Request-URI is not served' };
    }
  } catch (error) {
    if (error instanceof DecodeError) return badRequest(`the Request-URI: ${error.detail}`);
    throw error;
  }
  let hasRequire = false;
  for (const { name, value } of request.headers) {
    const canonical = canonicalHeaderName(name);
    if (canonical === 'require') hasRequire = true;
    if (canonical !== 'max-forwards') continue;
    if (!/^\d{1,10}$/.test(value) || Number(value) > 255)
      return badRequest('Max-Forwards is no number up to 255');
    // OPTIONS may be answered by whoever finds no hop left [RFC 3261 §16.3].
    if (Number(value) === 0 && request.method !== 'OPTIONS') return { status: 483, detail: 'no hop left' };
  }
  if (!hasRequire) return undefined;
  const unsupported = headerValues(request, 'require').filter(
    (tag) => !supported.includes(tag.toLowerCase()),
  );
  if (unsupported.length === 0) return undefined;
  return {
    status: 420,
    headers: [{ name: 'Unsupported', value: unsupported.join(', ') }],
    detail: `requires ${unsupported.join(', ')}`,
  };
}

export function isRefusal(value: Essentials | Refusal): value is Refusal {
  return 'status' in value;
}

function badRequest(detail: string): Refusal {
  return { status: 400, detail };
}

/** The tag of a From or To, whose address must be well-formed too. */
function tagIn(value: string): string | undefined {
  const { parameters } = parseNameAddr(value);
  const tag = parameters.find(({ name }) => name.toLowerCase() === 'tag')?.value;
  return tag === undefined || tag === '' ? undefined : tag;
}
