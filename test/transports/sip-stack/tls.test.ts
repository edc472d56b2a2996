/**
 * SIP over TLS on the wire (SIR-172): who is believed to be whom (RFC 5922), which connection is used again, and what hostile peers get. The
 * openssl program is the other side where another implementation counts.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { decodeSipMessage, headerValue } from '../../../src/protocols/sip/index.js';
import { createSipStack } from '../../../src/transports/sip-stack/create-sip-stack.js';
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
  openRawTcp,
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

interface TlsStack extends AnsweringStack {
  readonly tls: SipFlow;
}

/** A stack that listens over TLS. */
async function openTls(
  limits: Partial<SipLimits> = {},
  { host = '127.0.0.1', certificate = own, ...options }: OpenTlsOptions = {},
): Promise<TlsStack> {
  const answering = await openAnswering({
    listen: [{ transport: 'tls', host, port: 0 }],
    tls: { own: certificate, ca: ca.ca },
    limits,
    ...options,
  });
  const [tls] = answering.stack.bound;
  if (tls === undefined) throw new Error('not bound');
  return { ...answering, tls };
}

interface OpenTlsOptions extends Partial<SipStackOptions> {
  readonly host?: string;
  readonly certificate?: TestCertificate;
}

const openTlsClient = (options: Partial<SipStackOptions> = {}) =>
  openClient({ tls: { ca: ca.ca }, ...options });
const uriOf = ({ address, port }: SipFlow, scheme = 'sips') =>
  `${scheme}:alice@${address.includes(':') ? `[${address}]` : address}:${port}`;

async function rawTls(to: SipFlow) {
  const socket = connect({ port: to.port, host: to.address, ca: ca.ca });
  await once(socket, 'secureConnect');
  return adoptRawTcp(socket);
}

const VIA = { Via: 'SIP/2.0/TLS client.invalid;branch=z9hG4bKtls1;rport' };

describe('a request', () => {
  test.each([
    ['to a SIPS URI', uriOf],
    ['to a URI that names the transport', (flow: SipFlow) => `${uriOf(flow, 'sip')};transport=tls`],
    ['to a SIPS URI that names TCP below', (flow: SipFlow) => `${uriOf(flow)};transport=tcp`],
  ])('%s goes by TLS', async (_, uri) => {
    const server = await openTls();
    const client = openTlsClient();
    expect((await client.request(messageTo(uri(server.tls)))).status).toBe(200);
    const { flow, message: received } = await server.seen.next();
    expect(flow.transport).toBe('tls');
    expect(headerValue(received, 'via')).toMatch(
      /^SIP\/2\.0\/TLS [a-z0-9_-]+\.invalid;branch=z9hG4bK\S+;rport=\d+;received=127\.0\.0\.1$/i,
    );
  });

  test('to a SIPS URI is never sent otherwise', async () => {
    const client = openTlsClient({ tls: undefined as never });
    await expect(client.request(messageTo('sips:alice@127.0.0.1:5061'))).rejects.toMatchObject({
      code: 'unreachable',
    });
  });

  test('works on IPv6', async () => {
    const server = await openTls({}, { host: '::1' });
    const client = openTlsClient();
    expect((await client.request(messageTo(uriOf(server.tls)))).status).toBe(200);
    expect(headerValue((await server.seen.next()).message, 'via')).toContain(';received=::1');
  });
});

