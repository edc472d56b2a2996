/**
 * Presence documents (PIDF, RFC 3863 §4) with the data model (RFC 4479 §4) and, where they are given, the capabilities of
 * RFC 5196: tuples (a way to communicate), devices, persons. Decoded only: the gateway is a watcher. Activities, places and
 * moods (RPID) say nothing about where a push can go and are passed over.
 */
import { DecodeError } from '../../kernel/errors.js';
import { present } from '../../kernel/present.js';
import { KIB } from '../../kernel/units.js';
import { type QualifiedElement, readNamespacedXml } from '../xml/index.js';

export const PIDF_MEDIA_TYPE = 'application/pidf+xml';

export interface PresenceDocument {
  /** The URI of the presentity, as written. */
  readonly entity: string;
  readonly tuples: readonly PresenceTuple[];
  readonly devices: readonly PresenceDevice[];
  readonly persons: readonly PresencePerson[];
}

export interface PresenceTuple {
  readonly id: string;
  /** Absent when the tuple says nothing about it. */
  readonly basic?: 'open' | 'closed';
  /** As written: a URI, or an address with parameters. */
  readonly contact?: string;
  /** `priority` of the contact, 0 to 1. */
  readonly priority?: number;
  /** URN of the device that the tuple is about (RFC 4479 §4.4). */
  readonly deviceId?: string;
  /** Instance URN among the capabilities of the service. */
  readonly instance?: string;
  /** Milliseconds since the epoch. */
  readonly timestamp?: number;
}

export interface PresenceDevice {
  readonly id: string;
  readonly deviceId: string;
  readonly instance?: string;
  readonly timestamp?: number;
}

export interface PresencePerson {
  readonly id: string;
  readonly timestamp?: number;
}

export interface PidfLimits {
  readonly maxBytes: number;
  readonly maxElements: number;
  readonly maxTuples: number;
  readonly maxDevices: number;
  /** Characters of one URI or id. */
  readonly maxTextLength: number;
}

export const PIDF_LIMITS: PidfLimits = {
  maxBytes: 64 * KIB,
  maxElements: 4000,
  maxTuples: 128,
  maxDevices: 128,
  maxTextLength: 1024,
};

export interface DecodePidfOptions {
  /** The `charset` parameter of the entity's Content-Type. */
  readonly charset?: string;
  readonly limits?: PidfLimits;
}

const PIDF = 'urn:ietf:params:xml:ns:pidf';
const DATA_MODEL = 'urn:ietf:params:xml:ns:pidf:data-model';
const CAPABILITIES = 'urn:ietf:params:xml:ns:pidf:caps';
const CLAUSE = 'RFC 3863 §4.1';

/** A document. Throws DecodeError with a detail fit for the log. */
export function decodePidf(octets: Uint8Array, options: DecodePidfOptions = {}): PresenceDocument {
  const { limits = PIDF_LIMITS, charset } = options;
  const root = readNamespacedXml(octets, {
    doctypeName: 'presence',
    maxBytes: limits.maxBytes,
    maxElements: limits.maxElements,
    ...(charset === undefined ? {} : { charset }),
  });
  if (!isNamed(root, PIDF, 'presence')) {
    throw new DecodeError('the root element is not presence', { clause: CLAUSE });
  }
  const entity = attribute(root, 'entity');
  if (entity === undefined || entity === '') {
    throw new DecodeError('presence without an entity', { clause: CLAUSE });
  }
  const tuples = root.children.filter((child) => isNamed(child, PIDF, 'tuple'));
  const devices = root.children.filter((child) => isNamed(child, DATA_MODEL, 'device'));
  const persons = root.children.filter((child) => isNamed(child, DATA_MODEL, 'person'));
  if (tuples.length > limits.maxTuples) throw tooMany('tuples');
  if (devices.length + persons.length > limits.maxDevices) throw tooMany('devices and persons');
  return {
    entity: bounded(entity, limits),
    tuples: tuples.map((element) => tupleOf(element, limits)),
    devices: devices.map((element) => deviceOf(element, limits)),
    persons: persons.map((element) => ({
      id: idOf(element, limits),
      ...present('timestamp', timestampOf(element)),
    })),
  };
}

