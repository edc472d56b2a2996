/** What the stack does on the wire, seen by raw peers: answers, repetitions, limits, hostile octets. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import {
  decodeSipMessage,
  headerLines,
  headerValue,
  type SipMessage,
  type SipResponse,
} from '../../../src/protocols/sip/index.js';
import type { ServerInvite, ServerRequest, SipDialog } from '../../../src/transports/sip-stack/sip-stack.js';
import { mutated } from '../../support/mutations.js';
import { seededRandom } from '../../support/seeded-random.js';
import {
  adoptRawTcp,
  closeAll,
  Inbox,
  openRawTcp,
  openRawUdp,
  openStack,
  type RawUdpPeer,
  requestText,
} from './support.js';

afterEach(closeAll);

const FAST = { t1: 10, t2: 40, t4: 50 };
const octets = (text: string) => Buffer.from(text, 'latin1');

async function nextMessage(peer: RawUdpPeer): Promise<SipMessage> {
  return decodeSipMessage(octets(await peer.inbox.next()));
}

async function nextResponse(peer: RawUdpPeer): Promise<SipResponse> {
  const message = await nextMessage(peer);
  if (message.kind !== 'response') throw new Error(`got ${message.method}`);
  return message;
}

/** Sends and returns the first response. */
async function ask(
  peer: RawUdpPeer,
  text: string,
  to: Awaited<ReturnType<typeof openStack>>,
): Promise<SipResponse> {
  peer.send(text, to.udp);
  return nextResponse(peer);
}

/** A stack that answers MESSAGE 200 and says what it saw. */
async function messageServer(options: Parameters<typeof openStack>[0] = {}) {
  const seen = new Inbox<ServerRequest>();
  const server = await openStack(options, (stack) =>
    stack.onRequest('MESSAGE', (request) => {
      seen.push(request);
      request.respond(200);
    }),
  );
  return { ...server, seen };
}

describe('repetitions on UDP', () => {
  test('a hundred copies of one MESSAGE reach the handler once and all get the same answer', async () => {
    const server = await messageServer();
    const peer = await openRawUdp();
    const text = requestText('MESSAGE', {}, 'hi');
    for (let copy = 0; copy < 100; copy += 1) peer.send(text, server.udp);
    const answers = await Promise.all(Array.from({ length: 100 }, () => peer.inbox.next()));
    expect(new Set(answers).size).toBe(1);
    await server.seen.next();
    expect(server.seen.length).toBe(0);
    expect(server.stack.transactionCount).toBe(0);
  });

  test('copies that come before the answer are absorbed in silence', async () => {
    const open = new Inbox<ServerRequest>();
    const server = await openStack({}, (stack) =>
      stack.onRequest('MESSAGE', (request) => open.push(request)),
    );
    const peer = await openRawUdp();
    const text = requestText('MESSAGE');
    for (let copy = 0; copy < 5; copy += 1) peer.send(text, server.udp);
    const request = await open.next();
    // An OPTIONS behind the copies shows that all of them have been read.
    await ask(peer, requestText('OPTIONS'), server);
    request.respond(202);
    expect((await nextResponse(peer)).status).toBe(202);
    expect(open.length + peer.inbox.length).toBe(0);
  });

  test('another branch is another request', async () => {
    const server = await messageServer();
    const peer = await openRawUdp();
    const text = requestText('MESSAGE');
    await ask(peer, text, server);
    await ask(peer, text.replace('branch=z9hG4bK', 'branch=z9hG4bKother'), server);
    await server.seen.next();
    await server.seen.next();
  });

  test('a client of RFC 2543 without a magic cookie is recognised by its headers', async () => {
    const server = await messageServer();
    const peer = await openRawUdp();
    const text = requestText('MESSAGE', { Via: 'SIP/2.0/UDP 127.0.0.1;rport' });
    await ask(peer, text, server);
    await ask(peer, text, server);
    await server.seen.next();
    expect(server.seen.length).toBe(0);
  });

  test('when Timer J is over a copy counts as new', async () => {
    const server = await messageServer({ timers: { t1: 1, t2: 4, t4: 5 } });
    const peer = await openRawUdp();
    const text = requestText('MESSAGE');
    await ask(peer, text, server);
    await server.seen.next();
    await expect
      .poll(async () => {
        await ask(peer, text, server);
        return server.seen.length;
      })
      .toBe(1);
  });
});

