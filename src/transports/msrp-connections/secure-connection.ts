/**
 * MSRP over TLS (RFC 4975 §14): a peer is known by the fingerprint of its certificate in the session description (RFC 8122), whoever
 * issued it; without one a server must prove the host of its URI to a CA.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import { connect, TLSSocket } from 'node:tls';
import { DeliveryError } from '../../kernel/errors.js';
import { type CertificateFingerprint, FINGERPRINT_HASHES } from '../../protocols/sdp/index.js';

/** Everything in PEM. */
export interface MsrpTls {
  /** Our certificate chain and its key: needed to listen. */
  readonly own?: { readonly cert: Buffer; readonly key: Buffer };
  /** CAs of servers that give no fingerprint; absent: those that Node knows. */
  readonly ca?: Buffer;
}

/** The fingerprint of the first certificate in a PEM file. */
export function fingerprintOfPem(cert: Buffer): CertificateFingerprint {
  return fingerprintOf(new X509Certificate(cert).raw, 'sha-256');
}

/** The certificate that the peer has shown; undefined when it has none, or the connection is plain. */
export function peerCertificate(socket: Socket): Buffer | undefined {
  return socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.raw : undefined;
}

/** [RFC 8122 §5.1] of several fingerprints those by the strongest hash function count, and any of them will do. */
export function hasFingerprint(
  certificate: Buffer | undefined,
  expected: readonly CertificateFingerprint[],
): boolean {
  const strongest = FINGERPRINT_HASHES.find((hash) => expected.some((one) => one.hash === hash));
  if (certificate === undefined || strongest === undefined) return false;
  const { value } = fingerprintOf(certificate, strongest);
  return expected.some((one) => one.hash === strongest && one.value === value);
}

/** A socket that is on its way to a server; 'secureConnect' tells when it is there. */
export function connectSecurely(
  { host, port }: { readonly host: string; readonly port: number },
  { own, ca }: MsrpTls,
  fingerprints: readonly CertificateFingerprint[] | undefined,
): TLSSocket {
  return connect({
    host,
    port,
    minVersion: 'TLSv1.2',
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...own,
    ...(ca === undefined ? {} : { ca }),
    rejectUnauthorized: fingerprints === undefined,
  });
}

/** Throws DeliveryError when the server that was reached is not the one that was described. */
export function checkServer(
  socket: Socket,
  fingerprints: readonly CertificateFingerprint[] | undefined,
): void {
  if (fingerprints === undefined || hasFingerprint(peerCertificate(socket), fingerprints)) return;
  throw new DeliveryError('forbidden', 'the certificate of the peer is not the one it described', {
    retry: 'never',
  });
}

function fingerprintOf(certificate: Buffer, hash: CertificateFingerprint['hash']): CertificateFingerprint {
  const digest = createHash(hash.replace('-', '')).update(certificate).digest('hex').toUpperCase();
  return { hash, value: (digest.match(/../g) ?? []).join(':') };
}
