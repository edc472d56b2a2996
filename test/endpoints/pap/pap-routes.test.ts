/** The PAP endpoint over real HTTP: operations, refusals, credentials, limits (SIR-163, SIR-169). */
import { afterEach, describe, expect, it } from 'vitest';
import type { PapApplication, PapContext, PushEntity } from '../../../src/endpoints/pap/pap-application.js';
import type { PapRoutesOptions } from '../../../src/endpoints/pap/pap-routes.js';
import { DeliveryError, InvariantError, RefusedError } from '../../../src/kernel/errors.js';
import { decodeMultipartRelated, parseContentType } from '../../../src/protocols/mime/index.js';
import { PAP_CODE, type PushMessage } from '../../../src/protocols/pap/index.js';
import {
  ADDRESS,
  MULTIPART_TYPE,
  multipartBody,
  papText,
  pushXml,
  submissionBody,
} from '../../support/pap.js';
import { NOW, type PapServer, startPapServer } from './pap-server.js';

let server: PapServer | undefined;
afterEach(async () => {
  await server?.[Symbol.asyncDispose]();
  server = undefined;
});

async function start(
  application: Partial<PapApplication>,
  options: Partial<PapRoutesOptions> = {},
): Promise<PapServer> {
  server = await startPapServer(application, options);
  return server;
}

const XML = { 'content-type': 'application/xml' };
const accepted: Partial<PapApplication> = { push: async () => ({ code: 1001, desc: 'Accepted' }) };

describe('push-message', () => {
  it('is answered in its own version with its push-id', async () => {
    const { post } = await start(accepted);
    const reply = await post(submissionBody(papText(pushXml(), '2.1')));
    expect(reply.status).toBe(202);
    expect(reply.document).toEqual({
      version: '2.1',
      productName: 'Carillon',
      operation: {
        kind: 'push-response',
        pushId: '7@pi.example.org',
        replyTime: NOW,
        progressNotes: [],
        code: 1001,
        desc: 'Accepted',
      },
    });
  });

  it('reaches the application with initiator, message and the exact entity', async () => {
    const seen: [PapContext, PushMessage, PushEntity][] = [];
    const { post } = await start({
      push: async (context, message, entity) => {
        seen.push([context, message, { ...entity, content: Uint8Array.from(entity.content) }]);
        return { code: 1001 };
      },
    });
    const content = Buffer.from('\r\n--b1x\r\n\0\xff--b1\r\n', 'latin1');
    const headers =
      'Content-Type: text/vnd.wap.si; charset=utf-8\r\nX-Wap-Application-Id: x-wap-application:wml.ua';
    await post(submissionBody(papText(pushXml()), content, headers));
    expect(seen).toEqual([
      [
        { initiator: 'pi', sender: { id: 'pi', method: 'password', isEncrypted: false }, version: '2.0' },
        {
          kind: 'push-message',
          pushId: '7@pi.example.org',
          replaceMethod: 'all',
          progressNotesRequested: false,
          addresses: [ADDRESS],
        },
        {
          headers: [
            { name: 'Content-Type', value: 'text/vnd.wap.si; charset=utf-8' },
            { name: 'X-Wap-Application-Id', value: 'x-wap-application:wml.ua' },
          ],
          contentType: 'text/vnd.wap.si; charset=utf-8',
          content: Uint8Array.from(content),
        },
      ],
    ]);
  });

  it('brings transfer encoding and capabilities along, undecoded', async () => {
    let seen: PushEntity | undefined;
    const { post } = await start({
      push: async (_context, _message, entity) => {
        seen = entity;
        return { code: 1001 };
      },
    });
    await post(
      multipartBody([
        { headers: 'Content-Type: application/xml', content: papText(pushXml()) },
        { headers: 'Content-Transfer-Encoding: Base64', content: 'aGk=' },
        { headers: 'Content-Type: application/rdf+xml', content: '<rdf/>' },
      ]),
    );
    expect(seen).toMatchObject({ contentType: 'text/plain; charset=us-ascii', transferEncoding: 'base64' });
    expect(Buffer.from(seen?.content ?? []).toString()).toBe('aGk=');
    expect(Buffer.from(seen?.capabilities?.content ?? []).toString()).toBe('<rdf/>');
  });

  it('gets progress notes only when it asked for them', async () => {
    const { post } = await start({
      push: async () => ({ code: 1001, progressNotes: [{ stage: 'accepted', time: NOW }] }),
    });
    const quiet = await post(submissionBody(papText(pushXml())));
    const curious = await post(
      submissionBody(papText(pushXml('push-id="7" progress-notes-requested="true"'))),
    );
    expect(quiet.document?.operation).toMatchObject({ progressNotes: [] });
    expect(curious.document?.operation).toMatchObject({ progressNotes: [{ stage: 'accepted', time: NOW }] });
  });

  it('is taken at /wappush too', async () => {
    const { post } = await start(accepted);
    expect(
      (await post(submissionBody(papText(pushXml())), {}, '/wappush')).document?.operation,
    ).toMatchObject({ code: 1001 });
  });

  it('may come with the control entity named by start', async () => {
    const { post } = await start(accepted);
    const body = multipartBody([
      { headers: 'Content-Type: text/plain', content: 'hello' },
      { headers: 'Content-Type: application/xml\r\nContent-ID: <control>', content: papText(pushXml()) },
    ]);
    const reply = await post(body, { 'content-type': `${MULTIPART_TYPE}; start="<control>"` });
    expect(reply.document?.operation).toMatchObject({ kind: 'push-response', code: 1001 });
  });
});