describe('responses', () => {
  test('go to the source port when rport asks for it, with received and rport filled in', async () => {
    const server = await messageServer();
    const peer = await openRawUdp();
    const response = await ask(
      peer,
      requestText('MESSAGE', {
        Via: 'SIP/2.0/UDP 10.9.9.9:7;branch=z9hG4bKa;rport, SIP/2.0/TCP far.example;branch=z',
      }),
      server,
    );
    expect(headerLines(response, 'via')).toEqual([
      `SIP/2.0/UDP 10.9.9.9:7;branch=z9hG4bKa;rport=${peer.port};received=127.0.0.1, SIP/2.0/TCP far.example;branch=z`,
    ]);
  });

  test('go to the port of sent-by without rport', async () => {
    const server = await messageServer();
    const [sender, listener] = [await openRawUdp(), await openRawUdp()];
    sender.send(
      requestText('MESSAGE', { Via: `SIP/2.0/UDP 127.0.0.1:${listener.port};branch=z9hG4bKb` }),
      server.udp,
    );
    expect((await nextResponse(listener)).status).toBe(200);
  });

  test('add a tag to To and keep the rest as it came, compact names and odd octets too', async () => {
    const server = await messageServer();
    const peer = await openRawUdp();
    const response = await ask(
      peer,
      requestText('MESSAGE', {
        From: '',
        f: '"J\xf6rg" <sip:j@x.example>;tag=1',
        To: '',
        t: 'sip:ppg@example.test',
        Timestamp: '54',
      }),
      server,
    );
    expect(headerValue(response, 'to')).toMatch(/^sip:ppg@example\.test;tag=[0-9a-f]{16}$/);
    expect(headerValue(response, 'timestamp')).toBe('54');
    expect(headerValue(response, 'server')).toBe('Carillon-Test');
    peer.send(requestText('MESSAGE', { From: '"J\xf6rg" <sip:j@x.example>;tag=1' }), server.udp);
    expect(await peer.inbox.next()).toContain('From: "J\xf6rg" <sip:j@x.example>;tag=1\r\n');
  });
});

