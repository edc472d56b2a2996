/**
 * Registration information (RFC 3680 §5, with the GRUUs of RFC 5628): which contacts an address of record has at a registrar,
 * since when, under which instance. Decoded only: the gateway is a watcher. Elements of other namespaces and what the schema
 * does not know are passed over; a document type declaration that declares anything is refused.
 */
import { DecodeError } from '../../kernel/errors.js';
import { present } from '../../kernel/present.js';
import { KIB } from '../../kernel/units.js';
import { instanceOf, parameter, type SipParameter } from '../sip/index.js';
import { type QualifiedElement, readNamespacedXml } from '../xml/index.js';

export const REGINFO_MEDIA_TYPE = 'application/reginfo+xml';

export interface RegInfo {
  readonly version: number;
  /** `partial`: only what changed; see `registration-view.ts`. */
  readonly state: 'full' | 'partial';
  readonly registrations: readonly RegInfoRegistration[];
}

export interface RegInfoRegistration {
  readonly addressOfRecord: string;
  readonly id: string;
  readonly state: 'init' | 'active' | 'terminated';
  readonly contacts: readonly RegInfoContact[];
}

export interface RegInfoContact {
  readonly id: string;
  readonly state: 'active' | 'terminated';
  /** `registered`, `created`, `refreshed`, `shortened`, `expired`, `deactivated`, `probation`, `unregistered`, `rejected`, or a later one. */
  readonly event: string;
  readonly uri: string;
  readonly durationRegisteredSeconds?: number;
  readonly expiresSeconds?: number;
  readonly q?: number;
  readonly callId?: string;
  readonly cseq?: number;
  /** Contact parameters that the schema has no place for, values as in the Contact header, quotes included. */
  readonly parameters: readonly SipParameter[];
  /** `+sip.instance` without quotes and angle brackets. */
  readonly instance?: string;
  readonly regId?: number;
  readonly publicGruu?: string;
  readonly temporaryGruu?: string;
}

export interface RegInfoLimits {
  readonly maxBytes: number;
  readonly maxElements: number;
  readonly maxRegistrations: number;
  /** Contacts of one document, whichever registration they stand in. */
  readonly maxContacts: number;
  /** Parameters of one contact. */
  readonly maxParameters: number;
  /** Characters of one URI, id or value. */
  readonly maxTextLength: number;
}

export const REGINFO_LIMITS: RegInfoLimits = {
  maxBytes: 64 * KIB,
  maxElements: 4000,
  maxRegistrations: 64,
  maxContacts: 256,
  maxParameters: 64,
  maxTextLength: 1024,
};

export interface DecodeRegInfoOptions {
  /** The `charset` parameter of the entity's Content-Type. */
  readonly charset?: string;
  readonly limits?: RegInfoLimits;
}

const NAMESPACE = 'urn:ietf:params:xml:ns:reginfo';
const GRUU_NAMESPACE = 'urn:ietf:params:xml:ns:gruuinfo';
const CLAUSE = 'RFC 3680 §5.3';
const REGISTRATION_STATES = ['init', 'active', 'terminated'] as const;
const CONTACT_STATES = ['active', 'terminated'] as const;

/** A document. Throws DecodeError with a detail fit for the log. */
export function decodeRegInfo(octets: Uint8Array, options: DecodeRegInfoOptions = {}): RegInfo {
  const { limits = REGINFO_LIMITS, charset } = options;
  const root = readNamespacedXml(octets, {
    doctypeName: 'reginfo',
    maxBytes: limits.maxBytes,
    maxElements: limits.maxElements,
    ...(charset === undefined ? {} : { charset }),
  });
  if (!isOurs(root, 'reginfo')) throw new DecodeError('the root element is not reginfo', { clause: CLAUSE });
  const read = new Reader(limits);
  const version = read.count(root, 'version');
  if (version === undefined) throw new DecodeError('reginfo without a version', { clause: CLAUSE });
  return {
    version,
    state: oneOf(['full', 'partial'], read.required(root, 'state')),
    registrations: read.some(root, 'registration', limits.maxRegistrations, (element) =>
      registration(element, read),
    ),
  };
}

class Reader {
  readonly limits: RegInfoLimits;
  #contacts = 0;

  constructor(limits: RegInfoLimits) {
    this.limits = limits;
  }

