/** The report to the initiator: what it says, when it is repeated, when it ends. */
import { beforeEach, describe, expect, it } from 'vitest';
import { DeliveryError, RefusedError } from '../../src/kernel/errors.js';
import { decodePap } from '../../src/protocols/pap/index.js';
import type { PushStore, Webhook } from '../../src/push/ports.js';
import type { PushUid, ResultRecord } from '../../src/push/push-message.js';
import { notifyResult, type ResultFact } from '../../src/push/result-notification.js';
import { submit } from '../../src/push/submission.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import { instead } from '../support/instead.js';
import { papValidator } from '../support/pap.js';
import { BOB, PushStage, TO_BOB, TO_NOBODY } from '../support/push-stage.js';

const BOBS = terminalId(BOB, 'phone');
const NOTIFY_TO = 'http://pi.test/results';
const options = {
  retryMs: [2000, 10_000, 30_000],
  maxAttempts: 5,
  attemptLimitMs: 20_000,
  senderName: 'Carillon',
};

let stage: PushStage;
let uid: PushUid;
let sent: { url: string; document: Uint8Array }[];
let webhooks: { url: string; webhook: Webhook }[];
let facts: ResultFact[];
/** What the next notifications come to; then they are acknowledged. */
let failures: unknown[];

beforeEach(async () => {
  stage = new PushStage();
  sent = [];
  webhooks = [];
  facts = [];
  failures = [];
  ({ uid } = await stage.submit({ addresses: [TO_BOB, TO_NOBODY], notifyTo: NOTIFY_TO }));
  stage.alarms.results.length = 0;
});

const settle = (event: 'deliver' | 'expire' = 'deliver') =>
  stage.store.settle(uid, BOBS, { event, at: stage.clock.now(), notifyAt: stage.clock.now() });

const notify = (recipient = 0, store: PushStore = stage.store) =>
  notifyResult(
    uid,
    recipient,
    {
      store,
      alarms: stage.alarms,
      clock: stage.clock,
      observe: (fact) => facts.push(fact),
      webhooks: {
        send: async (url, webhook) => {
          webhooks.push({ url, webhook });
          const failure = failures.shift();
          if (failure) throw failure;
        },
      },
      initiator: {
        notify: async (url, document) => {
          sent.push({ url, document });
          const failure = failures.shift();
          if (failure) throw failure;
        },
      },
    },
    options,
  );

const result = async (recipient = 0): Promise<ResultRecord | undefined> =>
  (await stage.store.story(uid))?.results.find((one) => one.recipient === recipient);
const owed = () => stage.store.owedResults(Number.MAX_SAFE_INTEGER, 10);
const away = () => new DeliveryError('unreachable', 'connection refused');

describe('the report', () => {
  it('goes to the address that the initiator gave and says what became of the push', async () => {
    await stage.clock.advance(5000);
    await settle();
    await notify();
    expect(sent.map(({ url }) => url)).toEqual([NOTIFY_TO]);
    const { operation } = decodePap(sent[0]?.document ?? new Uint8Array(), { validator: papValidator });
    expect(operation).toMatchObject({
      kind: 'resultnotification-message',
      pushId: 'one@pi.test',
      senderName: 'Carillon',
      messageState: 'delivered',
      code: 1000,
      addresses: [TO_BOB],
      receivedTime: stage.clock.now() - 5000,
      eventTime: stage.clock.now(),
    });
  });

  it('of an address that was refused says rejected, with the code of the reason', async () => {
    await notify(1);
    const { operation } = decodePap(sent[0]?.document ?? new Uint8Array(), { validator: papValidator });
    expect(operation).toMatchObject({ messageState: 'rejected', code: 2003, addresses: [TO_NOBODY] });
  });

  it('once acknowledged is over', async () => {
    await settle();
    await notify();
    expect(await result()).toMatchObject({ state: 'sent', attempts: 1, at: stage.clock.now() });
    expect((await owed()).map(({ recipient }) => recipient)).toEqual([1]);
    expect(facts).toMatchObject([{ state: 'sent', attempts: 1 }]);
  });

  it('once over is not sent again, however many alarms there are', async () => {
    await settle();
    await notify();
    await notify();
    await notify();
    expect(sent).toHaveLength(1);
  });

  it('that is over but still noted as owed is taken off the list', async () => {
    await settle();
    await notify();
    const forgotten: number[] = [];
    const forgetResult = async (_uid: PushUid, recipient: number) => {
      forgotten.push(recipient);
    };
    await notify(0, instead<PushStore>(stage.store, { forgetResult }));
    expect(forgotten).toEqual([0]);
  });

  it('is not sent before the address has reached its end', async () => {
    await notify();
    expect(sent).toEqual([]);
  });

  it('of a push that is gone is forgotten', async () => {
    uid = 'gone' as PushUid;
    await notify();
    expect(sent).toEqual([]);
  });

  it('of an address that there is not is forgotten', async () => {
    await notify(7);
    expect(sent).toEqual([]);
  });
});

