/** Guarded HTTP on real sockets: what arrives, what comes back, and what becomes of a connection that was kept and has died. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { GuardedHttp, type GuardedHttpOptions } from '../../../src/transports/guarded-http/guarded-http.js';

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

function guarded(options: Partial<GuardedHttpOptions> = {}): GuardedHttp {
  const http = new GuardedHttp({
    timeoutMs: 5000,
    allowPrivateAddresses: true,
    setting: 'some.key',
    maxPerHost: 4,
    ...options,
  });
  open.push(() => http.close());
  return http;
}

async function listening(server: Server | ReturnType<typeof createTcpServer>): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Answers every request, but hangs up on a connection instead of answering its second one. */
async function forgetful(answeredOnFirst: number): Promise<{ url: string; connections: () => number }> {
  let connections = 0;
  const server = createTcpServer((socket: Socket) => {
    connections += 1;
    let left = connections === 1 ? answeredOnFirst : 1000;
    open.push(() => socket.destroy());
    socket.on('data', () => {
      if (left > 0) socket.write('HTTP/1.1 204 No Content\r\nX-Left: yes\r\n\r\n');
      else socket.resetAndDestroy();
      left -= 1;
    });
  });
  return { url: await listening(server), connections: () => connections };
}

describe('a request', () => {
  it('arrives with its method, headers and octets, and the answer comes with all of its own', async () => {
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const piece of request) body += String(piece);
      const told = `${request.method} ${request.url} ${request.headers['x-a']} ${body}`;
      response.writeHead(207, ['X-Told', told, 'x-told', 'twice']).end('done');
    });
    const url = await listening(server);
    const answer = await guarded().request({
      method: 'PATCH',
      url: `${url}there`,
      headers: { 'x-a': '1' },
      body: Buffer.from('octets'),
    });
    expect(answer.status).toBe(207);
    expect(answer.headers.filter(({ name }) => /^x-told$/i.test(name))).toEqual([
      { name: 'X-Told', value: 'PATCH /there 1 octets' },
      { name: 'x-told', value: 'twice' },
    ]);
    expect(Buffer.from(answer.body).toString()).toBe('done');
  });

  it('without a body is sent without one', async () => {
    const server = createServer((request, response) => {
      response.end(`${request.method} ${request.headers['content-length'] ?? 'none'}`);
    });
    const url = await listening(server);
    const { body } = await guarded().request({ method: 'OPTIONS', url, headers: {} });
    expect(Buffer.from(body).toString()).toBe('OPTIONS none');
  });

  it('uses the connection of the one before it', async () => {
    const { url, connections } = await forgetful(1000);
    const http = guarded();
    for (let count = 0; count < 3; count += 1) await http.request({ method: 'GET', url, headers: {} });
    expect(connections()).toBe(1);
  });

  it('goes out again on a fresh connection when the one that was kept has died', async () => {
    const { url, connections } = await forgetful(1);
    const http = guarded();
    await http.request({ method: 'GET', url, headers: {} });
    await expect(http.request({ method: 'GET', url, headers: {} })).resolves.toMatchObject({ status: 204 });
    expect(connections()).toBe(2);
  });

  it('is not repeated when a fresh connection dies', async () => {
    const { url, connections } = await forgetful(0);
    const refused = guarded().request({ method: 'GET', url, headers: {} });
    await expect(refused).rejects.toMatchObject({ code: 'unreachable', retry: 'later' });
    expect(connections()).toBe(1);
  });
});

it('a private address is refused in words that name the key which would allow it', async () => {
  const refused = guarded({ allowPrivateAddresses: false }).request({
    method: 'GET',
    url: 'http://10.0.0.1/',
    headers: {},
  });
  await expect(refused).rejects.toMatchObject({
    code: 'forbidden',
    detail: expect.stringContaining('some.key'),
  });
});
