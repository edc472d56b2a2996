/** Messages between two endpoints of ours over loopback: exact octets, order, fairness, reports, and every way to fail. */
import { describe, expect, it } from 'vitest';
import { type ErrorCode, RefusedError } from '../../../src/kernel/errors.js';
import type { MsrpContent } from '../../../src/transports/msrp-connections/msrp-connections.js';
import { seededRandom } from '../../support/seeded-random.js';
import { connectedPair, connecting, listening, message, openSession, proxyTo } from './endpoints.js';

/** Random octets with look-alikes of end-lines in between. */
function binary(size: number): Buffer {
  const random = seededRandom(size);
  const octets = Buffer.alloc(size);
  for (let at = 0; at < size; at += 1) octets[at] = random.below(256);
  for (let at = 0; at + 40 < size; at += 500) octets.write('\r\n-------A2345678901$\r\n', at, 'latin1');
  return octets;
}

/** Content that is read piece by piece; `offsets` are those asked for. */
function sourceOf(octets: Buffer, offsets: number[] = []): MsrpContent {
  return {
    size: octets.length,
    read: async (offset, length) => {
      offsets.push(offset);
      return octets.subarray(offset, offset + length);
    },
  };
}

describe('a message', () => {
  it.each([0, 1, 2048, 2049, 16_383, 16_384, 16_385, 200_000, 2_097_152])(
    'of %i octets arrives exact',
    async (size) => {
      const { passive, active } = await connectedPair();
      const content = binary(size);
      expect(await active.session.send(message('m123', content))).toEqual({ kind: 'confirmed' });
      expect(passive.received.map((each) => content.equals(each.content))).toEqual([true]);
    },
  );

  it('goes the other way too', async () => {
    const { passive, active } = await connectedPair();
    await passive.session.send(message('m123', 'ding'));
    expect(active.received.map((each) => Buffer.from(each.content).toString())).toEqual(['ding']);
  });

  it('keeps its id, type and header fields', async () => {
    const { passive, active } = await connectedPair();
    const headers = [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:mms.ua Ж' }];
    await active.session.send(message('m123', 'x', { contentType: 'a/b;c="d"', headers }));
    expect(passive.received).toEqual([
      { messageId: 'm123', contentType: 'a/b;c="d"', headers, content: Buffer.from('x') },
    ]);
  });

  it('is read from its source piece by piece, each octet once', async () => {
    const { passive, active } = await connectedPair();
    const octets = binary(100_000);
    const offsets: number[] = [];
    const sent = await active.session.send(message('m123', '', { content: sourceOf(octets, offsets) }));
    expect(sent).toEqual({ kind: 'confirmed' });
    expect(offsets).toEqual([0, 16_384, 32_768, 49_152, 65_536, 81_920, 98_304]);
    expect(passive.received.map((each) => octets.equals(each.content))).toEqual([true]);
  });

  it('is confirmed without a report when none was asked for', async () => {
    const { active } = await connectedPair();
    expect(await active.session.send(message('m123', 'x', { successReport: false }))).toEqual({
      kind: 'confirmed',
    });
  });

  it('waits until the session is connected', async () => {
    const listener = await listening();
    const passive = openSession(listener);
    const active = openSession(connecting());
    const sent = passive.session.send(message('m123', 'early'));
    passive.session.awaitPeer([active.session.localPath]);
    await active.session.connect([passive.session.localPath]);
    expect(await sent).toEqual({ kind: 'confirmed' });
  });

  it('counts as queued until it is handed to the connection', async () => {
    const { active } = await connectedPair();
    const sent = active.session.send(message('m123', binary(300_000)));
    expect(active.session.queuedBytes).toBe(300_000);
    await sent;
    expect(active.session.queuedBytes).toBe(0);
  });

  it('is confirmed only after the receiver has stored it', async () => {
    let isStored = false;
    const { active } = await connectedPair({
      passive: {
        onMessage: async () => {
          await new Promise((resolve) => setImmediate(resolve));
          isStored = true;
        },
      },
    });
    await active.session.send(message('m123', 'x', { successReport: false }));
    expect(isStored).toBe(true);
  });
});

describe('several messages', () => {
  it('arrive in the order of the calls, large and small, without waiting for each other', async () => {
    const { passive, active } = await connectedPair();
    const ids = Array.from({ length: 100 }, (_, i) => `msg${i}`);
    await Promise.all(
      ids.map((id, i) => active.session.send(message(id, binary(i % 10 === 0 ? 50_000 : 10)))),
    );
    expect(passive.received.map((each) => each.messageId)).toEqual(ids);
  });

  it('cross each other in both directions', async () => {
    const { passive, active } = await connectedPair();
    const content = binary(1_000_000);
    const sides = [passive, active];
    const outcomes = await Promise.all(
      sides.flatMap((side) => [
        side.session.send(message('one1', content)),
        side.session.send(message('two2', content)),
      ]),
    );
    expect(outcomes).toEqual(Array(4).fill({ kind: 'confirmed' }));
    expect(sides.map((side) => side.received.map((each) => content.equals(each.content)))).toEqual([
      [true, true],
      [true, true],
    ]);
  });

  it('of many sessions share one connection', async () => {
    const listener = await listening();
    const connector = connecting();
    const proxy = await proxyTo(listener.port);
    const pairs = await Promise.all(
      Array.from({ length: 100 }, () => connectedPair({ listener, connector, via: proxy.address })),
    );
    await Promise.all(
      pairs.flatMap(({ passive, active }, i) => [
        active.session.send(message('up-1', `up ${i}`)),
        passive.session.send(message('down', `down ${i}`)),
      ]),
    );
    const seen = pairs.map(({ passive, active }) =>
      [passive, active].map((side) => String(side.received[0]?.content)),
    );
    expect(seen).toEqual(pairs.map((_, i) => [`up ${i}`, `down ${i}`]));
    expect(proxy.count()).toBe(1);
  });

  it('let a small one of another session overtake a large one', async () => {
    const listener = await listening();
    const connector = connecting();
    const large = await connectedPair({ listener, connector });
    const small = await connectedPair({ listener, connector });
    const done: string[] = [];
    await Promise.all([
      large.active.session.send(message('large', binary(2_000_000))).then(() => done.push('large')),
      small.active.session.send(message('small', 'x')).then(() => done.push('small')),
    ]);
    expect(done).toEqual(['small', 'large']);
  });

  it('of two sessions take turns chunk by chunk', async () => {
    const listener = await listening();
    const connector = connecting();
    const proxy = await proxyTo(listener.port);
    const one = await connectedPair({ listener, connector, via: proxy.address });
    const two = await connectedPair({ listener, connector, via: proxy.address });
    let wire = '';
    proxy.onForward((octets) => {
      wire += octets.toString('latin1');
    });
    await Promise.all([
      one.active.session.send(message('one1', Buffer.alloc(150_000))),
      two.active.session.send(message('two2', Buffer.alloc(150_000))),
    ]);
    const turns = [...wire.matchAll(/Message-ID: (\w+)/g)].map((match) => match[1]);
    expect(turns).toEqual(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 'one1' : 'two2')));
  });
});

