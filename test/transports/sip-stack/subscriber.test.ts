/** Subscriptions, message by message (RFC 6665): made, refreshed, lost, made again, ended; and what a notifier may not do. */
import { describe, expect, it } from 'vitest';
import { DecodeError, DeliveryError } from '../../../src/kernel/errors.js';
import { headerValue } from '../../../src/protocols/sip/index.js';
import { Subscriber, type SubscriberLimits } from '../../../src/transports/sip-stack/subscriber.js';
import type { SubscriptionOptions } from '../../../src/transports/sip-stack/subscription.js';
import { pauseMs, refreshAfterMs } from '../../../src/transports/sip-stack/subscription-retry.js';
import { FakeClock, T0 } from '../../support/fake-clock.js';
import { ScriptedNotifier } from '../../support/scripted-notifier.js';

const MINUTE = 60_000;

class Rig {
  readonly clock = new FakeClock();
  readonly notifier = new ScriptedNotifier();
  readonly notified: string[] = [];
  readonly statuses: string[] = [];
  readonly subscriber: Subscriber;
  onNotify: () => void = () => {};

  constructor(limits: Partial<SubscriberLimits> = {}) {
    this.subscriber = new Subscriber({
      stack: this.notifier.stack,
      clock: this.clock,
      limits,
      chance: () => 1,
    });
  }

  subscribe(options: Partial<SubscriptionOptions> = {}) {
    return this.subscriber.subscribe({
      uri: 'sip:alice@example.test',
      from: '<sip:ppg@example.test>',
      event: 'presence',
      accept: 'application/pidf+xml',
      route: ['<sip:core.example.test;lr>'],
      expiresSeconds: 600,
      onNotify: ({ body, contentType, state }) => {
        this.onNotify();
        this.notified.push(`${state.state} ${contentType ?? '-'} ${Buffer.from(body).toString()}`);
      },
      onStatus: (status) =>
        this.statuses.push('why' in status ? `${status.kind} ${status.why}` : status.kind),
      ...options,
    });
  }

  /** A subscription with its first NOTIFY. */
  async established(options: Partial<SubscriptionOptions> = {}) {
    const subscription = this.subscribe(options);
    this.notifier.accept();
    await this.clock.advance(0);
    this.notifier.notify();
    return subscription;
  }

  get sent() {
    return this.notifier.sent;
  }
}

const header = (rig: Rig, name: string) =>
  headerValue({ headers: rig.notifier.last.request.headers ?? [] }, name);

