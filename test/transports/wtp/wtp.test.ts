/** WTP between two ends of ours: every class, what is lost, doubled, late or too large, and nothing left over at the end. */
import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../../src/kernel/errors.js';
import { advance, isFinal } from '../../../src/kernel/transition-table.js';
import { ABORT } from '../../../src/protocols/wsp/index.js';
import { type InvokePdu, PROVIDER_ABORT } from '../../../src/protocols/wtp/index.js';
import { INITIATOR } from '../../../src/transports/wtp/initiator-transaction.js';
import { RESPONDER } from '../../../src/transports/wtp/responder-transaction.js';
import { WTP_DEFAULTS } from '../../../src/transports/wtp/wtp-options.js';
import { atRest } from '../../support/fake-clock.js';
import { seededRandom } from '../../support/seeded-random.js';
import { CLIENT, SERVER, WtpNetwork } from '../../support/wtp-network.js';

const text = (content: string) => Buffer.from(content);
const REQUEST: InvokePdu = {
  kind: 'invoke',
  transactionId: 100,
  isGroupTrailer: false,
  isTrailer: true,
  isRetransmission: false,
  version: 0,
  isNewTid: false,
  wantsUserAck: true,
  transactionClass: 1,
  tpis: [],
  payload: text('push'),
};
const { retransmitMs, maxRetransmissions, waitMs } = WTP_DEFAULTS;

describe('the states', () => {
  it.each(Object.entries({ INITIATOR, RESPONDER }))(
    '%s has one that is final, and no move out of it',
    (_, table) => {
      const finals = Object.keys(table).filter((state) => isFinal(table as never, state as never));
      expect(finals).toEqual(['null']);
      const events = new Set(Object.values(table).flatMap((row) => Object.keys(row)));
      for (const event of events)
        expect(() => advance(table as never, 'null' as never, event as never)).toThrow(InvariantError);
    },
  );
});

describe('class 0', () => {
  it('is sent once, and nobody answers', async () => {
    const network = new WtpNetwork();
    const { ended } = network.client.invoke(SERVER, { transactionClass: 0, payload: text('unit') });
    expect(await ended).toEqual({ kind: 'sent' });
    await atRest();
    expect(network.served).toEqual([{ transactionClass: 0, payload: text('unit') }]);
    expect(network.passed).toHaveLength(1);
    expect(network.clock.pending).toBe(0);
  });

  it('does not go in segments', async () => {
    const network = new WtpNetwork();
    const payload = Buffer.alloc(2000);
    expect(await network.client.invoke(SERVER, { transactionClass: 0, payload }).ended).toEqual({
      kind: 'tooLarge',
    });
    expect(network.passed).toEqual([]);
  });
});

