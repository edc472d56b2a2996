/**
 * The canonical form of each kind of device identity (SIR-12 … SIR-21). Every function takes one trimmed spelling and
 * returns the form that equal identities share, or throws DecodeError naming the broken rule. Values that many devices
 * carry by mistake (all-zero IMEIs, nil UUIDs, group MAC addresses) are refused: they identify nothing (SIR-24).
 */
import { DecodeError } from '../kernel/errors.js';
import { normaliseEscapes } from './percent-escapes.js';
import { canonicalTel } from './public-user-identity.js';
import { formatAuthority, parseSipUri } from './sip-uri.js';

/** `urn:uuid:` and 36 lower-case characters (RFC 9562 §4). Braces, a missing prefix and missing hyphens are accepted. */
export function canonicalUuid(text: string): string {
  const digits = text
    .toLowerCase()
    .replace(/^urn:uuid:/, '')
    .replace(/^\{(.*)\}$/, '$1');
  const match = /^([0-9a-f]{8})(-?)([0-9a-f]{4})\2([0-9a-f]{4})\2([0-9a-f]{4})\2([0-9a-f]{12})$/.exec(digits);
  if (match === null) throw new DecodeError('not a UUID', { clause: 'RFC 9562 §4' });
  const uuid = [match[1], match[3], match[4], match[5], match[6]].join('-');
  if (/^[0-]+$/.test(uuid) || /^[f-]+$/.test(uuid)) {
    throw new DecodeError('the nil and max UUID identify no device', { clause: 'RFC 9562 §5.9' });
  }
  return `urn:uuid:${uuid}`;
}

/**
 * `urn:gsma:imei:TAC-SNR-0` (RFC 7254). Only TAC and SNR identify the device: the check or spare digit, the software
 * version of an IMEISV and the `svn` and `vers` parameters are ignored. 14, 15 or 16 digits with any separators.
 */
export function canonicalImei(text: string): string {
  const match = /^(?:urn:gsma:(imei|imeisv):)?([0-9][0-9 ./-]*)(;[\x21-\x7e]*)?$/i.exec(text);
  const digits = match?.[2]?.replace(/[ ./-]/g, '') ?? '';
  if (digits.length < 14 || digits.length > 16) {
    throw new DecodeError('an IMEI has 14 or 15 digits, an IMEISV 16', { clause: 'RFC 7254 §3' });
  }
  if (/^0+$/.test(digits.slice(0, 14))) throw new DecodeError('an IMEI of zeros identifies no device');
  return `urn:gsma:imei:${digits.slice(0, 8)}-${digits.slice(8, 14)}-0`;
}

/** `urn:dev:mac:` and 16 lower-case digits (RFC 9039 §4.1); an EUI-48 is widened with `fffe`. Any separator is accepted. */
export function canonicalMac(text: string): string {
  const digits = text
    .toLowerCase()
    .replace(/^urn:dev:mac:/, '')
    .replace(/^0x/, '')
    .replace(/[:. -]/g, '');
  if (!/^(?:[0-9a-f]{12}|[0-9a-f]{16})$/.test(digits)) {
    throw new DecodeError('a MAC address has 12 or 16 hexadecimal digits', { clause: 'RFC 9039 §4.1' });
  }
  if (/^0+$/.test(digits) || (Number.parseInt(digits.slice(0, 2), 16) & 1) === 1) {
    throw new DecodeError('a zero, group or broadcast MAC address identifies no device');
  }
  return `urn:dev:mac:${digits.length === 12 ? `${digits.slice(0, 6)}fffe${digits.slice(6)}` : digits}`;
}

/**
 * Eight upper-case hexadecimal digits. Accepted: those, with or without `0x`, and the eleven-digit decimal form, whose
 * first three digits are the manufacturer octet and the other eight the 24-bit serial number (TIA/EIA-41).
 */
export function canonicalEsn(text: string): string {
  const hex =
    /^(?:0x)?([0-9a-f]{8})$/i.exec(text)?.[1]?.toUpperCase() ?? decimalEsn(text.replace(/[ .-]/g, ''));
  if (hex === undefined)
    throw new DecodeError('an ESN has 8 hexadecimal or 11 decimal digits', { clause: 'TIA/EIA-41' });
  if (hex === '00000000' || hex === 'FFFFFFFF') throw new DecodeError('this ESN identifies no device');
  return hex;
}

function decimalEsn(digits: string): string | undefined {
  if (!/^[0-9]{11}$/.test(digits)) return undefined;
  const manufacturer = Number(digits.slice(0, 3));
  const serial = Number(digits.slice(3));
  if (manufacturer > 0xff || serial > 0xff_ffff) return undefined;
  const value = (manufacturer * 0x1_00_00_00 + serial).toString(16);
  return value.toUpperCase().padStart(8, '0');
}

/**
 * `urn:epc:id:…` as it stands (RFC 5134), or the tag's bits as `urn:epc:raw:<bits>.x<hex>`, upper case (EPC Tag Data
 * Standard §12). Bare hexadecimal bits of 8 to 62 octets are accepted.
 */
