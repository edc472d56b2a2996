/** A certificate authority of the test's own, by the openssl program: servers and clients that it vouches for, and others. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestCertificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: Buffer;
  readonly key: Buffer;
}

export class TestCa implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'carillon-ca-'));
  readonly #ca: TestCertificate;

  constructor(name = 'Test CA') {
    this.#ca = this.selfSigned('ca', `/CN=${name}`);
  }

  get caFile(): string {
    return this.#ca.certFile;
  }

  get ca(): Buffer {
    return this.#ca.cert;
  }

  /** A certificate of this CA for `subject`, in the form `/C=AT/O=Example/CN=pi`; good for localhost and this machine unless told. */
  issue(file: string, subject: string, names = LOCAL_NAMES): TestCertificate {
    const path = join(this.directory, file);
    const { certFile: ca, keyFile: caKey } = this.#ca;
    const request = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-utf8'];
    openssl(
      'req',
      ...request,
      '-keyout',
      `${path}.key`,
      '-out',
      `${path}.csr`,
      '-subj',
      subject,
      ...(names === '' ? [] : ['-addext', `subjectAltName=${names}`]),
    );
    const made = ['-days', '1', '-copy_extensions', 'copy', '-out', `${path}.pem`];
    openssl('x509', '-req', '-in', `${path}.csr`, '-CA', ca, '-CAkey', caKey, '-CAcreateserial', ...made);
    return certificateAt(path);
  }

  /** A certificate that nobody but itself vouches for. */
  selfSigned(file: string, subject: string): TestCertificate {
    const path = join(this.directory, file);
    const key = [
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '1',
      '-utf8',
    ];
    openssl('req', ...key, '-keyout', `${path}.key`, '-out', `${path}.pem`, '-subj', subject);
    return certificateAt(path);
  }

  /** What the openssl program says of a certificate. */
  describe({ certFile }: TestCertificate, ...options: readonly string[]): string {
    return openssl('x509', '-in', certFile, '-noout', ...options).trim();
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}

const LOCAL_NAMES = 'DNS:localhost,IP:127.0.0.1,IP:127.0.0.2,IP:::1';

function certificateAt(path: string): TestCertificate {
  const [certFile, keyFile] = [`${path}.pem`, `${path}.key`];
  return { certFile, keyFile, cert: readFileSync(certFile), key: readFileSync(keyFile) };
}

function openssl(...args: readonly string[]): string {
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
