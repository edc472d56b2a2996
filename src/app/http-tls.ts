/** The certificate files of the configuration, read and tried at start: one sentence that names the key when something is wrong with them. */
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Config } from '../config/schema.js';
import type { HttpTls } from '../endpoints/http/http-server.js';
import { DeliveryError, describeError } from '../kernel/errors.js';
import type { MsrpTls } from '../transports/msrp-connections/secure-connection.js';
import type { SipTls } from '../transports/sip-stack/sip-stack.js';
import type { LinkTls } from '../transports/smpp/link-options.js';

/** Undefined when the public port speaks plain HTTP. Throws DeliveryError with a sentence for the operator. */
export function readHttpTls({ http: { tls } }: Pick<Config, 'http'>): HttpTls | undefined {
  if (tls === undefined) return undefined;
  const own = readCertificate('http.tls', tls);
  const clientCa =
    tls.clientCaFile === undefined ? undefined : readCas('http.tls.clientCaFile', tls.clientCaFile);
  return clientCa === undefined ? own : { ...own, clientCa };
}

/** The gateway's certificate and key where terminals call it; undefined when that is plain TCP. */
export function readOtaTls({ otaHttp: { tls } }: Pick<Config, 'otaHttp'>): Certificate | undefined {
  return tls === undefined ? undefined : readCertificate('otaHttp.tls', tls);
}

/** Of SIP: the certificate that it listens with, when it does, and the CAs of the servers that it connects to. */
export function readSipTls({ sip: { tls, caFile } }: Pick<Config, 'sip'>): SipTls {
  return {
    ...(tls === undefined ? {} : { own: readCertificate('sip.tls', tls) }),
    ...(caFile === undefined ? {} : { ca: readCas('sip.caFile', caFile) }),
  };
}

/** The certificate with which MSRP listens over TLS, when it does. */
export function readMsrpTls({ msrp: { tls } }: Pick<Config, 'msrp'>): MsrpTls | undefined {
  return tls === undefined ? undefined : { own: readCertificate('msrp.tls', tls) };
}

/** What a link to an SMSC needs for TLS; undefined when that is plain TCP. */
export function readLinkTls({ name, tls }: Config['smpp'][number]): LinkTls | undefined {
  if (tls === undefined) return undefined;
  const { caFile, certFile, keyFile, serverName } = tls;
  const section = `smpp ${name}: tls`;
  return {
    ...(caFile === undefined ? {} : { ca: readCas(`${section}.caFile`, caFile) }),
    ...(certFile === undefined || keyFile === undefined
      ? {}
      : readCertificate(section, { certFile, keyFile })),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

type Certificate = Pick<HttpTls, 'cert' | 'key'>;

function readCertificate(
  section: string,
  files: { readonly certFile: string; readonly keyFile: string },
): Certificate {
  const cert = read(`${section}.certFile`, files.certFile);
  const key = read(`${section}.keyFile`, files.keyFile);
  attempt(`${section}.certFile and ${section}.keyFile do not go together`, () =>
    createSecureContext({ cert, key }),
  );
  return { cert, key };
}

/** PEM; `key` is that of the configuration. */
export function readCas(key: string, file: string): Buffer {
  const ca = read(key, file);
  attempt(`${key} holds no certificate`, () => createSecureContext({ ca }));
  return ca;
}

function read(key: string, file: string): Buffer {
  return attempt(`${key} cannot be read`, () => readFileSync(file));
}

function attempt<T>(sentence: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw new DeliveryError('unreachable', `${sentence}: ${describeError(cause)}`, { retry: 'never', cause });
  }
}
