/** What every LaneStore must do, whatever it keeps lanes in. Entries get into lanes as pushes do: by acceptance. */

import { beforeEach, describe, expect, it } from 'vitest';
import type { WakeRecord } from '../../src/lane/lane.js';
import { MOST_OVERTAKEN } from '../../src/lane/lane.js';
import type { Lease } from '../../src/lane/ports.js';
import { laneEntryOf, type Push } from '../../src/push/push-message.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import { aPush, HELLO, HERE, HOUR, PC, PHONE, type PushOptions } from '../support/pushes.js';
import { LEAST_SIR_INTERVAL_MS, type MakeStores, type Stores } from './stores-subject.js';

const LEASE_MS = 30_000;

export function laneStoreContract(name: string, make: MakeStores): void {
  describe(`${name} as a LaneStore`, () => {
    let stores: Stores;
    beforeEach(async () => {
      stores = await make();
    });

    const now = () => stores.clock.now();
    const window = (limit = 10) => ({ now: now(), leaseMs: LEASE_MS, limit });
    const view = (terminal = PHONE) => stores.lanes.view(terminal);

    /** Puts a push into the phone's lane. */
    async function place(options: PushOptions = {}): Promise<Push> {
      const push = aPush({ acceptedAt: now(), expiresAt: now() + HOUR, ...options });
      await stores.pushes.accept(push, HELLO, push.pushId);
      return push;
    }

    async function open(terminal = PHONE, limit?: number) {
      const held = await stores.lanes.open(terminal, window(limit), HERE);
      if (!held) throw new Error('the lease was not to be had');
      return held;
    }

    const ids = (pushes: readonly Push[]) => pushes.map(({ uid }) => uid);
    const entryIds = (entries: readonly { readonly id: string }[]) => entries.map(({ id }) => id);
    const record = (outcome: WakeRecord['outcome'], sirId = 'sir'): WakeRecord => ({
      sirId,
      at: now(),
      bearer: 'sip',
      outcome,
      detail: '',
    });

    describe('order', () => {
      it('is by priority, then by arrival', async () => {
        const [m1, l1, h1, m2, h2] = [
          await place(),
          await place({ priority: 'low' }),
          await place({ priority: 'high' }),
          await place({ priority: 'medium' }),
          await place({ priority: 'high' }),
        ];
        const { lane } = await open();
        expect(entryIds(lane.entries)).toEqual(ids([h1, h2, m1, m2, l1]));
        expect(lane.entries.map(({ rank }) => rank)).toEqual([0, 0, 1, 1, 2]);
      });

      it('lets an entry be overtaken by a bounded number of later arrivals only', async () => {
        const waiting = await place({ priority: 'medium' });
        const urgent: Push[] = [];
        for (let count = 0; count < MOST_OVERTAKEN + 2; count += 1)
          urgent.push(await place({ priority: 'high' }));
        const { lane } = await open(PHONE, MOST_OVERTAKEN + 3);
        expect(entryIds(lane.entries)).toEqual(
          ids([...urgent.slice(0, MOST_OVERTAKEN), waiting, ...urgent.slice(MOST_OVERTAKEN)]),
        );
      });

      it('is that of arrival also for many at the same instant', async () => {
        const pushes: Push[] = [];
        for (let count = 0; count < 50; count += 1) pushes.push(await place());
        expect(entryIds((await open(PHONE, 100)).lane.entries)).toEqual(ids(pushes));
      });

      it('no more entries are read than asked for, the first ones', async () => {
        const pushes = [await place(), await place(), await place()];
        expect(entryIds((await open(PHONE, 2)).lane.entries)).toEqual(ids(pushes.slice(0, 2)));
      });

      it('lanes of two terminals are separate', async () => {
        const both = await place({ terminals: [PHONE, PC] });
        const pcOnly = await place({ terminals: [PC] });
        expect(entryIds((await open(PHONE)).lane.entries)).toEqual([both.uid]);
        expect(entryIds((await open(PC)).lane.entries)).toEqual([both.uid, pcOnly.uid]);
      });
    });

    describe('the lease', () => {
      it('is had by one runner at a time', async () => {
        await open();
        expect(await stores.lanes.open(PHONE, window(), HERE)).toBeUndefined();
      });

      it('is had by one of many that ask at once', async () => {
        await place();
        const asked = Array.from({ length: 20 }, () => stores.lanes.open(PHONE, window(), HERE));
        const got = (await Promise.all(asked)).filter((held) => held !== undefined);
        expect(got).toHaveLength(1);
      });

      it('of one terminal does not keep another from being run', async () => {
        await open(PHONE);
        expect(await stores.lanes.open(PC, window(), HERE)).toBeDefined();
      });

      it('is free when its time is over', async () => {
        const first = await open();
        await stores.clock.advance(LEASE_MS);
        const second = await open();
        expect(second.lease.token).toBeGreaterThan(first.lease.token);
      });

      it('says until when it lasts', async () => {
        expect((await open()).lease.until).toBe(now() + LEASE_MS);
      });

      it('can be prolonged again and again', async () => {
        let { lease } = await open();
        for (let round = 0; round < 5; round += 1) {
          await stores.clock.advance(LEASE_MS - 1);
          const renewed = await stores.lanes.renew(lease, window());
          expect(renewed?.lease.token).toBe(lease.token);
          lease = renewed?.lease ?? lease;
          expect(await stores.lanes.open(PHONE, window(), HERE)).toBeUndefined();
        }
      });

      it('can be prolonged late as long as nobody took it', async () => {
        const { lease } = await open();
        await stores.clock.advance(2 * LEASE_MS);
        expect(await stores.lanes.renew(lease, window())).toBeDefined();
        expect(await stores.lanes.open(PHONE, window(), HERE)).toBeUndefined();
      });

      it('cannot be prolonged once another runner has it', async () => {
        const { lease } = await open();
        await stores.clock.advance(LEASE_MS);
        await open();
        expect(await stores.lanes.renew(lease, window())).toBeUndefined();
      });

      it('is free after it was given back', async () => {
        const { lease, lane } = await open();
        await stores.lanes.release(lease, lane.version, now());
        expect(await stores.lanes.open(PHONE, window(), HERE)).toBeDefined();
      });
    });

    it('the lease that another node left is taken by one that is alone, and no other', async () => {
      await place();
      const left = await open();
      expect(await stores.lanes.open(PHONE, window(), { self: 'next', isAlone: false })).toBeUndefined();
      expect(await stores.lanes.open(PHONE, window(), { ...HERE, isAlone: true })).toBeUndefined();
      const taken = await stores.lanes.open(PHONE, window(), { self: 'next', isAlone: true });
      expect(taken?.lease.token).toBeGreaterThan(left.lease.token);
      expect(await stores.lanes.renew(left.lease, window())).toBeUndefined();
      expect(await stores.lanes.open(PHONE, window(), { self: 'next', isAlone: true })).toBeUndefined();
    });

    describe('giving the lease back', () => {
      it('sets the due moment of a lane that holds something', async () => {
        await place();
        const { lease, lane } = await open();
        expect(await stores.lanes.release(lease, lane.version, now() + 5000)).toBe('due');
        expect((await view()).dueAt).toBe(now() + 5000);
      });

      it('leaves an empty lane without a due moment', async () => {
        const { lease, lane } = await open();
        expect(await stores.lanes.release(lease, lane.version, now() + 5000)).toBe('empty');
        expect((await view()).dueAt).toBeUndefined();
      });

      const changes: Record<string, () => Promise<unknown>> = {
        'something arrived': () => place(),
        'something arrived that may not start yet': () => place({ notBefore: now() + 1000 }),
        'the terminal connected': () => stores.lanes.connected(PHONE, { session: { id: 's', node: 'n' } }),
        'the terminal can be reached by MESSAGE': () =>
          stores.lanes.connected(PHONE, { messageUntil: now() + HOUR }),
      };
      it.each(Object.keys(changes))('is refused when %s since the last look', async (change) => {
        const { lease, lane } = await open();
        await changes[change]?.();
        expect(await stores.lanes.release(lease, lane.version, now())).toBe('again');
        expect(await stores.lanes.open(PHONE, window(), HERE)).toBeUndefined();
        const renewed = await stores.lanes.renew(lease, window());
        expect(await stores.lanes.release(lease, renewed?.lane.version ?? -1, now())).not.toBe('again');
      });

      it('is refused when the session ended since the last look', async () => {
        await stores.lanes.connected(PHONE, { session: { id: 's', node: 'n' } });
        const { lease, lane } = await open();
        await stores.lanes.disconnected(PHONE, 's');
        expect(await stores.lanes.release(lease, lane.version, now())).toBe('again');
      });

      it('is not refused because an entry was taken out', async () => {
        const push = await place();
        const { lease, lane } = await open();
        await stores.lanes.remove(PHONE, [laneEntryOf(push)]);
        expect(await stores.lanes.release(lease, lane.version, now())).toBe('empty');
      });

      it('does nothing once another runner has it', async () => {
        await place();
        const { lease, lane } = await open();
        await stores.clock.advance(LEASE_MS);
        await open();
        expect(await stores.lanes.release(lease, lane.version, now() + 5000)).toBe('lost');
        expect(await stores.lanes.open(PHONE, window(), HERE)).toBeUndefined();
        expect((await view()).dueAt).toBe(now() + LEASE_MS);
      });
    });

    describe('the due moment', () => {
      it('of a lane that is opened is the end of the lease, should its holder die', async () => {
        await place();
        await open();
        expect((await view()).dueAt).toBe(now() + LEASE_MS);
      });

      it('is there for what arrives in an empty lane whose lease is held', async () => {
        await open();
        await place();
        expect((await view()).dueAt).toBe(now() + LEASE_MS);
      });

      it('is the moment of arrival when somebody can act at once', async () => {
        await place();
        expect((await view()).dueAt).toBe(now());
      });

      it('is the start of what may not start yet', async () => {
        await place({ notBefore: now() + 7000 });
        expect((await view()).dueAt).toBe(now() + 7000);
      });

      it('goes with the last entry', async () => {
        const [one, two] = [await place(), await place({ notBefore: now() + 1000 })];
        await stores.lanes.remove(PHONE, [laneEntryOf(one)]);
        expect((await view()).dueAt).toBeDefined();
        await stores.lanes.remove(PHONE, [laneEntryOf(two)]);
        expect((await view()).dueAt).toBeUndefined();
      });

      it('lanes that are due are found, the longest due first, some at a time', async () => {
        const terminals = ['a', 'B', '0', '_', 'Z'] as TerminalId[];
        for (const terminal of terminals) {
          await place({ terminals: [terminal] });
          await stores.clock.advance(10);
        }
        await place({ terminals: [PHONE], notBefore: now() + 1 });
        expect(await stores.lanes.due(now(), 10)).toEqual(terminals);
        expect(await stores.lanes.due(now(), 2)).toEqual(terminals.slice(0, 2));
        expect(await stores.lanes.totals(now())).toMatchObject({ lanes: 6, oldestDueAt: now() - 50 });
      });
    });

    describe('taking entries out', () => {
      it('is what settling a delivery does, however often', async () => {
        const [one, two] = [await place(), await place()];
        const settle = ({ uid }: Push) =>
          stores.pushes.settle(uid, PHONE, { event: 'deliver', at: now(), notifyAt: now() });
        await settle(one);
        expect(entryIds(await stores.lanes.entries(PHONE, 10))).toEqual([two.uid]);
        await settle(two);
        await settle(two);
        expect(await view()).toMatchObject({ state: 'empty', held: 0 });
        expect((await view()).dueAt).toBeUndefined();
      });

      it('does not follow from a settlement that comes too late for what a network has', async () => {
        const { uid } = await place();
        await stores.pushes.handOver(uid, PHONE, { bearer: 'sms', at: now() });
        await stores.pushes.settle(uid, PHONE, { event: 'cancel', at: now(), notifyAt: now() });
        expect(await view()).toMatchObject({ held: 0, parked: 1 });
      });

      it('can be repeated', async () => {
        const [one, two] = [await place(), await place()];
        await stores.lanes.remove(PHONE, [laneEntryOf(one)]);
        await stores.lanes.remove(PHONE, [laneEntryOf(one)]);
        await stores.lanes.remove(PHONE, []);
        expect(entryIds((await open()).lane.entries)).toEqual([two.uid]);
      });

      it('takes out what may not start yet and what has expired', async () => {
        const later = await place({ notBefore: now() + 10_000 });
        const short = await place({ expiresAt: now() + 10 });
        await stores.clock.advance(10);
        await stores.lanes.remove(PHONE, [laneEntryOf(later), laneEntryOf(short)]);
        const { lane } = await open();
        expect([lane.entries, lane.expired, lane.nextDeadline, lane.nextStart]).toEqual([
          [],
          [],
          undefined,
          undefined,
        ]);
      });
    });

    describe('entries set aside', () => {
      let networks = 0;
      beforeEach(() => {
        networks = 0;
      });
      /** A network has it, another one each time. */
      const park = (push: Push) => {
        networks += 1;
        return parkAgain(push);
      };
      const parkAgain = ({ uid }: Push) =>
        stores.pushes.handOver(uid, PHONE, { bearer: `network-${networks}`, at: now() });
      /** That network gave it up. */
      const resume = ({ uid }: Push) =>
        stores.pushes.giveUp(uid, PHONE, { bearer: `network-${networks}`, at: now() });

      it('are not handed out, and are still held', async () => {
        const [first, second] = [await place(), await place()];
        const { lease } = await open();
        await park(first);
        const seen = await stores.lanes.renew(lease, window());
        expect(entryIds(seen?.lane.entries ?? [])).toEqual([second.uid]);
        expect(await view()).toMatchObject({ held: 1, parked: 1 });
        expect(entryIds(await stores.lanes.entries(PHONE, 10))).toHaveLength(2);
      });

      it('expire with their deadline, for which the lane is due', async () => {
        const push = await place({ expiresAt: now() + 500 });
        const { lease, lane } = await open();
        await park(push);
        const seen = await stores.lanes.renew(lease, window());
        expect(seen?.lane.nextDeadline).toBe(now() + 500);
        expect(await stores.lanes.release(lease, lane.version, now() + 500)).toBe('due');
        await stores.clock.advance(500);
        expect(entryIds((await open()).lane.expired)).toEqual([push.uid]);
      });

      it('can be set aside before their start has come', async () => {
        const push = await place({ notBefore: now() + 1000 });
        await park(push);
        expect(await view()).toMatchObject({ held: 0, deferred: 0, parked: 1 });
        await stores.clock.advance(1000);
        expect((await open()).lane.entries).toEqual([]);
      });

      it('come back behind those that wait, with the lane due at once and changed for whoever runs it', async () => {
        const [first, second] = [await place(), await place()];
        const { lease, lane } = await open();
        await park(first);
        await resume(first);
        expect(await stores.lanes.release(lease, lane.version, now() + HOUR)).toBe('again');
        const seen = await stores.lanes.renew(lease, window());
        expect(entryIds(seen?.lane.entries ?? [])).toEqual([second.uid, first.uid]);
        expect(await stores.lanes.release(lease, seen?.lane.version ?? 0, now() + HOUR)).toBe('due');
        await park(first);
        await resume(first);
        expect(await stores.lanes.due(now(), 10)).toEqual([PHONE]);
      });

      it('come back once, and not at all when they are gone', async () => {
        const [first, second] = [await place(), await place()];
        await park(first);
        expect([await resume(first), await resume(first)]).toEqual(['held', 'held']);
        expect(await view()).toMatchObject({ held: 2, parked: 0 });
        await park(first);
        await stores.lanes.remove(PHONE, [laneEntryOf(first)]);
        await resume(first);
        expect(entryIds((await open()).lane.entries)).toEqual([second.uid]);
      });

      it('are set aside once more when the first time was cut short, not when they are back in line', async () => {
        const push = await place();
        expect([await park(push), await parkAgain(push)]).toEqual(['handed', 'handed']);
        expect(await view()).toMatchObject({ held: 0, parked: 1 });
        await resume(push);
        expect(await view()).toMatchObject({ held: 1, parked: 0 });
      });

      it('leave with the rest: an emptied lane has no due moment', async () => {
        const push = await place();
        await park(push);
        await stores.lanes.remove(PHONE, [laneEntryOf(push)]);
        expect(await view()).toMatchObject({ state: 'empty', parked: 0 });
        expect((await view()).dueAt).toBeUndefined();
      });
    });

    describe('entries that start later', () => {
      it('are not shown before, and told as the next start', async () => {
        await place({ notBefore: now() + 5000 });
        const { lane } = await open();
        expect(lane.entries).toEqual([]);
        expect(lane.nextStart).toBe(now() + 5000);
        expect(await view()).toMatchObject({ held: 0, deferred: 1 });
      });

      it('come behind what was there when they start, in their priority', async () => {
        const later = await place({ notBefore: now() + 5000 });
        const urgent = await place({ notBefore: now() + 5000, priority: 'high' });
        const there = await place();
        await stores.clock.advance(5000);
        const after = await place();
        const { lane } = await open();
        expect(entryIds(lane.entries)).toEqual(ids([urgent, there, after, later]));
      });

      it('start in the order of their moments', async () => {
        const second = await place({ notBefore: now() + 200 });
        const first = await place({ notBefore: now() + 100 });
        await stores.clock.advance(1000);
        expect(entryIds((await open()).lane.entries)).toEqual(ids([first, second]));
      });

      it('of the past are not deferred', async () => {
        const push = await place({ notBefore: now() });
        expect(entryIds((await open()).lane.entries)).toEqual([push.uid]);
      });
    });

    describe('entries that expire', () => {
      it('are shown as expired and not to be delivered', async () => {
        const short = await place({ expiresAt: now() + 10 });
        const long = await place();
        await stores.clock.advance(10);
        const { lane } = await open();
        expect(entryIds(lane.expired)).toEqual([short.uid]);
        expect(entryIds(lane.entries)).toEqual([long.uid]);
      });

      it('are told as the next deadline before', async () => {
        await place({ expiresAt: now() + 10 });
        expect((await open()).lane).toMatchObject({ nextDeadline: now() + 10 });
      });

      it('expire also while they wait for their start', async () => {
        const never = await place({ notBefore: now() + 100, expiresAt: now() + 10 });
        await stores.clock.advance(10);
        const { lane } = await open();
        expect(entryIds(lane.expired)).toEqual([never.uid]);
      });

      it('come some at a time; nothing is shown for delivery while there are more', async () => {
        for (let count = 0; count < 150; count += 1) await place({ expiresAt: now() + 10 });
        const long = await place();
        await stores.clock.advance(10);
        let held = await open(PHONE, 500);
        let seen = 0;
        while (held.lane.expired.length > 0) {
          expect(held.lane.entries.every(({ id }) => id === long.uid)).toBe(true);
          seen += held.lane.expired.length;
          await stores.lanes.remove(PHONE, held.lane.expired);
          held = (await stores.lanes.renew(held.lease, window(500))) ?? held;
        }
        expect(seen).toBe(150);
        expect(entryIds(held.lane.entries)).toEqual([long.uid]);
      });
    });

    describe('connecting', () => {
      it('tells what is held and which alarm can be brought forward', async () => {
        await place();
        await place({ notBefore: now() + 5000 });
        const { lease, lane } = await open();
        await stores.lanes.release(lease, lane.version, now() + 60_000);
        const dueAt = now() + 60_000;
        await stores.clock.advance(1000);
        const found = await stores.lanes.connected(PHONE, { session: { id: 's', node: 'n' } });
        expect(found).toEqual({ held: 2, dueAt });
        expect((await view()).dueAt).toBe(now());
      });

      it('to an empty lane makes nothing due', async () => {
        const found = await stores.lanes.connected(PHONE, { session: { id: 's', node: 'n' } });
        expect(found).toEqual({ held: 0 });
        expect((await view()).dueAt).toBeUndefined();
      });

      it('is seen by whoever opens the lane', async () => {
        await stores.lanes.connected(PHONE, { session: { id: 's', node: 'n' } });
        await stores.lanes.connected(PHONE, { messageUntil: now() + 500 });
        expect((await open()).lane.connections).toEqual({
          session: { id: 's', node: 'n' },
          messageUntil: now() + 500,
        });
      });

      it('ends the wake-up, but a SIR keeps its distance from the last one', async () => {
        await place();
        const { lease, lane } = await open();
        const wake = { epoch: 0, sent: 3, method: 4, notBefore: now() + HOUR, sirId: 'sir' };
        await stores.lanes.recordWake(lease, wake, record('handed'));
        await stores.lanes.release(lease, lane.version, now() + HOUR);
        const wokenAt = now();
        await stores.clock.advance(1000);
        await stores.lanes.connected(PHONE, { session: { id: 's', node: 'n' } });
        expect((await open()).lane.wake).toEqual({
          epoch: 1,
          sent: 0,
          method: 0,
          notBefore: wokenAt + LEAST_SIR_INTERVAL_MS,
        });
      });

      it('makes a wake-up that is still under way history: its record is kept, its state is not', async () => {
        await place();
        const { lease, lane } = await open();
        await stores.lanes.connected(PHONE, {});
        const late = { ...lane.wake, sent: 1, method: 1, notBefore: now() + HOUR, sirId: 'sir' };
        await stores.lanes.recordWake(lease, late, record('handed'));
        const { wake, wakes } = await stores.lanes.view(PHONE);
        expect(wake).toMatchObject({ epoch: 1, sent: 0, method: 0 });
        expect(wake.sirId).toBeUndefined();
        expect(wakes).toHaveLength(1);
      });

      it('of a newer session takes the place of the older', async () => {
        await stores.lanes.connected(PHONE, { session: { id: 'older', node: 'n1' } });
        await stores.lanes.connected(PHONE, { session: { id: 'newer', node: 'n2' } });
        await stores.lanes.disconnected(PHONE, 'older');
        expect((await view()).connections.session).toEqual({ id: 'newer', node: 'n2' });
      });
    });

    describe('the end of a session', () => {
      it('is remembered, and makes a lane due that holds something', async () => {
        await place();
        await stores.lanes.connected(PHONE, { session: { id: 's', node: 'n' } });
        const { lease, lane } = await open();
        await stores.lanes.release(lease, lane.version, now() + HOUR);
        await stores.lanes.disconnected(PHONE, 's');
        expect(await view()).toMatchObject({ connections: {}, dueAt: now() });
      });

      it('of an empty lane makes nothing due', async () => {
        await stores.lanes.connected(PHONE, { session: { id: 's', node: 'n' } });
        await stores.lanes.disconnected(PHONE, 's');
        expect((await view()).dueAt).toBeUndefined();
      });
    });

    describe('wake-ups', () => {
      async function wokenUntil(notBefore: number): Promise<void> {
        await place();
        const { lease, lane } = await open();
        const wake = { epoch: 0, sent: 1, method: 1, notBefore, sirId: 'sir' };
        await stores.lanes.recordWake(lease, wake, record('handed'));
        await stores.lanes.release(lease, lane.version, notBefore);
      }

      it('are remembered for the next decision and shown newest first', async () => {
        await place();
        const { lease } = await open();
        const wake = { epoch: 0, sent: 2, method: 5, notBefore: now() + 7, sirId: 'two' };
        await stores.lanes.recordWake(
          lease,
          { epoch: 0, sent: 1, method: 1, notBefore: 0 },
          record('failed', 'one'),
        );
        await stores.lanes.recordWake(lease, wake, record('handed', 'two'));
        const seen = await view();
        expect(seen.wake).toEqual(wake);
        expect(seen.wakes.map(({ sirId }) => sirId)).toEqual(['two', 'one']);
      });

      describe('whose SIR a network reports on', () => {
        const failed = () => ({ outcome: 'failed', at: now(), detail: 'no coverage' }) as const;
        const delivered = () => ({ outcome: 'delivered', at: now(), detail: 'there' }) as const;
        async function woken({ hasNext }: { readonly hasNext: boolean }): Promise<void> {
          await place();
          const { lease, lane } = await open();
          const wake = { epoch: 0, sent: 1, method: 1, notBefore: now() + HOUR, sirId: 'sir' };
          expect(await stores.lanes.recordWake(lease, wake, record('handed'), { hasNext })).toBe(
            now() + HOUR,
          );
          await stores.lanes.release(lease, lane.version, now() + HOUR);
        }

        it('as failed do not wait any longer when their round has a next method', async () => {
          await woken({ hasNext: true });
          expect(await stores.lanes.noteReceipt(PHONE, 'sir', failed())).toEqual({ dueAt: now() + HOUR });
          expect(await view()).toMatchObject({
            dueAt: now(),
            wake: { method: 1, notBefore: now() },
            wakes: [{ sirId: 'sir', outcome: 'handed', receipt: failed() }],
          });
          expect(await stores.lanes.noteReceipt(PHONE, 'sir', failed())).toBeUndefined();
        });

        it.each([
          [
            'as failed wait for the next round when it was the last method',
            { hasNext: false },
            'sir',
            failed,
          ],
          ['as delivered wait as they did', { hasNext: true }, 'sir', delivered],
          ['as failed when another SIR is waited for wait as they did', { hasNext: true }, 'old', failed],
        ] as const)('%s', async (_, round, sirId, receipt) => {
          await woken(round);
          expect(await stores.lanes.noteReceipt(PHONE, sirId, receipt())).toBeUndefined();
          const told = sirId === 'sir' ? [{ receipt: receipt() }] : [{ sirId: 'sir' }];
          expect(await view()).toMatchObject({
            dueAt: now() + HOUR,
            wake: { notBefore: now() + HOUR },
            wakes: told,
          });
        });

        it('as failed before their record is made do not wait either, and whoever makes it looks again', async () => {
          await place();
          const { lease, lane } = await open();
          expect(await stores.lanes.noteReceipt(PHONE, 'sir', failed())).toBeUndefined();
          const wake = { epoch: 0, sent: 1, method: 1, notBefore: now() + HOUR, sirId: 'sir' };
          expect(await stores.lanes.recordWake(lease, wake, record('handed'), { hasNext: true })).toBe(now());
          expect(await stores.lanes.release(lease, lane.version, now() + HOUR)).toBe('again');
          expect(await view()).toMatchObject({ wake: { notBefore: now() }, wakes: [{ receipt: failed() }] });
        });

        it('as delivered have not failed, whatever is said before or after', async () => {
          await woken({ hasNext: false });
          await stores.lanes.noteReceipt(PHONE, 'sir', failed());
          await stores.lanes.noteReceipt(PHONE, 'sir', delivered());
          await stores.lanes.noteReceipt(PHONE, 'sir', failed());
          expect((await view()).wakes).toMatchObject([{ receipt: delivered() }]);
        });

        it('as failed when the terminal has come meanwhile are told, and that is all', async () => {
          await woken({ hasNext: true });
          await stores.lanes.connected(PHONE, { messageUntil: now() + HOUR });
          expect(await stores.lanes.noteReceipt(PHONE, 'sir', failed())).toBeUndefined();
          expect(await view()).toMatchObject({
            wake: { sent: 0, method: 0 },
            wakes: [{ receipt: failed() }],
          });
        });
      });

      describe('that the terminal does not want before a moment', () => {
        const postpone = (ms: number) =>
          stores.lanes.postpone(PHONE, now() + ms, { ...record('failed', 'sir'), outcome: 'deferred' });

        it('wait until then, and the record says so', async () => {
          await wokenUntil(now() + 1000);
          await postpone(HOUR);
          expect(await view()).toMatchObject({
            wake: { method: 1, notBefore: now() + HOUR },
            wakes: [{ outcome: 'deferred' }, { outcome: 'handed' }],
          });
        });

        it('wait until then also when their own record comes later, or the terminal registers anew', async () => {
          await place();
          const { lease, lane } = await open();
          const until = now() + HOUR;
          await postpone(HOUR);
          const wake = { epoch: 0, sent: 1, method: 1, notBefore: now() + 1000, sirId: 'sir' };
          expect(await stores.lanes.recordWake(lease, wake, record('handed'))).toBe(until);
          expect(await stores.lanes.release(lease, lane.version, now() + 1000)).toBe('again');
          await stores.lanes.connected(PHONE, { messageUntil: now() + 500 });
          expect((await view()).wake.notBefore).toBe(until);
        });

        it('wait no longer when it opens a session, or the operator lets go of its lane', async () => {
          await postpone(HOUR);
          await stores.lanes.connected(PHONE, { session: { id: 's', node: 'n' } });
          expect((await view()).wake.notBefore).toBe(LEAST_SIR_INTERVAL_MS);
          await postpone(HOUR);
          await stores.lanes.hold(PHONE, { reason: 'x', since: now() });
          await stores.lanes.unhold(PHONE);
          expect((await view()).wake.notBefore).toBe(LEAST_SIR_INTERVAL_MS);
        });

        it('wait for their own time when that is later', async () => {
          await wokenUntil(now() + HOUR);
          await postpone(1000);
          expect((await view()).wake.notBefore).toBe(now() + HOUR);
        });
      });

      it('are kept in a bounded number', async () => {
        const { lease } = await open();
        for (let count = 0; count < 80; count += 1) {
          await stores.lanes.recordWake(
            lease,
            { epoch: 0, sent: count, method: 0, notBefore: 0 },
            record('handed'),
          );
        }
        expect((await view()).wakes).toHaveLength(50);
      });

      it('of a runner that lost its lease are not recorded', async () => {
        const { lease } = await open();
        await stores.clock.advance(LEASE_MS);
        await open();
        await stores.lanes.recordWake(
          lease,
          { epoch: 0, sent: 9, method: 9, notBefore: 9 },
          record('handed'),
        );
        expect(await view()).toMatchObject({ wake: { sent: 0 }, wakes: [] });
      });

      it('pending, make a new push wait for the retry time: nobody is kicked, no alarm moves', async () => {
        await wokenUntil(now() + 60_000);
        const push = aPush({ acceptedAt: now() });
        expect(await stores.pushes.accept(push, HELLO, 'n')).toEqual({
          kind: 'accepted',
          placed: [{ terminal: PHONE, kick: false }],
        });
        expect((await view()).dueAt).toBe(now() + 60_000);
      });

      it('pending, do not outlast a push that expires sooner: its alarm moves forward', async () => {
        await wokenUntil(now() + 60_000);
        const push = aPush({ acceptedAt: now(), expiresAt: now() + 500 });
        expect(await stores.pushes.accept(push, HELLO, 'n')).toEqual({
          kind: 'accepted',
          placed: [{ terminal: PHONE, kick: false, alarmAt: now() + 500 }],
        });
      });

      it('pending, do not keep a connected terminal from getting a push at once', async () => {
        await wokenUntil(now() + 60_000);
        await stores.lanes.connected(PHONE, { messageUntil: now() + HOUR });
        const accepted = await stores.pushes.accept(aPush({ acceptedAt: now() }), HELLO, 'n');
        expect(accepted).toMatchObject({ placed: [{ kick: true }] });
      });
    });

    describe('a hold', () => {
      const why = 'a complaint';
      const hold = (reason = why) => stores.lanes.hold(PHONE, { reason, since: now() });

      it('is shown with its reason and since when', async () => {
        await place();
        const since = now();
        expect(await hold()).toBe(true);
        await stores.clock.advance(1000);
        expect(await view()).toMatchObject({ state: 'onHold', held: 1, hold: { reason: why, since } });
      });

      it('of a lane that is on hold changes the reason alone', async () => {
        const since = now();
        await hold();
        const { lease, lane } = await open();
        await stores.clock.advance(1000);
        expect(await hold('two complaints')).toBe(false);
        expect((await view()).hold).toEqual({ reason: 'two complaints', since });
        expect(await stores.lanes.release(lease, lane.version, now())).toBe('empty');
      });

      it('is seen by whoever opens the lane or has it', async () => {
        const { lease, lane } = await open();
        expect(lane.isOnHold).toBe(false);
        await hold();
        expect((await stores.lanes.renew(lease, window()))?.lane.isOnHold).toBe(true);
      });

      it('keeps a runner from letting go of the lane without a look', async () => {
        const { lease, lane } = await open();
        await hold();
        expect(await stores.lanes.release(lease, lane.version, now())).toBe('again');
      });

      it('lets no delivery begin, and is over for deliveries when it is released', async () => {
        const { uid } = await place();
        const { lease } = await open();
        await hold();
        const attempt = { token: lease.token, bearer: 'msrp', at: now() };
        expect(await stores.pushes.begin(uid, PHONE, attempt)).toEqual({ kind: 'onHold' });
        await stores.lanes.unhold(PHONE);
        expect(await stores.pushes.begin(uid, PHONE, attempt)).toMatchObject({ kind: 'begun' });
      });

      it('of one terminal does not keep another from getting its pushes', async () => {
        const { uid } = await place({ terminals: [PHONE, PC] });
        await hold();
        const { lease } = await open(PC);
        const attempt = { token: lease.token, bearer: 'msrp', at: now() };
        expect(await stores.pushes.begin(uid, PC, attempt)).toMatchObject({ kind: 'begun' });
      });

      it('takes pushes in without asking anybody to act, until they expire', async () => {
        await hold();
        const push = aPush({ acceptedAt: now(), expiresAt: now() + 700 });
        expect(await stores.pushes.accept(push, HELLO, 'n')).toEqual({
          kind: 'accepted',
          placed: [{ terminal: PHONE, kick: false, alarmAt: now() + 700 }],
        });
        expect((await view()).dueAt).toBe(now() + 700);
      });

      it('puts a push that starts later in order at its start', async () => {
        await hold();
        const later = await place({ notBefore: now() + 100 });
        expect((await view()).dueAt).toBe(now() + 100);
        await stores.clock.advance(100);
        expect(entryIds((await open()).lane.entries)).toEqual([later.uid]);
      });

      it('does not keep pushes from expiring', async () => {
        const short = await place({ expiresAt: now() + 10 });
        await hold();
        await stores.clock.advance(10);
        expect(entryIds((await open()).lane.expired)).toEqual([short.uid]);
      });

      it('lasts while terminals come and go', async () => {
        await hold();
        await stores.lanes.connected(PHONE, { session: { id: 's', node: 'n' } });
        await stores.lanes.disconnected(PHONE, 's');
        expect((await view()).state).toBe('onHold');
      });

      it('that ends makes the lane due at once, and tells which alarm can be brought forward', async () => {
        await hold();
        const push = await place({ expiresAt: now() + 5000 });
        await stores.clock.advance(100);
        expect(await stores.lanes.unhold(PHONE)).toEqual({ dueAt: push.expiresAt });
        expect(await view()).toMatchObject({ state: 'waiting', dueAt: now() });
        expect((await view()).hold).toBeUndefined();
      });

      it('that ends ends the wake-up too', async () => {
        await place();
        const { lease } = await open();
        const wake = { epoch: 0, sent: 3, method: 4, notBefore: now() + HOUR, sirId: 'sir' };
        await stores.lanes.recordWake(lease, wake, record('handed'));
        await hold();
        await stores.lanes.unhold(PHONE);
        expect((await view()).wake).toEqual({
          epoch: 1,
          sent: 0,
          method: 0,
          notBefore: now() + LEAST_SIR_INTERVAL_MS,
        });
      });

      it('of an empty lane leaves nothing due when it ends', async () => {
        await hold();
        expect(await stores.lanes.unhold(PHONE)).toEqual({});
        expect((await view()).dueAt).toBeUndefined();
      });

      it('that there was not cannot end', async () => {
        expect(await stores.lanes.unhold(PHONE)).toBeUndefined();
      });
    });

    it('entries are listed by deadline, deferred ones among them, some at a time', async () => {
      const late = await place({ expiresAt: now() + 300 });
      const soon = await place({ expiresAt: now() + 100, priority: 'low' });
      const middle = await place({ expiresAt: now() + 200, notBefore: now() + 150 });
      expect(entryIds(await stores.lanes.entries(PHONE, 10))).toEqual(ids([soon, middle, late]));
      expect(await stores.lanes.entries(PHONE, 1)).toEqual([{ id: soon.uid, rank: 2 }]);
    });

    it('a lane that nobody used is empty', async () => {
      expect(await view('unused' as TerminalId)).toEqual({
        terminal: 'unused',
        state: 'empty',
        held: 0,
        deferred: 0,
        parked: 0,
        connections: {},
        wake: { epoch: 0, sent: 0, method: 0, notBefore: 0 },
        wakes: [],
      });
    });

    it('a forged lease is worth nothing', async () => {
      await place();
      const forged: Lease = { terminal: PHONE, token: 99, until: now() + HOUR };
      expect(await stores.lanes.renew(forged, window())).toBeUndefined();
      expect(await stores.lanes.release(forged, 1, now() + HOUR)).toBe('lost');
    });
  });
}