describe('a request is refused', () => {
  test.each([
    ['416 for a scheme that is not served', requestText('MESSAGE', {}, '', 'http://x.example/'), 416],
    ['400 for a malformed Request-URI', requestText('MESSAGE', {}, '', 'sip:a@b@c'), 400],
    ['483 without hops left', requestText('MESSAGE', { 'Max-Forwards': '0' }), 483],
    ['400 for Max-Forwards that is no number', requestText('MESSAGE', { 'Max-Forwards': 'many' }), 400],
    ['400 without From tag', requestText('MESSAGE', { From: '<sip:a@b>' }), 400],
    ['400 without Call-ID', requestText('MESSAGE', { 'Call-ID': '', 'X-Call-ID': '1' }), 400],
    ['400 for a CSeq of another method', requestText('MESSAGE', { CSeq: '1 INVITE' }), 400],
    ['400 for a CSeq out of range', requestText('MESSAGE', { CSeq: '36893488147419103232 MESSAGE' }), 400],
    ['400 for two To headers', requestText('MESSAGE', { t: '<sip:other@b>' }), 400],
    ['405 for a method without handler', requestText('PUBLISH'), 405],
    ['405 for a method nobody has heard of', requestText('NEWMETHOD'), 405],
    ['420 for an extension that we lack', requestText('MESSAGE', { Require: 'path, foo,bar' }), 420],
    ['481 for a BYE outside any dialog', requestText('BYE', { To: '<sip:ppg@example.test>;tag=gone' }), 481],
    [
      '481 for an INVITE into no dialog',
      requestText('INVITE', { To: '<sip:ppg@example.test>;tag=gone' }),
      481,
    ],
    ['481 for a CANCEL of nothing', requestText('CANCEL'), 481],
    ['405 for an INVITE that nobody takes', requestText('INVITE'), 405],
    ['505 for another version', requestText('MESSAGE').replace('SIP/2.0\r\n', 'SIP/7.0\r\n'), 505],
    [
      '400 for a line without a colon',
      requestText('MESSAGE', { 'X-A': 'b' }).replace('X-A: b', 'broken'),
      400,
    ],
    ['400 for a body that is too short', requestText('MESSAGE', { 'Content-Length': '9' }), 400],
    ['413 for a header over the limit', requestText('MESSAGE', { Subject: 'x'.repeat(9000) }), 413],
    [
      '413 for ten thousand headers',
      requestText('MESSAGE').replace('\r\n\r\n', `\r\n${'X:\r\n'.repeat(10_000)}\r\n`),
      413,
    ],
  ])('%s', async (_name, text, status) => {
    const server = await openStack({ supported: ['path'] }, (stack) => {
      stack.onRequest('MESSAGE', (request) => request.respond(200));
    });
    const response = await ask(await openRawUdp(), text, server);
    expect(response.status).toBe(status);
    expect(server.log.length).toBeGreaterThan(0);
  });

  test('405 says what is allowed, 420 what is not supported', async () => {
    const server = await messageServer({ supported: ['path'] });
    const peer = await openRawUdp();
    expect(headerValue(await ask(peer, requestText('INFO'), server), 'allow')).toBe('OPTIONS, MESSAGE');
    const refused = await ask(peer, requestText('MESSAGE', { Require: 'path, Foo' }), server);
    expect(headerValue(refused, 'unsupported')).toBe('Foo');
  });

  test('500 when its handler throws, and 500 when its handler rejects', async () => {
    const server = await openStack({}, (stack) => {
      stack.onRequest('MESSAGE', () => {
        throw new Error('a defect');
      });
      stack.onRequest('PUBLISH', () => Promise.reject(new Error('another')));
    });
    const peer = await openRawUdp();
    expect((await ask(peer, requestText('MESSAGE'), server)).status).toBe(500);
    expect((await ask(peer, requestText('PUBLISH'), server)).status).toBe(500);
    expect(server.log.filter(({ level }) => level === 'error')).toHaveLength(2);
  });

  test('503 with Retry-After above the number of transactions allowed', async () => {
    const server = await openStack({ limits: { maxTransactions: 1 } }, (stack) =>
      stack.onRequest('MESSAGE', () => {}),
    );
    const peer = await openRawUdp();
    peer.send(requestText('MESSAGE'), server.udp);
    const response = await ask(peer, requestText('MESSAGE'), server);
    expect([response.status, headerValue(response, 'retry-after')]).toEqual([503, '5']);
  });

  test('a handler that never answers leaves no transaction behind', async () => {
    const server = await openStack({ timers: FAST }, (stack) => stack.onRequest('MESSAGE', () => {}));
    const peer = await openRawUdp();
    peer.send(requestText('MESSAGE'), server.udp);
    await expect
      .poll(() => server.log.some(({ message }) => message === 'a request was never answered'))
      .toBe(true);
    expect(server.stack.transactionCount).toBe(0);
  });

  test.each([
    ['garbage', '\x00\x01\x02 garbage'],
    ['half a request', requestText('MESSAGE').slice(0, 60)],
    ['a request without Via', requestText('MESSAGE', { Via: '' })],
    ['an ACK to nothing', requestText('ACK')],
    [
      'a response to nothing',
      'SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\r\nCSeq: 1 MESSAGE\r\n\r\n',
    ],
    ['a keep-alive', '\r\n\r\n'],
  ])('%s is dropped, and the next request is served', async (_name, text) => {
    const server = await messageServer();
    const peer = await openRawUdp();
    peer.send(text, server.udp);
    const response = await ask(peer, requestText('MESSAGE', { 'Call-ID': 'after' }), server);
    expect(headerValue(response, 'call-id')).toBe('after');
  });
});

