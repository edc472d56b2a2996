/** What is remembered of pushes that wake many terminals, and what is not. */
import { describe, expect, it } from 'vitest';
import type { PushStory } from '../../src/push/push-message.js';
import { RecentPushes } from '../../src/push/recent-pushes.js';
import { ALICE, aPush, PC, PHONE } from '../support/pushes.js';

const push = aPush({
  recipients: [
    {
      address: 'a',
      terminals: [PHONE],
      decision: { user: ALICE, multi: true, policy: 'named by the initiator', terminals: [] },
    },
    { address: 'b', terminals: [PC] },
  ],
});

class CountingStore {
  reads = 0;
  answer: () => Promise<PushStory | undefined> = async () => ({ push, deliveries: [], results: [] });

  story(): Promise<PushStory | undefined> {
    this.reads += 1;
    return this.answer();
  }
}

describe('a push', () => {
  it('is read once for all lanes that ask at the same time and later', async () => {
    const store = new CountingStore();
    const recent = new RecentPushes(store);
    await Promise.all([recent.find(push.uid), recent.find(push.uid)]);
    await recent.find(push.uid);
    expect(store.reads).toBe(1);
  });

  it('names the terminals of addresses that name one', async () => {
    const found = await new RecentPushes(new CountingStore()).find(push.uid);
    expect([...(found?.named ?? [])]).toEqual([PHONE]);
  });

  it('that could not be read is read again', async () => {
    const store = new CountingStore();
    const recent = new RecentPushes(store);
    const { answer } = store;
    store.answer = () => Promise.reject(new Error('away'));
    await expect(recent.find(push.uid)).rejects.toThrow('away');
    store.answer = answer;
    expect(await recent.find(push.uid)).toBeDefined();
  });

  it('that is not kept is looked for again', async () => {
    const store = new CountingStore();
    const recent = new RecentPushes(store);
    store.answer = async () => undefined;
    expect([await recent.find(push.uid), await recent.find(push.uid), store.reads]).toEqual([
      undefined,
      undefined,
      2,
    ]);
  });

  it('is forgotten when enough others have been asked for', async () => {
    const store = new CountingStore();
    const recent = new RecentPushes(store);
    await recent.find(push.uid);
    for (let count = 0; count < 40; count += 1) await recent.find(aPush().uid);
    await recent.find(push.uid);
    expect(store.reads).toBe(42);
  });
});