describe('a subscription', () => {
  it('asks for the resource along the route, with package, media type and time', () => {
    const rig = new Rig();
    rig.subscribe();
    const { request } = rig.notifier.last;
    expect(request).toMatchObject({
      method: 'SUBSCRIBE',
      uri: 'sip:alice@example.test',
      to: '<sip:alice@example.test>',
      route: ['<sip:core.example.test;lr>'],
    });
    expect(request.from).toMatch(/^<sip:ppg@example\.test>;tag=[0-9a-f]{16}$/);
    expect(header(rig, 'event')).toBe('presence');
    expect(header(rig, 'accept')).toBe('application/pidf+xml');
    expect(header(rig, 'expires')).toBe('600');
  });

  it('is active with its first NOTIFY, not with the 2xx', async () => {
    const rig = new Rig();
    const subscription = rig.subscribe();
    rig.notifier.accept();
    await rig.clock.advance(0);
    expect(subscription.status).toEqual({ kind: 'subscribing' });
    expect(rig.notifier.notify({ contentType: 'text/plain', body: 'here' })).toMatchObject({ status: 200 });
    expect(subscription.status).toEqual({ kind: 'active', isPending: false });
    expect(rig.notified).toEqual(['active text/plain here']);
  });

  it('takes a NOTIFY that overtakes the 2xx, and is refreshed in its dialog', async () => {
    const rig = new Rig();
    rig.subscribe();
    expect(rig.notifier.notify({ contact: '<sip:n@192.0.2.9:5070>', tag: 'early' }).status).toBe(200);
    rig.notifier.accept();
    await rig.clock.advance(9 * MINUTE);
    expect(rig.sent).toHaveLength(2);
    expect(rig.notifier.last.request).toMatchObject({
      uri: 'sip:n@192.0.2.9:5070',
      to: '<sip:alice@example.test>;tag=early',
      callId: rig.sent[0]?.request.callId,
      from: rig.sent[0]?.request.from,
    });
  });

  it('follows the Record-Route of the NOTIFY', async () => {
    const rig = new Rig();
    rig.subscribe();
    rig.notifier.notify({ recordRoute: '<sip:p1.test;lr>, <sip:p2.test;lr>' });
    rig.notifier.accept();
    await rig.clock.advance(9 * MINUTE);
    expect(rig.notifier.last.request.route).toEqual(['<sip:p1.test;lr>', '<sip:p2.test;lr>']);
  });

  it.each(['2xx first', 'NOTIFY first'])(
    'follows that of the 2xx when the NOTIFY has none (%s)',
    async (order) => {
      const rig = new Rig();
      rig.subscribe();
      const accept = () =>
        rig.notifier.last.answer(200, [
          { name: 'Expires', value: '600' },
          { name: 'Record-Route', value: '<sip:p1.test;lr>, <sip:p2.test;lr>' },
        ]);
      if (order === 'NOTIFY first') rig.notifier.notify();
      accept();
      await rig.clock.advance(0);
      if (order === '2xx first') rig.notifier.notify();
      await rig.clock.advance(9 * MINUTE);
      expect(rig.notifier.last.request.route).toEqual(['<sip:p2.test;lr>', '<sip:p1.test;lr>']);
    },
  );

  it('is refreshed a minute before what was granted ends, and CSeq grows', async () => {
    const rig = new Rig();
    rig.subscribe();
    rig.notifier.accept(300);
    await rig.clock.advance(0);
    rig.notifier.notify({ state: 'active' });
    await rig.clock.advance(239_000);
    expect(rig.sent).toHaveLength(1);
    await rig.clock.advance(2000);
    expect(rig.sent).toHaveLength(2);
    expect(Number.parseInt(header(rig, 'cseq') ?? '', 10)).toBeGreaterThan(
      Number.parseInt(headerValue({ headers: rig.sent[0]?.request.headers ?? [] }, 'cseq') ?? '', 10),
    );
  });

  it('is refreshed earlier when a NOTIFY shortens it', async () => {
    const rig = new Rig();
    await rig.established();
    rig.notifier.notify({ state: 'active;expires=100' });
    await rig.clock.advance(51_000);
    expect(rig.sent).toHaveLength(2);
  });

  it('asks for the whole state when told to, once for what is under way', async () => {
    const rig = new Rig();
    const subscription = await rig.established();
    subscription.refresh();
    subscription.refresh();
    subscription.refresh();
    expect(rig.sent).toHaveLength(2);
    rig.notifier.accept();
    await rig.clock.advance(0);
    expect(rig.sent).toHaveLength(3);
    rig.notifier.accept();
    await rig.clock.advance(0);
    expect(rig.sent).toHaveLength(3);
  });

  it('is pending while the notifier waits for permission', async () => {
    const rig = new Rig();
    const subscription = rig.subscribe();
    rig.notifier.accept();
    await rig.clock.advance(0);
    rig.notifier.notify({ state: 'pending;expires=600' });
    expect(subscription.status).toEqual({ kind: 'active', isPending: true });
  });
});