describe('the report of a push that came as JSON', () => {
  const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
  const eventOf = (index: number) => JSON.parse(Buffer.from(webhooks[index]?.webhook.body ?? []).toString());

  beforeEach(async () => {
    const json = { fingerprint: 'f', webhookSecret: secret };
    const { papVersion: _, ...submission } = stage.submission({
      pushId: 'two@pi.test',
      addresses: [TO_BOB, TO_NOBODY],
      notifyTo: NOTIFY_TO,
      sourceReference: 'desk 4',
      json,
    });
    ({ uid } = await submit(submission, stage.submissionPorts, stage.options));
  });

  it('is a webhook, and no PAP document goes out', async () => {
    await stage.clock.advance(5000);
    await settle();
    await notify();
    expect(sent).toEqual([]);
    expect(webhooks).toMatchObject([{ url: NOTIFY_TO, webhook: { id: `${uid}-0`, secret } }]);
    expect(eventOf(0)).toEqual({
      id: `${uid}-0`,
      type: 'push.result',
      pushId: 'two@pi.test',
      acceptedAt: new Date(stage.clock.now() - 5000).toISOString(),
      sourceReference: 'desk 4',
      recipient: {
        address: TO_BOB,
        state: 'delivered',
        code: 1000,
        at: new Date(stage.clock.now()).toISOString(),
      },
    });
  });

  it('never holds the secret that signs it', async () => {
    await settle();
    await notify();
    expect(Buffer.from(webhooks[0]?.webhook.body ?? []).toString()).not.toContain(secret.slice(6));
  });

  it('of an address that was refused says why', async () => {
    await notify(1);
    expect(eventOf(0).recipient).toMatchObject({ state: 'rejected', code: 2003, reason: expect.any(String) });
  });

  it('is the same at every attempt', async () => {
    await settle();
    failures = [away()];
    await notify();
    await stage.clock.advance(2000);
    await notify();
    expect(webhooks).toHaveLength(2);
    expect(webhooks[1]).toEqual(webhooks[0]);
    expect(await result()).toMatchObject({ state: 'sent', attempts: 2 });
  });
});

describe('an attempt that failed', () => {
  it('is repeated after a pause, and the alarm is set', async () => {
    await settle();
    failures = [away()];
    await notify();
    expect(await result()).toMatchObject({ state: 'owed', attempts: 1, lastError: 'connection refused' });
    expect(stage.alarms.results).toEqual([{ uid, recipient: 0, at: stage.clock.now() + 2000 }]);
    expect(facts).toMatchObject([{ state: 'owed', attempts: 1, reason: 'connection refused' }]);
  });

  it('is repeated with growing pauses; the last one repeats; then it is given up', async () => {
    await settle();
    failures = Array.from({ length: 10 }, away);
    const pauses: number[] = [];
    for (;;) {
      const before = stage.alarms.results.length;
      await notify();
      const alarm = stage.alarms.results[before];
      if (!alarm) break;
      pauses.push(alarm.at - stage.clock.now());
      await stage.clock.advance(alarm.at - stage.clock.now());
    }
    expect(pauses).toEqual([2000, 10_000, 30_000, 30_000]);
    expect(await result()).toMatchObject({
      state: 'abandoned',
      attempts: 5,
      lastError: 'connection refused',
    });
    expect((await owed()).map(({ recipient }) => recipient)).toEqual([1]);
  });

  it('does not keep a later one from being acknowledged', async () => {
    await settle();
    failures = [away(), away()];
    for (let attempt = 0; attempt < 3; attempt += 1) await notify();
    expect(await result()).toMatchObject({ state: 'sent', attempts: 3 });
  });

  it.each([
    ['an address that may not be called', new RefusedError('forbidden', 'a private address')],
    ['an initiator that never wants it', new DeliveryError('forbidden', '410 Gone', { retry: 'never' })],
  ])('because of %s is given up at once', async (_what, failure) => {
    await settle();
    failures = [failure];
    await notify();
    expect(await result()).toMatchObject({ state: 'abandoned', attempts: 1 });
    expect(stage.alarms.results).toEqual([]);
    expect(facts).toMatchObject([{ state: 'abandoned' }]);
  });

  it('because we are busy ourselves does not count, and is repeated after a second', async () => {
    await settle();
    failures = Array.from({ length: 20 }, () => new DeliveryError('busy', 'too many at once'));
    for (let attempt = 0; attempt < 20; attempt += 1) await notify();
    expect(await result()).toMatchObject({ state: 'owed', attempts: 0 });
    expect(stage.alarms.results.at(-1)?.at).toBe(stage.clock.now() + 1000);
    await notify();
    expect(await result()).toMatchObject({ state: 'sent', attempts: 1 });
  });

  it('for an unknown reason is repeated too', async () => {
    await settle();
    failures = [new TypeError('fetch failed')];
    await notify();
    expect(await result()).toMatchObject({ state: 'owed', attempts: 1, lastError: 'fetch failed' });
  });
});

describe('an attempt cut off by a crash', () => {
  it('is found again when it must be over, and counts', async () => {
    await settle();
    void notifyResult(
      uid,
      0,
      {
        store: stage.store,
        alarms: stage.alarms,
        clock: stage.clock,
        observe: () => {},
        initiator: { notify: () => new Promise(() => {}) },
        webhooks: { send: async () => {} },
      },
      options,
    );
    await stage.clock.advance(options.attemptLimitMs - 1);
    const due = () => stage.store.owedResults(stage.clock.now(), 10);
    expect((await due()).map(({ recipient }) => recipient)).toEqual([1]);
    await stage.clock.advance(1);
    expect((await due()).map(({ recipient }) => recipient)).toContain(0);
    await notify();
    expect(await result()).toMatchObject({ state: 'sent', attempts: 2 });
  });

  it('that comes to its end after another one was acknowledged changes nothing', async () => {
    await settle();
    let fail = (_error: unknown) => {};
    const slow = notifyResult(
      uid,
      0,
      {
        store: stage.store,
        alarms: stage.alarms,
        clock: stage.clock,
        observe: () => {},
        initiator: {
          notify: () =>
            new Promise((_, reject) => {
              fail = reject;
            }),
        },
        webhooks: { send: async () => {} },
      },
      options,
    );
    await stage.clock.advance(1);
    await notify();
    fail(away());
    await slow;
    expect(await result()).toMatchObject({ state: 'sent' });
    expect((await owed()).map(({ recipient }) => recipient)).toEqual([1]);
  });
});