  takeContact(): void {
    this.#contacts += 1;
    if (this.#contacts > this.limits.maxContacts) throw tooMany('contacts');
  }

  some<Item>(
    parent: QualifiedElement,
    local: string,
    most: number,
    item: (element: QualifiedElement) => Item,
  ): readonly Item[] {
    const found = parent.children.filter((child) => isOurs(child, local));
    if (found.length > most) throw tooMany(`${local} elements`);
    return found.map(item);
  }

  attribute(element: QualifiedElement, local: string): string | undefined {
    const found = element.attributes.find(({ namespace, local: name }) => namespace === '' && name === local);
    return found && this.text(found.value);
  }

  required(element: QualifiedElement, local: string): string {
    const value = this.attribute(element, local);
    if (value === undefined || value === '') {
      throw new DecodeError(`${element.local} without ${local}`, { clause: CLAUSE });
    }
    return value;
  }

  /** A non-negative integer; undefined when the attribute is absent. */
  count(element: QualifiedElement, local: string): number | undefined {
    const value = this.attribute(element, local)?.trim();
    if (value === undefined) return undefined;
    if (!/^[0-9]{1,15}$/.test(value)) {
      throw new DecodeError(`${local} of ${element.local} is no number`, { clause: CLAUSE });
    }
    return Number(value);
  }

  text(value: string): string {
    if (value.length > this.limits.maxTextLength) {
      throw new DecodeError(`a value over ${this.limits.maxTextLength} characters`, {
        code: 'limitExceeded',
      });
    }
    return value;
  }
}

function registration(element: QualifiedElement, read: Reader): RegInfoRegistration {
  return {
    addressOfRecord: read.required(element, 'aor'),
    id: read.required(element, 'id'),
    state: oneOf(REGISTRATION_STATES, read.required(element, 'state')),
    contacts: read.some(element, 'contact', read.limits.maxContacts, (child) => contact(child, read)),
  };
}

function contact(element: QualifiedElement, read: Reader): RegInfoContact {
  read.takeContact();
  const uri = element.children.find((child) => isOurs(child, 'uri'));
  if (uri === undefined || uri.text.trim() === '') {
    throw new DecodeError('contact without a uri', { clause: CLAUSE });
  }
  const parameters = read.some(element, 'unknown-param', read.limits.maxParameters, (child) =>
    unknownParameter(child, read),
  );
  const { q, regId } = numbers(read.attribute(element, 'q'), parameter(parameters, 'reg-id'));
  return {
    id: read.required(element, 'id'),
    state: oneOf(CONTACT_STATES, read.required(element, 'state')),
    event: read.required(element, 'event'),
    uri: read.text(uri.text.trim()),
    ...present('durationRegisteredSeconds', read.count(element, 'duration-registered')),
    ...present('expiresSeconds', read.count(element, 'expires')),
    ...present('q', q),
    ...present('callId', read.attribute(element, 'callid')),
    ...present('cseq', read.count(element, 'cseq')),
    parameters,
    ...present('instance', instanceOf(parameters)),
    ...present('regId', regId),
    ...present('publicGruu', gruu(element, 'pub-gruu', read)),
    ...present('temporaryGruu', gruu(element, 'temp-gruu', read)),
  };
}

function unknownParameter(element: QualifiedElement, read: Reader): SipParameter {
  const value = read.text(element.text.trim());
  return { name: read.required(element, 'name'), value: value === '' ? undefined : value };
}

/** What is no number of its kind counts as absent: neither decides whether a terminal is there. */
function numbers(q: string | undefined, regId: string | undefined) {
  return {
    q: q !== undefined && /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/.test(q) ? Number(q) : undefined,
    regId: regId !== undefined && /^[1-9][0-9]{0,9}$/.test(regId) ? Number(regId) : undefined,
  };
}

/** [RFC 5628 §5.2] the GRUU is the attribute `uri` of an empty element. */
function gruu(element: QualifiedElement, local: string, read: Reader): string | undefined {
  const found = element.children.find((child) => child.namespace === GRUU_NAMESPACE && child.local === local);
  const uri = found && read.attribute(found, 'uri')?.trim();
  return uri === '' ? undefined : uri;
}

function isOurs({ namespace, local }: QualifiedElement, name: string): boolean {
  return namespace === NAMESPACE && local === name;
}

function oneOf<Value extends string>(values: readonly Value[], text: string): Value {
  const found = values.find((value) => value === text);
  if (found === undefined) throw new DecodeError('a state that the schema does not know', { clause: CLAUSE });
  return found;
}

function tooMany(what: string): DecodeError {
  return new DecodeError(`too many ${what}`, { code: 'limitExceeded' });
}