describe('INVITE', () => {
  const OFFER = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n';
  const ANSWER = { body: octets('v=0\r\n'), contentType: 'application/sdp' };

  async function inviteServer(handler: (invite: ServerInvite) => void | Promise<void>, t = FAST) {
    return openStack({ timers: t }, (stack) => stack.onInvite(handler));
  }
  const ack = (invite: string, response: SipResponse, branch = 'z9hG4bKack') =>
    invite
      .slice(0, invite.indexOf('\r\n\r\n') + 4)
      .replace(/^INVITE/, 'ACK')
      .replace('1 INVITE', '1 ACK')
      .replace(/branch=[^;]+/, `branch=${branch}`)
      .replace(/To: .*/, `To: ${headerValue(response, 'to')}`)
      .replace(/Content-Length: \d+/, 'Content-Length: 0');
  const inDialog = (invite: string, response: SipResponse, method: string, cseq: number, body = '') =>
    `${ack(invite, response, `z9hG4bK${method}${cseq}`)
      .replace(/^ACK/, method)
      .replace('1 ACK', `${cseq} ${method}`)
      .replace('Content-Length: 0', `Content-Length: ${body.length}`)}${body}`;

  test('is told 100 while the handler thinks', async () => {
    const server = await inviteServer(() => {});
    const response = await ask(await openRawUdp(), requestText('INVITE'), server);
    expect(response.status).toBe(100);
    expect(headerValue(response, 'to')).toBe('<sip:ppg@example.test>');
  });

  test('a 200 is repeated until the ACK comes', async () => {
    const dialogs = new Inbox<SipDialog>();
    const server = await inviteServer(async (invite) => dialogs.push(await invite.accept(ANSWER)));
    const peer = await openRawUdp();
    const invite = requestText('INVITE', {}, OFFER);
    const first = await ask(peer, invite, server);
    expect(first.status).toBe(200);
    expect(await nextResponse(peer)).toEqual(first);
    peer.send(ack(invite, first), server.udp);
    expect((await dialogs.next()).callId).toBe(headerValue(first, 'call-id'));
  });

  test('without an ACK the session is ended by BYE and accept() says timeout', async () => {
    const failures = new Inbox<unknown>();
    const server = await inviteServer((invite) =>
      invite.accept(ANSWER).then(
        () => {},
        (error) => failures.push(error),
      ),
    );
    const peer = await openRawUdp();
    peer.send(requestText('INVITE', { Contact: `<sip:a@127.0.0.1:${peer.port}>` }, OFFER), server.udp);
    expect(await failures.next()).toMatchObject({ code: 'timeout' });
    let message = await nextMessage(peer);
    while (message.kind === 'response') message = await nextMessage(peer);
    expect(message.method).toBe('BYE');
    expect(message.uri).toBe(`sip:a@127.0.0.1:${peer.port}`);
  });

  test('a refusal is repeated until its ACK, which has the branch of the INVITE', async () => {
    const server = await inviteServer((invite) => invite.respond(486));
    const peer = await openRawUdp();
    const invite = requestText('INVITE', {}, OFFER);
    const first = await ask(peer, invite, server);
    expect(await nextResponse(peer)).toEqual(first);
    const branch = /branch=([^;]+)/.exec(invite)?.[1] ?? '';
    peer.send(ack(invite, first, branch), server.udp);
    await expect.poll(() => server.stack.transactionCount).toBe(0);
  });

  test('CANCEL is answered 200, the INVITE 487, both with the same tag', async () => {
    const cancelled = new Inbox<string>();
    const server = await inviteServer((invite) => {
      invite.onCancel(() => cancelled.push('yes'));
      invite.respond(180);
    });
    const peer = await openRawUdp();
    const invite = requestText('INVITE', {}, OFFER);
    const ringing = await ask(peer, invite, server);
    const cancel = invite.replace(/^INVITE/, 'CANCEL').replace('1 INVITE', '1 CANCEL');
    const answers = [await ask(peer, cancel, server), await nextResponse(peer)];
    expect(answers.map(({ status }) => status)).toEqual([200, 487]);
    expect(new Set([ringing, ...answers].map((answer) => headerValue(answer, 'to'))).size).toBe(1);
    await cancelled.next();
  });

  test('accept() after CANCEL rejects and sends nothing', async () => {
    const open = new Inbox<ServerInvite>();
    const server = await inviteServer((invite) => {
      open.push(invite);
      invite.respond(180);
    });
    const peer = await openRawUdp();
    const invite = requestText('INVITE', {}, OFFER);
    await ask(peer, invite, server);
    await ask(peer, invite.replace(/^INVITE/, 'CANCEL').replace('1 INVITE', '1 CANCEL'), server);
    await expect((await open.next()).accept(ANSWER)).rejects.toMatchObject({ code: 'unreachable' });
  });

  test('an accepted INVITE holds no transaction, its copies are absorbed, a late CANCEL changes nothing', async () => {
    const dialogs = new Inbox<SipDialog>();
    let invites = 0;
    const server = await openStack({}, (stack) =>
      stack.onInvite(async (invite) => {
        invites += 1;
        dialogs.push(await invite.accept(ANSWER));
      }),
    );
    const peer = await openRawUdp();
    const invite = requestText('INVITE', {}, OFFER);
    const accepted = await ask(peer, invite, server);
    peer.send(ack(invite, accepted), server.udp);
    await dialogs.next();
    expect(server.stack.transactionCount).toBe(0);
    peer.send(invite, server.udp);
    const cancelled = await ask(
      peer,
      invite.replace(/^INVITE/, 'CANCEL').replace('1 INVITE', '1 CANCEL'),
      server,
    );
    expect([cancelled.status, headerValue(cancelled, 'cseq')]).toEqual([200, '1 CANCEL']);
    expect([invites, peer.inbox.length]).toEqual([1, 0]);
  });

  test('without Contact is refused with 400', async () => {
    const server = await inviteServer(() => {});
    expect((await ask(await openRawUdp(), requestText('INVITE', { Contact: '' }), server)).status).toBe(400);
    expect((await ask(await openRawUdp(), requestText('INVITE', { Contact: '*' }), server)).status).toBe(400);
  });

  describe('inside the dialog', () => {
    async function established() {
      const dialogs = new Inbox<SipDialog>();
      const server = await openStack({ timers: { t1: 100, t2: 400, t4: 500 } }, (stack) => {
        stack.onInvite(async (invite) => dialogs.push(await invite.accept(ANSWER)));
        stack.onRequest('MESSAGE', (request) => request.respond(200));
      });
      const peer = await openRawUdp();
      const contact = `<sip:a@127.0.0.1:${peer.port}>`;
      const route = `<sip:127.0.0.1:${peer.port};lr>`;
      const invite = requestText(
        'INVITE',
        { Contact: contact, 'Record-Route': `${route}, <sip:far.example;lr>` },
        OFFER,
      );
      const response = await ask(peer, invite, server);
      peer.send(ack(invite, response), server.udp);
      return { server, peer, invite, response, dialog: await dialogs.next() };
    }

    test('the 200 repeats Record-Route and our BYE follows it', async () => {
      const { peer, response, dialog } = await established();
      expect(headerLines(response, 'record-route')).toHaveLength(1);
      void dialog.bye();
      const bye = await nextMessage(peer);
      expect(bye).toMatchObject({ kind: 'request', method: 'BYE', uri: `sip:a@127.0.0.1:${peer.port}` });
      expect(headerLines(bye, 'route')).toEqual([`<sip:127.0.0.1:${peer.port};lr>`, '<sip:far.example;lr>']);
      expect(headerValue(bye, 'from')).toBe(headerValue(response, 'to'));
    });

    test('a BYE ends it once, a second one finds nothing', async () => {
      const { server, peer, invite, response, dialog } = await established();
      const ends: string[] = [];
      dialog.onEnd((reason) => ends.push(reason));
      expect((await ask(peer, inDialog(invite, response, 'BYE', 2), server)).status).toBe(200);
      expect((await ask(peer, inDialog(invite, response, 'BYE', 3), server)).status).toBe(481);
      expect(ends).toEqual(['the peer ended the session']);
    });

    test('an old CSeq is refused', async () => {
      const { server, peer, invite, response } = await established();
      expect((await ask(peer, inDialog(invite, response, 'MESSAGE', 2), server)).status).toBe(200);
      expect((await ask(peer, inDialog(invite, response, 'BYE', 1), server)).status).toBe(500);
    });

    test('a session refresh is answered with our body, a new offer with 488', async () => {
      const { server, peer, invite, response } = await established();
      const refresh = inDialog(invite, response, 'INVITE', 2, OFFER);
      const refreshed = await ask(peer, refresh, server);
      expect([refreshed.status, Buffer.from(refreshed.body).toString()]).toEqual([200, 'v=0\r\n']);
      peer.send(inDialog(invite, response, 'ACK', 2), server.udp);
      const changed = inDialog(invite, response, 'INVITE', 3, OFFER.replace('1 1', '1 2'));
      let answer = await ask(peer, changed, server);
      while (headerValue(answer, 'cseq') !== '3 INVITE') answer = await nextResponse(peer);
      expect(answer.status).toBe(488);
    });
  });
});

