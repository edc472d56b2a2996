/** Requests that arrive on two paths (RFC 3261 §8.2.2.2) and requests that have come too far (§16.3). */
import { afterEach, expect, test } from 'vitest';
import type { ServerInvite, ServerRequest } from '../../../src/transports/sip-stack/sip-stack.js';
import { closeAll, Inbox, openRawUdp, openStack, requestText } from './support.js';

afterEach(closeAll);

const COPY = { From: '<sip:alice@example.test>;tag=f1', 'Call-ID': 'copies', CSeq: '7 MESSAGE' };
const via = (branch: string) => ({ Via: `SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK${branch};rport` });
const statusOf = (text: string) => Number(/^SIP\/2\.0 (\d{3})/.exec(text)?.[1]);

test('a copy on another path, while the first is worked on, is answered 482 and reaches nobody', async () => {
  const open = new Inbox<ServerRequest>();
  const { udp } = await openStack({}, (stack) => stack.onRequest('MESSAGE', (request) => open.push(request)));
  const peer = await openRawUdp();
  peer.send(requestText('MESSAGE', { ...COPY, ...via('one') }), udp);
  const first = await open.next();
  peer.send(requestText('MESSAGE', { ...COPY, ...via('two') }), udp);
  expect(statusOf(await peer.inbox.next())).toBe(482);
  first.respond(200);
  expect(statusOf(await peer.inbox.next())).toBe(200);
  expect(open.length).toBe(0);
});

test('a forked INVITE makes one session', async () => {
  const open = new Inbox<ServerInvite>();
  const { udp } = await openStack({}, (stack) => stack.onInvite((invite) => open.push(invite)));
  const peer = await openRawUdp();
  const copy = { ...COPY, CSeq: '7 INVITE' };
  peer.send(requestText('INVITE', { ...copy, ...via('one') }), udp);
  const first = await open.next();
  peer.send(requestText('INVITE', { ...copy, ...via('two') }), udp);
  const answers = [statusOf(await peer.inbox.next())];
  // The first may be told 100 meanwhile.
  while (answers.at(-1) === 100) answers.push(statusOf(await peer.inbox.next()));
  expect(answers.at(-1)).toBe(482);
  peer.send(requestText('ACK', { ...copy, CSeq: '7 ACK', ...via('two') }), udp);
  first.respond(486);
  expect(open.length).toBe(0);
});

test.each([
  ['another CSeq', { CSeq: '8 MESSAGE' }],
  ['another From tag', { From: '<sip:alice@example.test>;tag=f2' }],
  ['another Call-ID', { 'Call-ID': 'others' }],
])('a request with %s is no copy', async (_, headers) => {
  const open = new Inbox<ServerRequest>();
  const { udp } = await openStack({}, (stack) => stack.onRequest('MESSAGE', (request) => open.push(request)));
  const peer = await openRawUdp();
  peer.send(requestText('MESSAGE', { ...COPY, ...via('one') }), udp);
  peer.send(requestText('MESSAGE', { ...COPY, ...headers, ...via('two') }), udp);
  for (const request of [await open.next(), await open.next()]) request.respond(200);
  expect([statusOf(await peer.inbox.next()), statusOf(await peer.inbox.next())]).toEqual([200, 200]);
});

test('once the first is answered, a request like it is a new one, and nothing is kept', async () => {
  const seen = new Inbox<ServerRequest>();
  const { udp, stack } = await openStack({}, (server) =>
    server.onRequest('MESSAGE', (request) => {
      seen.push(request);
      request.respond(200);
    }),
  );
  const peer = await openRawUdp();
  for (const branch of ['one', 'two']) {
    peer.send(requestText('MESSAGE', { ...COPY, ...via(branch) }), udp);
    expect(statusOf(await peer.inbox.next())).toBe(200);
  }
  expect(seen.length).toBe(2);
  expect(stack.transactionCount).toBe(0);
});

test('a request without a hop left is answered 483', async () => {
  const { udp } = await openStack({}, (stack) =>
    stack.onRequest('MESSAGE', (request) => request.respond(200)),
  );
  const peer = await openRawUdp();
  peer.send(requestText('MESSAGE', { 'Max-Forwards': '0' }), udp);
  expect(statusOf(await peer.inbox.next())).toBe(483);
});
