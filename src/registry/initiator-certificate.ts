/**
 * Client certificates of push initiators: by which names one is known, in the form that is stored and compared. A certificate
 * counts only when TLS has verified it against the CAs of `http.tls.clientCaFile`; that is the endpoint's to know, not this
 * file's. Reading certificates is the endpoint's too.
 */
import { DecodeError } from '../kernel/errors.js';

/** One of the two names: the certificate itself, or whoever it was issued to. */
export type CertificateName =
  /** SHA-256 of the DER octets, lower-case hexadecimal. */
  | { readonly sha256: string; readonly subject?: undefined }
  /** The subject as RFC 4514 writes it, most specific part first: `CN=pi.example.test,O=Example`. */
  | { readonly subject: string; readonly sha256?: undefined };

/** A certificate that a peer has shown and TLS has verified; both in the forms above. */
export interface ClientCertificate {
  readonly sha256: string;
  readonly subject: string;
}

/** Longest subject, in characters. */
const MAX_SUBJECT_LENGTH = 1024;

/** Hexadecimal digits in any case, with or without colons between octets. Throws DecodeError. */
export function certificateFingerprint(text: string): string {
  const digits = text.replaceAll(':', '').toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(digits)) {
    throw new DecodeError('not a SHA-256 fingerprint: 64 hexadecimal digits, colons between octets allowed');
  }
  return digits;
}

/** A subject as `openssl x509 -noout -subject -nameopt RFC2253,-esc_msb` prints it, the words before it left off. Throws DecodeError. */
export function certificateSubject(text: string): string {
  if (text.length > MAX_SUBJECT_LENGTH || !/^[A-Za-z0-9.]+=.+/u.test(text) || /[\p{Cc}\p{Cs}]/u.test(text)) {
    throw new DecodeError('not a subject such as CN=pi.example.test,O=Example', { clause: 'RFC 4514 §2' });
  }
  return text;
}

/**
 * The subject in the form above from one part on each line, least specific first, special characters escaped as in RFC 4514:
 * the form in which OpenSSL gives it to programs.
 */
export function subjectFromLines(lines: string): string {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .reverse()
    .map((part) => part.replaceAll(' + ', '+')) // between the values of one part; inside a value "+" is escaped
    .join(',');
}

/** The names of a certificate as keys of an index, the more exact one first. */
export function certificateKeys({ sha256, subject }: ClientCertificate): readonly [string, string] {
  return [`sha256:${sha256}`, `subject:${subject}`];
}

export function certificateKey(name: CertificateName): string {
  return name.sha256 === undefined ? `subject:${name.subject}` : `sha256:${name.sha256}`;
}