describe('class 1', () => {
  it('is acknowledged', async () => {
    const network = new WtpNetwork();
    const { ended } = network.client.invoke(SERVER, { transactionClass: 1, payload: text('push') });
    expect(await ended).toEqual({ kind: 'acknowledged' });
    expect(network.served).toEqual([{ transactionClass: 1, payload: text('push') }]);
  });

  it('is sent again, marked so, when it is lost', async () => {
    const network = new WtpNetwork({ loses: (_, index) => index < 2 });
    const { ended } = network.client.invoke(SERVER, { transactionClass: 1, payload: text('push') });
    await network.clock.advance(2 * retransmitMs);
    expect(await ended).toEqual({ kind: 'acknowledged' });
    expect(network.sent('client', 'invoke').map(({ isRetransmission }) => isRetransmission)).toEqual([
      false,
      true,
      true,
    ]);
    expect(network.served).toHaveLength(1);
  });

  it('is acknowledged again when the acknowledgement is lost, and served once', async () => {
    const network = new WtpNetwork({ loses: ({ from }, index) => from === 'server' && index === 1 });
    const { ended } = network.client.invoke(SERVER, { transactionClass: 1, payload: text('push') });
    await network.clock.advance(retransmitMs);
    expect(await ended).toEqual({ kind: 'acknowledged' });
    expect(network.served).toHaveLength(1);
    expect(network.sent('server', 'ack').map(({ isRetransmission }) => isRetransmission)).toEqual([
      false,
      true,
    ]);
  });

  it('of a peer that is gone ends after as many repetitions as there may be', async () => {
    const network = new WtpNetwork({ loses: () => true });
    const { ended } = network.client.invoke(SERVER, { transactionClass: 1, payload: text('push') });
    await network.clock.advance((maxRetransmissions + 1) * retransmitMs);
    expect(await ended).toEqual({ kind: 'silent' });
    expect(network.sent('client', 'invoke')).toHaveLength(maxRetransmissions + 1);
    expect(network.client.size).toBe(0);
    expect(network.clock.pending).toBe(0);
  });

  it('that its user gives up is aborted with the reason', async () => {
    const network = new WtpNetwork({ serve: ({ abort }) => abort(ABORT.userDiscarded) });
    const { ended } = network.client.invoke(SERVER, { transactionClass: 1, payload: text('push') });
    expect(await ended).toEqual({ kind: 'aborted', by: 'user', reason: ABORT.userDiscarded });
    expect(network.server.size).toBe(0);
  });

  it('whose user is slow is acknowledged in its place, unless its user was to', async () => {
    const network = new WtpNetwork({ serve: () => undefined });
    const provider = network.client.invoke(SERVER, { transactionClass: 1, payload: text('a') });
    const user = network.client.invoke(SERVER, {
      transactionClass: 1,
      payload: text('b'),
      wantsUserAck: true,
    });
    await network.clock.advance((maxRetransmissions + 1) * retransmitMs);
    expect(await provider.ended).toEqual({ kind: 'acknowledged' });
    expect(await user.ended).toEqual({ kind: 'silent' });
    expect(network.served).toHaveLength(2);
  });

  it('that we give up ends on both sides', async () => {
    const network = new WtpNetwork({ serve: () => undefined });
    const { ended, abort } = network.client.invoke(SERVER, {
      transactionClass: 1,
      payload: text('a'),
      wantsUserAck: true,
    });
    await atRest();
    abort(ABORT.disconnect);
    abort(ABORT.disconnect);
    expect(await ended).toEqual({ kind: 'given-up' });
    await atRest();
    expect(network.server.size).toBe(0);
    expect(network.sent('client', 'abort')).toMatchObject([{ by: 'user', reason: ABORT.disconnect }]);
  });
});

describe('class 2', () => {
  it('is answered, and the answer is acknowledged', async () => {
    let replied: Promise<string> | undefined;
    const network = new WtpNetwork({
      serve: (transaction) => {
        replied = transaction.reply(text('answer'));
      },
    });
    const { ended } = network.client.invoke(SERVER, { transactionClass: 2, payload: text('connect') });
    expect(await ended).toEqual({ kind: 'result', payload: text('answer') });
    expect(await replied).toBe('acknowledged');
  });

  it('whose answer, or acknowledgement of it, is lost goes well all the same', async () => {
    for (const lost of [1, 2]) {
      const network = new WtpNetwork({ loses: (_, index) => index === lost });
      const { ended } = network.client.invoke(SERVER, { transactionClass: 2, payload: text('connect') });
      await network.clock.advance(retransmitMs);
      expect(await ended).toMatchObject({ kind: 'result' });
      expect(network.served).toHaveLength(1);
      await network.clock.advance(waitMs);
      expect([network.client.size, network.server.size, network.clock.pending]).toEqual([0, 0, 0]);
    }
  });

  it('that is answered once leaves nothing behind, and is answered again when the answer is lost', async () => {
    const network = new WtpNetwork({
      loses: (_, index) => index === 1,
      serve: ({ replyOnce }) => replyOnce(text('no')),
    });
    const { ended } = network.client.invoke(SERVER, { transactionClass: 2, payload: text('connect') });
    await atRest();
    expect(network.server.size).toBe(0);
    await network.clock.advance(retransmitMs);
    expect(await ended).toEqual({ kind: 'result', payload: text('no') });
    expect(network.sent('server', 'result')).toHaveLength(2);
    expect(network.server.size).toBe(0);
  });

  it('whose answer takes long is put on hold: nothing is sent again', async () => {
    let late: (() => void) | undefined;
    const network = new WtpNetwork({
      serve: (transaction) => {
        late = () => void transaction.reply(text('late'));
      },
    });
    const { ended } = network.client.invoke(SERVER, { transactionClass: 2, payload: text('connect') });
    await network.clock.advance(20_000);
    expect(network.sent('client', 'invoke')).toHaveLength(1);
    late?.();
    expect(await ended).toEqual({ kind: 'result', payload: text('late') });
  });

  it('that is never answered ends all the same', async () => {
    const network = new WtpNetwork({ serve: () => undefined });
    const { ended } = network.client.invoke(SERVER, { transactionClass: 2, payload: text('connect') });
    await network.clock.advance(120_000);
    expect(await ended).toEqual({ kind: 'silent' });
    expect([network.client.size, network.server.size, network.clock.pending]).toEqual([0, 0, 0]);
  });

  it('the peer of which is gone when the answer comes is found out', async () => {
    let replied: Promise<string> | undefined;
    const network = new WtpNetwork({
      loses: ({ from }) => from === 'server',
      serve: (transaction) => {
        replied = transaction.reply(text('answer'));
      },
    });
    network.client.invoke(SERVER, { transactionClass: 2, payload: text('connect') });
    await network.clock.advance(60_000);
    expect(await replied).toBe('silent');
  });
});