describe('a subscription is made again', () => {
  const anew = (rig: Rig) => rig.notifier.last.request.callId !== rig.sent[0]?.request.callId;

  it('at once when the notifier has forgotten it (481 to a refresh)', async () => {
    const rig = new Rig();
    const subscription = await rig.established();
    subscription.refresh();
    rig.notifier.last.answer(481);
    await rig.clock.advance(0);
    expect(rig.sent).toHaveLength(3);
    expect(anew(rig)).toBe(true);
    expect(rig.notifier.last.request.to).toBe('<sip:alice@example.test>');
    expect(rig.subscriber.size).toBe(1);
  });

  it('with the time that the notifier wants at least (423)', async () => {
    const rig = new Rig();
    rig.subscribe();
    rig.notifier.last.answer(423, [{ name: 'Min-Expires', value: '3600' }]);
    await rig.clock.advance(0);
    expect(rig.notifier.last.expires).toBe(3600);
  });

  it.each([
    ['without a time', []],
    ['with a time that was asked for', [{ name: 'Min-Expires', value: '600' }]],
    ['with a time beyond a week', [{ name: 'Min-Expires', value: '9999999' }]],
  ])('much later after a 423 %s', async (_, headers) => {
    const rig = new Rig();
    const subscription = rig.subscribe();
    rig.notifier.last.answer(423, headers);
    await rig.clock.advance(0);
    expect(subscription.status).toMatchObject({ kind: 'waiting', why: 'refused' });
    expect(rig.sent).toHaveLength(1);
  });

  it.each([408, 480, 500, 503])('soon after %i', async (status) => {
    const rig = new Rig();
    const subscription = rig.subscribe();
    rig.notifier.last.answer(status);
    await rig.clock.advance(0);
    expect(subscription.status).toMatchObject({ kind: 'waiting', why: 'timeout' });
    await rig.clock.advance(2000);
    expect(rig.sent).toHaveLength(2);
  });

  it.each([403, 404, 405, 489, 603])('much later after %i', async (status) => {
    const rig = new Rig();
    const subscription = rig.subscribe();
    rig.notifier.last.answer(status);
    await rig.clock.advance(0);
    expect(subscription.status).toMatchObject({ kind: 'waiting', why: 'refused' });
    await rig.clock.advance(4 * MINUTE);
    expect(rig.sent).toHaveLength(1);
    await rig.clock.advance(MINUTE);
    expect(rig.sent).toHaveLength(2);
  });

  it('not before Retry-After', async () => {
    const rig = new Rig();
    rig.subscribe();
    rig.notifier.last.answer(503, [{ name: 'Retry-After', value: '90 (busy)' }]);
    await rig.clock.advance(89_000);
    expect(rig.sent).toHaveLength(1);
    await rig.clock.advance(1000);
    expect(rig.sent).toHaveLength(2);
  });

  it('after growing pauses while nobody answers', async () => {
    const rig = new Rig();
    rig.subscribe();
    const at: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      at.push((rig.clock.now() - T0) / 1000);
      rig.notifier.last.fail(new DeliveryError('timeout', 'no answer'));
      const before = rig.sent.length;
      while (rig.sent.length === before) await rig.clock.advance(1000);
    }
    expect(at).toEqual([0, 2, 6, 14, 30]);
  });

  it('when the 2xx comes and the NOTIFY does not', async () => {
    const rig = new Rig();
    const subscription = rig.subscribe();
    rig.notifier.accept();
    await rig.clock.advance(32_000);
    expect(subscription.status).toMatchObject({ kind: 'waiting', why: 'timeout' });
    await rig.clock.advance(2000);
    expect(rig.sent).toHaveLength(2);
    expect(rig.subscriber.size).toBe(1);
  });

  it.each(['deactivated', 'timeout'])('at once when it was ended with %s', async (reason) => {
    const rig = new Rig();
    await rig.established();
    await rig.clock.advance(10_000);
    expect(rig.notifier.notify({ state: `terminated;reason=${reason};retry-after=900` }).status).toBe(200);
    await rig.clock.advance(0);
    expect(rig.sent).toHaveLength(2);
    expect(anew(rig)).toBe(true);
  });

  it('after a pause when a new one is ended with the same friendly reason at once', async () => {
    const rig = new Rig();
    await rig.established();
    rig.notifier.notify({ state: 'terminated;reason=deactivated' });
    await rig.clock.advance(1000);
    expect(rig.sent).toHaveLength(1);
    await rig.clock.advance(1000);
    expect(rig.sent).toHaveLength(2);
  });

  it.each(['probation', 'giveup', 'of-tomorrow'])(
    'after retry-after when it was ended with %s',
    async (reason) => {
      const rig = new Rig();
      await rig.established();
      await rig.clock.advance(10_000);
      rig.notifier.notify({ state: `terminated;reason=${reason};retry-after=120` });
      await rig.clock.advance(119_000);
      expect(rig.sent).toHaveLength(1);
      await rig.clock.advance(1000);
      expect(rig.sent).toHaveLength(2);
    },
  );

  it.each(['rejected', 'noresource'])('much later when it was ended with %s', async (reason) => {
    const rig = new Rig();
    const subscription = await rig.established();
    await rig.clock.advance(10_000);
    rig.notifier.notify({ state: `terminated;reason=${reason}` });
    expect(subscription.status).toMatchObject({ kind: 'waiting', why: 'refused' });
    await rig.clock.advance(5 * MINUTE);
    expect(rig.sent).toHaveLength(2);
  });

  it('not for a week when what was notified holds for good (invariant)', async () => {
    const rig = new Rig();
    const subscription = await rig.established();
    await rig.clock.advance(10_000);
    rig.notifier.notify({ state: 'terminated;reason=invariant' });
    expect(subscription.status.kind).toBe('active');
    await rig.clock.advance(24 * 60 * MINUTE);
    expect(rig.sent).toHaveLength(1);
  });

  it('by hand while it waits', async () => {
    const rig = new Rig();
    const subscription = rig.subscribe();
    rig.notifier.last.answer(404);
    await rig.clock.advance(0);
    subscription.refresh();
    expect(rig.sent).toHaveLength(2);
  });
});