describe('a refusal', () => {
  it.each<[ErrorCode, number]>([
    ['unsupportedMediaType', 415],
    ['limitExceeded', 413],
    ['forbidden', 403],
    ['malformed', 400],
    ['conflict', 400],
    ['timeout', 408],
    ['busy', 408],
  ])('by the receiver with %s reaches the sender as %i', async (code, status) => {
    const { active } = await connectedPair({
      passive: {
        onMessage: () => {
          throw new RefusedError(code, 'no');
        },
      },
    });
    expect(await active.session.send(message('m123', 'x'))).toMatchObject({ kind: 'refused', status });
  });

  it('may come later, and leaves the session usable', async () => {
    const { active } = await connectedPair({
      passive: {
        onMessage: async ({ messageId }) => {
          if (messageId === 'bad1') throw new RefusedError('forbidden', 'no');
        },
      },
    });
    const outcomes = await Promise.all(
      ['bad1', 'good'].map((id) => active.session.send(message(id, binary(50_000)))),
    );
    expect(outcomes).toEqual([
      expect.objectContaining({ kind: 'refused', status: 403 }),
      { kind: 'confirmed' },
    ]);
  });

  it('of an unexpected kind asks the sender to try again', async () => {
    const { active } = await connectedPair({
      passive: { onMessage: () => Promise.reject(new Error('disk full')) },
    });
    expect(await active.session.send(message('m123', 'x'))).toMatchObject({ kind: 'refused', status: 408 });
  });

  it('of a message that is too large stops the sender, and the next message goes through', async () => {
    const listener = await listening({ limits: { maxReceivedMessageBytes: 100_000 } });
    const proxy = await proxyTo(listener.port);
    const { passive, active } = await connectedPair({ listener, via: proxy.address });
    const outcomes = await Promise.all([
      active.session.send(message('large', '', { content: sourceOf(binary(20_000_000)) })),
      active.session.send(message('small', 'x')),
    ]);
    expect(outcomes).toEqual([
      expect.objectContaining({ kind: 'refused', status: 413 }),
      { kind: 'confirmed' },
    ]);
    expect(passive.received.map((each) => each.messageId)).toEqual(['small']);
    expect(proxy.forwarded()).toBeLessThan(10_000_000);
  });

  it('of a chunk that is too large comes as 413', async () => {
    const listener = await listening({ limits: { maxReceivedChunkBytes: 1000 } });
    const { active } = await connectedPair({ listener });
    expect(await active.session.send(message('m123', binary(5000)))).toMatchObject({
      kind: 'refused',
      status: 413,
    });
  });
});

