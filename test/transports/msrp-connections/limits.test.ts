/** Peers that are slow, silent, greedy or too many: every one of them is bounded, and the others do not notice. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { MsrpContent } from '../../../src/transports/msrp-connections/msrp-connections.js';
import { seededRandom } from '../../support/seeded-random.js';
import {
  connectedPair,
  connecting,
  listening,
  message,
  openSession,
  rawListener,
  rawPeer,
} from './endpoints.js';
import { responseTo, sendText } from './raw-peer.js';

afterEach(() => void vi.useRealTimers());

const PEER = 'msrp://peer.example.com:9/rAnDoM;tcp';

describe('a session', () => {
  it('that is never bound is closed', async () => {
    const endpoint = await listening();
    const { closed } = openSession(endpoint, { connectTimeoutMs: 20 });
    expect([await closed, endpoint.sessionCount]).toEqual(['not connected in time', 0]);
  });

  it('that is bound is not closed for that', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { passive, active } = await connectedPair({
      passive: { connectTimeoutMs: 50 },
      active: { connectTimeoutMs: 50 },
    });
    vi.advanceTimersByTime(60);
    expect([passive.session.isConnected, active.session.isConnected]).toEqual([true, true]);
  });

  it('tells once that it is closed', async () => {
    const reasons: string[] = [];
    const { session } = openSession(await listening(), { onClosed: (reason) => void reasons.push(reason) });
    session.close('first');
    session.close('second');
    expect(reasons).toEqual(['first']);
  });

  it('whose listener throws does not disturb the others', async () => {
    const throws = (): never => {
      throw new Error('listener');
    };
    const { active } = await connectedPair({ passive: { onConnected: throws, onClosed: throws } });
    expect(await active.session.send(message('m123', 'x'))).toEqual({ kind: 'confirmed' });
  });

  it('that has no taker of messages answers them with 403', async () => {
    const listener = await listening();
    const sender = openSession(connecting());
    const silent = listener.openSession({});
    silent.awaitPeer([sender.session.localPath]);
    await sender.session.connect([silent.localPath]);
    expect(await sender.session.send(message('m123', 'x'))).toMatchObject({ kind: 'refused', status: 403 });
  });

  it('that is closed can be used no more, without harm', async () => {
    const { session } = openSession(connecting());
    session.close();
    session.awaitPeer([PEER]);
    await expect(session.connect([PEER])).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('has a path that nobody can guess', async () => {
    const endpoint = await listening();
    const paths = Array.from({ length: 100 }, () => openSession(endpoint).session.localPath);
    expect(new Set(paths).size).toBe(100);
    expect(paths[0]).toMatch(/^msrp:\/\/127\.0\.0\.1:\d+\/[\w-]{22};tcp$/);
  });

  it('has a path with brackets around an IPv6 address', () => {
    const { session } = openSession(connecting({ advertise: '2001:db8::1' }));
    expect(session.localPath).toMatch(/^msrp:\/\/\[2001:db8::1\]:9\//);
  });
});

describe('an endpoint on both families', () => {
  const both = (advertise?: string) =>
    listening({
      listen: { host: '127.0.0.1', port: 0, moreHosts: ['::1'] },
      ...(advertise === undefined ? {} : { advertise }),
    });

  it.each([
    ['an IPv6 peer', '::1', undefined, '[::1]:P'],
    ['an IPv4 peer', '127.0.0.9', undefined, '127.0.0.1:P'],
    ['a peer of which nothing is known', undefined, undefined, '127.0.0.1:P'],
    ['an IPv6 peer when an IPv4 address is advertised', '::1', '192.0.2.1:7000', '[::1]:7000'],
    ['an IPv4 peer when an IPv4 address is advertised', '127.0.0.9', '192.0.2.1:7000', '192.0.2.1:7000'],
    ['any peer when a name is advertised', '::1', 'msrp.example.test', 'msrp.example.test:P'],
  ])('names in the path for %s what it can use', async (_, peerAddress, advertise, expected) => {
    const endpoint = await both(advertise);
    const { session } = openSession(endpoint, peerAddress === undefined ? {} : { peerAddress });
    const place = expected.replace('P', String(endpoint.port));
    expect(session.localPath.startsWith(`msrp://${place}/`)).toBe(true);
  });

  it('takes sessions on each', async () => {
    const passive = await both();
    for (const peerAddress of ['::1', '127.0.0.1']) {
      const there = openSession(passive, { peerAddress });
      const here = openSession(connecting({ advertise: peerAddress }));
      there.session.awaitPeer([here.session.localPath]);
      await here.session.connect([there.session.localPath]);
      expect(await here.session.send(message('abcd', 'hello'))).toEqual({ kind: 'confirmed' });
    }
  });
});

describe('a connection', () => {
  it('without any session is closed', async () => {
    const endpoint = await listening({ limits: { idleConnectionMs: 20 } });
    const peer = await rawPeer(endpoint.port);
    await peer.closed;
  });

  it('that only answers 481 is closed like that too', async () => {
    const endpoint = await listening({ limits: { idleConnectionMs: 40 } });
    const peer = await rawPeer(endpoint.port);
    const nag = setInterval(
      () => peer.write(sendText({ to: 'msrp://h:1/x;tcp', from: PEER, id: 'abcd' })),
      5,
    );
    await peer.closed;
    clearInterval(nag);
  });

  it('is closed when its last session is', async () => {
    const connector = connecting({ limits: { idleConnectionMs: 20 } });
    const listener = await rawListener();
    const { session } = openSession(connector);
    const done = session.connect([`msrp://127.0.0.1:${listener.port}/far;tcp`]);
    const peer = await listener.accept();
    peer.write(responseTo(await peer.next(), '200 OK'));
    await done;
    session.close();
    await peer.closed;
  });

  it('that stops in the middle of a request is closed', async () => {
    const endpoint = await listening({ limits: { stalledRequestMs: 20 } });
    const { session, closed } = openSession(endpoint);
    session.awaitPeer([PEER]);
    const peer = await rawPeer(endpoint.port);
    peer.write(`${sendText({ to: session.localPath, from: PEER, id: 'bind' })}MSRP abcd SEND\r\nTo-`);
    expect(await closed).toBe('a request was not finished');
    await peer.closed;
  });

  it('that is one too many is closed, and the others stay', async () => {
    const endpoint = await listening({ limits: { maxConnections: 2 } });
    const peers = [await rawPeer(endpoint.port), await rawPeer(endpoint.port)];
    const { session } = openSession(endpoint);
    session.awaitPeer([PEER]);
    const third = await rawPeer(endpoint.port);
    await third.closed;
    peers[1]?.write(sendText({ to: session.localPath, from: PEER, id: 'abcd' }));
    expect(await peers[1]?.nextLine()).toBe('200 abcd');
  });

  it('takes large chunks only from a peer that has shown that it knows a session', async () => {
    const endpoint = await listening();
    const { session, received } = openSession(endpoint);
    session.awaitPeer([PEER]);
    const peer = await rawPeer(endpoint.port);
    const body = 'x'.repeat(100_000);
    const text = (id: string): string =>
      sendText({ to: session.localPath, from: PEER, id, fields: 'Message-ID: m123\r\n', body });
    peer.write(text('abc1'));
    expect(await peer.nextLine()).toBe('413 abc1');
    peer.write(text('abc2'));
    expect([await peer.nextLine(), received.length]).toEqual(['200 abc2', 1]);
  });

  it('speaking another protocol is closed at its first line', async () => {
    const endpoint = await listening();
    const peer = await rawPeer(endpoint.port);
    peer.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await peer.closed;
  });

  it('whose peer never reads is closed, and the content stays where it is', async () => {
    const endpoint = await listening({
      limits: { stalledRequestMs: 50, maxInFlightChunks: 1_000_000, chunkBytes: 65_536 },
    });
    const { session, closed } = openSession(endpoint);
    session.awaitPeer([PEER]);
    const peer = await rawPeer(endpoint.port);
    peer.write(sendText({ to: session.localPath, from: PEER, id: 'bind' }));
    await peer.next();
    peer.socket.pause();
    let furthest = 0;
    const size = 1_000_000_000;
    const content: MsrpContent = {
      size,
      read: async (offset, length) => {
        furthest = offset + length;
        return Buffer.alloc(length);
      },
    };
    const sent = session.send(message('m123', '', { content }));
    expect(await closed).toBe('the peer does not read');
    expect(await sent).toMatchObject({ kind: 'lost' });
    expect(furthest).toBeLessThan(size / 10);
  });

  it('whose peer asks without reading the answers is not read any further', async () => {
    const endpoint = await listening({ limits: { stalledRequestMs: 100 } });
    const { session, closed } = openSession(endpoint);
    session.awaitPeer([PEER]);
    const peer = await rawPeer(endpoint.port);
    peer.socket.pause();
    const batch = Buffer.from(sendText({ to: session.localPath, from: PEER, id: 'abcd' }).repeat(500));
    const flood = (): void => {
      while (peer.socket.writable && peer.socket.write(batch));
    };
    peer.socket.on('drain', flood);
    flood();
    expect(await closed).toBe('the peer does not read');
  });

  it('hands over no more messages than may wait, until some are done', async () => {
    const total = 2000;
    let waiting = 0;
    let most = 0;
    let done = 0;
    const endpoint = await listening();
    const { session } = openSession(endpoint, {
      onMessage: async () => {
        waiting += 1;
        most = Math.max(most, waiting);
        // A turn of the event loop lets more octets in than one handler would ever wait for.
        for (let turns = 0; turns < 3; turns += 1) await new Promise((resolve) => setImmediate(resolve));
        waiting -= 1;
        done += 1;
      },
    });
    session.awaitPeer([PEER]);
    const peer = await rawPeer(endpoint.port);
    for (let i = 0; i < total; i += 1) {
      peer.write(
        sendText({
          to: session.localPath,
          from: PEER,
          id: `id${i}-`,
          fields: `Message-ID: m${i}-\r\n`,
          body: 'x'.repeat(300),
        }),
      );
    }
    for (let i = 0; i < total; i += 1) expect(await peer.nextLine()).toBe(`200 id${i}-`);
    expect(done).toBe(total);
    // 256, and what one read of the socket may still hold.
    expect(most).toBeLessThan(256 + 65_536 / 300);
  });

  it('forgets messages that are not continued', async () => {
    const endpoint = await listening({ limits: { openMessageMs: 20, maxOpenMessages: 1 } });
    const { session } = openSession(endpoint);
    session.awaitPeer([PEER]);
    const peer = await rawPeer(endpoint.port);
    const part = (id: string, messageId: string): string =>
      sendText({
        to: session.localPath,
        from: PEER,
        id,
        fields: `Message-ID: ${messageId}\r\nByte-Range: 1-1/9\r\n`,
        body: 'x',
        flag: '+',
      });
    peer.write(part('abc1', 'old1') + part('abc2', 'new2'));
    expect([await peer.nextLine(), await peer.nextLine()]).toEqual(['200 abc1', '413 abc2']);
    let line = '';
    while (line !== '200 abc3') {
      peer.write(part('abc3', 'new3'));
      line = await peer.nextLine();
    }
    expect(line).toBe('200 abc3');
  });
});

describe('an endpoint', () => {
  it('serves on while hundreds of connections feed it nonsense', async () => {
    const endpoint = await listening();
    const { passive, active } = await connectedPair({ listener: endpoint });
    const random = seededRandom(6135);
    const good = Buffer.from(
      sendText({
        to: passive.session.localPath,
        from: PEER,
        id: 'abcd',
        fields: 'Message-ID: m123\r\n',
        body: 'x',
      }).repeat(3),
    );
    for (let round = 0; round < 300; round += 1) {
      const peer = await rawPeer(endpoint.port);
      const bytes = Buffer.from(good);
      for (let times = random.below(5); times >= 0; times -= 1)
        bytes[random.below(bytes.length)] = random.below(256);
      peer.socket.end(bytes.subarray(0, 1 + random.below(bytes.length)));
      await peer.closed;
    }
    expect(await active.session.send(message('m123', 'still here'))).toEqual({ kind: 'confirmed' });
  });

  it('that cannot bind its port says so', async () => {
    const first = await listening();
    await expect(listening({ listen: { host: '127.0.0.1', port: first.port ?? 0 } })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });

  it('closes sessions and connections when it closes', async () => {
    const listener = await listening();
    const { passive, active } = await connectedPair({ listener });
    await listener.close();
    expect([await passive.closed, listener.sessionCount]).toEqual(['shutting down', 0]);
    await active.closed;
  });

  it('ends an attempt to connect when it closes', async () => {
    const connector = connecting();
    const { session, closed } = openSession(connector);
    const done = session.connect(['msrp://127.0.0.1:1/far;tcp'], { address: { host: '127.0.0.1', port: 1 } });
    await Promise.all([expect(done).rejects.toMatchObject({ code: 'unreachable' }), connector.close()]);
    await closed;
  });
});