describe('a refresh that gets no answer', () => {
  it('leaves the subscription active until it lapses, and is repeated', async () => {
    const rig = new Rig();
    const subscription = await rig.established();
    await rig.clock.advance(9 * MINUTE);
    expect(rig.sent).toHaveLength(2);
    rig.notifier.last.fail(new DeliveryError('timeout', 'no answer'));
    await rig.clock.advance(2000);
    expect(subscription.status.kind).toBe('active');
    expect(rig.sent).toHaveLength(3);
    rig.notifier.last.fail(new DeliveryError('timeout', 'no answer'));
    await rig.clock.advance(4000);
    rig.notifier.last.fail(new DeliveryError('timeout', 'no answer'));
    await rig.clock.advance(8000);
    rig.notifier.last.fail(new DeliveryError('timeout', 'no answer'));
    await rig.clock.advance(16_000);
    rig.notifier.last.fail(new DeliveryError('timeout', 'no answer'));
    await rig.clock.advance(MINUTE);
    expect(rig.statuses.at(-1)).toBe('waiting timeout');
  });
});

describe('ending', () => {
  it('tells the notifier, and still answers its last NOTIFY', async () => {
    const rig = new Rig();
    const subscription = await rig.established();
    const before = rig.notified.length;
    void subscription.end();
    expect(rig.notifier.last.expires).toBe(0);
    expect(rig.notifier.last.request.to).toContain(';tag=n');
    expect(rig.notifier.notify({ state: 'terminated;reason=timeout' }).status).toBe(200);
    expect(rig.notified).toHaveLength(before);
    await rig.clock.advance(32_000);
    expect(rig.subscriber.size).toBe(0);
    expect(rig.clock.pending).toBe(0);
  });

  it('sends nothing when the notifier never spoke', async () => {
    const rig = new Rig();
    const subscription = rig.subscribe();
    await subscription.end();
    rig.notifier.accept();
    await rig.clock.advance(MINUTE);
    expect(rig.sent).toHaveLength(1);
    expect(rig.subscriber.size).toBe(0);
  });

  it('ends the attempts to make it again', async () => {
    const rig = new Rig();
    const subscription = rig.subscribe();
    rig.notifier.last.answer(503);
    await rig.clock.advance(0);
    await subscription.end();
    await rig.clock.advance(60 * MINUTE);
    expect(rig.sent).toHaveLength(1);
    expect(subscription.status).toEqual({ kind: 'ended' });
  });
});

describe('a subscriber that closes', () => {
  it('leaves no timer behind, and knows nobody any more', async () => {
    const rig = new Rig();
    await rig.established();
    const ending = rig.subscribe();
    void ending.end();
    rig.subscribe();
    rig.subscriber.close();
    expect([rig.clock.pending, rig.subscriber.size]).toEqual([0, 0]);
    expect(rig.notifier.notify({}, rig.sent[0]).status).toBe(481);
  });
});