function tupleOf(element: QualifiedElement, limits: PidfLimits): PresenceTuple {
  const status = childOf(element, PIDF, 'status');
  const basic = status && basicOf(childOf(status, PIDF, 'basic'));
  const contact = childOf(element, PIDF, 'contact');
  const priority = contact && attribute(contact, 'priority');
  return {
    id: idOf(element, limits),
    ...present('basic', basic),
    ...present('contact', textOf(contact, limits)),
    ...present('priority', isQualityValue(priority) ? Number(priority) : undefined),
    ...present('deviceId', textOf(childOf(element, DATA_MODEL, 'deviceID'), limits)),
    ...present('instance', instanceIn(element, limits)),
    ...present('timestamp', timestampOf(element)),
  };
}

function basicOf(element: QualifiedElement | undefined): 'open' | 'closed' | undefined {
  const text = element?.text.trim();
  if (text === undefined || text === 'open' || text === 'closed') return text;
  throw new DecodeError('a basic status that is neither open nor closed', { clause: 'RFC 3863 §4.1.4' });
}

function deviceOf(element: QualifiedElement, limits: PidfLimits): PresenceDevice {
  const deviceId = textOf(childOf(element, DATA_MODEL, 'deviceID'), limits);
  if (deviceId === undefined) throw new DecodeError('device without a deviceID', { clause: 'RFC 4479 §4.3' });
  return {
    id: idOf(element, limits),
    deviceId,
    ...present('instance', instanceIn(element, limits)),
    ...present('timestamp', timestampOf(element)),
  };
}

/** An instance that a presence agent put among the capabilities, as an extension of RFC 5196 under the name of the feature tag. */
function instanceIn(element: QualifiedElement, limits: PidfLimits): string | undefined {
  for (const capabilities of element.children) {
    const isCapabilities =
      capabilities.namespace === CAPABILITIES && /^(?:serv|dev)caps$/.test(capabilities.local);
    if (!isCapabilities) continue;
    const found = capabilities.children.find(({ local }) => /^(?:sip[.-])?instance$/.test(local));
    const value = textOf(found, limits)?.replace(/^"?<?|>?"?$/g, '');
    if (value !== undefined && /^urn:./i.test(value)) return value;
  }
  return undefined;
}

/** [RFC 3863 §4.1.7, RFC 4479 §4.5] tuples have it in one namespace, devices and persons in the other. */
function timestampOf(element: QualifiedElement): number | undefined {
  const found = childOf(element, PIDF, 'timestamp') ?? childOf(element, DATA_MODEL, 'timestamp');
  const text = found?.text.trim() ?? '';
  // RFC 3339 §5.6; anything else says nothing about when.
  if (!/^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/.test(text))
    return undefined;
  const instant = Date.parse(text);
  return Number.isNaN(instant) ? undefined : instant;
}

function idOf(element: QualifiedElement, limits: PidfLimits): string {
  const id = attribute(element, 'id');
  if (id === undefined || id === '')
    throw new DecodeError(`${element.local} without an id`, { clause: CLAUSE });
  return bounded(id, limits);
}

function textOf(element: QualifiedElement | undefined, limits: PidfLimits): string | undefined {
  const text = element?.text.trim();
  return text === undefined || text === '' ? undefined : bounded(text, limits);
}

function bounded(text: string, { maxTextLength }: PidfLimits): string {
  if (text.length > maxTextLength) {
    throw new DecodeError(`a value over ${maxTextLength} characters`, { code: 'limitExceeded' });
  }
  return text;
}

function isQualityValue(text: string | undefined): boolean {
  return text !== undefined && /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/.test(text.trim());
}

function attribute(element: QualifiedElement, local: string): string | undefined {
  return element.attributes.find(({ namespace, local: name }) => namespace === '' && name === local)?.value;
}

function childOf(element: QualifiedElement, namespace: string, local: string): QualifiedElement | undefined {
  return element.children.find((child) => isNamed(child, namespace, local));
}

function isNamed(element: QualifiedElement, namespace: string, local: string): boolean {
  return element.namespace === namespace && element.local === local;
}

function tooMany(what: string): DecodeError {
  return new DecodeError(`too many ${what}`, { code: 'limitExceeded' });
}
