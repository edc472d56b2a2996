/** What every count of what initiators hold must do, whatever it counts in. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { CountedPush, InitiatorQuotas } from '../../src/push/initiator-quota.js';
import { pushUid } from '../../src/push/push-message.js';

export function initiatorQuotasContract(
  name: string,
  make: () => InitiatorQuotas | Promise<InitiatorQuotas>,
) {
  describe(`${name} as InitiatorQuotas`, () => {
    let quotas: InitiatorQuotas;
    beforeEach(async () => {
      quotas = await make();
    });

    const push = (pushId: string, options: Partial<CountedPush> = {}): CountedPush => {
      const { initiator = 'pi', acceptance = 'once', bytes = 100 } = options;
      return { initiator, uid: pushUid(initiator, pushId), acceptance, bytes };
    };

    it('counts pushes and their octets', async () => {
      await quotas.admit(push('1'), { pendingPushes: 5 });
      await quotas.admit(push('2', { bytes: 50 }), { pendingPushes: 5 });
      expect(await quotas.usage('pi')).toEqual({ pendingPushes: 2, pendingBytes: 150 });
    });

    it('has no place beyond the quota of pushes', async () => {
      const limits = { pendingPushes: 2 };
      for (const id of ['1', '2']) expect((await quotas.admit(push(id), limits)).kind).toBe('admitted');
      expect((await quotas.admit(push('3'), limits)).kind).toBe('pendingPushes');
      expect(await quotas.usage('pi')).toEqual({ pendingPushes: 2, pendingBytes: 200 });
    });

    it('fills the quota of octets to the last one and no further', async () => {
      const limits = { pendingBytes: 200 };
      expect((await quotas.admit(push('1'), limits)).kind).toBe('admitted');
      expect((await quotas.admit(push('2', { bytes: 101 }), limits)).kind).toBe('pendingBytes');
      expect((await quotas.admit(push('3', { bytes: 100 }), limits)).kind).toBe('admitted');
    });

    it('has a place again when one is given back, once', async () => {
      const limits = { pendingPushes: 1 };
      await quotas.admit(push('1'), limits);
      await quotas.release(push('1'));
      await quotas.release(push('1'));
      expect(await quotas.usage('pi')).toEqual({ pendingPushes: 0, pendingBytes: 0 });
      expect((await quotas.admit(push('2'), limits)).kind).toBe('admitted');
      expect((await quotas.admit(push('3'), limits)).kind).toBe('pendingPushes');
    });

    it('counts a repetition once', async () => {
      const limits = { pendingPushes: 1 };
      for (let time = 0; time < 3; time += 1) await quotas.admit(push('1'), limits);
      expect(await quotas.usage('pi')).toEqual({ pendingPushes: 1, pendingBytes: 100 });
    });

    it('takes two submissions of one push-id for two, so that either can be given back', async () => {
      await quotas.admit(push('1', { acceptance: 'first' }), { pendingPushes: 5 });
      await quotas.admit(push('1', { acceptance: 'second' }), { pendingPushes: 5 });
      await quotas.release(push('1', { acceptance: 'second' }));
      expect(await quotas.usage('pi')).toEqual({ pendingPushes: 1, pendingBytes: 100 });
    });

    it('counts every initiator for itself, whatever its name', async () => {
      const names = ['pi', 'PI', 'a}b', '{', 'ä:ö'.replace(':', ' ')];
      for (const initiator of names) await quotas.admit(push('1', { initiator }), { pendingPushes: 1 });
      const usage = await Promise.all(names.map((initiator) => quotas.usage(initiator)));
      expect(usage.map(({ pendingPushes }) => pendingPushes)).toEqual(names.map(() => 1));
    });

    it('never goes beyond the quota when many come together', async () => {
      const limits = { pendingPushes: 10, pendingBytes: 950 };
      const asked = Array.from({ length: 60 }, (_, index) => quotas.admit(push(`${index}`), limits));
      const admitted = (await Promise.all(asked)).filter(({ kind }) => kind === 'admitted');
      expect(admitted).toHaveLength(9);
      expect(await quotas.usage('pi')).toEqual({ pendingPushes: 9, pendingBytes: 900 });
    });

    it('holds nothing of a push that only has a rate', async () => {
      await quotas.admit(push('1'), { pushesPerSecond: 1000 });
      expect(await quotas.usage('pi')).toEqual({ pendingPushes: 0, pendingBytes: 0 });
    });

    // The rate is so low that no machine is slow enough to earn another place during the test.
    it('lets a burst through, and then says how long the next one has to wait', async () => {
      const limits = { pushesPerSecond: 0.001, burst: 3 };
      for (const id of ['1', '2', '3']) expect((await quotas.admit(push(id), limits)).kind).toBe('admitted');
      const refused = await quotas.admit(push('4'), limits);
      expect(refused.kind).toBe('rate');
      const { retryAfterMs } = refused as { retryAfterMs: number };
      expect(retryAfterMs).toBeGreaterThan(0);
      expect(retryAfterMs).toBeLessThanOrEqual(1_000_000);
    });

    it('takes one at a time when the rate is below one and no burst is given', async () => {
      const limits = { pushesPerSecond: 0.001 };
      expect((await quotas.admit(push('1'), limits)).kind).toBe('admitted');
      expect((await quotas.admit(push('2'), limits)).kind).toBe('rate');
    });

    it('counts the rate of every initiator for itself', async () => {
      const limits = { pushesPerSecond: 0.001 };
      await quotas.admit(push('1'), limits);
      expect((await quotas.admit(push('1', { initiator: 'other' }), limits)).kind).toBe('admitted');
    });

    it('takes nothing of the quota from a push that the rate refuses', async () => {
      const limits = { pushesPerSecond: 0.001, pendingPushes: 10 };
      await quotas.admit(push('1'), limits);
      await quotas.admit(push('2'), limits);
      expect((await quotas.usage('pi')).pendingPushes).toBe(1);
    });
  });
}