describe('other operations', () => {
  it('cancel-message gives one result for each outcome', async () => {
    const results = [
      { code: 1000, addresses: [ADDRESS] },
      { code: 2008, desc: 'late', addresses: [] },
    ];
    const { post } = await start({ cancel: async () => results });
    const { document } = await post(papText('<cancel-message push-id="7"/>'), XML);
    expect(document?.operation).toEqual({ kind: 'cancel-response', pushId: '7', results });
  });

  it('statusquery-message gives one result for each state', async () => {
    const results = [
      { eventTime: NOW, messageState: 'delivered' as const, code: 1000, addresses: [ADDRESS] },
    ];
    const { post } = await start({ statusQuery: async () => results });
    const { document } = await post(papText('<statusquery-message push-id="7"/>'), XML);
    expect(document?.operation).toEqual({ kind: 'statusquery-response', pushId: '7', results });
  });

  const ccq = papText(`<ccq-message query-id="q1"><address address-value="${ADDRESS}"/></ccq-message>`);

  it('ccq-message gives a plain answer when there are no capabilities', async () => {
    const { post } = await start({ ccq: async () => ({ code: 3008 }) });
    expect((await post(ccq, XML)).document?.operation).toEqual({
      kind: 'ccq-response',
      queryId: 'q1',
      code: 3008,
      address: ADDRESS,
    });
  });

  it('ccq-message gives the capabilities as a second entity', async () => {
    const capabilities = { contentType: 'application/rdf+xml', content: Buffer.from('<rdf/>') };
    const { post } = await start({ ccq: async () => ({ code: 1000, capabilities }) });
    const reply = await post(ccq, XML);
    const contentType = parseContentType(reply.headers.get('content-type') ?? '');
    const limits = { maxBytes: 10_000, maxParts: 2, maxHeaderBytes: 500, maxHeaders: 5 };
    const { root, related } = decodeMultipartRelated(reply.bytes, contentType, limits);
    expect(Buffer.from(root.content).toString()).toContain('<ccq-response query-id="q1" code="1000">');
    expect(related.map((part) => Buffer.from(part.content).toString())).toEqual(['<rdf/>']);
  });

  it('may come as the only part of a multipart body', async () => {
    const { post } = await start({ cancel: async () => [{ code: 1000, addresses: [] }] });
    const body = multipartBody([
      { headers: 'Content-Type: application/xml', content: papText('<cancel-message push-id="7"/>') },
    ]);
    expect((await post(body)).document?.operation).toMatchObject({ kind: 'cancel-response' });
  });

  it('resultnotification-response is taken without an answer', async () => {
    const { post } = await start({});
    const reply = await post(papText('<resultnotification-response push-id="7" code="1000"/>'), XML);
    expect([reply.status, reply.bytes.length]).toEqual([202, 0]);
  });

  it.each([
    [
      'push-message',
      submissionBody(papText(pushXml('push-id="7"'))),
      MULTIPART_TYPE,
      { kind: 'push-response', code: 3001 },
    ],
    [
      'cancel-message',
      papText('<cancel-message push-id="7"/>'),
      'application/xml',
      { kind: 'cancel-response', results: [{ code: 3001 }] },
    ],
    [
      'statusquery-message',
      papText('<statusquery-message push-id="7"/>'),
      'application/xml',
      { kind: 'statusquery-response', results: [{ code: 3001, messageState: 'unknown' }] },
    ],
    ['ccq-message', ccq, 'application/xml', { kind: 'ccq-response', queryId: 'q1', code: 3001 }],
    [
      'resultnotification-message',
      papText(
        `<resultnotification-message push-id="7" message-state="delivered" code="1000"><address address-value="a"/></resultnotification-message>`,
      ),
      'application/xml',
      { kind: 'resultnotification-response', pushId: '7', code: 3001 },
    ],
  ])('%s is answered 3001 when it is not offered', async (_, body, contentType, expected) => {
    const { post } = await start({});
    const reply = await post(body, { 'content-type': contentType });
    expect(reply.status).toBe(202);
    expect(reply.document?.operation).toMatchObject(expected);
  });

  it.each([
    '<push-response push-id="7"><response-result code="1000"/></push-response>',
    '<cancel-response push-id="7"><cancel-result code="1000"/></cancel-response>',
    '<ccq-response code="1000"/>',
    '<badmessage-response code="2000"/>',
  ])('%s is no request', async (inner) => {
    const { post } = await start({});
    expect((await post(papText(inner), XML)).document?.operation).toMatchObject({
      kind: 'badmessage-response',
      code: 2000,
    });
  });
});