describe('a message in segments', () => {
  const large = Buffer.from(Array.from({ length: 40_000 }, (_, index) => index % 251));

  it('arrives whole, group by group', async () => {
    const network = new WtpNetwork();
    const { ended } = network.client.invoke(SERVER, { transactionClass: 1, payload: large });
    expect(await ended).toEqual({ kind: 'acknowledged' });
    expect(network.served[0]?.payload.equals(large)).toBe(true);
    const count = Math.ceil(large.length / 1396);
    expect(network.sent('client', 'segmented-invoke')).toHaveLength(count - 1);
    expect(network.sent('server', 'ack').length).toBe(Math.ceil(count / 8));
  });

  it('of which packets are lost is mended with those alone', async () => {
    const lost = new Set([3, 5]);
    const network = new WtpNetwork({ loses: ({ from }, index) => from === 'client' && lost.has(index) });
    const { ended } = network.client.invoke(SERVER, { transactionClass: 1, payload: large });
    expect(await ended).toEqual({ kind: 'acknowledged' });
    expect(network.served[0]?.payload.equals(large)).toBe(true);
    expect(network.sent('server', 'negative-ack').map(({ missing }) => missing)).toEqual([[3, 5]]);
    const again = network
      .sent('client', 'segmented-invoke')
      .filter(({ isRetransmission }) => isRetransmission);
    expect(again.map(({ sequenceNumber }) => sequenceNumber)).toEqual([3, 5]);
  });

  it('that is larger than the peer takes is refused by it', async () => {
    const network = new WtpNetwork({ wtp: { maxMessageBytes: 10_000 } });
    const { ended } = network.client.invoke(SERVER, { transactionClass: 1, payload: large });
    expect(await ended).toEqual({ kind: 'aborted', by: 'provider', reason: PROVIDER_ABORT.messageTooLarge });
    expect(network.served).toEqual([]);
    expect(network.server.size).toBe(0);
  });

  it('that is larger than any is not sent', async () => {
    const network = new WtpNetwork();
    const payload = Buffer.alloc(256 * 1396 + 1);
    expect(await network.client.invoke(SERVER, { transactionClass: 1, payload }).ended).toEqual({
      kind: 'tooLarge',
    });
  });

  it('that stops in the middle is forgotten', async () => {
    const network = new WtpNetwork();
    network.inject({ ...REQUEST, isTrailer: false }, 'server');
    expect(network.server.size).toBe(1);
    await network.clock.advance(waitMs);
    expect([network.server.size, network.clock.pending]).toEqual([0, 0]);
  });
});

