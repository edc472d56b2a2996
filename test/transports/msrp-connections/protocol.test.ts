/** Request by request against a peer that breaks the rules: which status, which report, who may speak for a session. */
import { describe, expect, it } from 'vitest';
import { connecting, listening, message, openSession, rawListener, rawPeer } from './endpoints.js';
import type { RawPeer } from './raw-peer.js';
import { responseTo, sendText } from './raw-peer.js';

const PEER = 'msrp://peer.example.com:9/rAnDoM;tcp';

/** A session that awaits PEER, and a peer that is connected but has said nothing. */
async function awaitingSession(options: Parameters<typeof openSession>[1] = {}) {
  const endpoint = await listening();
  const observed = openSession(endpoint, options);
  observed.session.awaitPeer([PEER]);
  const peer = await rawPeer(endpoint.port);
  return { ...observed, endpoint, peer, to: observed.session.localPath, from: PEER };
}

/** The same after the peer's empty SEND. */
async function boundSession(options: Parameters<typeof openSession>[1] = {}) {
  const bound = await awaitingSession(options);
  bound.peer.write(sendText({ to: bound.to, from: PEER, id: 'bind' }));
  await bound.peer.next();
  return bound;
}

/** Sends something harmless and reads lines up to its answer: what came before is what the last request got. */
async function linesSoFar(peer: RawPeer, to: string): Promise<string[]> {
  peer.write(sendText({ to, from: PEER, id: 'ping' }));
  const lines: string[] = [];
  for (let line = await peer.nextLine(); line !== '200 ping'; line = await peer.nextLine()) lines.push(line);
  return lines;
}