describe('errors of the application', () => {
  it.each([
    ['deadlinePassed', 2001],
    ['addressNotFound', 2003],
    ['duplicatePush', 2007],
    ['busy', 4001],
  ] as const)('%s becomes %i in the push-response, with public text only', async (code, papCode) => {
    const { post, log } = await start({
      push: async () => {
        throw new RefusedError(code, 'secret detail');
      },
    });
    const reply = await post(submissionBody(papText(pushXml())));
    expect(reply.document?.operation).toMatchObject({
      kind: 'push-response',
      pushId: '7@pi.example.org',
      code: papCode,
    });
    expect(PAP_CODE[code]).toBe(papCode);
    expect(Buffer.from(reply.bytes).toString()).not.toContain('secret');
    expect(log).toMatchObject([{ level: 'info', code: papCode, detail: 'secret detail' }]);
  });

  it.each<[string, unknown]>([
    ['anything unknown', new TypeError('secret detail')],
    ['a defect of ours', new InvariantError('secret detail')],
  ])('%s becomes 3000 and an error in the log', async (_, error) => {
    const { post, log } = await start({
      cancel: async () => {
        throw error;
      },
    });
    const reply = await post(papText('<cancel-message push-id="7"/>'), XML);
    expect(reply.document?.operation).toMatchObject({ kind: 'cancel-response', results: [{ code: 3000 }] });
    expect(Buffer.from(reply.bytes).toString()).not.toContain('secret');
    expect(log).toMatchObject([{ level: 'error', pushId: '7', code: 3000, error }]);
  });

  it('something behind us that fails is a warning in the log', async () => {
    const { post, log } = await start({
      push: async () => {
        throw new DeliveryError('busy', 'store away');
      },
    });
    const reply = await post(submissionBody(papText(pushXml())));
    expect(reply.document?.operation).toMatchObject({ kind: 'push-response', code: 4001 });
    expect(log).toMatchObject([{ level: 'warn', code: 4001, detail: 'store away' }]);
  });

  it('an answer that PAP cannot say becomes 3000', async () => {
    const { post } = await start({ statusQuery: async () => [] });
    const { document } = await post(papText('<statusquery-message push-id="7"/>'), XML);
    expect(document?.operation).toMatchObject({ kind: 'statusquery-response', results: [{ code: 3000 }] });
  });
});

describe('log', () => {
  it('has one line for an operation, without the body', async () => {
    const { post, log } = await start(accepted);
    await post(submissionBody(papText(pushXml()), 'private text'));
    expect(log).toEqual([
      {
        level: 'info',
        initiator: 'pi',
        operation: 'push-message',
        pushId: '7@pi.example.org',
        code: 1001,
        elapsedMs: expect.any(Number),
      },
    ]);
  });
});