describe('the certificate of a server', () => {
  const names = (to: SipFlow) => ({
    addresses: async () => ['127.0.0.1'],
    srv: async (name: string) =>
      name === '_sips._tcp.example.test'
        ? [{ name: 'host7.provider.test', port: to.port, priority: 1, weight: 1 }]
        : [],
    close() {},
  });
  test.each([
    ['names the domain as a DNS name', 'DNS:example.test', true],
    ['names the domain as a SIP URI', 'URI:sip:example.test,DNS:other.test', true],
    ['names the host that SRV leads to only', 'DNS:host7.provider.test', false],
    ['has a wildcard', 'DNS:*.test', false],
    ['names a user of the domain', 'URI:sip:alice@example.test', false],
    ['names another domain as a SIP URI, ours as a DNS name', 'URI:sip:other.test,DNS:example.test', false],
  ])('that %s: %s is believed: %s', async (_, alternative, isBelieved) => {
    const certificate = ca.issue('named', '/CN=example.test', alternative);
    const server = await openTls({}, { certificate });
    const client = openTlsClient({ names: names(server.tls) });
    const answered = client.request(messageTo('sips:alice@example.test'));
    if (isBelieved) expect((await answered).status).toBe(200);
    else await expect(answered).rejects.toMatchObject({ code: 'unreachable' });
    expect(server.seen.length).toBe(isBelieved ? 1 : 0);
  });

  test('counts by its common name when it has no alternative names', async () => {
    const server = await openTls({}, { certificate: ca.issue('common', '/CN=example.test', '') });
    const client = openTlsClient({ names: names(server.tls) });
    expect((await client.request(messageTo('sips:alice@example.test'))).status).toBe(200);
  });

  test('of an unknown CA is not believed', async () => {
    using other = new TestCa('Other');
    const server = await openTls({}, { certificate: other.issue('stranger', '/CN=127.0.0.1') });
    const failure = openTlsClient().request(messageTo(uriOf(server.tls)));
    await expect(failure).rejects.toMatchObject({ code: 'unreachable' });
    expect(server.seen.length).toBe(0);
  });

  test('that was believed for one domain opens no connection for another', async () => {
    const server = await openTls({}, { certificate: ca.issue('one', '/CN=x', 'DNS:example.test') });
    const client = openTlsClient({
      names: { ...names(server.tls), addresses: async () => ['127.0.0.1'] },
    });
    expect((await client.request(messageTo('sips:alice@example.test'))).status).toBe(200);
    const other = client.request(messageTo(`sips:alice@other.test:${server.tls.port}`));
    await expect(other).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('a connection', () => {
  test('is used again for the same domain, and for requests to whoever opened it', async () => {
    const server = await openTls();
    const client = openTlsClient();
    const answered = new Inbox<string>();
    client.onRequest('OPTIONS', (request) => {
      answered.push(request.message.uri);
      request.respond(200);
    });
    await client.request(messageTo(uriOf(server.tls)));
    await client.request(messageTo(uriOf(server.tls)));
    const [first, second] = [await server.seen.next(), await server.seen.next()];
    expect(second.flow).toEqual(first.flow);
    const back = { ...messageTo('sip:alice@abc.invalid;transport=tls'), method: 'OPTIONS' };
    expect((await server.stack.request({ ...back, destination: first.flow })).status).toBe(200);
    expect(await answered.next()).toBe('sip:alice@abc.invalid;transport=tls');
  });

  test('that a peer opened is not taken for the way to its address', async () => {
    const server = await openTls();
    const peer = await rawTls(server.tls);
    peer.socket.write(requestText('MESSAGE', VIA));
    await peer.until(/^SIP\/2\.0 200/);
    const { flow } = await server.seen.next();
    const { connectionId: _, ...address } = flow;
    const sent = server.stack.request({ ...messageTo('sip:alice@example.test'), destination: address });
    await expect(sent).rejects.toMatchObject({ code: 'unreachable' });
    expect(peer.text()).not.toContain('MESSAGE sip:');
  });

  test('that has closed is told of, and is no way any more', async () => {
    const server = await openTls();
    const closed = new Promise<SipFlow>((resolve) => server.stack.onFlowClosed(resolve));
    const peer = await rawTls(server.tls);
    peer.socket.write(requestText('MESSAGE', VIA));
    const { flow } = await server.seen.next();
    peer.socket.destroy();
    expect(await closed).toEqual(flow);
    const sent = server.stack.request({ ...messageTo('sip:alice@example.test'), destination: flow });
    await expect(sent).rejects.toMatchObject({ code: 'unreachable', retry: 'otherWay' });
  });
});

describe('a dialog', () => {
  test('that a SIPS URI opens has a SIPS Contact, and is ended on its connection', async () => {
    const ended = new Inbox<string>();
    const server = await openTls();
    server.stack.onInvite(async (invite) => {
      const dialog = await invite.accept({ body: Buffer.from('v=0\r\n'), contentType: 'application/sdp' });
      dialog.onEnd((reason) => ended.push(reason));
    });
    const client = openTlsClient();
    const dialog = await client.invite({
      ...messageTo(uriOf(server.tls)),
      method: 'INVITE',
      body: Buffer.from('v=0\r\n'),
      contentType: 'application/sdp',
    });
    await dialog.bye();
    expect(await ended.next()).not.toBe('');
  });
});

describe('hostile peers', () => {
  test('that never finish the handshake are hung up on', async () => {
    const server = await openTls({ handshakeMs: 50 });
    const peer = await openRawTcp(server.tls);
    peer.socket.write(Buffer.from([0x16, 0x03, 0x01, 0x02]));
    await peer.closed;
    expect(server.log).toContainEqual(
      expect.objectContaining({ message: 'a TLS handshake failed', level: 'info' }),
    );
  });

  test('that send SIP without TLS are hung up on', async () => {
    const server = await openTls();
    const peer = await openRawTcp(server.tls);
    peer.socket.write(requestText('MESSAGE'));
    await peer.closed;
    expect(peer.text()).not.toContain('SIP/2.0');
    expect(server.seen.length).toBe(0);
  });

  test('that send garbage inside TLS are hung up on, and others served', async () => {
    const server = await openTls();
    const peer = await rawTls(server.tls);
    peer.socket.write(Buffer.alloc(100_000, 0x41));
    await peer.closed;
    const client = openTlsClient();
    expect((await client.request(messageTo(uriOf(server.tls)))).status).toBe(200);
  });

  test('that drip a message are hung up on', async () => {
    const server = await openTls({}, { timers: { t1: 10 } });
    const peer = await rawTls(server.tls);
    const text = requestText('MESSAGE');
    let sent = 0;
    const drip = setInterval(() => {
      if (!peer.socket.destroyed) peer.socket.write(text.charAt(sent++ % 40));
    }, 5);
    try {
      await peer.closed;
    } finally {
      clearInterval(drip);
    }
    expect(server.seen.length).toBe(0);
  });

  test('do not open more connections than there may be, handshakes included', async () => {
    const server = await openTls({ maxConnections: 4 });
    const half: Socket[] = [];
    for (let count = 0; count < 3; count += 1) half.push((await openRawTcp(server.tls)).socket);
    const whole = await rawTls(server.tls);
    const fifth = await openRawTcp(server.tls);
    await fifth.closed;
    expect(server.log).toContainEqual(expect.objectContaining({ reason: 'too many connections' }));
    half[0]?.destroy();
    whole.socket.write(requestText('MESSAGE', VIA));
    await whole.until(/^SIP\/2\.0 200/);
  });

  test('that accept and say nothing are given up', async () => {
    const sockets: Socket[] = [];
    const silent = createTcpServer((socket) => void sockets.push(socket));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    opened.push(() => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => silent.close(resolve));
    });
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const client = openTlsClient();
    const sent = client.request(messageTo(`sips:alice@127.0.0.1:${port}`));
    sent.catch(() => {});
    await once(silent, 'connection');
    await client.close();
    await expect(sent).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('another implementation (openssl)', () => {
  test('finishes the handshake with us and gets its answer', async () => {
    const server = await openTls();
    const client = spawn(
      'openssl',
      [
        's_client',
        '-quiet',
        '-verify_return_error',
        '-CAfile',
        ca.caFile,
        '-connect',
        `127.0.0.1:${server.tls.port}`,
      ],
      { stdio: ['pipe', 'pipe', 'ignore'] },
    );
    let text = '';
    client.stdout.setEncoding('latin1').on('data', (part: string) => {
      text += part;
      if (text.includes('\r\n\r\n')) client.kill();
    });
    client.stdin.write(requestText('MESSAGE', VIA));
    await once(client, 'exit');
    expect(decodeSipMessage(Buffer.from(text, 'latin1'))).toMatchObject({ status: 200 });
    expect((await server.seen.next()).flow.transport).toBe('tls');
  });
});

test('a listener takes nothing below TLS 1.2', async () => {
  const server = await openTls();
  const socket = connect({
    port: server.tls.port,
    host: '127.0.0.1',
    ca: ca.ca,
    maxVersion: 'TLSv1.1',
    minVersion: 'TLSv1',
  });
  await expect(once(socket, 'secureConnect')).rejects.toThrow();
});

test('we show our certificate to a server that asks for one', async () => {
  const shown = new Inbox<string>();
  const asking = createServer(
    { ...own, ca: ca.ca, requestCert: true, rejectUnauthorized: true },
    (socket: TLSSocket) => {
      shown.push(socket.getPeerCertificate().subject.CN as string);
      adoptRawTcp(socket);
    },
  );
  asking.listen(0, '127.0.0.1');
  await once(asking, 'listening');
  opened.push(() => new Promise((resolve) => asking.close(resolve)));
  const address = asking.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { stack } = await openTls();
  const sent = stack.request(messageTo(`sips:alice@127.0.0.1:${port}`));
  sent.catch(() => {});
  expect(await shown.next()).toBe('gateway');
  await stack.close();
  await expect(sent).rejects.toMatchObject({ code: 'unreachable' });
});

test('a listener without a certificate is refused at start', async () => {
  const stack = createSipStack({ listen: [{ transport: 'tls', host: '127.0.0.1', port: 0 }], product: 'x' });
  await expect(stack.listen()).rejects.toThrow('without a certificate');
});
