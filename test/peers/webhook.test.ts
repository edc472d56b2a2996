/** Webhooks on real sockets: what arrives, how it is signed, which answers end it, and which addresses are never called. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GuardedPost, type GuardedPostOptions } from '../../src/peers/guarded-post.js';
import { HttpInitiatorEndpoint } from '../../src/peers/push-initiator.js';
import { HttpWebhookEndpoint } from '../../src/peers/webhook.js';
import { papText, papValidator } from '../support/pap.js';

/** 2026-03-01T08:00:00.900Z */
const NOW = 1_772_352_000_900;
const KEY = Buffer.from('0123456789abcdef0123456789abcdef');
const webhook = {
  id: 'f00d-0',
  body: Buffer.from('{"type":"push.result","ü":1}'),
  secret: `whsec_${KEY.toString('base64')}`,
};

let server: Server;
let received: { readonly headers: IncomingHttpHeaders; readonly body: string }[];
let answer: { status: number; headers?: Record<string, string>; body?: string };
let posts: GuardedPost[];

beforeEach(async () => {
  received = [];
  posts = [];
  answer = { status: 204 };
  server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request.setEncoding('utf8')) body += piece;
    received.push({ headers: request.headers, body });
    if (answer.status === 0) return;
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  for (const post of posts) post.close();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const url = (host = '127.0.0.1') => `http://${host}:${(server.address() as AddressInfo).port}/hook`;

function guarded(options: Partial<GuardedPostOptions> = {}): GuardedPost {
  const post = new GuardedPost({ timeoutMs: 5000, allowPrivateAddresses: true, maxPerHost: 4, ...options });
  posts.push(post);
  return post;
}
const send = (options: Partial<GuardedPostOptions> = {}, to = url()) =>
  new HttpWebhookEndpoint(guarded(options), () => NOW).send(to, webhook);

describe('a webhook', () => {
  it('is signed as a receiver expects, over exactly the octets that arrive', async () => {
    await send();
    const [{ headers, body } = { headers: {} as IncomingHttpHeaders, body: '' }] = received;
    expect(body).toBe(webhook.body.toString());
    expect(headers['content-type']).toBe('application/json');
    expect(headers['webhook-id']).toBe('f00d-0');
    expect(headers['webhook-timestamp']).toBe('1772352000');
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const expected = createHmac('sha256', KEY).update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${expected}`);
  });

  it.each([200, 202, 204, 299])('is taken by %i', async (status) => {
    answer = { status };
    await expect(send()).resolves.toBeUndefined();
  });

  it.each([302, 400, 404, 429, 500, 503])('answered %i is tried again', async (status) => {
    answer = { status, headers: { location: url() } };
    await expect(send()).rejects.toMatchObject({ code: 'unreachable', retry: 'later' });
    expect(received).toHaveLength(1);
  });

  it('answered 410 is not tried again', async () => {
    answer = { status: 410 };
    await expect(send()).rejects.toMatchObject({ retry: 'never' });
  });

  it('that is not answered in time is tried again', async () => {
    answer = { status: 0 };
    await expect(send({ timeoutMs: 50 })).rejects.toMatchObject({ code: 'timeout', retry: 'later' });
  });

  it('whose answer does not end is cut off', async () => {
    answer = { status: 200, body: 'x'.repeat(65 * 1024) };
    await expect(send()).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('an address that is not public', () => {
  it.each(['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1'])(
    'is not called: %s',
    async (host) => {
      const refused = send({ allowPrivateAddresses: false }, url(host));
      await expect(refused).rejects.toMatchObject({ code: 'forbidden', retry: 'never' });
      expect(received).toEqual([]);
    },
  );

  it.each(['ftp://127.0.0.1/', 'file:///etc/passwd', 'no url', 'javascript:alert(1)'])(
    'nor is %s',
    async (to) => {
      await expect(send({}, to)).rejects.toMatchObject({ code: 'forbidden', retry: 'never' });
    },
  );
});

describe('one host', () => {
  it('gets no more at a time than it may, from webhooks and PAP reports together', async () => {
    answer = { status: 0 };
    const post = guarded({ maxPerHost: 2, timeoutMs: 2000 });
    const webhooks = new HttpWebhookEndpoint(post, () => NOW);
    const pap = new HttpInitiatorEndpoint(post, papValidator);
    const underWay = [webhooks.send(url(), webhook), pap.notify(url(), Buffer.from('<pap/>'))];
    await expect(webhooks.send(url(), webhook)).rejects.toMatchObject({ code: 'busy' });
    await expect(Promise.allSettled(underWay)).resolves.toMatchObject([
      { status: 'rejected', reason: { code: 'timeout' } },
      { status: 'rejected', reason: { code: 'timeout' } },
    ]);
    answer = { status: 204 };
    await expect(webhooks.send(url(), webhook)).resolves.toBeUndefined();
  });
});

describe('a PAP report', () => {
  const notify = () =>
    new HttpInitiatorEndpoint(guarded(), papValidator).notify(url(), Buffer.from('<pap/>'));

  it('goes out as XML, and is not signed', async () => {
    await notify();
    expect(received).toMatchObject([{ headers: { 'content-type': 'application/xml' }, body: '<pap/>' }]);
    expect(received[0]?.headers['webhook-signature']).toBeUndefined();
  });

  it('that the initiator refuses in PAP is tried again', async () => {
    const response = '<resultnotification-response push-id="1" code="3000" desc="no"/>';
    answer = { status: 202, body: papText(response) };
    await expect(notify()).rejects.toMatchObject({ retry: 'later' });
  });
});