describe('30 % of all datagrams lost in both directions', () => {
  it.each([1, 2, 3, 4, 5])(
    'seed %i: every transaction of 60 comes through, and is served once',
    async (seed) => {
      const random = seededRandom(seed);
      const network = new WtpNetwork({
        wtp: { retransmitMs: 100, maxRetransmissions: 30 },
        loses: () => random.below(100) < 30,
      });
      const payloads = Array.from({ length: 60 }, (_, index) =>
        Buffer.alloc(1 + ((index * 997) % 9000), index),
      );
      const all = payloads.map((payload, index) =>
        network.client.invoke(SERVER, {
          transactionClass: index % 2 === 0 ? 1 : 2,
          payload: index % 2 === 0 ? payload : payload.subarray(0, 1000),
        }),
      );
      await network.clock.advance(60_000);
      const ended = await Promise.all(all.map(({ ended }) => ended));
      expect(ended.filter(({ kind }) => kind !== 'acknowledged' && kind !== 'result')).toEqual([]);
      expect(network.served).toHaveLength(60);
      for (const [index, payload] of payloads.entries()) {
        const wanted = index % 2 === 0 ? payload : payload.subarray(0, 1000);
        expect(network.served.filter((one) => one.payload.equals(wanted))).toHaveLength(1);
      }
      await network.clock.advance(60_000);
      expect([network.client.size, network.server.size, network.clock.pending]).toEqual([0, 0, 0]);
    },
  );
});

describe('transaction ids', () => {
  it('an old request is served only when the peer says that it is new', async () => {
    const network = new WtpNetwork();
    network.inject(REQUEST, 'server');
    await network.clock.advance(waitMs);
    expect(network.served).toHaveLength(1);
    network.inject(REQUEST, 'server'); // delayed in the network for half a minute
    await atRest();
    expect(network.served).toHaveLength(1);
    expect(network.sent('server', 'ack').at(-1)).toMatchObject({ isTidVerification: true });
    // The client knows of no such transaction.
    await atRest();
    expect(network.sent('client', 'abort')).toMatchObject([
      { by: 'provider', reason: PROVIDER_ABORT.invalidTid },
    ]);
    expect(network.server.size).toBe(0);
  });

  it('a client that began anew vouches for its ids', async () => {
    const network = new WtpNetwork();
    network.inject({ ...REQUEST, transactionId: 20_000 }, 'server');
    await atRest();
    const first = network.client.invoke(SERVER, { transactionClass: 1, payload: text('a') });
    expect(await first.ended).toEqual({ kind: 'acknowledged' });
    expect(network.served.map(({ payload }) => payload.toString())).toEqual(['push', 'a']);
  });

  it('that are marked as counted anew are asked for', async () => {
    const network = new WtpNetwork();
    network.inject({ ...REQUEST, isNewTid: true }, 'server');
    expect(network.sent('server', 'ack')).toMatchObject([{ isTidVerification: true }]);
    network.inject(
      { kind: 'ack', transactionId: 100, isTidVerification: true, isRetransmission: false, tpis: [] },
      'server',
    );
    expect(network.served).toHaveLength(1);
  });

  it('count up for each peer, and begin anew after the last', async () => {
    const network = new WtpNetwork();
    for (let count = 0; count < 3; count += 1)
      network.client.invoke(SERVER, { transactionClass: 0, payload: text('a') });
    network.client.invoke({ ...SERVER, port: 9 }, { transactionClass: 0, payload: text('b') });
    const ids = network.sent('client', 'invoke').map(({ transactionId }) => transactionId);
    const [first = 0] = ids;
    expect(ids.slice(0, 3)).toEqual([first, (first + 1) % 0x8000, (first + 2) % 0x8000]);
    expect(ids.every((id) => id < 0x8000)).toBe(true);
  });
});

describe('limits', () => {
  it('transactions of one peer that are under way are so many and no more; what is over does not count', async () => {
    const network = new WtpNetwork({ wtp: { maxTransactionsPerPeer: 2 }, serve: () => undefined });
    for (let id = 1; id <= 3; id += 1) network.inject({ ...REQUEST, transactionId: id }, 'server');
    expect(network.sent('server', 'abort')).toMatchObject([
      { transactionId: 0x8003, reason: PROVIDER_ABORT.capacity },
    ]);
    expect(network.refused).toEqual(['too many transactions']);

    const quick = new WtpNetwork({ wtp: { maxTransactionsPerPeer: 2 } });
    for (let id = 1; id <= 10; id += 1) quick.inject({ ...REQUEST, transactionId: id }, 'server');
    expect(quick.served).toHaveLength(10);
  });

  it('what is over is remembered up to a number', async () => {
    const network = new WtpNetwork({ wtp: { maxTransactions: 5 } });
    for (let id = 1; id <= 100; id += 1) network.inject({ ...REQUEST, transactionId: id }, 'server');
    expect(network.served).toHaveLength(100);
    expect(network.server.size).toBeLessThanOrEqual(6);
    await network.clock.advance(waitMs);
    expect([network.server.size, network.clock.pending]).toEqual([0, 0]);
  });
});

