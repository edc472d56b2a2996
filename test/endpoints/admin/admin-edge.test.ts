/** What every request to the admin listener meets: the token, paths, methods, bodies, problem documents, the audit trail. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { auditedPath } from '../../../src/endpoints/admin/audit.js';
import { AdminRig, VIEWER_TOKEN } from '../../support/admin.js';
import { OPENAPI_FILE } from '../../support/openapi.js';
import { seededRandom } from '../../support/seeded-random.js';

let rig: AdminRig;
beforeAll(async () => {
  rig = await AdminRig.start();
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
});
beforeEach(() => {
  rig.log.length = 0;
  rig.problem = undefined;
});

const ALICE = '/admin/v1/users/sip%3Aalice%40example.test';

describe('the bearer token', () => {
  it.each([
    ['no credentials', undefined],
    ['another token', 'Bearer wrong'],
    ['a prefix of the token', 'Bearer token-of-the-test'],
    ['another scheme', 'Basic dG9rZW4tb2YtdGhlLXRlc3Rz'],
    ['an empty token', 'Bearer '],
  ])('refuses %s', async (_, authorization) => {
    const answer = await rig.ask('GET', '/admin/v1/status', { headers: { authorization } });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
    expect(answer.json).toMatchObject({ type: 'urn:carillon:problem:unauthenticated', status: 401 });
  });

  it('is taken whatever the case of the scheme', async () => {
    const answer = await rig.ask('GET', '/admin/v1/status', {
      headers: { authorization: 'bearer token-of-the-tests' },
    });
    expect(answer.status).toBe(200);
  });

  it('is needed before anybody learns what exists (SIR-169)', async () => {
    const headers = { authorization: undefined };
    const answer = await rig.ask('GET', '/admin/v1/nothing', { headers, isDescribed: false });
    expect(answer.status).toBe(401);
  });

  it('of a viewer shows everything and changes nothing (SIR-169)', async () => {
    const headers = { authorization: `Bearer ${VIEWER_TOKEN}` };
    expect((await rig.ask('GET', '/admin/v1/status', { headers })).status).toBe(200);
    const answer = await rig.ask('PUT', ALICE, { body: {}, headers });
    expect(answer.status).toBe(403);
    expect(answer.json).toMatchObject({ type: 'urn:carillon:problem:forbidden' });
    expect((await rig.ask('GET', ALICE, { headers })).status).toBe(404);
    expect((await rig.ask('DELETE', ALICE, { headers })).status).toBe(403);
  });

  it('is needed for a change, which is then not made', async () => {
    const headers = { authorization: undefined };
    expect((await rig.ask('PUT', ALICE, { body: {}, headers })).status).toBe(401);
    expect((await rig.ask('GET', ALICE)).status).toBe(404);
  });

  it.each(['/metrics', '/health/live', '/health/ready', '/openapi.yaml'])(
    'is not needed for %s',
    async (path) => {
      expect((await rig.ask('GET', path, { headers: { authorization: undefined } })).status).toBe(200);
    },
  );
});

describe('what monitoring asks for', () => {
  it('tells version, node and figures', async () => {
    const { json } = await rig.ask('GET', '/admin/v1/status');
    expect(json).toEqual({
      version: '0.1.0',
      node: 'gw-1',
      startedAt: '2026-03-01T08:00:00.000Z',
      counts: { lanes: 2 },
    });
  });

  it('passes the metrics on in their own content type', async () => {
    const answer = await rig.ask('GET', '/metrics');
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.text).toBe('carillon_up 1\n');
  });

  it('says that it is ready', async () => {
    expect((await rig.ask('GET', '/health/ready')).json).toEqual({ status: 'ready' });
  });

  it('says why it is not ready', async () => {
    rig.problem = 'Redis does not answer.';
    const answer = await rig.ask('GET', '/health/ready');
    expect(answer.status).toBe(503);
    expect(answer.json['detail']).toBe('Redis does not answer.');
    expect(answer.headers['retry-after']).toBe('1');
  });

  it('is alive also when it is not ready', async () => {
    rig.problem = 'Redis does not answer.';
    expect((await rig.ask('GET', '/health/live')).status).toBe(200);
  });

  it('serves the description as it stands', async () => {
    const answer = await rig.ask('GET', '/openapi.yaml');
    expect(answer.headers['content-type']).toBe('application/yaml; charset=utf-8');
    expect(answer.text).toBe(readFileSync(OPENAPI_FILE, 'utf8'));
  });
});

describe('paths and methods', () => {
  it.each([
    '/',
    '/admin',
    '/admin/v1',
    '/admin/v1/',
    '/admin/v1/status/',
    '/Admin/v1/status',
    '/admin/v2/status',
    '//admin/v1/status',
    '/health',
    '/admin/v1/users//terminals',
  ])('answers 404 for %s', async (path) => {
    const answer = await rig.ask('GET', path, { isDescribed: false });
    expect(answer.status).toBe(404);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.json).toMatchObject({ type: 'urn:carillon:problem:notFound', status: 404 });
  });

  it.each(['PATCH', 'POST', 'PROPFIND'])('answers 405 for %s on a user', async (method) => {
    const answer = await rig.ask(method, ALICE, { isDescribed: false });
    expect(answer.status).toBe(405);
    expect(answer.headers['allow']).toBe('DELETE, GET, HEAD, OPTIONS, PUT');
    expect(answer.json).toEqual({ type: 'about:blank', title: 'Method Not Allowed', status: 405 });
  });

  it('names the methods of a path for OPTIONS', async () => {
    const answer = await rig.ask('OPTIONS', '/admin/v1/pushes/p1/cancel', { isDescribed: false });
    expect(answer.status).toBe(204);
    expect(answer.headers['allow']).toBe('OPTIONS, POST');
  });

  it('answers HEAD like GET without the body', async () => {
    const answer = await rig.ask('HEAD', '/admin/v1/status', { isDescribed: false });
    expect(answer.status).toBe(200);
    expect(Number(answer.headers['content-length'])).toBeGreaterThan(10);
    expect(answer.text).toBe('');
  });

  it('refuses a broken percent-escape', async () => {
    const answer = await rig.ask('GET', '/admin/v1/push-initiators/%zz');
    expect(answer.status).toBe(400);
    expect(answer.json['detail']).toBe('path: broken percent-escape');
  });

  it('refuses escapes that are not UTF-8', async () => {
    expect((await rig.ask('GET', '/admin/v1/push-initiators/%ff')).status).toBe(400);
  });

  it('forbids keeping and guessing at answers', async () => {
    const { headers } = await rig.ask('GET', '/admin/v1/status');
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['x-content-type-options']).toBe('nosniff');
  });
});

describe('query parameters', () => {
  it.each([
    ['/admin/v1/users?limti=5', 'query parameter "limti": known are limit, cursor'],
    ['/admin/v1/status?verbose=1', 'query parameter "verbose": none is taken here'],
    ['/admin/v1/users?limit=1&limit=2', 'query parameter "limit": given more than once'],
    ['/admin/v1/users?limit=', 'query parameter "limit": has to have 1 to 1024 characters'],
    ['/admin/v1/users?limit=0', 'query parameter "limit": has to be a number from 1 to 1000'],
    ['/admin/v1/users?limit=1001', 'query parameter "limit": has to be a number from 1 to 1000'],
    ['/admin/v1/users?limit=1e2', 'query parameter "limit": has to be a number from 1 to 1000'],
    ['/admin/v1/users?cursor=%2F', 'query parameter "cursor": has to be the cursor of an earlier answer'],
    ['/admin/v1/users?cursor=_w', 'query parameter "cursor": has to be the cursor of an earlier answer'],
  ])('of %s are refused', async (path, detail) => {
    const answer = await rig.ask('GET', path);
    expect(answer.status).toBe(400);
    expect(answer.json['detail']).toBe(detail);
  });
});

describe('bodies', () => {
  const put = (body: string | Uint8Array, headers: Record<string, string | undefined> = {}) =>
    rig.ask('PUT', '/admin/v1/push-initiators/pi1', { body, headers });

  it.each([
    ['no content type', undefined],
    ['a form', 'application/x-www-form-urlencoded'],
    ['another character set', 'application/json; charset=iso-8859-1'],
    ['text that happens to be JSON', 'text/plain'],
  ])('are refused with %s', async (_, type) => {
    const answer = await put('{"password":"x"}', { 'content-type': type });
    expect(answer.status).toBe(415);
  });

  it('are taken with the character set named', async () => {
    const answer = await put('{"password":"x"}', { 'content-type': 'Application/JSON; Charset="UTF-8"' });
    expect([200, 201]).toContain(answer.status);
  });

  it('are refused when they are compressed', async () => {
    expect((await put('{}', { 'content-encoding': 'gzip' })).status).toBe(415);
  });

  it.each([
    ['nothing', ''],
    ['half of an object', '{"password":"x"'],
    ['two values', '{"password":"x"}{}'],
    ['octets that are not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ])('are refused when they are %s', async (_, body) => {
    const answer = await put(body, { 'content-type': 'application/json' });
    expect(answer.status).toBe(400);
    expect(answer.json['detail']).toBe('body: not JSON in UTF-8');
  });

  it('are refused above 64 KiB', async () => {
    const answer = await put(JSON.stringify({ password: 'x'.repeat(64 * 1024) }));
    expect(answer.status).toBe(413);
    expect(answer.json['detail']).toBe('body: larger than 65536 octets');
    expect(answer.headers['connection']).toBe('close');
  });

  it('are refused above 64 KiB when they come in chunks of unknown length', async () => {
    const answer = await put('x'.repeat(200 * 1024), { 'transfer-encoding': 'chunked' });
    expect(answer.status).toBe(413);
  });

  it('nested as deep as their size allows do no harm', async () => {
    const deep = `{"preferences":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
    await rig.ask('PUT', ALICE, { body: {} });
    const answer = await rig.ask('PUT', `${ALICE}/terminals/phone`, { body: deep });
    expect(answer.status).toBe(400);
    await rig.ask('DELETE', ALICE);
  });

  it('of any garbage are answered with a problem document', async () => {
    const random = seededRandom(20260301);
    const valid = JSON.stringify({
      identities: [{ kind: 'imei', value: '352099001761481' }],
      activation: [{ bearer: 'sms', address: '+436641234567' }],
      preferences: { a: [1, { b: null }] },
    });
    await rig.ask('PUT', ALICE, { body: {} });
    for (let round = 0; round < 200; round += 1) {
      const bytes = Buffer.from(valid);
      for (let change = 0; change < 3; change += 1) bytes[random.below(bytes.length)] = random.below(256);
      const answer = await rig.ask('PUT', `${ALICE}/terminals/phone`, { body: bytes });
      expect([200, 201, 400]).toContain(answer.status);
    }
    await rig.ask('DELETE', ALICE);
  });
});

describe('requests that ordinary clients do not send', () => {
  const authorization = 'Authorization: Bearer token-of-the-tests\r\nConnection: close\r\n';

  it('are routed by the path of an absolute URL', async () => {
    const head = `GET http://elsewhere.test/admin/v1/status HTTP/1.1\r\nHost: x\r\n${authorization}\r\n`;
    expect(await rig.raw(head)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('need the token also with an absolute URL', async () => {
    const head = 'GET http://x/admin/v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    expect(await rig.raw(head)).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('are refused when the URL is none', async () => {
    const head = `GET http://[::bad/admin/v1/status HTTP/1.1\r\nHost: x\r\n${authorization}\r\n`;
    expect(await rig.raw(head)).toMatch(/^HTTP\/1\.1 40\d /);
  });

  it('change nothing when the body breaks off', async () => {
    const head = `PUT ${ALICE} HTTP/1.1\r\nHost: x\r\n${authorization}Content-Type: application/json\r\n`;
    await rig.raw(`${head}Content-Length: 100\r\n\r\n{"aliases":[]`, { hangUp: true });
    await expect.poll(() => rig.audit.map(({ result }) => result)).toEqual(['malformed']);
    expect((await rig.ask('GET', ALICE)).status).toBe(404);
  });
});

describe('the audit trail', () => {
  it('has one line for each change, with who, what, path and result', async () => {
    await rig.ask('PUT', ALICE, { body: {} });
    await rig.ask('PUT', ALICE, { body: {} });
    await rig.ask('DELETE', ALICE);
    expect(rig.audit.map(({ who, what, result }) => [who, what, result])).toEqual([
      ['admin', 'user.put', 'created'],
      ['admin', 'user.put', 'replaced'],
      ['admin', 'user.delete', 'removed'],
    ]);
    expect(rig.audit[0]?.['path']).toBe('/admin/v1/users/sip:alice@example.test');
  });

  it('has a line for a change that was refused', async () => {
    await rig.ask('DELETE', '/admin/v1/users/sip:nobody@example.test');
    expect(rig.audit).toEqual([expect.objectContaining({ what: 'user.delete', result: 'notFound' })]);
  });

  it('has no line for reading', async () => {
    await rig.ask('GET', '/admin/v1/users');
    expect(rig.audit).toEqual([]);
  });

  it('shows no password and no serial number', async () => {
    await rig.ask('PUT', '/admin/v1/push-initiators/pi1', { body: { password: 'hunter2hunter2' } });
    await rig.ask('PUT', ALICE, { body: { sip: { username: 'alice', password: 'hunter2hunter2' } } });
    const imei = { kind: 'imei', value: 'urn:gsma:imei:35209900-176148-1' };
    await rig.ask('PUT', `${ALICE}/terminals/${encodeURIComponent(imei.value)}`, {
      body: { identities: [imei] },
    });
    await rig.ask('PUT', `${ALICE}/terminals/other`, { body: { identities: [imei] } });
    await rig.ask('DELETE', ALICE);
    const text = JSON.stringify(rig.log);
    expect(rig.audit).toHaveLength(5);
    expect(text).not.toContain('hunter2hunter2');
    expect(text).not.toContain('176148');
    expect(text).toContain('35209900');
  });

  it.each([
    ['/admin/v1/users/sip:a@x.test/terminals/352099001761481', 'urn:gsma:imei:35209900-******-*'],
    ['/admin/v1/users/sip:a@x.test/terminals/00-1B-44-11-3A-B7', 'urn:dev:mac:001b44**********'],
    ['/admin/v1/users/sip:a@x.test/terminals/80ABCDEF/lane', '80******'],
    ['/admin/v1/users/sip:a@x.test/terminals/phone', 'phone'],
  ])('masks the name of %s', (path, name) => {
    expect(auditedPath(path).split('/')[6]).toBe(name);
  });
});

describe('failures of ours', () => {
  it('are answered without their reason and logged with it', async () => {
    const { findUser } = rig.registry;
    rig.registry.findUser = async () => {
      throw new Error('READONLY secret reason');
    };
    const answer = await rig.ask('GET', ALICE);
    rig.registry.findUser = findUser;
    expect(answer.status).toBe(500);
    expect(answer.json).toEqual({
      type: 'urn:carillon:problem:internal',
      title: 'A defect of this gateway',
      status: 500,
      code: 'internal',
    });
    expect(rig.log).toEqual([
      expect.objectContaining({ level: 'error', status: 500, detail: 'READONLY secret reason' }),
    ]);
  });

  it('do not stop the next request', async () => {
    expect((await rig.ask('GET', '/admin/v1/status')).status).toBe(200);
  });
});
