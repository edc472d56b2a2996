/**
 * What a request shows to prove whom it comes from: HTTP Basic (RFC 7617), Bearer (RFC 6750 §2.1), or the client certificate of its
 * TLS connection. Reads only; whether any of it is right is decided behind the endpoint. No header can stand for the address of
 * the caller or for a certificate, because anybody can write one.
 */
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { PresentedCredentials } from '../../registry/initiator-authenticator.js';
import { type ClientCertificate, subjectFromLines } from '../../registry/initiator-certificate.js';
import { parseBasicCredentials } from './basic-credentials.js';

/** Longest field value read, in characters: room for the longest id and password, each octet of them escaped. */
const MAX_LENGTH = 4096;

export function presentedCredentials(request: IncomingMessage): PresentedCredentials {
  const { socket } = request;
  const authorization = request.headers.authorization ?? '';
  const basic = parseBasicCredentials(authorization);
  const bearer = parseBearerToken(authorization);
  const certificate = socket instanceof TLSSocket ? certificateOf(socket) : undefined;
  return {
    isEncrypted: socket instanceof TLSSocket,
    ...(socket.remoteAddress === undefined ? {} : { peer: socket.remoteAddress }),
    ...(basic === undefined ? {} : { basic }),
    ...(bearer === undefined ? {} : { bearer }),
    // Whoever writes an Authorization field means it: a certificate does not stand in for one that is wrong.
    ...(certificate === undefined || authorization !== '' ? {} : { certificate }),
  };
}

/** The challenge that fits what was tried (RFC 9110 §11.6.1). */
export function challengeFor({ bearer }: PresentedCredentials): string {
  return bearer === undefined ? 'Basic realm="carillon"' : 'Bearer realm="carillon", error="invalid_token"';
}

function parseBearerToken(authorization: string): string | undefined {
  if (authorization.length > MAX_LENGTH) return undefined;
  return /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization)?.[1];
}

/** Read once for each connection, which may carry thousands of requests. */
const certificates = new WeakMap<TLSSocket, ClientCertificate | null>();

/** The certificate that the peer has shown, when TLS has verified it against our client CAs. */
function certificateOf(socket: TLSSocket): ClientCertificate | undefined {
  let certificate = certificates.get(socket);
  if (certificate === undefined) {
    certificate = readCertificate(socket) ?? null;
    certificates.set(socket, certificate);
  }
  return certificate ?? undefined;
}

function readCertificate(socket: TLSSocket): ClientCertificate | undefined {
  const shown = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  return (
    shown && {
      sha256: shown.fingerprint256.replaceAll(':', '').toLowerCase(),
      subject: subjectFromLines(shown.subject),
    }
  );
}
