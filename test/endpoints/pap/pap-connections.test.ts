/** The PAP endpoint against senders that misbehave on the connection itself: half requests, wrong lengths, floods, garbage. */
import { afterEach, describe, expect, it } from 'vitest';
import type { PapRoutesOptions } from '../../../src/endpoints/pap/pap-routes.js';
import { mutated } from '../../support/mutations.js';
import { papText, pushXml, submissionBody } from '../../support/pap.js';
import { seededRandom } from '../../support/seeded-random.js';
import { type PapServer, RawConnection, requestText, startPapServer } from './pap-server.js';

let server: PapServer | undefined;
const connections: RawConnection[] = [];
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.destroy();
  await server?.[Symbol.asyncDispose]();
  server = undefined;
});

async function start(limits: PapRoutesOptions['limits'] = {}): Promise<PapServer> {
  server = await startPapServer({ push: async () => ({ code: 1001 }) }, { limits });
  return server;
}

function open(port: number): RawConnection {
  const connection = new RawConnection(port);
  connections.push(connection);
  return connection;
}

const push = submissionBody(papText(pushXml('push-id="7"')));

describe('senders that do not finish', () => {
  it('are answered 408 and cut off', async () => {
    const { port } = await start({ bodyTimeoutMs: 50 });
    const connection = open(port);
    connection.write(requestText(push, {}, push.length + 10));
    const answer = await connection.untilClosed();
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('are logged without a PAP code', async () => {
    const { port, log } = await start({ bodyTimeoutMs: 50 });
    const connection = open(port);
    connection.write(requestText(push, {}, push.length + 10));
    await connection.untilClosed();
    expect(log).toEqual([{ level: 'info', initiator: 'pi', operation: 'unfinished', detail: 'timedOut' }]);
  });

  it('hold up nobody else', async () => {
    const { port, post } = await start();
    for (let index = 0; index < 50; index += 1) open(port).write(requestText(push, {}, push.length + 1));
    expect((await post(push)).document?.operation).toMatchObject({ code: 1001 });
  });

  it('never reach the application when they close half-way', async () => {
    let calls = 0;
    server = await startPapServer({
      push: async () => {
        calls += 1;
        return { code: 1001 };
      },
    });
    const connection = open(server.port);
    connection.write(requestText(push.subarray(0, 50), {}, push.length));
    connection.end();
    await connection.untilClosed();
    expect((await server.post(push)).document?.operation).toMatchObject({ code: 1001 });
    expect(calls).toBe(1);
  });
});

describe('lengths', () => {
  it('a Content-Length that is too short cuts the document, which is refused as that push', async () => {
    const { port } = await start();
    const connection = open(port);
    const length = push.length - 20;
    connection.write(requestText(push.subarray(0, length), {}, length));
    expect(await connection.until('</pap>')).toMatch(
      /push-response push-id="7".*the closing delimiter is missing/,
    );
  });

  it('what follows a Content-Length that is too short ends that connection with 400, and no other', async () => {
    const { port, post } = await start();
    const connection = open(port);
    connection.write(requestText(push, {}, push.length - 20));
    expect(await connection.untilClosed()).toMatch(/^HTTP\/1\.1 (?:202|400) /);
    expect((await post(push)).document?.operation).toMatchObject({ code: 1001 });
  });

  it('a line break behind the announced body is passed over', async () => {
    const { port } = await start();
    const connection = open(port);
    connection.write(Buffer.concat([requestText(push), Buffer.from('\r\n'), requestText(push)]));
    const answers = await connection.untilCount('</pap>', 2);
    expect(answers.match(/code="1001"/g)).toHaveLength(2);
  });

  it('a chunked body is read', async () => {
    const { port } = await start();
    const connection = open(port);
    const head = requestText('', { 'transfer-encoding': 'chunked' })
      .toString('latin1')
      .replace(/content-length: 0\r\n/, '');
    connection.write(head);
    for (let at = 0; at < push.length; at += 7) {
      const chunk = push.subarray(at, at + 7);
      connection.write(`${chunk.length.toString(16)}\r\n`);
      connection.write(chunk);
      connection.write('\r\n');
    }
    connection.write('0\r\n\r\n');
    expect(await connection.until('</pap>')).toContain('code="1001"');
  });

  it('a chunked body without end is answered at the limit and then cut off', async () => {
    const { port } = await start({ maxContentBytes: 1000, bodyTimeoutMs: 2000 });
    const connection = open(port);
    const head = requestText('', { 'transfer-encoding': 'chunked' })
      .toString('latin1')
      .replace(/content-length: 0\r\n/, '');
    connection.write(head);
    const opening = push.subarray(0, push.indexOf('hello'));
    connection.write(`${opening.length.toString(16)}\r\n`);
    connection.write(opening);
    connection.write(`\r\n40000\r\n${'x'.repeat(0x40000)}\r\n`);
    expect(await connection.until('</pap>')).toMatch(/push-response push-id="7".*code="2001"/);
    await connection.untilClosed();
  });

  it('a declared 64 MiB is answered from what came, before the rest is sent', async () => {
    const { port } = await start();
    const connection = open(port);
    connection.write(requestText(push.subarray(0, push.indexOf('hello')), {}, 64 * 1024 * 1024));
    connection.write(Buffer.alloc(1_500_000));
    expect(await connection.until('</pap>')).toMatch(/push-response push-id="7".*code="2001"/);
  });

  it('64 MiB are answered to a sender that reads only when it has sent everything', async () => {
    const { post } = await start();
    const reply = await post(submissionBody(papText(pushXml('push-id="7"')), Buffer.alloc(64 * 1024 * 1024)));
    expect(reply.document?.operation).toMatchObject({ kind: 'push-response', pushId: '7', code: 2001 });
  });

  it('two different Content-Lengths are refused', async () => {
    const { port } = await start();
    const connection = open(port);
    connection.write(
      requestText(push).toString('latin1').replace('content-length', 'content-length: 5\r\ncontent-length'),
    );
    expect(await connection.untilClosed()).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('pipelines', () => {
  it('are answered in order', async () => {
    const { port } = await start();
    const connection = open(port);
    const ids = ['a', 'b', 'c'];
    connection.write(
      Buffer.concat(ids.map((id) => requestText(submissionBody(papText(pushXml(`push-id="${id}"`)))))),
    );
    const answers = await connection.until('push-id="c"');
    expect([...answers.matchAll(/push-id="(\w)"/g)].map(([, id]) => id)).toEqual(ids);
  });

  it('with garbage behind a good request end that connection with 400, and no other', async () => {
    const { port, post } = await start();
    const connection = open(port);
    connection.write(Buffer.concat([requestText(push), Buffer.from('\0\xff garbage\r\n\r\n', 'latin1')]));
    expect(await connection.untilClosed()).toMatch(/HTTP\/1\.1 400 /);
    expect((await post(push)).document?.operation).toMatchObject({ code: 1001 });
  });
});

describe('credentials', () => {
  it('are asked for before the body is read', async () => {
    const { port } = await start();
    const connection = open(port);
    connection.write(requestText('', { authorization: 'Basic eDp5' }, 1_000_000));
    expect(await connection.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('that are wrong do not let a slow sender stay', async () => {
    const { port } = await start({ bodyTimeoutMs: 50 });
    const connection = open(port);
    connection.write(requestText('', { authorization: 'Basic eDp5' }, 1_000_000));
    expect(await connection.untilClosed()).toMatch(/^HTTP\/1\.1 401 /);
  });
});

describe('mutated submissions', () => {
  it('always get an answer of 202 with PAP, and the endpoint lives on', async () => {
    const { post, log } = await start();
    const random = seededRandom(6);
    for (let round = 0; round < 300; round += 1) {
      const reply = await post(mutated(push, random));
      expect([reply.status, reply.document === undefined]).toEqual([202, false]);
    }
    expect(log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('many initiators at once', () => {
  it('each get the answer to their own push', async () => {
    const { post } = await start();
    const ids = Array.from({ length: 200 }, (_, index) => `push-${index}`);
    const replies = await Promise.all(
      ids.map((id) => post(submissionBody(papText(pushXml(`push-id="${id}"`))))),
    );
    expect(replies.map(({ document }) => document?.operation)).toMatchObject(
      ids.map((pushId) => ({ pushId, code: 1001 })),
    );
  });
});