describe('a message is not even queued', () => {
  it.each([
    ['a Message-ID that is no ident', message('no spaces', 'x'), 'malformed'],
    ['a Message-ID longer than 32', message('m'.repeat(33), 'x'), 'malformed'],
    ['a line break in its type', message('m123', 'x', { contentType: 'a/b\r\nX: y' }), 'malformed'],
    [
      'a header field of our own',
      message('m123', 'x', { headers: [{ name: 'Byte-Range', value: '1-1/1' }] }),
      'malformed',
    ],
  ])('with %s', async (_, bad, code) => {
    const { active } = await connectedPair();
    await expect(active.session.send(bad)).rejects.toMatchObject({ code });
    expect(await active.session.send(message('good', 'x'))).toEqual({ kind: 'confirmed' });
  });

  it('with the Message-ID of one whose fate is open', async () => {
    const { active } = await connectedPair();
    const first = active.session.send(message('m123', 'x'));
    await expect(active.session.send(message('m123', 'x'))).rejects.toMatchObject({ code: 'conflict' });
    expect(await first).toEqual({ kind: 'confirmed' });
  });
});

describe('a message is lost', () => {
  const lost = (code: ErrorCode): unknown =>
    expect.objectContaining({ kind: 'lost', error: expect.objectContaining({ code }) });

  it('when its source fails, which leaves the next one alone', async () => {
    const { passive, active } = await connectedPair();
    const broken: MsrpContent = {
      size: 100_000,
      read: async (offset, length) => {
        if (offset > 50_000) throw new Error('blob is gone');
        return Buffer.alloc(length);
      },
    };
    const outcomes = await Promise.all([
      active.session.send(message('bad1', '', { content: broken })),
      active.session.send(message('good', 'x')),
    ]);
    expect(outcomes).toEqual([lost('internal'), { kind: 'confirmed' }]);
    expect(passive.received.map((each) => each.messageId)).toEqual(['good']);
  });

  it('when its source gives fewer octets than it said', async () => {
    const { active } = await connectedPair();
    const short: MsrpContent = { size: 1000, read: async () => Buffer.alloc(10) };
    expect(await active.session.send(message('m123', '', { content: short }))).toEqual(lost('internal'));
  });

  it('when the connection is cut in the middle, like all others on it', async () => {
    const listener = await listening();
    const connector = connecting();
    const proxy = await proxyTo(listener.port);
    const pairs = await Promise.all(
      [1, 2].map(() => connectedPair({ listener, connector, via: proxy.address })),
    );
    proxy.onForward(() => proxy.forwarded() > 100_000 && proxy.cut());
    const outcomes = await Promise.all(
      pairs.map(({ active }) => active.session.send(message('m123', binary(1_000_000)))),
    );
    expect(outcomes).toEqual([lost('unreachable'), lost('unreachable')]);
    await Promise.all(pairs.flatMap(({ active, passive }) => [active.closed, passive.closed]));
    expect([listener.sessionCount, connector.sessionCount]).toEqual([0, 0]);
  });

  it('when the receiver never decides', async () => {
    // Holds for the SEND that binds the session too, which is answered.
    const connector = connecting({ limits: { transactionTimeoutMs: 2000 } });
    const { active } = await connectedPair({
      connector,
      passive: { onMessage: () => new Promise(() => undefined) },
    });
    expect(await active.session.send(message('m123', 'x'))).toEqual(lost('timeout'));
  });

  it('when the session is closed', async () => {
    const { active } = await connectedPair({ passive: { onMessage: () => new Promise(() => undefined) } });
    const sent = active.session.send(message('m123', 'x'));
    active.session.close('enough');
    expect(await sent).toEqual(lost('unreachable'));
  });

  it('when the session was closed before', async () => {
    const { active } = await connectedPair();
    active.session.close();
    expect(await active.session.send(message('m123', 'x'))).toEqual(lost('unreachable'));
  });

  it('when the endpoint shuts down', async () => {
    const listener = await listening();
    const { passive } = await connectedPair({
      listener,
      active: { onMessage: () => new Promise(() => undefined) },
    });
    const sent = passive.session.send(message('m123', 'x'));
    await listener.close();
    expect(await sent).toEqual(lost('unreachable'));
  });
});
