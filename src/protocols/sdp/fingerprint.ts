/**
 * Certificate fingerprints in session descriptions (RFC 8122 §5): `a=fingerprint:sha-256 AB:CD:…`. Which hash functions are good enough
 * is decided here; hashing is done elsewhere.
 */
import type { SdpLine } from './sdp.js';

export const FINGERPRINT_HASHES = ['sha-512', 'sha-384', 'sha-256'] as const;
/** Strongest first. */
export type FingerprintHash = (typeof FINGERPRINT_HASHES)[number];

export interface CertificateFingerprint {
  readonly hash: FingerprintHash;
  /** Pairs of hexadecimal digits, upper case, with colons between. */
  readonly value: string;
}

const FORM = /^([a-z0-9-]+) +([0-9a-f]{2}(?::[0-9a-f]{2})*)$/i;

/**
 * The fingerprints of a media section, else of the session. Undefined: there are none. Empty: there are some, but of hash functions that
 * prove nothing any more (or are not known), so that the certificate cannot be told from another.
 */
export function fingerprintsOf(
  session: readonly SdpLine[],
  media: readonly SdpLine[],
): readonly CertificateFingerprint[] | undefined {
  const given = valuesOf(media);
  const values = given.length > 0 ? given : valuesOf(session);
  return values.length === 0 ? undefined : values.flatMap(parseFingerprint);
}

/** The attribute's value. */
export function formatFingerprint({ hash, value }: CertificateFingerprint): string {
  return `${hash} ${value}`;
}

function valuesOf(lines: readonly SdpLine[]): readonly string[] {
  return lines.flatMap(({ type, value }) =>
    type === 'a' && value.startsWith('fingerprint:') ? value.slice('fingerprint:'.length).trim() : [],
  );
}

function parseFingerprint(text: string): readonly CertificateFingerprint[] {
  const [, name = '', value = ''] = FORM.exec(text) ?? [];
  const hash = FINGERPRINT_HASHES.find((known) => known === name.toLowerCase());
  return hash === undefined ? [] : [{ hash, value: value.toUpperCase() }];
}
