/** What a PAP request shows to prove whom it comes from, over plain HTTP and over real TLS, and what it is answered (SIR-169). */
import { once } from 'node:events';
import { request } from 'node:https';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { publicApplication, serveHttp } from '../../../src/endpoints/http/http-server.js';
import type { PapLogEntry } from '../../../src/endpoints/pap/pap-log.js';
import { papRoutes } from '../../../src/endpoints/pap/pap-routes.js';
import { RefusedError } from '../../../src/kernel/errors.js';
import { decodePap } from '../../../src/protocols/pap/index.js';
import type { AuthenticatedInitiator } from '../../../src/registry/initiator.js';
import {
  createInitiatorAuthenticator,
  type PresentedCredentials,
} from '../../../src/registry/initiator-authenticator.js';
import { certificateFingerprint } from '../../../src/registry/initiator-certificate.js';
import { initiatorChangeFromJson } from '../../../src/registry/initiator-validation.js';
import { noLog } from '../../../src/telemetry/log.js';
import { FakeClock } from '../../support/fake-clock.js';
import { countingBytes, initiatorWith, MemoryInitiatorDirectory } from '../../support/memory-initiators.js';
import { MULTIPART_TYPE, papText, papValidator, pushXml, submissionBody } from '../../support/pap.js';
import { TestCa, type TestCertificate } from '../../support/test-ca.js';
import { type PapServer, startPapServer } from './pap-server.js';

const BODY = submissionBody(papText(pushXml()));

describe('over HTTP', () => {
  let server: PapServer | undefined;
  afterEach(async () => {
    await server?.[Symbol.asyncDispose]();
    server = undefined;
  });

  /** What the endpoint hands on for a request with these header fields. */
  async function presented(headers: Record<string, string>): Promise<PresentedCredentials | undefined> {
    const seen: PresentedCredentials[] = [];
    server = await startPapServer(
      {},
      {
        authenticate: async (credentials) => {
          seen.push(credentials);
          return undefined;
        },
      },
    );
    await server.post(BODY, headers);
    return seen[0];
  }

  it('a password and the address of the caller are handed on', async () => {
    const basic = { username: 'pi', password: 'secret' };
    expect(await presented({})).toEqual({ basic, peer: '127.0.0.1', isEncrypted: false });
  });

  it('a token is handed on', async () => {
    const found = await presented({ authorization: 'bearer abc.DEF-_~+/==' });
    expect(found).toEqual({ bearer: 'abc.DEF-_~+/==', peer: '127.0.0.1', isEncrypted: false });
  });

  it('no header stands for the address of the caller', async () => {
    const found = await presented({ 'x-forwarded-for': '192.0.2.1', forwarded: 'for=192.0.2.1' });
    expect(found?.peer).toBe('127.0.0.1');
  });

  it('a wrong token is challenged as one', async () => {
    server = await startPapServer({}, { authenticate: async () => undefined });
    const reply = await server.post(BODY, { authorization: 'Bearer abc' });
    expect(reply.status).toBe(401);
    expect(reply.headers.get('www-authenticate')).toBe('Bearer realm="carillon", error="invalid_token"');
  });

  it('a caller outside the networks of its initiator gets 403 and no challenge', async () => {
    server = await startPapServer(
      {},
      {
        authenticate: async () => {
          throw new RefusedError('forbidden', 'the push initiator pi may not call from 127.0.0.1');
        },
      },
    );
    const reply = await server.post(BODY);
    expect(reply.status).toBe(403);
    expect(reply.headers.get('www-authenticate')).toBeNull();
    expect(Buffer.from(reply.bytes).toString()).not.toMatch(/\bpi\b/);
    expect(server.log).toEqual([
      {
        level: 'info',
        operation: 'unauthenticated',
        detail: 'the push initiator pi may not call from 127.0.0.1',
      },
    ]);
  });

  it('a refusal that was written for the initiator says what it was', async () => {
    const refusal = RefusedError.telling(
      'busy',
      'quota of 5 pending pushes is used up, try again later',
      'later',
    );
    server = await startPapServer({
      push: async () => {
        throw refusal;
      },
    });
    const { document } = await server.post(BODY);
    expect(document?.operation).toMatchObject({
      kind: 'push-response',
      code: 4001,
      desc: 'quota of 5 pending pushes is used up, try again later',
    });
  });
});