export function canonicalRfid(text: string): string {
  const bits = /^(?:urn:epc:raw:([0-9]{1,4})\.x|0x)?([0-9a-f]+)$/i.exec(text);
  if (bits !== null) {
    const hex = (bits[2] ?? '').toUpperCase();
    if (hex.length < 16 || hex.length > 124 || /^0+$/.test(hex)) {
      throw new DecodeError('an EPC has 64 to 496 bits, not all zero', { clause: 'EPC TDS §12' });
    }
    const length = bits[1] === undefined ? hex.length * 4 : Number(bits[1]);
    if (Math.ceil(length / 4) !== hex.length)
      throw new DecodeError('EPC length and digits differ', { clause: 'EPC TDS §12' });
    return `urn:epc:raw:${length}.x${hex}`;
  }
  if (!/^urn:epc:[a-z]+:[\x21-\x7e]+$/i.test(text))
    throw new DecodeError('not an EPC', { clause: 'RFC 5134 §3' });
  return normaliseUrn(text);
}

const DIGEST_OCTETS: Readonly<Record<string, number>> = { 'sha-256': 32, 'sha-384': 48, 'sha-512': 64 };

/**
 * `ni:///<algorithm>;<base64url>` (RFC 6920 §3) of a device certificate or key (C-3). The authority and the query of an `ni`
 * URI say where to find the object, not which one, and are dropped. Also accepted: `SHA-256 4A:AD:…` (RFC 8122 §5).
 */
export function canonicalFingerprint(text: string): string {
  const ni = /^ni:\/\/[^/?#]*\/([a-z0-9-]+);([A-Za-z0-9_-]+)(?:\?[^#]*)?$/i.exec(text);
  const hex = /^(?:(sha-[0-9]{3}) )?([0-9a-f]{2}(?::?[0-9a-f]{2}){31,63})$/i.exec(text);
  const algorithm = (ni?.[1] ?? hex?.[1] ?? 'sha-256').toLowerCase();
  const digest =
    ni !== null
      ? Buffer.from(ni[2] ?? '', 'base64url')
      : Buffer.from((hex?.[2] ?? '').replaceAll(':', ''), 'hex');
  if (digest.length === 0 || digest.length !== DIGEST_OCTETS[algorithm]) {
    throw new DecodeError('not a digest of a known length', { clause: 'RFC 6920 §3' });
  }
  return `ni:///${algorithm};${digest.toString('base64url')}`;
}

/** `x-<type>:<value>`, compared exactly (SIR-21). */
export function canonicalOther(text: string): string {
  if (!/^x-[A-Za-z0-9-]+:[\x21-\x7e]+$/.test(text)) throw new DecodeError('not of the form x-<type>:<value>');
  return text;
}

/** Any URN, by the rule of its namespace when we know it and by the generic one otherwise (RFC 8141 §3; SIR-16). */
export function canonicalUrn(text: string): string {
  const urn = normaliseUrn(text);
  if (urn.startsWith('urn:uuid:')) return canonicalUuid(urn);
  if (/^urn:gsma:imei(?:sv)?:/i.test(urn)) return canonicalImei(urn);
  if (isMacUrn(urn)) return canonicalMac(urn);
  return urn.startsWith('urn:epc:') ? canonicalRfid(urn) : urn;
}

/** What a namespace-specific string may hold without an escape (RFC 8141 §2). */
export const URN_LITERAL = /[A-Za-z0-9\-._~!$&'()*+,;=:@/]/;

/**
 * A URN in the generic normal form of RFC 8141 §3.1: scheme and NID in lower case, escapes normal, and without r-, q-
 * and f-components, which say how to resolve it and not what it names. The rules of a namespace apply to this form.
 */
export function normaliseUrn(text: string): string {
  const match = /^urn:([a-z0-9][a-z0-9-]{0,30}[a-z0-9]):([^#]+?)(?:\?[+=].*|#.*)?$/i.exec(text);
  if (match === null) throw new DecodeError('not a URN', { clause: 'RFC 8141 §2' });
  return `urn:${(match[1] ?? '').toLowerCase()}:${normaliseEscapes(match[2] ?? '', URN_LITERAL)}`;
}

/** A component suffix (RFC 9039 §4.2) names a part of a device: a URN with one is not the MAC address itself. */
export function isMacUrn(text: string): boolean {
  return /^urn:dev:mac:[^_]*$/i.test(text);
}

/** URI parameters whose absence on one side makes two SIP URIs differ (RFC 3261 §19.1.4); the others are dropped. */
const SIGNIFICANT_PARAMETERS = ['maddr', 'method', 'transport', 'ttl', 'user'] as const;

/** Any absolute URI: `sip:` and `tel:` by their own comparison rules, others exact but for scheme and host (SIR-15). */
export function canonicalUri(text: string): string {
  if (/^sips?:/i.test(text)) {
    const uri = parseSipUri(text);
    const kept = SIGNIFICANT_PARAMETERS.flatMap((name) => {
      const value = uri.parameters.get(name);
      return value === undefined ? [] : [`;${name}=${value.toLowerCase()}`];
    });
    return `${uri.scheme}:${formatAuthority(uri)}${kept.join('')}`;
  }
  if (/^tel:/i.test(text)) return canonicalTel(text.slice(4));
  const match = /^([a-z][a-z0-9+.-]*):((?:\/\/[^/?#]*)?)([\x21-\x7e]*)$/i.exec(text);
  if (match === null || `${match[2]}${match[3]}` === '')
    throw new DecodeError('not an absolute URI', { clause: 'RFC 3986 §4.3' });
  const authority = (match[2] ?? '').replace(/[^@]*$/, (host) => host.toLowerCase());
  return `${(match[1] ?? '').toLowerCase()}:${authority}${match[3] ?? ''}`;
}