describe('the first request', () => {
  it('binds the session when it has no content', async () => {
    const { peer, to, session, connected, received } = await awaitingSession();
    peer.write(sendText({ to, from: PEER, id: 'bind' }));
    expect(await peer.next()).toMatchObject({
      status: 200,
      transactionId: 'bind',
      toPath: [PEER],
      fromPath: [to],
    });
    await connected;
    expect([session.isConnected, received]).toEqual([true, []]);
  });

  it('binds the session when it is a message', async () => {
    const { peer, to, received, connected } = await awaitingSession();
    peer.write(sendText({ to, from: PEER, id: 'abcd', fields: 'Message-ID: m123\r\n', body: 'hi' }));
    expect(await peer.nextLine()).toBe('200 abcd');
    await connected;
    expect(received.map((each) => String(each.content))).toEqual(['hi']);
  });

  it.each([
    [
      'an unknown session',
      (to: string) => sendText({ to: to.replace(/\/[^/;]+;/, '/unknown;'), from: PEER, id: 'abcd' }),
    ],
    ['a To-Path of two URIs', (to: string) => sendText({ to: `${to} ${PEER}`, from: PEER, id: 'abcd' })],
    ['a To-Path that is no URI', () => sendText({ to: 'nonsense', from: PEER, id: 'abcd' })],
    [
      'another peer',
      (to: string) => sendText({ to, from: 'msrp://peer.example.com:9/other;tcp', id: 'abcd' }),
    ],
    ['a From-Path that is no URI', (to: string) => sendText({ to, from: 'nonsense', id: 'abcd' })],
  ])('is answered 481 for %s', async (_, text) => {
    const { peer, to, session } = await awaitingSession();
    peer.write(text(to));
    expect([await peer.nextLine(), session.isConnected]).toEqual(['481 abcd', false]);
  });

  it('is taken from a peer whose address was rewritten on the way, since the session-id is right', async () => {
    const { peer, to, connected } = await awaitingSession();
    const rewritten = to.replace(/:\/\/[^/]+/, '://sbc.example.net:4000');
    peer.write(sendText({ to: rewritten, from: 'msrp://10.0.0.1:7/rAnDoM;tcp', id: 'abcd' }));
    expect(await peer.nextLine()).toBe('200 abcd');
    await connected;
  });

  it('waits for the path when it overtook the SDP answer', async () => {
    const endpoint = await listening();
    const { session, received } = openSession(endpoint);
    const peer = await rawPeer(endpoint.port);
    peer.write(
      sendText({
        to: session.localPath,
        from: PEER,
        id: 'abcd',
        fields: 'Message-ID: m123\r\n',
        body: 'early',
      }) + sendText({ to: 'msrp://nobody:1/x;tcp', from: PEER, id: 'mark' }),
    );
    expect([await peer.nextLine(), received]).toEqual(['481 mark', []]);
    session.awaitPeer([PEER]);
    expect(await peer.nextLine()).toBe('200 abcd');
    expect(received.map((each) => String(each.content))).toEqual(['early']);
  });

  it('that came early is answered 481 when we turn out to be the side that connects', async () => {
    const endpoint = await listening();
    const listener = await rawListener();
    const { session } = openSession(endpoint);
    const peer = await rawPeer(endpoint.port);
    peer.write(
      sendText({ to: session.localPath, from: PEER, id: 'abcd' }) +
        sendText({ to: 'msrp://nobody:1/x;tcp', from: PEER, id: 'mark' }),
    );
    expect(await peer.nextLine()).toBe('481 mark');
    const done = session.connect([`msrp://127.0.0.1:${listener.port}/far;tcp`]);
    expect(await peer.nextLine()).toBe('481 abcd');
    session.close();
    await expect(done).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('is answered 481 when the owner closes the session at that very moment', async () => {
    const endpoint = await listening();
    const received: unknown[] = [];
    const session = endpoint.openSession({
      onConnected: () => session.close(),
      onMessage: (each) => void received.push(each),
    });
    session.awaitPeer([PEER]);
    const peer = await rawPeer(endpoint.port);
    const fields = 'Message-ID: m123\r\n';
    peer.write(sendText({ to: session.localPath, from: PEER, id: 'abcd', fields, body: 'x' }));
    expect([await peer.nextLine(), received]).toEqual(['481 abcd', []]);
  });

  it('is refused when too many wait for the path', async () => {
    const endpoint = await listening();
    const { session } = openSession(endpoint);
    const peer = await rawPeer(endpoint.port);
    for (let i = 0; i < 9; i += 1) peer.write(sendText({ to: session.localPath, from: PEER, id: `abc${i}` }));
    expect(await peer.nextLine()).toBe('481 abc8');
  });

  it('on a second connection is answered 506, and the first one stays', async () => {
    const { endpoint, peer, to, session } = await boundSession();
    const second = await rawPeer(endpoint.port);
    second.write(sendText({ to, from: PEER, id: 'abcd' }));
    expect(await second.nextLine()).toBe('506 abcd');
    expect([await linesSoFar(peer, to), session.isConnected]).toEqual([[], true]);
  });
});

describe('a request on a bound session', () => {
  it('with an unknown method is answered 501, all the way back', async () => {
    const { peer, to } = await boundSession();
    const path = `msrp://relay.example.com;tcp ${PEER}`;
    peer.write(sendText({ to, from: path, id: 'abcd', method: 'NICKNAME' }));
    expect(await peer.next()).toMatchObject({ status: 501, toPath: path.split(' ') });
  });

  it('that came over a relay is answered one hop back, its report all the way', async () => {
    const { peer, to } = await boundSession();
    const path = `msrp://relay.example.com;tcp ${PEER}`;
    peer.write(
      sendText({
        to,
        from: path,
        id: 'abcd',
        fields: 'Message-ID: m123\r\nSuccess-Report: yes\r\n',
        body: 'x',
      }),
    );
    expect(await peer.next()).toMatchObject({ status: 200, toPath: ['msrp://relay.example.com;tcp'] });
    expect(await peer.next()).toMatchObject({ method: 'REPORT', toPath: path.split(' '), fromPath: [to] });
  });

  it('with a bad header field is answered 400, and the next one is read', async () => {
    const { peer, to } = await boundSession();
    peer.write(sendText({ to, from: PEER, id: 'abcd', fields: 'Byte-Range: x\r\n' }));
    expect(await linesSoFar(peer, to)).toEqual(['400 abcd']);
  });

  it('with a body but no Message-ID is answered 400', async () => {
    const { peer, to } = await boundSession();
    peer.write(sendText({ to, from: PEER, id: 'abcd', body: 'x' }));
    expect(await peer.nextLine()).toBe('400 abcd');
  });

  it('that breaks the framing closes the connection and the session', async () => {
    const { peer, closed } = await boundSession();
    peer.write('MSRP abcd SEND\r\nTo-Path\0');
    await peer.closed;
    expect(await closed).toMatch(/framing/);
  });

  it('with unknown header fields is taken, and they are handed on', async () => {
    const { peer, to, received } = await boundSession();
    const fields = 'X-One: 1\r\nMessage-ID: m123\r\nX-Two: 2\r\nContent-Disposition: inline\r\n';
    peer.write(sendText({ to, from: PEER, id: 'abcd', fields, body: 'x' }));
    await peer.next();
    expect(received[0]?.headers.map(({ name }) => name)).toEqual(['X-One', 'X-Two', 'Content-Disposition']);
  });

  it('in chunks that arrive in any order makes one message, and one report after the last answer', async () => {
    const { peer, to, received } = await boundSession();
    const chunk = (id: string, range: string, body: string, flag: '$' | '+'): string =>
      sendText({
        to,
        from: PEER,
        id,
        fields: `Message-ID: m123\r\nSuccess-Report: yes\r\nByte-Range: ${range}\r\n`,
        body,
        flag,
      });
    peer.write(
      chunk('abc3', '9-12/12', 'rld!', '$') +
        chunk('abc1', '1-4/12', 'Hell', '+') +
        chunk('abc2', '5-8/12', 'o wo', '+'),
    );
    const lines = [
      await peer.nextLine(),
      await peer.nextLine(),
      await peer.nextLine(),
      await peer.nextLine(),
    ];
    expect(lines).toEqual(['200 abc3', '200 abc1', '200 abc2', 'REPORT m123 1-12/12 $']);
    expect(received.map((each) => String(each.content))).toEqual(['Hello world!']);
  });

  it('that is given up is forgotten', async () => {
    const { peer, to, received } = await boundSession();
    const fields = 'Message-ID: m123\r\nByte-Range: 1-*/100\r\n';
    peer.write(sendText({ to, from: PEER, id: 'abc1', fields, body: 'x', flag: '+' }));
    peer.write(sendText({ to, from: PEER, id: 'abc2', fields, flag: '#' }));
    expect([await peer.nextLine(), await peer.nextLine(), received]).toEqual(['200 abc1', '200 abc2', []]);
  });

  it.each([
    ['yes', 'accept', ['200 abcd']],
    ['yes', 'refuse', ['408 abcd']],
    ['partial', 'accept', []],
    ['partial', 'refuse', ['408 abcd']],
    ['no', 'accept', []],
    ['no', 'refuse', []],
  ] as const)('with Failure-Report %s when we %s it gets %j', async (wish, decision, expected) => {
    const { peer, to } = await boundSession({
      onMessage: () => {
        if (decision === 'refuse') throw new Error('no');
      },
    });
    const fields = `Message-ID: m123\r\nFailure-Report: ${wish}\r\n`;
    peer.write(sendText({ to, from: PEER, id: 'abcd', fields, body: 'x' }));
    expect(await linesSoFar(peer, to)).toEqual(expected);
  });

  it('that wants no failures but a success report gets the report alone', async () => {
    const { peer, to } = await boundSession();
    const fields = 'Message-ID: m123\r\nFailure-Report: no\r\nSuccess-Report: yes\r\n';
    peer.write(sendText({ to, from: PEER, id: 'abcd', fields, body: 'four' }));
    expect(await linesSoFar(peer, to)).toEqual(['REPORT m123 1-4/4 $']);
  });

  it('that is a REPORT, even a bad one, gets no answer', async () => {
    const { peer, to } = await boundSession();
    for (const fields of ['Message-ID: nobody\r\nStatus: 000 200 OK\r\n', 'Status: ?\r\n', '']) {
      peer.write(sendText({ to, from: PEER, id: 'abcd', fields, method: 'REPORT' }));
    }
    expect(await linesSoFar(peer, to)).toEqual([]);
  });

  it('is answered 481 once the session is closed', async () => {
    const { peer, to, session } = await boundSession();
    session.close();
    peer.write(sendText({ to, from: PEER, id: 'abcd' }));
    expect(await peer.nextLine()).toBe('481 abcd');
  });
});

describe('a message of ours', () => {
  it('is in chunks, with `*` for the end of those that are large', async () => {
    const { peer, session } = await boundSession();
    void session.send(message('m123', Buffer.alloc(40_000)));
    const lines = [await peer.nextLine(), await peer.nextLine(), await peer.nextLine()];
    expect(lines).toEqual([
      'SEND m123 1-*/40000 +',
      'SEND m123 16385-*/40000 +',
      'SEND m123 32769-*/40000 $',
    ]);
  });

  it('names its end when it is small, and asks for the report', async () => {
    const { peer, session, to } = await boundSession();
    void session.send(message('m123', 'x'));
    expect(await peer.next()).toMatchObject({
      toPath: [PEER],
      fromPath: [to],
      byteRange: { start: 1, end: 1, total: 1 },
      successReport: true,
      failureReport: 'yes',
    });
  });

  it('has no more chunks unanswered than allowed', async () => {
    const endpoint = await listening({ limits: { maxInFlightChunks: 2, chunkBytes: 10 } });
    const { session } = openSession(endpoint);
    session.awaitPeer([PEER]);
    const peer = await rawPeer(endpoint.port);
    peer.write(sendText({ to: session.localPath, from: PEER, id: 'bind' }));
    await peer.next();
    const sent = session.send(message('m123', Buffer.alloc(50), { successReport: false }));
    const first = await peer.next();
    await peer.next();
    expect(await linesSoFar(peer, session.localPath)).toEqual([]);
    peer.write(responseTo(first, '200 OK'));
    expect(await peer.nextLine()).toBe('SEND m123 21-30/50 +');
    session.close();
    await sent;
  });

  it.each([
    ['one report for all', ['1-10/10']],
    ['reports for each part', ['1-4/10', '5-10/10']],
    ['reports in another order, that overlap', ['4-10/10', '1-6/10']],
    ['a report of unknown end', ['1-*/10']],
  ])('is confirmed by %s', async (_, ranges) => {
    const { peer, session, to } = await boundSession();
    const sent = session.send(message('m123', Buffer.alloc(10)));
    peer.write(responseTo(await peer.next(), '200 OK'));
    for (const range of ranges) {
      const fields = `Message-ID: m123\r\nByte-Range: ${range}\r\nStatus: 000 200 OK\r\n`;
      peer.write(sendText({ to, from: PEER, id: 'abcd', fields, method: 'REPORT' }));
    }
    expect(await sent).toEqual({ kind: 'confirmed' });
  });

  it('is confirmed when the report overtakes the answer', async () => {
    const { peer, session, to } = await boundSession();
    const sent = session.send(message('m123', 'x'));
    const request = await peer.next();
    const fields = 'Message-ID: m123\r\nByte-Range: 1-1/1\r\nStatus: 000 200 OK\r\n';
    peer.write(
      sendText({ to, from: PEER, id: 'abcd', fields, method: 'REPORT' }) + responseTo(request, '200 OK'),
    );
    expect(await sent).toEqual({ kind: 'confirmed' });
  });

  it.each([
    ['no report', ''],
    ['a report of a part', 'Message-ID: m123\r\nByte-Range: 1-4/10\r\nStatus: 000 200 OK\r\n'],
    ['a report beyond its octets', 'Message-ID: m123\r\nByte-Range: 1-11/11\r\nStatus: 000 200 OK\r\n'],
    ['a report of another message', 'Message-ID: m124\r\nByte-Range: 1-10/10\r\nStatus: 000 200 OK\r\n'],
    ['a report in an unknown namespace', 'Message-ID: m123\r\nByte-Range: 1-10/10\r\nStatus: 001 200 OK\r\n'],
  ])('is lost after a time with %s', async (_, fields) => {
    const endpoint = await listening({ limits: { reportTimeoutMs: 40 } });
    const { session } = openSession(endpoint);
    session.awaitPeer([PEER]);
    const peer = await rawPeer(endpoint.port);
    peer.write(sendText({ to: session.localPath, from: PEER, id: 'bind' }));
    await peer.next();
    const sent = session.send(message('m123', Buffer.alloc(10)));
    peer.write(responseTo(await peer.next(), '200 OK'));
    if (fields !== '')
      peer.write(sendText({ to: session.localPath, from: PEER, id: 'abcd', fields, method: 'REPORT' }));
    expect(await sent).toMatchObject({ kind: 'lost', error: { code: 'timeout' } });
  });

  it('is refused by a report that says so', async () => {
    const { peer, session, to } = await boundSession();
    const sent = session.send(message('m123', 'x'));
    peer.write(responseTo(await peer.next(), '200 OK'));
    const fields = 'Message-ID: m123\r\nByte-Range: 1-1/1\r\nStatus: 000 403 Not here\r\n';
    peer.write(sendText({ to, from: PEER, id: 'abcd', fields, method: 'REPORT' }));
    expect(await sent).toEqual({ kind: 'refused', status: 403, comment: 'Not here' });
  });

  it('that is refused in the middle ends with an abandoned chunk', async () => {
    const endpoint = await listening({ limits: { maxInFlightChunks: 1 } });
    const { session } = openSession(endpoint);
    session.awaitPeer([PEER]);
    const peer = await rawPeer(endpoint.port);
    peer.write(sendText({ to: session.localPath, from: PEER, id: 'bind' }));
    await peer.next();
    const sent = session.send(message('m123', Buffer.alloc(40_000)));
    peer.write(responseTo(await peer.next(), '413 Enough'));
    expect(await sent).toEqual({ kind: 'refused', status: 413, comment: 'Enough' });
    expect(await peer.next()).toMatchObject({
      messageId: 'm123',
      continuation: '#',
      body: undefined,
      failureReport: 'no',
    });
  });

  it.each([481, 506])('that is answered %i ends the session', async (status) => {
    const { peer, session, closed } = await boundSession();
    const sent = [session.send(message('m123', 'x')), session.send(message('m124', 'x'))];
    peer.write(responseTo(await peer.next(), `${status} Gone`));
    expect(await closed).toMatch(String(status));
    expect(await Promise.all(sent)).toMatchObject([{ kind: 'refused', status }, { kind: 'lost' }]);
  });

  it('ignores responses that belong to nothing', async () => {
    const { peer, session } = await boundSession();
    const sent = session.send(message('m123', 'x', { successReport: false }));
    const request = await peer.next();
    peer.write(
      responseTo({ ...request, transactionId: 'nothing' }, '403 No') + responseTo(request, '200 OK'),
    );
    peer.write(responseTo(request, '403 No'));
    expect(await sent).toEqual({ kind: 'confirmed' });
  });
});

describe('connecting', () => {
  it('sends an empty SEND at once and is done with its answer', async () => {
    const listener = await rawListener();
    const { session, connected } = openSession(connecting());
    const path = `msrp://127.0.0.1:${listener.port}/far;tcp`;
    const done = session.connect([path]);
    const peer = await listener.accept();
    const request = await peer.next();
    expect(request).toMatchObject({
      method: 'SEND',
      toPath: [path],
      fromPath: [session.localPath],
      body: undefined,
      continuation: '$',
    });
    peer.write(responseTo(request, '200 OK'));
    await done;
    await connected;
  });

  it('goes to the address given instead of the path, for CEMA', async () => {
    const listener = await rawListener();
    const { session } = openSession(connecting());
    const done = session.connect(['msrp://192.0.2.1:2855/far;tcp'], {
      address: { host: '127.0.0.1', port: listener.port },
    });
    const peer = await listener.accept();
    const request = await peer.next();
    expect(request.toPath).toEqual(['msrp://192.0.2.1:2855/far;tcp']);
    peer.write(responseTo(request, '200 OK'));
    await done;
  });

  it('goes to the first hop of a path over relays', async () => {
    const listener = await rawListener();
    const { session } = openSession(connecting());
    const path = [`msrp://127.0.0.1:${listener.port};tcp`, PEER];
    const done = session.connect(path);
    const peer = await listener.accept();
    const request = await peer.next();
    expect(request.toPath).toEqual(path);
    peer.write(responseTo(request, '200 OK'));
    await done;
  });

  it('takes a request of the peer for the answer', async () => {
    const listener = await rawListener();
    const { session, received } = openSession(connecting());
    const path = `msrp://127.0.0.1:${listener.port}/far;tcp`;
    const done = session.connect([path]);
    const peer = await listener.accept();
    const request = await peer.next();
    peer.write(
      sendText({
        to: session.localPath,
        from: path,
        id: 'abcd',
        fields: 'Message-ID: m123\r\n',
        body: 'fast',
      }),
    );
    expect(await peer.nextLine()).toBe('200 abcd');
    expect([session.isConnected, received.length]).toEqual([true, 1]);
    peer.write(responseTo(request, '200 OK'));
    await done;
  });

  it('fails with `unreachable` when nobody listens', async () => {
    const gone = await rawListener();
    await gone.close();
    const { session, closed } = openSession(connecting());
    await expect(session.connect([`msrp://127.0.0.1:${gone.port}/far;tcp`])).rejects.toMatchObject({
      code: 'unreachable',
    });
    expect(await closed).toMatch(/cannot connect/);
  });

  it('can be tried again by another session after it failed', async () => {
    const gone = await rawListener();
    await gone.close();
    const connector = connecting();
    for (let i = 0; i < 2; i += 1) {
      const { session } = openSession(connector);
      await expect(session.connect([`msrp://127.0.0.1:${gone.port}/far;tcp`])).rejects.toMatchObject({
        code: 'unreachable',
      });
    }
  });

  it('fails when the peer does not know the session', async () => {
    const listener = await rawListener();
    const { session, closed } = openSession(connecting());
    const done = session.connect([`msrp://127.0.0.1:${listener.port}/far;tcp`]);
    const peer = await listener.accept();
    peer.write(responseTo(await peer.next(), '481 Who?'));
    await expect(done).rejects.toMatchObject({ name: 'DeliveryError', detail: 'the peer answered 481 Who?' });
    await closed;
  });

  it('fails when the connection is lost before the answer', async () => {
    const listener = await rawListener();
    const { session } = openSession(connecting());
    const done = session.connect([`msrp://127.0.0.1:${listener.port}/far;tcp`]);
    const peer = await listener.accept();
    await peer.next();
    peer.socket.resetAndDestroy();
    await expect(done).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('fails with `timeout` when the peer says nothing', async () => {
    const listener = await rawListener();
    const { session, closed } = openSession(connecting(), { connectTimeoutMs: 40 });
    const done = session.connect([`msrp://127.0.0.1:${listener.port}/far;tcp`]);
    await expect(done).rejects.toMatchObject({ code: 'timeout' });
    expect(await closed).toBe('not connected in time');
  });

  it('fails on a path that is none, and the session can still be used', async () => {
    const { session } = openSession(connecting());
    await expect(session.connect(['sip:bob@example.com'])).rejects.toMatchObject({ code: 'malformed' });
    await expect(session.connect([])).rejects.toMatchObject({ code: 'malformed' });
  });

  it('opens a new connection after the shared one was lost', async () => {
    const listener = await rawListener();
    const connector = connecting();
    const path = `msrp://127.0.0.1:${listener.port}/far;tcp`;
    const first = openSession(connector);
    const firstDone = first.session.connect([path]);
    const firstPeer = await listener.accept();
    firstPeer.write(responseTo(await firstPeer.next(), '200 OK'));
    await firstDone;
    firstPeer.socket.destroy();
    await first.closed;
    const second = openSession(connector);
    const secondDone = second.session.connect([path]);
    const secondPeer = await listener.accept();
    secondPeer.write(responseTo(await secondPeer.next(), '200 OK'));
    await secondDone;
  });
});
