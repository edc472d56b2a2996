/** SIP over WebSocket on the wire (RFC 7118; SIR-172): the upgrade, frames, keep-alive, and what hostile peers get. Peers are plain `ws` clients. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { decodeSipMessage, headerValue } from '../../../src/protocols/sip/index.js';
import type { SipFlow, SipLimits, SipStackOptions } from '../../../src/transports/sip-stack/sip-stack.js';
import { TestCa, type TestCertificate } from '../../support/test-ca.js';
import {
  type AnsweringStack,
  adoptRawTcp,
  closeAll,
  Inbox,
  messageTo,
  openAnswering,
  openClient,
  opened,
  requestText,
} from './support.js';

let ca: TestCa;
let own: TestCertificate;
beforeAll(() => {
  ca = new TestCa();
  own = ca.issue('gateway', '/CN=gateway');
});
afterAll(() => ca[Symbol.dispose]());
afterEach(closeAll);

interface WebSocketStack extends AnsweringStack {
  readonly port: number;
  readonly url: string;
}

/** A stack behind an HTTP server that hands every upgrade request to it. */
async function openWs(
  limits: Partial<SipLimits> = {},
  options: Partial<SipStackOptions> & { readonly isSecure?: boolean; readonly host?: string } = {},
): Promise<WebSocketStack> {
  const { isSecure = false, host = '127.0.0.1', ...rest } = options;
  const answering = await openAnswering({ webSocket: {}, limits, ...rest });
  const { stack } = answering;
  const server: Server = isSecure ? createHttpsServer(own) : createServer();
  server.on('upgrade', (request, socket, head) => stack.acceptWebSocket(request, socket, head));
  server.listen(0, host);
  await once(server, 'listening');
  opened.push(async () => {
    await stack.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return { ...answering, port, url: `${isSecure ? 'wss' : 'ws'}://${authority}/sip` };
}

interface RawWebSocket {
  readonly socket: WebSocket;
  readonly inbox: Inbox<{ readonly octets: Buffer; readonly isBinary: boolean }>;
  /** Resolves with the code. */
  readonly closed: Promise<number>;
}

/** A WebSocket client without any SIP in it. */
async function openRaw({ url }: WebSocketStack, headers = {}, options = {}): Promise<RawWebSocket> {
  const socket = new WebSocket(url, ['sip'], { headers, ca: ca.ca, ...options });
  const inbox: RawWebSocket['inbox'] = new Inbox();
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  socket.on('message', (octets: Buffer, isBinary) => inbox.push({ octets, isBinary }));
  socket.on('error', () => {});
  opened.push(() => socket.terminate());
  await once(socket, 'open');
  return { socket, inbox, closed };
}

const openWebSocketClient = () => openClient({ tls: { ca: ca.ca }, webSocket: {} });

const VIA = { Via: 'SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bKws1;rport' };

describe('a client that offers the subprotocol', () => {
  test('has it accepted, and its requests answered in one message each', async () => {
    const server = await openWs();
    const peer = await openRaw(server);
    expect(peer.socket.protocol).toBe('sip');
    peer.socket.send(requestText('MESSAGE', VIA, 'hello'));
    const { octets, isBinary } = await peer.inbox.next();
    expect(isBinary).toBe(false);
    const answer = decodeSipMessage(octets);
    expect(answer).toMatchObject({ kind: 'response', status: 200 });
    expect(headerValue(answer, 'via')).toMatch(
      /^SIP\/2\.0\/WS df7jal23ls0d\.invalid;.*received=127\.0\.0\.1$/,
    );
    const { flow, message: received } = await server.seen.next();
    expect(flow).toMatchObject({ transport: 'ws', address: '127.0.0.1' });
    expect(Buffer.from(received.body).toString()).toBe('hello');
  });

  test('may send binary messages, and gets one when the octets are no text', async () => {
    const server = await openWs();
    server.stack.onRequest('OPTIONS', (request) =>
      request.respond(200, { body: Buffer.from([0xff, 0x00, 0xfe]) }),
    );
    const peer = await openRaw(server);
    peer.socket.send(Buffer.from(requestText('OPTIONS', VIA)));
    const { octets, isBinary } = await peer.inbox.next();
    expect(isBinary).toBe(true);
    expect([...decodeSipMessage(octets).body]).toEqual([0xff, 0x00, 0xfe]);
  });

  test('is reached on its connection, whatever its Contact says', async () => {
    const server = await openWs();
    const peer = await openRaw(server);
    peer.socket.send(requestText('MESSAGE', VIA));
    const { flow } = await server.seen.next();
    await peer.inbox.next();
    const sent = server.stack.request({
      ...messageTo('sip:alice@df7jal23ls0d.invalid;transport=ws'),
      destination: flow,
    });
    const request = decodeSipMessage((await peer.inbox.next()).octets);
    expect(headerValue(request, 'via')).toMatch(/^SIP\/2\.0\/WS /);
    const answered = ['via', 'from', 'to', 'call-id', 'cseq']
      .map((name) => `${name}: ${headerValue(request, name)}${name === 'to' ? ';tag=x' : ''}`)
      .join('\r\n');
    peer.socket.send(`SIP/2.0 200 OK\r\n${answered}\r\nContent-Length: 0\r\n\r\n`);
    expect((await sent).status).toBe(200);
  });

  test('keeps its connection alive by empty lines and by pings', async () => {
    const server = await openWs();
    const peer = await openRaw(server);
    peer.socket.send('\r\n\r\n');
    expect((await peer.inbox.next()).octets.toString()).toBe('\r\n');
    peer.socket.ping();
    await once(peer.socket, 'pong');
    peer.socket.send('\r\n');
    peer.socket.send(requestText('MESSAGE', VIA));
    expect((await peer.inbox.next()).octets.toString()).toMatch(/^SIP\/2\.0 200/);
  });

  test('is asked whether it is still there while it is silent, and stays', async () => {
    const server = await openWs({ idleConnectionMs: 6000 });
    const peer = await openRaw(server);
    peer.socket.send(requestText('MESSAGE', VIA));
    await peer.inbox.next();
    await once(peer.socket, 'ping'); // after a third of the time
    peer.socket.send(requestText('MESSAGE', { ...VIA, Via: `${VIA.Via}2` }));
    expect((await peer.inbox.next()).octets.toString()).toMatch(/^SIP\/2\.0 200/);
  });

  test('that does not answer when it is asked is given up', async () => {
    const server = await openWs({ idleConnectionMs: 200 });
    const peer = await openRaw(server, {}, { autoPong: false });
    peer.socket.send(requestText('MESSAGE', VIA));
    await peer.inbox.next();
    expect(await peer.closed).toBe(1006);
  });

  test('that hangs up is told of', async () => {
    const server = await openWs();
    const gone = new Promise<SipFlow>((resolve) => server.stack.onFlowClosed(resolve));
    const peer = await openRaw(server);
    peer.socket.send(requestText('MESSAGE', VIA));
    const { flow } = await server.seen.next();
    peer.socket.terminate();
    expect(await gone).toEqual(flow);
    const sent = server.stack.request({
      ...messageTo('sip:alice@x.invalid;transport=ws'),
      destination: flow,
    });
    await expect(sent).rejects.toMatchObject({ code: 'unreachable', retry: 'otherWay' });
  });
});

describe('two stacks', () => {
  test.each([
    ['over ws', { isSecure: false }, 'ws'],
    ['over wss', { isSecure: true }, 'wss'],
    ['on IPv6', { isSecure: false, host: '::1' }, 'ws'],
  ] as const)('%s have a dialog on one connection', async (_, options, transport) => {
    const server = await openWs({}, options);
    const ended = new Inbox<string>();
    server.stack.onInvite(async (invite) => {
      const dialog = await invite.accept({ body: Buffer.from('v=0\r\n'), contentType: 'application/sdp' });
      dialog.onEnd((reason) => ended.push(reason));
    });
    const client = openWebSocketClient();
    const address = new URL(server.url.replace(/^wss?/, 'http')).hostname.replace(/^\[|\]$/g, '');
    const destination = { transport, address, port: server.port };
    const asked = { ...messageTo('sip:ppg@example.test'), destination };
    const dialog = await client.invite({
      ...asked,
      method: 'INVITE',
      body: Buffer.from('v=0\r\n'),
      contentType: 'application/sdp',
    });
    expect((await client.request(asked)).status).toBe(200);
    expect((await server.seen.next()).flow.transport).toBe(transport);
    await dialog.bye();
    expect(await ended.next()).not.toBe('');
  });

  test('do not talk when the certificate is for another host', async () => {
    const server = await openWs({}, { isSecure: true });
    const client = openWebSocketClient();
    const destination = {
      transport: 'wss',
      address: '127.0.0.1',
      port: server.port,
      domain: 'other.test',
    } as const;
    const sent = client.request({ ...messageTo('sip:ppg@example.test'), destination });
    await expect(sent).rejects.toMatchObject({ code: 'unreachable' });
    expect(server.seen.length).toBe(0);
  });
});

test('a server that does not take the subprotocol is not spoken to', async () => {
  const other = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => false });
  await once(other, 'listening');
  opened.push(() => new Promise((resolve) => other.close(resolve)));
  const { port } = other.address() as AddressInfo;
  const destination = { transport: 'ws', address: '127.0.0.1', port } as const;
  const sent = openWebSocketClient().request({ ...messageTo('sip:ppg@example.test'), destination });
  await expect(sent).rejects.toMatchObject({ code: 'unreachable' });
});

