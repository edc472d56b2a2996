/**
 * What a REGISTER asks for (RFC 3261 §10.3, RFC 3327, RFC 5626 §6, RFC 5627 §5.1), read once: contacts with their times, the
 * path, the extensions that client and first hop support. Nothing is looked up here and nothing decided about the user.
 */
import { DecodeError } from '../../kernel/errors.js';
import {
  contactsOf,
  featureParameters,
  headerLines,
  headerValue,
  headerValues,
  instanceOf,
  type NameAddr,
  parameter,
  parseCSeq,
  parseNameAddr,
  parseUri,
  type SipHeader,
  type SipRequest,
  unquote,
} from '../../protocols/sip/index.js';

export interface RegisterLimits {
  /** Seconds. */
  readonly minExpires: number;
  readonly defaultExpires: number;
  readonly maxExpires: number;
  /** Contacts in one REGISTER, and live bindings of one user. */
  readonly maxContacts: number;
  /** Path values in one REGISTER. */
  readonly maxPath: number;
}

export interface RegisterContact {
  /** As sent. */
  readonly uri: string;
  /** Granted, in seconds; 0 removes the binding. */
  readonly expires: number;
  /** `+sip.instance` without quotes and angle brackets, byte-exact. */
  readonly instance?: string;
  /** Present when RFC 5626 applies: an instance is there and the first hop keeps the flow. */
  readonly regId?: number;
  readonly q?: number;
  readonly features: Readonly<Record<string, string>>;
}

export interface RegisterRequest {
  readonly addressOfRecord: string;
  readonly callId: string;
  readonly cseq: number;
  /** `'*'` removes everything; an empty list only asks. */
  readonly contacts: '*' | readonly RegisterContact[];
  readonly path: readonly string[];
  readonly supportsPath: boolean;
  readonly supportsGruu: boolean;
  readonly supportsOutbound: boolean;
}

/** Why a REGISTER cannot be served, as a SIP status. */
export interface RegisterRefusal {
  readonly status: number;
  readonly reason?: string;
  readonly headers?: readonly SipHeader[];
  readonly detail: string;
}

const MAX_CONTACT_LENGTH = 1024;
const MAX_INSTANCE_LENGTH = 512;

/** The request, or the refusal that its form calls for. Throws DecodeError for a malformed header (400). */
export function readRegister(message: SipRequest, limits: RegisterLimits): RegisterRequest | RegisterRefusal {
  const supported = new Set([...tags(message, 'supported'), ...tags(message, 'require')]);
  const given = contactsOf(message);
  const path = headerValues(message, 'path');
  const base = {
    addressOfRecord: parseNameAddr(headerValue(message, 'to') ?? '').uri,
    callId: headerValue(message, 'call-id') ?? '',
    cseq: parseCSeq(headerValue(message, 'cseq') ?? '').number,
    path,
    supportsPath: supported.has('path'),
    supportsGruu: supported.has('gruu'),
    supportsOutbound: supported.has('outbound'),
  };
  if (path.length > limits.maxPath) return refusal(400, 'too many Path values');
  const expiresHeader = seconds(headerValue(message, 'expires'));
  if (given === '*') {
    // [RFC 3261 §10.3 step 6]
    if (expiresHeader !== 0) return refusal(400, 'Contact * needs Expires: 0');
    return { ...base, contacts: '*' };
  }
  if (given.length > limits.maxContacts) return refusal(403, 'too many contacts');
  const isKept = flowIsKept(message, path);
  const contacts: RegisterContact[] = [];
  for (const contact of given) {
    const requested =
      seconds(parameter(contact.parameters, 'expires')) ?? expiresHeader ?? limits.defaultExpires;
    if (requested > 0 && requested < limits.minExpires) {
      const headers = [{ name: 'Min-Expires', value: String(limits.minExpires) }];
      return { ...refusal(423, `expires ${requested}`), headers };
    }
    contacts.push(readContact(contact, Math.min(requested, limits.maxExpires), isKept));
  }
  return outboundRefusal(given, contacts, isKept, base.supportsOutbound) ?? { ...base, contacts };
}

export function isRefusal(read: RegisterRequest | RegisterRefusal): read is RegisterRefusal {
  return 'status' in read;
}

function readContact({ uri, parameters }: NameAddr, expires: number, isKept: boolean): RegisterContact {
  if (uri.length > MAX_CONTACT_LENGTH) throw new DecodeError('Contact too long', { code: 'limitExceeded' });
  if (parseUri(uri).kind !== 'sip') throw new DecodeError('a Contact that is no SIP URI');
  const instance = instanceOf(parameters);
  if (instance !== undefined && instance.length > MAX_INSTANCE_LENGTH) {
    throw new DecodeError('+sip.instance too long', { code: 'limitExceeded' });
  }
  const regId =
    instance !== undefined && isKept ? registrationId(parameter(parameters, 'reg-id')) : undefined;
  const q = parameter(parameters, 'q');
  const features = featureParameters(parameters).filter(({ name }) => name.toLowerCase() !== '+sip.instance');
  return {
    uri,
    expires,
    ...(instance === undefined ? {} : { instance }),
    ...(regId === undefined ? {} : { regId }),
    ...(q !== undefined && /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/.test(q) ? { q: Number(q) } : {}),
    features: Object.fromEntries(
      features.map(({ name, value }) => [name.toLowerCase(), unquote(value ?? '')]),
    ),
  };
}

/** [RFC 5626 §6] One flow per REGISTER, and a first hop that keeps it: both only concern clients that do outbound. */
function outboundRefusal(
  given: readonly NameAddr[],
  contacts: readonly RegisterContact[],
  isKept: boolean,
  supportsOutbound: boolean,
): RegisterRefusal | undefined {
  const asksForFlow = (contact: NameAddr | undefined) =>
    contact !== undefined &&
    registrationId(parameter(contact.parameters, 'reg-id')) !== undefined &&
    instanceOf(contact.parameters) !== undefined;
  const added = given.filter((_, index) => (contacts[index]?.expires ?? 0) > 0);
  if (!added.some(asksForFlow)) return undefined;
  if (added.length > 1) return refusal(400, 'reg-id beside another contact');
  if (!isKept && supportsOutbound) {
    return {
      ...refusal(439, 'the first hop does not keep flows'),
      reason: 'First Hop Lacks Outbound Support',
    };
  }
  return undefined;
}

/** The client is our neighbour, or the edge proxy next to it says in its Path that it keeps the flow. */
function flowIsKept(message: SipRequest, path: readonly string[]): boolean {
  if (headerValues(message, 'via').length === 1) return true;
  const edge = path.at(-1);
  if (edge === undefined) return false;
  const uri = parseUri(parseNameAddr(edge).uri);
  return uri.kind === 'sip' && parameter(uri.parameters, 'ob') !== undefined;
}

function registrationId(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= 1 && value < 2 ** 31 ? value : undefined;
}

/** [RFC 3261 §10.3 step 6] A value that is no number counts as absent; one beyond 32 bits as the greatest. */
function seconds(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]+$/.test(text) ? Math.min(Number(text), 2 ** 32 - 1) : undefined;
}

function tags(message: SipRequest, name: string): readonly string[] {
  return headerLines(message, name).flatMap((line) => line.toLowerCase().split(/[\s,]+/));
}

function refusal(status: number, detail: string): RegisterRefusal {
  return { status, detail };
}