describe('a NOTIFY is refused', () => {
  it('when it belongs to no subscription (481)', async () => {
    const rig = new Rig();
    await rig.established();
    const stranger = new Rig();
    stranger.subscribe();
    expect(rig.notifier.notify({}, stranger.notifier.last).status).toBe(481);
  });

  it('when it comes from another branch of a forked SUBSCRIBE (481)', async () => {
    const rig = new Rig();
    await rig.established();
    expect(rig.notifier.notify({ tag: 'second', body: 'x', contentType: 'text/plain' }).status).toBe(481);
    expect(rig.notified).toHaveLength(1);
    expect(rig.notifier.notify({ tag: 'n' }).status).toBe(200);
  });

  it('when it is older than one before (500), and changes nothing', async () => {
    const rig = new Rig();
    await rig.established();
    expect(rig.notifier.notify({ cseq: 7 }).status).toBe(200);
    expect(rig.notifier.notify({ cseq: 6, state: 'terminated;reason=noresource' }).status).toBe(500);
    expect(rig.notifier.notify({ cseq: 7 }).status).toBe(500);
    expect(rig.statuses.at(-1)).toBe('active');
  });

  it.each([
    ['of another event', { event: 'reg' }, 489],
    ['without an event', { without: 'event' }, 489],
    ['without Subscription-State', { without: 'subscription-state' }, 400],
    ['with an unreadable Subscription-State', { state: ';;=' }, 400],
    ['without a Contact to make a dialog with', { without: 'contact' }, 400],
    ['with an unreadable Record-Route', { recordRoute: '<sip:>' }, 400],
  ] as const)('when it is %s', (_, options, status) => {
    const rig = new Rig();
    rig.subscribe();
    expect(rig.notifier.notify(options).status).toBe(status);
    expect(rig.notified).toEqual([]);
  });

  it('when its body is over the limit (413)', () => {
    const rig = new Rig({ maxBodyBytes: 10 });
    rig.subscribe();
    expect(rig.notifier.notify({ body: 'a'.repeat(11) }).status).toBe(413);
    expect(rig.notifier.notify({ body: 'a'.repeat(10) }).status).toBe(200);
  });

  it('when its owner cannot read it (400), and the subscription goes on', async () => {
    const rig = new Rig();
    const subscription = await rig.established();
    rig.onNotify = () => {
      throw new DecodeError('not a document');
    };
    expect(rig.notifier.notify({ body: '?' }).status).toBe(400);
    expect(subscription.status.kind).toBe('active');
  });

  it('when they come too fast (500 with Retry-After)', async () => {
    const rig = new Rig({ notifyBurst: 3, notifiesPerSecond: 1 });
    await rig.established();
    expect([1, 2, 3].map(() => rig.notifier.notify().status)).toEqual([200, 200, 500]);
    expect(rig.notifier.notify().options.headers).toEqual([{ name: 'Retry-After', value: '2' }]);
    await rig.clock.advance(1000);
    expect(rig.notifier.notify().status).toBe(200);
  });
});

describe('a fetch', () => {
  const target = {
    uri: 'sip:alice@example.test',
    from: '<sip:ppg@example.test>',
    event: 'reg',
    accept: 'a/b',
  };

  it('asks with Expires 0 and gives what the one NOTIFY says', async () => {
    const rig = new Rig();
    const fetched = rig.subscriber.fetch(target);
    expect(rig.notifier.last.expires).toBe(0);
    rig.notifier.accept(0);
    await rig.clock.advance(0);
    rig.notifier.notify({ state: 'terminated;reason=timeout', body: 'state', contentType: 'a/b' });
    expect(Buffer.from((await fetched).body).toString()).toBe('state');
    expect(rig.subscriber.size).toBe(0);
    expect(rig.clock.pending).toBe(0);
  });

  it.each([
    ['is refused', 403, 'forbidden'],
    ['finds nobody at home', 503, 'timeout'],
  ])('that %s rejects', async (_, status, code) => {
    const rig = new Rig();
    const fetched = rig.subscriber.fetch(target);
    rig.notifier.last.answer(status);
    await expect(fetched).rejects.toMatchObject({ code });
    expect(rig.subscriber.size).toBe(0);
  });

  it('that hears nothing rejects in the end', async () => {
    const rig = new Rig();
    const fetched = rig.subscriber.fetch(target);
    const outcome = expect(fetched).rejects.toMatchObject({ code: 'timeout' });
    rig.notifier.accept(0);
    await rig.clock.advance(32_000);
    await outcome;
  });
});

describe('limits', () => {
  it('no more subscriptions than allowed are opened', () => {
    const rig = new Rig({ maxSubscriptions: 2 });
    rig.subscribe();
    rig.subscribe();
    expect(() => rig.subscribe()).toThrow(DeliveryError);
    expect(rig.sent).toHaveLength(2);
  });

  it('pauses double up to five minutes, or an hour for a refusal, and are spread over half', () => {
    expect([1, 2, 3, 20].map((failures) => pauseMs('timeout', failures, 1))).toEqual([
      2000, 4000, 8000, 300_000,
    ]);
    expect([1, 2, 20].map((failures) => pauseMs('refused', failures, 1))).toEqual([
      300_000, 600_000, 3_600_000,
    ]);
    expect(pauseMs('timeout', 1, 0)).toBe(1000);
    expect([3600, 120, 10, 1].map(refreshAfterMs)).toEqual([3_540_000, 60_000, 5000, 1000]);
  });
});