describe('an upgrade request', () => {
  const upgrade = async (server: WebSocketStack, headers: Record<string, string>) => {
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    const peer = adoptRawTcp(socket);
    const all: Record<string, string> = {
      Host: `127.0.0.1:${server.port}`,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Protocol': 'sip',
      ...headers,
    };
    const lines = Object.entries(all).flatMap(([name, value]) => (value === '' ? [] : `${name}: ${value}`));
    socket.write(`GET /sip HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    const text = await peer.until(/\r\n\r\n/);
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
  };

  test.each([
    ['as RFC 7118 shows it', {}, 101],
    ['with other subprotocols beside', { 'Sec-WebSocket-Protocol': 'msrp, sip' }, 101],
    ['without the subprotocol', { 'Sec-WebSocket-Protocol': '' }, 400],
    ['with another subprotocol', { 'Sec-WebSocket-Protocol': 'msrp' }, 400],
    ['of another version', { 'Sec-WebSocket-Version': '9' }, 400],
    ['with a bad key', { 'Sec-WebSocket-Key': 'x' }, 400],
    ['of a page that may not', { Origin: 'https://evil.test' }, 403],
    ['of an opaque page', { Origin: 'null' }, 403],
    ['of a page that may', { Origin: 'https://app.example.test' }, 101],
  ])('%s', async (_, headers, status) => {
    const server = await openWs({}, { webSocket: { allowedOrigins: ['https://app.example.test'] } });
    expect(await upgrade(server, headers)).toBe(status);
  });

  test('of a page of this very host is refused unless it may: its name can be made to lead here', async () => {
    const server = await openWs();
    expect(await upgrade(server, { Origin: `http://127.0.0.1:${server.port}` })).toBe(403);
  });

  test('of any page is taken where all may', async () => {
    const server = await openWs({}, { webSocket: { allowedOrigins: ['*'] } });
    expect(await upgrade(server, { Origin: 'https://evil.test' })).toBe(101);
  });
});