describe('hostile input', () => {
  it('a request that nobody can read is aborted, anything else is not answered', () => {
    const network = new WtpNetwork();
    network.server.receive(Buffer.from('0a123403', 'hex'), CLIENT);
    network.server.receive(Buffer.from('ffffffff', 'hex'), CLIENT);
    network.server.receive(Buffer.alloc(0), CLIENT);
    expect(network.sent('server', 'abort')).toMatchObject([
      { transactionId: 0x9234, reason: PROVIDER_ABORT.protocolError },
    ]);
    expect(network.passed).toHaveLength(1);
    expect(network.refused).toHaveLength(3);
  });

  it('another version is told so', () => {
    const network = new WtpNetwork();
    network.inject({ ...REQUEST, version: 1 }, 'server');
    expect(network.sent('server', 'abort')).toMatchObject([{ reason: PROVIDER_ABORT.wrongVersion }]);
  });

  it('PDUs of nobody, and of the wrong side, do nothing', async () => {
    const network = new WtpNetwork();
    const whole = {
      isGroupTrailer: false,
      isTrailer: true,
      isRetransmission: false,
      tpis: [],
      payload: text('x'),
    };
    network.inject(
      { kind: 'ack', transactionId: 5, isTidVerification: false, isRetransmission: false, tpis: [] },
      'server',
    );
    network.inject({ kind: 'segmented-invoke', transactionId: 5, sequenceNumber: 1, ...whole }, 'server');
    network.inject({ kind: 'result', transactionId: 5, ...whole }, 'server');
    network.inject({ ...REQUEST, transactionId: 0x8005 }, 'server');
    expect([network.passed.length, network.served.length, network.server.size]).toEqual([0, 0, 0]);
    network.inject({ kind: 'result', transactionId: 0x8005, ...whole }, 'server');
    expect(network.sent('server', 'abort')).toMatchObject([
      { transactionId: 5, reason: PROVIDER_ABORT.invalidTid },
    ]);
    network.inject(
      { kind: 'segmented-result', transactionId: 0x8005, sequenceNumber: 1, ...whole },
      'server',
    );
    expect(network.sent('server', 'abort').at(-1)).toMatchObject({ reason: PROVIDER_ABORT.noSegmentation });
  });

  it('a peer that never has enough does not keep us at it', async () => {
    const network = new WtpNetwork({ loses: () => true });
    const { ended } = network.client.invoke(SERVER, { transactionClass: 1, payload: Buffer.alloc(5000) });
    const [{ transactionId } = REQUEST] = network.sent('client', 'invoke');
    for (let count = 0; count < 50; count += 1)
      network.inject(
        {
          kind: 'negative-ack',
          transactionId: transactionId | 0x8000,
          isRetransmission: false,
          missing: [],
          tpis: [],
        },
        'client',
      );
    expect(await ended).toEqual({ kind: 'silent' });
    expect(network.passed.length).toBeLessThan(40);
  });
});

it('an end that is closed aborts what it began, and leaves nothing', async () => {
  const network = new WtpNetwork({ serve: () => undefined });
  const { ended } = network.client.invoke(SERVER, {
    transactionClass: 1,
    payload: text('a'),
    wantsUserAck: true,
  });
  await atRest();
  network.client.close(ABORT.disconnect);
  expect(await ended).toEqual({ kind: 'given-up' });
  expect(await network.client.invoke(SERVER, { transactionClass: 1, payload: text('b') }).ended).toEqual({
    kind: 'given-up',
  });
  await atRest();
  network.server.close(ABORT.disconnect);
  expect([network.client.size, network.server.size, network.clock.pending]).toEqual([0, 0, 0]);
});
