/** Upgrade requests on an HTTP server: WebSocket goes to whoever serves the path, everything else is an ordinary request. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import Koa from 'koa';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type HttpServer, serveHttp } from '../../../src/endpoints/http/http-server.js';
import { TestCa, type TestCertificate } from '../../support/test-ca.js';

let ca: TestCa;
let certificate: TestCertificate;
beforeAll(() => {
  ca = new TestCa();
  certificate = ca.issue('gateway', '/CN=gateway');
});
afterAll(() => ca[Symbol.dispose]());

let server: HttpServer | undefined;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server?.[Symbol.asyncDispose]();
  server = undefined;
});

/** A server that says what it was sent, and gives WebSocket requests for /sip a line of their own. */
async function start(tls?: TestCertificate) {
  const application = new Koa();
  application.use(async (ctx) => {
    let body = '';
    for await (const part of ctx.req.setEncoding('utf8')) body += part;
    ctx.body = `${ctx.method} ${ctx.path} ${ctx.get('connection')}|${ctx.get('upgrade')}|${body}\n`;
  });
  server = await serveHttp({
    host: '127.0.0.1',
    port: 0,
    application,
    log: () => {},
    webSockets: { '/sip': (_, socket) => socket.write('taken over\n') },
    ...(tls === undefined ? {} : { tls }),
  });
  const { port } = server.address;
  const socket = tls ? connectTls({ port, host: '127.0.0.1', ca: ca.ca }) : connect(port, '127.0.0.1');
  sockets.push(socket);
  await once(socket, tls ? 'secureConnect' : 'connect');
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  return {
    socket,
    async until(pattern: RegExp) {
      while (!pattern.test(text)) await once(socket, 'data');
      return text;
    },
  };
}

const request = (path: string, upgrade: string, more = '', body = '') =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, keep-alive\r\nUpgrade: ${upgrade}\r\n` +
  `HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`;

describe.each([
  ['in the clear', () => undefined],
  ['over TLS', () => certificate],
])('%s', (_, tls) => {
  it('a WebSocket request for a path that is served is handed over', async () => {
    const client = await start(tls());
    client.socket.write(request('/sip?x=1', 'WebSocket'));
    expect(await client.until(/\n/)).toBe('taken over\n');
  });

  it('a POST that offers h2c is an ordinary one, and so is the next on the connection', async () => {
    const client = await start(tls());
    client.socket.write(request('/pap', 'h2c', '', 'first'));
    expect(await client.until(/\|first\n/)).toContain('POST /pap keep-alive||first\n');
    client.socket.write(request('/pap', 'h2c', '', 'second'));
    expect(await client.until(/\|second\n/)).toContain('POST /pap keep-alive||second\n');
  });

  it('a WebSocket request for another path is an ordinary one', async () => {
    const client = await start(tls());
    client.socket.write(request('/chat', 'websocket'));
    expect(await client.until(/\|\n/)).toContain('POST /chat keep-alive||\n');
  });
});

it('the server closes without waiting for connections that were handed over', async () => {
  const client = await start();
  client.socket.write(request('/sip', 'websocket'));
  await client.until(/taken over/);
  await server?.[Symbol.asyncDispose]();
  server = undefined;
  expect(client.socket.destroyed).toBe(false);
});
