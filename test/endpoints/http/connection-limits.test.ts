/** What one peer and one connection may take of an HTTP server, on real sockets. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import Koa from 'koa';
import { afterEach, describe, expect, it } from 'vitest';
import { type HttpServer, serveHttp } from '../../../src/endpoints/http/http-server.js';
import type { LogEvent } from '../../../src/telemetry/log.js';

let server: HttpServer | undefined;
const sockets: Socket[] = [];
const log: LogEvent[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server?.[Symbol.asyncDispose]();
  server = undefined;
  log.length = 0;
});

/** A server whose answers wait until the test lets them go. */
async function start(maxConnections?: number) {
  const waiting: (() => void)[] = [];
  let isOpen = false;
  const application = new Koa();
  application.use(async (ctx) => {
    if (!isOpen) await new Promise<void>((resolve) => waiting.push(resolve));
    ctx.body = `${ctx.path}\n`;
  });
  server = await serveHttp({
    host: '127.0.0.1',
    port: 0,
    application,
    log: (event) => log.push(event),
    ...(maxConnections === undefined ? {} : { maxConnections }),
  });
  return {
    waiting,
    letGo() {
      isOpen = true;
      for (const go of waiting.splice(0)) go();
    },
  };
}

function open(localAddress = '127.0.0.1'): Socket {
  const socket = connect({ host: '127.0.0.1', port: server?.address.port ?? 0, localAddress });
  socket.setEncoding('latin1').on('error', () => {}); // being hung up on is what is tested
  sockets.push(socket);
  return socket;
}

function reading(socket: Socket) {
  let text = '';
  socket.on('data', (piece: string) => {
    text += piece;
  });
  return {
    get text() {
      return text;
    },
    async until(isEnough: (text: string) => boolean): Promise<string> {
      while (!isEnough(text) && !socket.closed) {
        await Promise.race([once(socket, 'data'), once(socket, 'close')]);
      }
      return text;
    },
  };
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`;
const padded = (path: string) =>
  `GET ${path} HTTP/1.1\r\nHost: test\r\nX-Padding: ${'x'.repeat(2000)}\r\n\r\n`;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('pipelined requests', () => {
  it('are worked on a few at a time, however many come, and all answered in order', async () => {
    const { waiting, letGo } = await start();
    const socket = open();
    const answer = reading(socket);
    const paths = Array.from({ length: 1000 }, (_, index) => `/${index}`);
    socket.write(paths.map(padded).join(''));
    while (waiting.length < 16) await turn();
    for (let turns = 0; turns < 200; turns += 1) await turn();
    expect(waiting.length).toBeLessThan(100); // what had been read when the limit was met, one piece of the socket
    letGo();
    const text = await answer.until((soFar) => soFar.includes('\n/999\n') || soFar.endsWith('/999\n'));
    expect([...text.matchAll(/^(\/\d+)$/gm)].map(([, path]) => path)).toEqual(paths);
  });

  it('are answered before the garbage behind them, which ends the connection', async () => {
    const { waiting, letGo } = await start();
    const socket = open();
    const answer = reading(socket);
    socket.write(`${get('/1')}${get('/2')}garbage\r\n\r\n`);
    while (waiting.length < 2) await turn();
    letGo();
    const text = await answer.until(() => false);
    expect(text).toMatch(/200 OK[\s\S]*\/1\n[\s\S]*200 OK[\s\S]*\/2\n[\s\S]*HTTP\/1\.1 400 Bad Request/);
  });
});

describe('a connection that is no HTTP', () => {
  it.each([
    ['garbage', 'garbage\r\n\r\n', 400],
    ['headers without end', `GET / HTTP/1.1\r\nX: ${'x'.repeat(100_000)}`, 431],
  ])('%s is answered %s', async (_what, octets, status) => {
    await start();
    const socket = open();
    const answer = reading(socket);
    socket.write(octets);
    expect(await answer.until(() => false)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  it('breaks off in the middle of a body: hung up on, with the answers before it', async () => {
    const { waiting, letGo } = await start();
    const socket = open();
    const answer = reading(socket);
    socket.end(`${get('/1')}POST /2 HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf`);
    while (waiting.length < 2) await turn();
    letGo();
    const text = await answer.until(() => false);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*\/1\n/);
  });

  it('that closes is no error', async () => {
    await start();
    const socket = open();
    await once(socket, 'connect');
    socket.resetAndDestroy();
    await once(socket, 'close');
    expect(log).toEqual([]);
  });
});

describe('one peer', () => {
  it('gets a part of the connections, others the rest, and one line says so', async () => {
    const { letGo } = await start(8);
    letGo();
    const greedy = Array.from({ length: 6 }, () => open('127.0.0.2'));
    await Promise.all(greedy.slice(2).map((socket) => socket.closed || once(socket, 'close')));
    expect(log).toEqual([
      {
        level: 'warn',
        message: 'HTTP connections refused',
        reason: 'too many connections of one peer',
        peer: '127.0.0.2',
      },
    ]);
    const other = open();
    const answer = reading(other);
    other.write(get('/other'));
    expect(await answer.until((text) => text.endsWith('/other\n'))).toContain('200 OK');
  });

  it('gets another one when it has closed one', async () => {
    const { letGo } = await start(4);
    letGo();
    const first = open();
    await once(first, 'connect');
    first.write(get('/first'));
    await once(first, 'data');
    first.end();
    await once(first, 'close');
    const second = open();
    const answer = reading(second);
    second.write(get('/second'));
    expect(await answer.until((text) => text.endsWith('/second\n'))).toContain('200 OK');
  });
});