describe('TCP', () => {
  const viaTcp = 'SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK';

  test('several requests in one piece are answered on the same connection', async () => {
    const server = await messageServer();
    const peer = await openRawTcp(server.tcp);
    const one = requestText('MESSAGE', { Via: `${viaTcp}1`, 'Call-ID': 'one' }, 'a\r\n\r\nb');
    const two = requestText('MESSAGE', { Via: `${viaTcp}2`, 'Call-ID': 'two' }, '\0\xff');
    peer.socket.write(octets(one + two));
    expect(await peer.until(/Call-ID: one[\s\S]*Call-ID: two[\s\S]*\r\n\r\n$/)).toMatch(/^SIP\/2\.0 200/);
    await server.seen.next();
    expect(Buffer.from((await server.seen.next()).message.body)).toEqual(octets('\0\xff'));
  });

  test('a ping is answered', async () => {
    const server = await messageServer();
    const peer = await openRawTcp(server.tcp);
    peer.socket.write('\r\n\r\n');
    expect(await peer.until(/\r\n/)).toBe('\r\n');
  });

  test('a broken message is answered 400 and the next one is served', async () => {
    const server = await messageServer();
    const peer = await openRawTcp(server.tcp);
    peer.socket.write(
      requestText('MESSAGE', { Via: `${viaTcp}1`, 'X-A': 'b' }, 'abc').replace('X-A: b', 'broken'),
    );
    await peer.until(/^SIP\/2\.0 400/);
    peer.socket.write(requestText('MESSAGE', { Via: `${viaTcp}2` }));
    await peer.until(/SIP\/2\.0 200/);
  });

  test.each([
    ['garbage', '\x16\x03\x01\x02\x00\x01\r\n\r\n'],
    ['HTTP', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an endless header', `MESSAGE sip:a SIP/2.0\r\nX: ${'y'.repeat(70_000)}`],
  ])('%s closes the connection', async (_name, text) => {
    const server = await messageServer();
    const peer = await openRawTcp(server.tcp);
    peer.socket.write(octets(text));
    await peer.closed;
  });

  test('a message over the limit is answered 413 and the connection closed', async () => {
    const server = await messageServer();
    const peer = await openRawTcp(server.tcp);
    peer.socket.write(requestText('MESSAGE', { Via: `${viaTcp}1`, 'Content-Length': '9999999' }));
    expect(await peer.until(/\r\n\r\n/)).toMatch(/^SIP\/2\.0 413/);
    await peer.closed;
  });

  test('a connection that never completes a message is closed, however busy it looks', async () => {
    const server = await messageServer({ timers: { t1: 2, t2: 8, t4: 10 } });
    const peer = await openRawTcp(server.tcp);
    const drip = setInterval(() => peer.socket.write('X'), 5);
    await peer.closed;
    clearInterval(drip);
  });

  test('a peer that goes on sending after garbage is cut off', async () => {
    const server = await messageServer({ timers: { t1: 2, t2: 8, t4: 10 } });
    const peer = await openRawTcp(server.tcp);
    peer.socket.allowHalfOpen = true;
    peer.socket.write('GET / HTTP/1.1\r\n\r\n');
    const drip = setInterval(() => peer.socket.write('X'), 5);
    await peer.closed;
    clearInterval(drip);
  });

  test('an idle connection is closed and its flow is reported', async () => {
    const closedFlows = new Inbox<string | undefined>();
    const server = await messageServer({ limits: { idleConnectionMs: 80 } });
    server.stack.onFlowClosed((flow) => closedFlows.push(flow.connectionId));
    const peer = await openRawTcp(server.tcp);
    peer.socket.write(requestText('MESSAGE', { Via: `${viaTcp}1` }));
    const { flow } = await server.seen.next();
    await peer.closed;
    expect(await closedFlows.next()).toBe(flow.connectionId);
  });

  test('connections above the limit are closed at once', async () => {
    const server = await messageServer({ limits: { maxConnections: 1 } });
    const first = await openRawTcp(server.tcp);
    first.socket.write('\r\n\r\n');
    await first.until(/\r\n/);
    await (await openRawTcp(server.tcp)).closed;
    first.socket.write('\r\n\r\n');
    await first.until(/\r\n\r\n/);
  });

  test('a request to a flow goes over that very connection, and fails when it is closed', async () => {
    const server = await messageServer();
    const peer = await openRawTcp(server.tcp);
    peer.socket.write(requestText('MESSAGE', { Via: `${viaTcp}1` }));
    const { flow } = await server.seen.next();
    const request = {
      method: 'MESSAGE',
      uri: 'sip:a@10.255.255.1',
      from: 'sip:p@x',
      to: 'sip:a@x',
      destination: flow,
    };
    const pending = server.stack.request(request).catch((error) => error);
    await peer.until(/MESSAGE sip:a@10\.255\.255\.1 SIP/);
    peer.socket.destroy();
    expect(await pending).toMatchObject({ code: 'unreachable' });
    await expect(server.stack.request(request)).rejects.toMatchObject({
      code: 'unreachable',
      retry: 'otherWay',
    });
  });

  test('two requests to one host share a connection', async () => {
    const listener = createServer();
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const peers: ReturnType<typeof adoptRawTcp>[] = [];
    listener.on('connection', (socket) => peers.push(adoptRawTcp(socket)));
    const address = listener.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const client = await openStack();
    const request = {
      method: 'MESSAGE',
      uri: `sip:a@127.0.0.1:${port};transport=tcp`,
      from: 'sip:p@x',
      to: 'sip:a@x',
    };
    const pending = [client.stack.request(request), client.stack.request(request)].map((one) =>
      one.catch(() => {}),
    );
    await expect.poll(() => peers[0]?.text().match(/^MESSAGE /gm)?.length).toBe(2);
    expect(peers).toHaveLength(1);
    await client.stack.close();
    await Promise.all(pending);
    listener.close();
  });
});

test('thousands of mutated datagrams neither stop the stack nor leave anything behind', async () => {
  const server = await messageServer({ timers: FAST });
  const peer = await openRawUdp();
  const random = seededRandom(4475);
  const valid = octets(requestText('MESSAGE', { Contact: '*', Route: '<sip:a;lr>, <sip:b>' }, 'body'));
  for (let round = 0; round < 2000; round += 1) {
    peer.send(mutated(valid, random), server.udp);
    if (round % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const last = requestText('MESSAGE', { 'Call-ID': 'the-last' });
  await expect
    .poll(async () => {
      peer.send(last, server.udp);
      for (;;) {
        const answer = await peer.inbox.next();
        if (answer.includes('Call-ID: the-last')) return true;
      }
    })
    .toBe(true);
  await expect.poll(() => server.stack.transactionCount).toBe(0);
  expect(server.log.filter(({ level }) => level === 'error')).toEqual([]);
});

test('a response that nobody waits for is never answered', async () => {
  const server = await messageServer();
  const peer = await openRawUdp();
  peer.send('SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP 127.0.0.1\r\nCSeq: x\r\n\r\n', server.udp);
  await ask(peer, requestText('MESSAGE'), server);
  expect(peer.inbox.length).toBe(0);
});