describe('credentials', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

  it.each([
    ['absent', ''],
    ['of another scheme', 'Digest abc'],
    ['of a wrong password', basic('pi:wrong')],
    ['of an unknown initiator', basic('nobody:secret')],
    ['without a colon', basic('pi')],
    ['without a name', basic(':secret')],
    ['not base64', 'Basic !!!'],
    ['not UTF-8', `Basic ${Buffer.from([0x70, 0xff, 0x3a]).toString('base64')}`],
    ['with a NUL', basic('pi:sec\0ret')],
    ['too long', basic(`pi:${'x'.repeat(2000)}`)],
  ])('are challenged when %s', async (_, authorization) => {
    const { post } = await start(accepted);
    const reply = await post(submissionBody(papText(pushXml())), { authorization });
    expect(reply.status).toBe(401);
    expect(reply.headers.get('www-authenticate')).toMatch(/^Basic realm="carillon"/);
  });

  it('may have colons in the password', async () => {
    const { post } = await start(accepted, {
      authenticate: async ({ basic, isEncrypted }) =>
        basic?.password === 'a:b' ? { id: basic.username, method: 'password', isEncrypted } : undefined,
    });
    const reply = await post(submissionBody(papText(pushXml())), { authorization: basic('pi:a:b') });
    expect(reply.status).toBe(202);
  });

  it('that cannot be checked at present give 503', async () => {
    const { post } = await start(accepted, {
      authenticate: async () => {
        throw new DeliveryError('busy', 'store away');
      },
    });
    expect((await post(submissionBody(papText(pushXml())))).status).toBe(503);
  });

  it('let no request reach the application when they are wrong', async () => {
    let calls = 0;
    const { post } = await start({
      push: async () => {
        calls += 1;
        return { code: 1001 };
      },
    });
    await post(submissionBody(papText(pushXml())), { authorization: basic('pi:wrong') });
    expect(calls).toBe(0);
  });
});

describe('methods and paths', () => {
  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])(
    '%s is answered 405 with Allow',
    async (method) => {
      const { url } = await start(accepted);
      const response = await fetch(url, { method });
      await response.arrayBuffer();
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    },
  );

  it('another path goes on to whoever comes next', async () => {
    const { post } = await start(accepted);
    expect((await post('', {}, '/pap/x')).status).toBe(404);
  });
});

describe('bodies that cannot be used', () => {
  const control = { headers: 'Content-Type: application/xml', content: papText(pushXml('push-id="7"')) };
  const other = { headers: 'Content-Type: text/plain', content: 'x' };
  const badMessage = { kind: 'badmessage-response', code: 2000 };
  const refusedPush = { kind: 'push-response', pushId: '7', code: 2000 };

  it.each<[string, string | Uint8Array, string, object]>([
    ['an empty body', '', MULTIPART_TYPE, badMessage],
    ['an empty XML body', '', 'application/xml', badMessage],
    ['another media type', papText(pushXml()), 'text/plain', badMessage],
    [
      'no boundary parameter',
      submissionBody(papText(pushXml())),
      'multipart/related',
      { ...badMessage, desc: 'Content-Type has no boundary' },
    ],
    [
      'another boundary than it says',
      submissionBody(papText(pushXml())),
      'multipart/related; boundary=b2',
      badMessage,
    ],
    [
      'a boundary outside the grammar',
      submissionBody(papText(pushXml())),
      'multipart/related; boundary="a*b"',
      badMessage,
    ],
    ['a Content-Type that cannot be read', submissionBody(papText(pushXml())), 'multipart', badMessage],
    ['a control entity that is no XML', submissionBody('hello'), MULTIPART_TYPE, badMessage],
    ['a control entity of another type', multipartBody([other, control]), MULTIPART_TYPE, badMessage],
    [
      'a bds document of BlackBerry',
      papText('<x/>').replace(/<pap>.*/s, '<bpds/>'),
      'application/xml',
      badMessage,
    ],
    [
      'a push without content',
      multipartBody([control]),
      MULTIPART_TYPE,
      { ...refusedPush, desc: 'the content entity is missing' },
    ],
    ['a push as bare XML', control.content, 'application/xml', refusedPush],
    ['four entities', multipartBody([control, other, other, other]), MULTIPART_TYPE, refusedPush],
    [
      'twenty entities',
      multipartBody([control, ...Array.from({ length: 19 }, () => other)]),
      MULTIPART_TYPE,
      refusedPush,
    ],
    [
      'a content part with a broken header',
      multipartBody([control, { headers: 'broken', content: 'x' }]),
      MULTIPART_TYPE,
      refusedPush,
    ],
    [
      'a content part with a broken Content-Type',
      multipartBody([control, { headers: 'Content-Type: ;', content: 'x' }]),
      MULTIPART_TYPE,
      refusedPush,
    ],
    [
      'a missing closing delimiter',
      multipartBody([control, other]).subarray(0, -10),
      MULTIPART_TYPE,
      refusedPush,
    ],
    [
      'a bad timestamp',
      submissionBody(papText(pushXml('push-id="7" deliver-before-timestamp="x"'))),
      MULTIPART_TYPE,
      refusedPush,
    ],
    ['a push without its push-id', submissionBody(papText(pushXml(''))), MULTIPART_TYPE, badMessage],
    [
      'over 100 addresses',
      submissionBody(
        papText(
          `<push-message push-id="7">${`<address address-value="${ADDRESS}"/>`.repeat(101)}</push-message>`,
        ),
      ),
      MULTIPART_TYPE,
      { kind: 'push-response', pushId: '7', code: 3005 },
    ],
  ])('%s', async (_, body, contentType, expected) => {
    const { post } = await start(accepted);
    const reply = await post(body, { 'content-type': contentType });
    expect(reply.status).toBe(202);
    expect(reply.document?.operation).toMatchObject(expected);
  });

  it('a content coding', async () => {
    const { post } = await start(accepted);
    const reply = await post(submissionBody(papText(pushXml())), { 'content-encoding': 'gzip' });
    expect(reply.document?.operation).toMatchObject(badMessage);
  });

  it('an unknown version is told the ones that we speak', async () => {
    const { post } = await start(accepted);
    const text = papText(pushXml()).replace('PAP 2.0', 'PAP 3.0');
    const { document } = await post(submissionBody(text));
    expect(document?.operation).toMatchObject({ kind: 'badmessage-response', code: 3002 });
    expect(document?.supportedVersions).toEqual(['2.2', '2.1', '2.0', '1.0']);
  });

  it('a malformed document is echoed in part', async () => {
    const { post } = await start(accepted);
    const { document } = await post(submissionBody('<pap><papp></pap>'));
    expect(document?.operation).toMatchObject({ badMessageFragment: expect.stringContaining('<papp>') });
  });
});

