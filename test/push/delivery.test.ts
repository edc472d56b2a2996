/** Handing a push to a connected terminal, and what becomes of it for every answer. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionItem, ConnectionOutcome } from '../../src/lane/ports.js';
import type { PushStore } from '../../src/push/ports.js';
import type { PushUid } from '../../src/push/push-message.js';
import type { Submission } from '../../src/push/submission.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import { instead } from '../support/instead.js';
import { BOB, MAX_AGE_MS, PushStage, TO_BOB } from '../support/push-stage.js';
import { HELLO } from '../support/pushes.js';

const BOBS = terminalId(BOB, 'phone');

let stage: PushStage;
let uid: PushUid;
let token: number;
beforeEach(async () => {
  stage = new PushStage();
  const headers = [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:mms.ua' }];
  ({ uid } = await stage.submit({ addresses: [TO_BOB], notifyTo: 'http://pi.test/', headers }));
  token = await stage.token(BOBS);
});

const deliver = (delivery = stage.delivery()) => delivery.deliver(BOBS, uid, stage.terminal, token);
const record = async () => (await stage.store.story(uid))?.deliveries[0];

describe('what goes out', () => {
  it('is the content with its type and headers, under the uid of the push', async () => {
    await deliver();
    expect(stage.terminal.items).toEqual([
      {
        id: uid,
        contentType: 'text/plain',
        headers: [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:mms.ua' }],
        content: Uint8Array.from(HELLO),
        expiresAt: stage.clock.now() + MAX_AGE_MS,
        confirmation: 'wanted',
      },
    ]);
  });

  it('has the same id at every attempt, so that the terminal can tell a repetition', async () => {
    stage.terminal.answer = { kind: 'lost', detail: 'no answer' };
    await deliver();
    await deliver();
    expect(new Set(stage.terminal.items.map(({ id }) => id))).toEqual(new Set([uid]));
    expect(await record()).toMatchObject({ attempts: 2, state: 'held', bearer: 'msrp' });
  });
});

describe('a document for a terminal that takes only the binary form', () => {
  const SI =
    '<?xml version="1.0"?><si><indication href="http://m.example.org/n/7">Neu: 1 Nachricht</indication></si>';
  const submitSi = async (text: string, more: Partial<Submission> = {}) => {
    const submission = { pushId: 'si@pi.test', addresses: [TO_BOB], contentType: 'text/vnd.wap.si', ...more };
    ({ uid } = await stage.submit({ ...submission, content: Buffer.from(text) }));
    stage.terminal.takes = ['application/vnd.wap.sic'];
  };

  it('is compiled', async () => {
    await submitSi(SI);
    expect((await deliver()).kind).toBe('done');
    const [item] = stage.terminal.items;
    expect(item?.contentType).toBe('application/vnd.wap.sic');
    expect(Buffer.from(item?.content as Uint8Array).toString('hex')).toMatch(/^02056a0045c6/);
  });

  it('is left alone when the initiator forbids it, and then is for the connection to refuse', async () => {
    await submitSi(SI, { headers: [{ name: 'Cache-Control', value: 'no-transform' }] });
    await deliver();
    expect(stage.terminal.items[0]).toMatchObject({ contentType: 'text/vnd.wap.si' });
  });

  it('that does not compile is undeliverable, with the reason', async () => {
    await submitSi('<si><nonsense/></si>');
    expect((await deliver()).kind).toBe('done');
    expect(stage.terminal.items).toEqual([]);
    expect(await record()).toMatchObject({ state: 'undeliverable', code: 3006 });
    expect((await record())?.reason).toContain('text/vnd.wap.si');
  });
});

describe('for each answer of the terminal', () => {
  const answers: readonly (readonly [ConnectionOutcome, string, string, number | undefined])[] = [
    [{ kind: 'confirmed' }, 'done', 'delivered', undefined],
    [{ kind: 'refused', why: 'mediaType', detail: '415' }, 'done', 'undeliverable', 2006],
    [{ kind: 'refused', why: 'size', detail: '413' }, 'done', 'undeliverable', 2006],
    [{ kind: 'refused', why: 'declined', detail: '603' }, 'done', 'aborted', 5000],
    [{ kind: 'unfit', detail: 'too large' }, 'unfit', 'held', undefined],
    [{ kind: 'lost', detail: 'closed' }, 'stop', 'held', undefined],
  ];
  it.each(answers)('%j the lane is told %s and the delivery is %s', async (answer, kind, state, code) => {
    stage.terminal.answer = answer;
    expect((await deliver()).kind).toBe(kind);
    expect((await record())?.state).toBe(state);
    expect((await record())?.code).toBe(code);
  });

  it('a final one makes the report due at once', async () => {
    await deliver();
    expect(stage.alarms.results).toEqual([{ uid, recipient: 0, at: stage.clock.now() }]);
  });

  it('one that is not final makes no report due', async () => {
    stage.terminal.answer = { kind: 'lost', detail: 'closed' };
    await deliver();
    expect(stage.alarms.results).toEqual([]);
  });

  it('telemetry is told the attempt, and the end with the age of the push', async () => {
    await stage.clock.advance(250);
    await deliver();
    expect(stage.facts).toMatchObject([
      { kind: 'attempted', uid, terminal: BOBS, bearer: 'msrp', outcome: { kind: 'confirmed' } },
      { kind: 'settled', uid, terminal: BOBS, state: 'delivered', ageMs: 250 },
    ]);
  });
});

describe('content that a network was handed', () => {
  it('of which nobody will say more is delivered, unconfirmed', async () => {
    stage.terminal.answer = { kind: 'handed', detail: 'submitted' };
    expect(await deliver()).toEqual({ kind: 'done' });
    expect(await record()).toMatchObject({ state: 'delivered', isUnconfirmed: true });
  });

  it('and whose receipt is awaited is set aside', async () => {
    stage.terminal.answer = { kind: 'awaited', detail: 'submitted' };
    expect(await deliver()).toEqual({ kind: 'parked' });
    expect(await record()).toMatchObject({ state: 'handed', attempts: 1 });
    expect(stage.alarms.results).toEqual([]);
  });

  it('is not sent again when a crash kept the lane from setting it aside', async () => {
    stage.terminal.answer = { kind: 'awaited', detail: 'submitted' };
    await deliver();
    expect(await deliver()).toEqual({ kind: 'parked' });
    expect(stage.terminal.items).toHaveLength(1);
  });

  it('is over when its receipt came before the answer of the network', async () => {
    stage.terminal.answer = { kind: 'awaited', detail: 'submitted' };
    const early = instead(stage.terminal, {
      deliver: async (item: ConnectionItem) => {
        await stage.store.settle(uid, BOBS, { event: 'deliver', at: 1, notifyAt: 1 });
        return stage.terminal.deliver(item);
      },
    });
    expect(await stage.delivery().deliver(BOBS, uid, early, token)).toEqual({ kind: 'done' });
    expect(await record()).toMatchObject({ state: 'delivered' });
  });

  it('goes on by the next bearer when its receipt came first and says that it failed', async () => {
    stage.terminal.answer = { kind: 'awaited', detail: 'submitted' };
    const early = instead(stage.terminal, {
      deliver: async (item: ConnectionItem) => {
        await stage.store.giveUp(uid, BOBS, { bearer: 'msrp', at: 1 });
        return stage.terminal.deliver(item);
      },
    });
    expect((await stage.delivery().deliver(BOBS, uid, early, token)).kind).toBe('givenUp');
    expect(await record()).toMatchObject({ state: 'held', failedBearers: ['msrp'] });
  });

  it('times out at the deadline: nobody knows what became of it', async () => {
    stage.terminal.answer = { kind: 'awaited', detail: 'submitted' };
    await deliver();
    await stage.delivery().expire(BOBS, uid);
    expect(await record()).toMatchObject({ state: 'timedOut' });
    expect(stage.alarms.results).toHaveLength(1);
  });

  it('and that was given up by a bearer does not go out by it again', async () => {
    await stage.store.giveUp(uid, BOBS, { bearer: 'msrp', at: 2 });
    expect(await deliver()).toEqual({ kind: 'givenUp', reason: 'given up by msrp before' });
    expect(stage.terminal.items).toEqual([]);
  });

  it('later than now stops the connection until then', async () => {
    stage.terminal.answer = { kind: 'lost', detail: 'throttled', retryAt: 77 };
    expect(await deliver()).toEqual({ kind: 'stop', reason: 'throttled', retryAt: 77 });
  });

  it('is refused with the code that the terminal gave', async () => {
    stage.terminal.answer = { kind: 'refused', why: 'declined', detail: 'USERDCR', code: 5029 };
    await deliver();
    expect(await record()).toMatchObject({ state: 'aborted', code: 5029 });
  });
});

describe('content that the network does not take, whenever it is asked,', () => {
  beforeEach(() => {
    stage.terminal.answer = { kind: 'givenUp', detail: 'no such number' };
  });

  it('is kept for the next bearer, and that is recorded at once', async () => {
    stage.ways = [{ bearer: 'sip', carries: 'sir' }];
    expect(await deliver()).toEqual({ kind: 'givenUp', reason: 'no such number' });
    expect(await record()).toMatchObject({ state: 'held', failedBearers: ['msrp'] });
    expect(stage.clock.pending).toBe(0);
  });

  it('is undeliverable when there is none, and the initiator is told why', async () => {
    expect(await deliver()).toEqual({ kind: 'done' });
    expect(await record()).toMatchObject({ state: 'undeliverable', reason: 'no such number' });
    expect(stage.alarms.results).toHaveLength(1);
  });

  it('is not asked for again when that could not be recorded', async () => {
    stage.ways = [{ bearer: 'sip', carries: 'sir' }];
    const delivery = stage.delivery(
      instead<PushStore>(stage.store, { giveUp: () => Promise.reject(new Error('Redis is away')) }),
    );
    expect((await deliver(delivery)).kind).toBe('stop');
    expect((await deliver(delivery)).kind).toBe('stop');
    expect(stage.terminal.items).toHaveLength(1);
  });
});

it.each([
  ['confirmed', 'required'],
  ['preferconfirmed', 'wanted'],
  ['notspecified', 'wanted'],
  ['unconfirmed', 'unwanted'],
] as const)('delivery-method %s makes a confirmation %s', async (deliveryMethod, confirmation) => {
  const quality = {
    priority: 'medium',
    deliveryMethod,
    networkRequired: false,
    bearerRequired: false,
  } as const;
  const asked = await stage.submit({ pushId: deliveryMethod, addresses: [TO_BOB], quality });
  await stage.delivery().deliver(BOBS, asked.uid, stage.terminal, token);
  expect(stage.terminal.items.at(-1)?.confirmation).toBe(confirmation);
});

describe('nothing is sent', () => {
  it('for a push that was cancelled meanwhile; the entry is a left-over', async () => {
    await stage.store.settle(uid, BOBS, { event: 'cancel', at: 1, notifyAt: 1 });
    expect(await deliver()).toEqual({ kind: 'leftOver' });
    expect(stage.terminal.items).toEqual([]);
  });

  it('for a push that is no longer kept; the entry is a left-over', async () => {
    uid = 'forgotten' as PushUid;
    expect(await deliver()).toEqual({ kind: 'leftOver' });
    expect(stage.terminal.items).toEqual([]);
  });

  it('under a lease that was lost', async () => {
    await stage.clock.advance(30_000);
    await stage.token(BOBS);
    expect((await deliver()).kind).toBe('stop');
    expect(stage.terminal.items).toEqual([]);
  });

  it('after the deadline, however long the lane had read it before', async () => {
    const short = await stage.submit({
      pushId: 'short',
      addresses: [TO_BOB],
      deliverBefore: stage.clock.now() + 1000,
    });
    await stage.clock.advance(1000);
    expect(await stage.delivery().deliver(BOBS, short.uid, stage.terminal, token)).toEqual({ kind: 'done' });
    expect(stage.terminal.items).toEqual([]);
    expect(await stage.state(short.uid, BOBS)).toBe('expired');
  });

  it('of a push whose content is lost; the initiator is told, and the lane goes on', async () => {
    stage.store.loseContent(uid);
    expect(await deliver()).toEqual({ kind: 'done' });
    expect(await record()).toMatchObject({ state: 'undeliverable', code: 3000 });
  });
});

it('a push whose deadline passed in the lane is expired once', async () => {
  const delivery = stage.delivery();
  await delivery.expire(BOBS, uid);
  await delivery.expire(BOBS, uid);
  expect(await record()).toMatchObject({ state: 'expired' });
  expect(stage.alarms.results).toHaveLength(1);
});

describe('when the store is away', () => {
  function failing(method: 'begin' | 'settle' | 'handOver', times: number): PushStore {
    let left = times;
    return instead<PushStore>(stage.store, {
      [method]: async (...args: never[]) => {
        left -= 1;
        if (left >= 0) throw new Error('Redis is away');
        return (stage.store[method] as (...args: never[]) => Promise<unknown>).apply(stage.store, args);
      },
    });
  }

  it('before the attempt, nothing is sent and the lane stops', async () => {
    expect((await deliver(stage.delivery(failing('begin', 1)))).kind).toBe('stop');
    expect(stage.terminal.items).toEqual([]);
    expect(stage.facts).toMatchObject([{ kind: 'failed', uid, terminal: BOBS }]);
  });

  it('after the terminal has confirmed, the lane stops, and the next time it is recorded instead of sent again', async () => {
    const delivery = stage.delivery(failing('settle', 2));
    expect((await deliver(delivery)).kind).toBe('stop');
    expect((await deliver(delivery)).kind).toBe('stop');
    expect(await deliver(delivery)).toEqual({ kind: 'done' });
    expect(stage.terminal.items).toHaveLength(1);
    expect(await record()).toMatchObject({ state: 'delivered' });
  });

  it('after a network took it, the next time it is noted instead of sent again', async () => {
    stage.terminal.answer = { kind: 'awaited', detail: 'submitted' };
    const delivery = stage.delivery(failing('handOver', 1));
    expect((await deliver(delivery)).kind).toBe('stop');
    expect(await deliver(delivery)).toEqual({ kind: 'parked' });
    expect(stage.terminal.items).toHaveLength(1);
    expect(await record()).toMatchObject({ state: 'handed' });
  });

  it('and the deadline comes before that is noted, it has timed out, not expired', async () => {
    stage.terminal.answer = { kind: 'awaited', detail: 'submitted' };
    const delivery = stage.delivery(failing('handOver', 1));
    await deliver(delivery);
    await delivery.expire(BOBS, uid);
    expect(await record()).toMatchObject({ state: 'timedOut' });
  });

  it('after the terminal has refused, that is what is recorded later', async () => {
    stage.terminal.answer = { kind: 'refused', why: 'declined', detail: '603' };
    const delivery = stage.delivery(failing('settle', 1));
    await deliver(delivery);
    stage.terminal.answer = { kind: 'confirmed' };
    await deliver(delivery);
    expect(await record()).toMatchObject({ state: 'aborted', reason: '603' });
  });

  it('a push that was confirmed before its deadline and could not be recorded is delivered, not expired', async () => {
    const delivery = stage.delivery(failing('settle', 1));
    await deliver(delivery);
    await delivery.expire(BOBS, uid);
    expect(await record()).toMatchObject({ state: 'delivered' });
  });
});