describe('hostile peers', () => {
  test('that send a message that is too large are hung up on with the code for it', async () => {
    const server = await openWs({ maxMessageBytes: 10_000 });
    const peer = await openRaw(server);
    peer.socket.send(Buffer.alloc(10_001, 0x41));
    expect(await peer.closed).toBe(1009);
    expect(server.seen.length).toBe(0);
  });

  test('that send a message in endless fragments are hung up on', async () => {
    const server = await openWs({ maxMessageBytes: 10_000 });
    const peer = await openRaw(server);
    for (let count = 0; count < 20; count += 1) peer.socket.send(Buffer.alloc(1000, 0x41), { fin: false });
    expect(await peer.closed).toBe(1009);
  });

  test('that send what is no SIP get an answer when they can be told, and keep the connection', async () => {
    const server = await openWs();
    const peer = await openRaw(server);
    peer.socket.send('what is this');
    peer.socket.send(Buffer.from([0, 1, 2, 3, 4, 5, 6]));
    peer.socket.send(requestText('MESSAGE', { ...VIA, CSeq: '1 OPTIONS' }));
    expect((await peer.inbox.next()).octets.toString()).toMatch(/^SIP\/2\.0 400/);
    peer.socket.send(requestText('MESSAGE', VIA));
    expect((await peer.inbox.next()).octets.toString()).toMatch(/^SIP\/2\.0 200/);
  });

  test('that announce more octets than they send are answered 400', async () => {
    const server = await openWs();
    const peer = await openRaw(server);
    peer.socket.send(requestText('MESSAGE', { ...VIA, 'Content-Length': '10' }, 'short'));
    expect((await peer.inbox.next()).octets.toString()).toMatch(/^SIP\/2\.0 400/);
  });

  test('that break the framing are hung up on', async () => {
    const server = await openWs();
    const peer = await openRaw(server);
    (peer.socket as unknown as { _socket: { write(octets: Buffer): void } })._socket.write(
      Buffer.from([0xff, 0xff, 0x00, 0x01]),
    );
    expect(await peer.closed).toBeGreaterThan(1000);
  });

  test('that drip a frame are hung up on', async () => {
    const server = await openWs({}, { timers: { t1: 10 } });
    const peer = await openRaw(server);
    peer.socket.send(requestText('MESSAGE', VIA));
    await peer.inbox.next();
    const { _socket: socket } = peer.socket as unknown as { _socket: { write(octets: Buffer): void } };
    // The head of a text frame of 60,000 octets, then one octet after the other.
    socket.write(Buffer.from([0x81, 0xfe, 0xea, 0x60, 1, 2, 3, 4]));
    const drip = setInterval(() => socket.write(Buffer.from([0x41])), 5);
    try {
      await peer.closed;
    } finally {
      clearInterval(drip);
    }
    expect(server.seen.length).toBe(1);
  });

  test('that say nothing are hung up on', async () => {
    const server = await openWs({}, { timers: { t1: 10 } });
    const peer = await openRaw(server);
    expect(await peer.closed).toBe(1006);
  });

  test('do not open more connections than there may be', async () => {
    const server = await openWs({ maxConnections: 2 });
    await openRaw(server);
    await openRaw(server);
    await expect(openRaw(server)).rejects.toThrow();
    expect(server.log).toContainEqual(expect.objectContaining({ reason: 'too many connections' }));
  });
});

test('when the stack closes its clients are told that it goes away', async () => {
  const server = await openWs();
  const peer = await openRaw(server);
  await server.stack.close();
  expect(await peer.closed).toBe(1001);
});
