/** A network that loses two or three datagrams in ten, each way: nothing is lost for good and nothing is seen twice (SIR-10). */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { headerValue } from '../../../src/protocols/sip/index.js';
import type { SipDialog, SipFlow } from '../../../src/transports/sip-stack/sip-stack.js';
import { type SeededRandom, seededRandom } from '../../support/seeded-random.js';
import { closeAll, Inbox, openStack } from './support.js';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  await closeAll();
  for (const close of closers.splice(0)) await close();
});

/**
 * Forwards datagrams between one client and one server and drops some of them. The server sees the proxy as the
 * client's source, so rport leads its responses back.
 */
async function openLossyProxy(random: SeededRandom, lostInTen: number) {
  const outside = createSocket('udp4');
  const inside = createSocket('udp4');
  const proxy = { port: 0, dropped: 0, server: undefined as SipFlow | undefined };
  let client: { address: string; port: number } | undefined;
  const isLost = () => {
    const lost = random.below(10) < lostInTen;
    if (lost) proxy.dropped += 1;
    return lost;
  };
  outside.on('message', (octets, from) => {
    client = from;
    if (proxy.server !== undefined && !isLost()) inside.send(octets, proxy.server.port, proxy.server.address);
  });
  inside.on('message', (octets) => {
    if (client !== undefined && !isLost()) outside.send(octets, client.port, client.address);
  });
  outside.bind(0, '127.0.0.1');
  inside.bind(0, '127.0.0.1');
  await Promise.all([once(outside, 'listening'), once(inside, 'listening')]);
  for (const socket of [outside, inside]) {
    closers.push(() => new Promise((resolve) => socket.close(() => resolve())));
  }
  proxy.port = outside.address().port;
  return proxy;
}

/**
 * T2 is kept low: with it a request is tried some hundred times before its time is up, an INVITE seven times. On a busy machine there are
 * fewer, and they must do.
 */
const TIMERS = { t1: 100, t2: 60, t4: 150 };
const addresses = { from: '<sip:alice@example.test>', to: '<sip:ppg@example.test>' };

test('of two hundred MESSAGEs each arrives once and each is answered', async () => {
  const proxy = await openLossyProxy(seededRandom(30), 3);
  const seen: string[] = [];
  const server = await openStack({ timers: TIMERS }, (stack) =>
    stack.onRequest('MESSAGE', (request) => {
      seen.push(headerValue(request.message, 'call-id') ?? '');
      request.respond(202);
    }),
  );
  proxy.server = server.udp;
  const client = await openStack({ timers: TIMERS });
  const uri = `sip:ppg@127.0.0.1:${proxy.port}`;
  const responses = await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      client.stack.request({
        ...addresses,
        method: 'MESSAGE',
        uri,
        callId: `m${index}`,
        body: Buffer.from('x'),
      }),
    ),
  );
  expect(responses.every(({ status }) => status === 202)).toBe(true);
  expect(seen).toHaveLength(200);
  expect(new Set(seen).size).toBe(200);
  expect(proxy.dropped).toBeGreaterThan(100);
});

test('of thirty sessions each is set up once and ended once', async () => {
  const proxy = await openLossyProxy(seededRandom(31), 2);
  const accepted = new Inbox<SipDialog>();
  let invites = 0;
  const body = Buffer.from('v=0\r\n');
  // The server's Contact is the proxy, so that ACK and BYE are lost as well.
  const advertise = `127.0.0.1:${proxy.port}`;
  const server = await openStack({ timers: TIMERS, advertise }, (stack) =>
    stack.onInvite(async (invite) => {
      invites += 1;
      accepted.push(await invite.accept({ body, contentType: 'application/sdp' }));
    }),
  );
  proxy.server = server.udp;
  const client = await openStack({ timers: TIMERS });
  const dialogs = await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      client.stack.invite({
        ...addresses,
        method: 'INVITE',
        uri: `sip:ppg@127.0.0.1:${proxy.port}`,
        callId: `i${index}`,
        body,
        contentType: 'application/sdp',
      }),
    ),
  );
  const remote = await Promise.all(dialogs.map(() => accepted.next()));
  const ends = remote.map((dialog) => new Promise((resolve) => dialog.onEnd(resolve)));
  await Promise.all(dialogs.map((dialog) => dialog.bye()));
  expect(await Promise.all(ends)).toEqual(Array(30).fill('the peer ended the session'));
  expect(invites).toBe(30);
});

test('a refusal reaches the caller, and its ACK the callee', async () => {
  const proxy = await openLossyProxy(seededRandom(32), 2);
  const server = await openStack({ timers: TIMERS }, (stack) =>
    stack.onInvite((invite) => invite.respond(486)),
  );
  proxy.server = server.udp;
  const client = await openStack({ timers: TIMERS });
  const uri = `sip:ppg@127.0.0.1:${proxy.port}`;
  const outcomes = await Promise.all(
    Array.from({ length: 30 }, () =>
      client.stack
        .invite({ ...addresses, method: 'INVITE', uri, body: Buffer.from('v=0\r\n') })
        .catch((error) => error),
    ),
  );
  expect(outcomes.map(({ response }) => response?.status)).toEqual(Array(30).fill(486));
  await expect.poll(() => server.stack.transactionCount).toBe(0);
});
