/**
 * Device identities: what tells one terminal of a user from another (SIR-12 … SIR-24).
 * Each kind has a canonical form, used for storing and comparing, and keeps the spelling it came in. The rules of each
 * kind stand in `identity-forms.ts`; this file decides which kind a value is, and when two identities mean one device.
 */
import { DecodeError } from '../kernel/errors.js';
import { canonicalGruu, instanceOfGruu, isGruu } from './gruu.js';
import {
  canonicalEsn,
  canonicalFingerprint,
  canonicalImei,
  canonicalMac,
  canonicalOther,
  canonicalRfid,
  canonicalUri,
  canonicalUrn,
  canonicalUuid,
  isMacUrn,
  normaliseUrn,
} from './identity-forms.js';

export const DEVICE_IDENTITY_KINDS = [
  'gruu',
  'uuid',
  'imei',
  'uri',
  'urn',
  'rfid',
  'esn',
  'mac',
  'fingerprint',
  'other',
] as const;
export type DeviceIdentityKind = (typeof DEVICE_IDENTITY_KINDS)[number];

export interface DeviceIdentity {
  readonly kind: DeviceIdentityKind;
  /** As provisioned or received, byte-exact. */
  readonly value: string;
  /** Equal identities have equal canonical forms, and only they. Readable by `parseDeviceIdentity`. */
  readonly canonical: string;
}

/** Longest identity taken, in characters. */
const MAX_IDENTITY_LENGTH = 512;

const CANONICAL_FORM = {
  gruu: canonicalGruu,
  uuid: canonicalUuid,
  imei: canonicalImei,
  uri: canonicalUri,
  urn: canonicalUrn,
  rfid: canonicalRfid,
  esn: canonicalEsn,
  mac: canonicalMac,
  fingerprint: canonicalFingerprint,
  other: canonicalOther,
} as const satisfies Record<DeviceIdentityKind, (text: string) => string>;

/**
 * An identity of a stated kind. A `uri` or `urn` whose value belongs to a narrower kind comes back as that kind
 * (`urn:uuid:…` is a uuid however it was labelled), so that one device never has two canonical forms.
 * Throws DecodeError naming the rule that the value breaks.
 */
export function deviceIdentity(kind: DeviceIdentityKind, value: string): DeviceIdentity {
  checkLength(value);
  const text = spelling(value);
  if (kind === 'uri' || kind === 'urn') {
    const recognised = recogniseKind(text);
    if (recognised === undefined) throw new DecodeError(`not a ${kind === 'uri' ? 'URI' : 'URN'}`);
    if (kind === 'urn' && !/^urn:/i.test(text)) throw new DecodeError('not a URN', { clause: 'RFC 8141 §2' });
    if (!/^[A-Za-z][A-Za-z0-9+.-]*:/.test(text))
      throw new DecodeError('not an absolute URI', { clause: 'RFC 3986 §4.3' });
    return { kind: recognised, value, canonical: CANONICAL_FORM[recognised](text) };
  }
  return { kind, value, canonical: CANONICAL_FORM[kind](text) };
}

/**
 * An identity whose kind is told by its text: URNs, GRUUs and other URIs, `ni:`, `x-<type>:<value>`, and bare IMEI,
 * IMEISV, UUID, MAC, ESN and EPC spellings. Bare digits are ambiguous in places and read so: 14 to 16 decimal digits are
 * an IMEI or IMEISV, 11 a decimal ESN; 8 hexadecimal digits are an ESN, 12 and 16 a MAC, 32 a UUID, other lengths from
 * 20 on an EPC. Throws DecodeError for anything else.
 */
export function parseDeviceIdentity(text: string): DeviceIdentity {
  checkLength(text);
  const trimmed = spelling(text);
  const kind = recogniseKind(trimmed);
  if (kind === undefined) throw new DecodeError('not a device identity of any known kind');
  return { kind, value: text, canonical: CANONICAL_FORM[kind](trimmed) };
}

/**
 * The identity in a `+sip.instance` value: `"<urn:…>"`, with or without the quotes and brackets (RFC 5626 §4.1).
 * `value` is what stands between the brackets, byte-exact.
 */
export function instanceIdentity(parameterValue: string): DeviceIdentity {
  const inner = parameterValue
    .trim()
    .replace(/^"(.*)"$/s, '$1')
    .replace(/^<(.*)>$/s, '$1');
  return parseDeviceIdentity(inner);
}