describe('bodies over a limit', () => {
  it('a control entity is refused in clear words', async () => {
    const { post } = await start(accepted);
    const control = papText(pushXml()) + ' '.repeat(65_536);
    const desc = 'control entity over 65536 octets';
    expect((await post(submissionBody(control))).document?.operation).toMatchObject({ code: 2000, desc });
    expect((await post(control, XML)).document?.operation).toMatchObject({ code: 2000, desc });
  });

  it.each([1024 * 1024 + 1, 3_000_000, 8_000_000])(
    'a content entity of %i octets is refused with its push-id',
    async (size) => {
      const { post, log } = await start(accepted);
      const reply = await post(submissionBody(papText(pushXml('push-id="7"')), Buffer.alloc(size)));
      expect(reply.document?.operation).toMatchObject({
        kind: 'push-response',
        pushId: '7',
        code: 2001,
        desc: 'content entity over 1048576 octets',
      });
      expect(log).toMatchObject([{ operation: 'push-message', pushId: '7', code: 2001 }]);
    },
  );

  it('a content entity at the limit is taken', async () => {
    const { post } = await start(accepted);
    const reply = await post(submissionBody(papText(pushXml()), Buffer.alloc(1024 * 1024)));
    expect(reply.document?.operation).toMatchObject({ code: 1001 });
  });

  it('the limit can be set', async () => {
    const { post } = await start(accepted, { limits: { maxContentBytes: 10 } });
    const reply = await post(submissionBody(papText(pushXml()), 'x'.repeat(11)));
    expect(reply.document?.operation).toMatchObject({ code: 2001, desc: 'content entity over 10 octets' });
  });

  it('a capabilities entity is refused with its push-id', async () => {
    const { post } = await start(accepted);
    const body = multipartBody([
      { headers: 'Content-Type: application/xml', content: papText(pushXml('push-id="7"')) },
      { headers: 'Content-Type: text/plain', content: 'x' },
      { headers: 'Content-Type: application/xml', content: Buffer.alloc(65_537) },
    ]);
    expect((await post(body)).document?.operation).toMatchObject({
      kind: 'push-response',
      pushId: '7',
      code: 2001,
    });
  });

  it('a bare document of megabytes is refused', async () => {
    const { post } = await start(accepted);
    const reply = await post(Buffer.alloc(3_000_000, 0x20), XML);
    expect(reply.document?.operation).toMatchObject({ kind: 'badmessage-response', code: 2000 });
  });

  it('the connection can be used again', async () => {
    const { post } = await start(accepted);
    await post(submissionBody(papText(pushXml()), Buffer.alloc(3_000_000)));
    expect((await post(submissionBody(papText(pushXml())))).document?.operation).toMatchObject({
      code: 1001,
    });
  });
});