describe('over TLS', () => {
  let ca: TestCa;
  let gateway: TestCertificate;
  let named: TestCertificate;
  let pinned: TestCertificate;
  let stranger: TestCertificate;
  let impostor: TestCertificate;
  let server: Awaited<ReturnType<typeof serveHttp>>;
  const log: PapLogEntry[] = [];
  const senders: AuthenticatedInitiator[] = [];

  beforeAll(async () => {
    ca = new TestCa();
    gateway = ca.issue('gateway', '/CN=localhost');
    named = ca.issue('named', '/C=AT/O=Bäckerei, Wien/CN=pi.example.test');
    pinned = ca.issue('pinned', '/CN=somebody');
    stranger = ca.issue('stranger', '/CN=stranger');
    impostor = ca.selfSigned('impostor', '/C=AT/O=Bäckerei, Wien/CN=pi.example.test');
    const directory = new MemoryInitiatorDirectory();
    const subject = ca.describe(named, '-subject', '-nameopt', 'RFC2253,-esc_msb').replace(/^subject=/, '');
    const fingerprint = ca.describe(pinned, '-fingerprint', '-sha256').replace(/^.*=/, '');
    const { certificates } = initiatorChangeFromJson({ certificates: [{ subject }] });
    await directory.change('bakery', () => ({ certificates: certificates ?? [] }));
    await directory.change('pin', () => ({
      certificates: [{ sha256: certificateFingerprint(fingerprint) }],
    }));
    await directory.put(await initiatorWith('pi', 'secret'));
    const refuse = () => Promise.reject(new RefusedError('notImplemented', 'not in this test'));
    const pap = papRoutes({
      application: {
        push: async ({ sender }) => {
          senders.push(sender);
          return { code: 1001 };
        },
        cancel: refuse,
        statusQuery: refuse,
        ccq: refuse,
      },
      authenticate: createInitiatorAuthenticator(directory, { now: () => 0, random: countingBytes() }),
      validator: papValidator,
      clock: new FakeClock(),
      log: (entry) => log.push(entry),
    });
    server = await serveHttp({
      log: noLog,
      host: '127.0.0.1',
      port: 0,
      application: publicApplication([pap], () => {}),
      tls: { cert: gateway.cert, key: gateway.key, clientCa: ca.ca },
    });
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    ca?.[Symbol.dispose]();
  });

  /** One push on a connection of its own. */
  async function push(client: { certificate?: TestCertificate; authorization?: string } = {}) {
    const { certificate, authorization } = client;
    const headers = {
      'content-type': MULTIPART_TYPE,
      ...(authorization === undefined ? {} : { authorization }),
    };
    const outgoing = request({
      host: '127.0.0.1',
      port: server.address.port,
      path: '/pap',
      method: 'POST',
      headers,
      agent: false,
      ca: ca.ca,
      ...(certificate === undefined ? {} : { cert: certificate.cert, key: certificate.key }),
    });
    outgoing.end(BODY);
    const [incoming] = await once(outgoing, 'response');
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const isPap = incoming.headers['content-type'] === 'application/xml';
    return {
      status: incoming.statusCode as number,
      document: isPap ? decodePap(Buffer.concat(chunks), { validator: papValidator }) : undefined,
    };
  }

  it('an initiator is known by the subject of its certificate, as openssl prints it', async () => {
    const reply = await push({ certificate: named });
    expect(reply.document?.operation).toMatchObject({ kind: 'push-response', code: 1001 });
    expect(senders.at(-1)).toEqual({ id: 'bakery', method: 'certificate', isEncrypted: true });
  });

  it('an initiator is known by the fingerprint of its certificate', async () => {
    expect((await push({ certificate: pinned })).status).toBe(202);
    expect(senders.at(-1)).toMatchObject({ id: 'pin', method: 'certificate' });
  });

  it('a password does without a certificate, and is known to have come encrypted', async () => {
    const authorization = `Basic ${Buffer.from('pi:secret').toString('base64')}`;
    expect((await push({ authorization })).status).toBe(202);
    expect(senders.at(-1)).toEqual({ id: 'pi', method: 'password', isEncrypted: true });
  });

  it('a certificate of our CA that stands for nobody is challenged', async () => {
    expect((await push({ certificate: stranger })).status).toBe(401);
  });

  it('a certificate with the right subject that our CA did not issue is challenged', async () => {
    expect((await push({ certificate: impostor })).status).toBe(401);
  });

  it('no certificate and no password is challenged', async () => {
    expect((await push()).status).toBe(401);
  });

  it('a certificate does not make up for a wrong password', async () => {
    const authorization = `Basic ${Buffer.from('pi:wrong').toString('base64')}`;
    expect((await push({ certificate: named, authorization })).status).toBe(401);
  });
});