/**
 * True when any carried identity names a device that has any of `own` (SIR-22). A public GRUU also stands for the instance
 * in its `gr` value, so it matches a device that has that UUID, IMEI or other URN; two GRUUs match only when they are equal. An address of
 * record alone never equals a GRUU (SIR-12).
 */
export function matchesAny(carried: readonly DeviceIdentity[], own: readonly DeviceIdentity[]): boolean {
  return carried.some((one) => own.some((other) => namesSameDevice(one, other)));
}

/**
 * Every canonical form under which an identity can be looked up: its own and, for a public GRUU, that of the instance
 * in it. For an index that answers "which terminal has this identity".
 */
export function identityKeys(identity: DeviceIdentity): readonly string[] {
  const instance = gruuInstance(identity);
  return instance === undefined ? [identity.canonical] : [identity.canonical, instance];
}

/**
 * Kinds under which a terminal registers: what stands in `+sip.instance`, or is made of it; what a SIP network routes by itself comes first
 * (C-1). One that is known by other names only may be behind any contact (SIR-23).
 */
export const REGISTERED_KINDS: readonly DeviceIdentityKind[] = ['gruu', 'uuid', 'imei', 'urn'];

/** True for a pseudo-ESN (`80……`, derived from a MEID): several devices can share one, so it is no unique identity (SIR-18). */
export function isPseudoEsn(identity: DeviceIdentity): boolean {
  return identity.kind === 'esn' && identity.canonical.startsWith('80');
}

function namesSameDevice(a: DeviceIdentity, b: DeviceIdentity): boolean {
  if (a.canonical === b.canonical) return true;
  if (a.kind === b.kind) return false;
  return gruuInstance(a) === b.canonical || gruuInstance(b) === a.canonical;
}

function gruuInstance(identity: DeviceIdentity): string | undefined {
  return identity.kind === 'gruu' ? instanceOfGruu(identity.canonical) : undefined;
}

/** What the rules of a kind work on: trimmed, and a URN in its generic normal form, so that escapes hide no namespace. */
function spelling(value: string): string {
  const text = value.trim();
  return /^urn:/i.test(text) ? normaliseUrn(text) : text;
}

function checkLength(text: string): void {
  if (text.length > MAX_IDENTITY_LENGTH) {
    throw new DecodeError(`identity longer than ${MAX_IDENTITY_LENGTH} characters`, {
      code: 'limitExceeded',
    });
  }
}

const PREFIXES: readonly (readonly [prefix: string, kind: DeviceIdentityKind])[] = [
  ['urn:uuid:', 'uuid'],
  ['urn:gsma:imei:', 'imei'],
  ['urn:gsma:imeisv:', 'imei'],
  ['urn:epc:', 'rfid'],
  ['urn:', 'urn'],
  ['ni:', 'fingerprint'],
  ['sha-256 ', 'fingerprint'],
];

function recogniseKind(text: string): DeviceIdentityKind | undefined {
  const lower = text.toLowerCase();
  if (isMacUrn(text)) return 'mac';
  for (const [prefix, kind] of PREFIXES) if (lower.startsWith(prefix)) return kind;
  if (/^sips?:/.test(lower)) return isGruu(text) ? 'gruu' : 'uri';
  if (/^x-[a-z0-9-]+:/.test(lower)) return 'other';
  return recogniseBare(lower) ?? (/^[a-z][a-z0-9+.-]*:./.test(lower) ? 'uri' : undefined);
}

function recogniseBare(lower: string): DeviceIdentityKind | undefined {
  if (/^\{?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?$/.test(lower)) return 'uuid';
  if (/^[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}(?:(?:\1[0-9a-f]{2}){2})?$/.test(lower))
    return 'mac';
  if (/^[0-9a-f]{4}(?:\.[0-9a-f]{4}){2,3}$/.test(lower)) return 'mac';
  if (/^[0-9][0-9 ./-]*$/.test(lower)) {
    const digits = lower.replace(/[ ./-]/g, '').length;
    if (digits >= 14 && digits <= 16) return 'imei';
    if (digits === 11) return 'esn';
  }
  const hex = /^(?:0x)?([0-9a-f]+)$/.exec(lower)?.[1]?.length ?? 0;
  if (hex === 8) return 'esn';
  if (hex === 12 || hex === 16) return 'mac';
  if (hex === 32) return 'uuid';
  return hex >= 20 ? 'rfid' : undefined;
}
