/** What every PushStore must do, whatever it keeps pushes in. */

import { beforeEach, describe, expect, it } from 'vitest';
import type { DeliveryState, SettlingEvent } from '../../src/push/journey.js';
import type { Begun, Placement, Settlement } from '../../src/push/ports.js';
import type { PushFilter } from '../../src/push/push-filter.js';
import type { PushUid, Recipient } from '../../src/push/push-message.js';
import { laneEntryOf, type Push } from '../../src/push/push-message.js';
import type { PublicUserIdentity } from '../../src/registry/public-user-identity.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import { ALICE, aPush, HELLO, HERE, HOUR, PC, PDA, PHONE, type PushOptions } from '../support/pushes.js';
import { INLINE_BYTES, type MakeStores, RETENTION_MS, type Stores } from './stores-subject.js';

const LEASE_MS = 30_000;
const NOTIFY = { notifyTo: 'http://pi.test/results' };

export function pushStoreContract(name: string, make: MakeStores): void {
  describe(`${name} as a PushStore`, () => {
    let stores: Stores;
    beforeEach(async () => {
      stores = await make();
    });

    const now = () => stores.clock.now();
    const fresh = (options: PushOptions = {}) =>
      aPush({ acceptedAt: now(), expiresAt: now() + HOUR, ...options });

    async function accepted(options: PushOptions = {}, content: Uint8Array = HELLO): Promise<Push> {
      const push = fresh({ size: content.length, ...options });
      await stores.pushes.accept(push, content, push.pushId);
      return push;
    }

    async function lease(terminal = PHONE) {
      const held = await stores.lanes.open(terminal, { now: now(), leaseMs: LEASE_MS, limit: 100 }, HERE);
      if (!held) throw new Error('the lease was not to be had');
      return held;
    }

    async function begin({ uid }: Push, token: number, terminal = PHONE): Promise<Begun> {
      return stores.pushes.begin(uid, terminal, { token, bearer: 'msrp', at: now() });
    }

    const settle = (push: Push, event: SettlingEvent, terminal = PHONE, more: Partial<Settlement> = {}) =>
      stores.pushes.settle(push.uid, terminal, { event, at: now(), notifyAt: now(), ...more });

    const delivery = async (push: Push, terminal = PHONE) =>
      (await stores.pushes.story(push.uid))?.deliveries.find((one) => one.terminal === terminal);

    const held = async (terminal = PHONE) =>
      (await stores.lanes.entries(terminal, 100)).map(({ id }) => id as string);

    describe('acceptance', () => {
      it('makes the push readable as it was submitted', async () => {
        const push = await accepted({ ...NOTIFY, priority: 'high', notBefore: now() + 10 });
        expect((await stores.pushes.story(push.uid))?.push).toEqual(push);
      });

      it('puts it into the lane of every terminal, and says who is to be kicked', async () => {
        const push = fresh({ terminals: [PHONE, PC, PDA] });
        const acceptance = await stores.pushes.accept(push, HELLO, 'once');
        expect(acceptance).toEqual({
          kind: 'accepted',
          placed: [PHONE, PC, PDA].map((terminal) => ({ terminal, kick: true })),
        });
        for (const terminal of [PHONE, PC, PDA]) expect(await held(terminal)).toEqual([push.uid]);
      });

      it('of a push that starts later names the alarm instead', async () => {
        const push = fresh({ notBefore: now() + 5000 });
        expect(await stores.pushes.accept(push, HELLO, 'once')).toEqual({
          kind: 'accepted',
          placed: [{ terminal: PHONE, kick: false, alarmAt: now() + 5000 }],
        });
      });

      it('while a runner holds the lane kicks it, so that the push goes out in that run', async () => {
        await lease();
        const acceptance = await stores.pushes.accept(fresh(), HELLO, 'once');
        expect(acceptance).toMatchObject({ placed: [{ terminal: PHONE, kick: true }] });
      });

      it('starts every delivery as held, without attempts', async () => {
        const push = await accepted({ terminals: [PHONE, PC] });
        const story = await stores.pushes.story(push.uid);
        expect(story?.deliveries).toEqual(
          [PHONE, PC].map((terminal) => ({ terminal, state: 'held', at: now(), attempts: 0 })),
        );
        expect(story?.results).toEqual([]);
      });

      it('repeated with the same nonce is accepted again and changes nothing', async () => {
        const push = fresh();
        await stores.pushes.accept(push, HELLO, 'once');
        expect(await stores.pushes.accept(push, HELLO, 'once')).toMatchObject({ kind: 'accepted' });
        expect(await held()).toEqual([push.uid]);
      });

      it('repeated kicks again, because the first answer may not have arrived', async () => {
        const push = fresh();
        await stores.pushes.accept(push, HELLO, 'once');
        const again = await stores.pushes.accept(push, HELLO, 'once');
        expect(again).toMatchObject({ placed: [{ terminal: PHONE, kick: true }] });
      });

      it('repeated after the delivery does not bring the push back into the lane', async () => {
        const push = fresh();
        await stores.pushes.accept(push, HELLO, 'once');
        await settle(push, 'deliver');
        await stores.lanes.remove(PHONE, [laneEntryOf(push)]);
        await stores.pushes.accept(push, HELLO, 'once');
        expect(await held()).toEqual([]);
      });

      it('of a push-id that was used before is a duplicate', async () => {
        const push = fresh();
        await stores.pushes.accept(push, HELLO, 'first');
        expect(await stores.pushes.accept(push, HELLO, 'second')).toEqual({ kind: 'duplicate' });
      });

      it('of a duplicate leaves the first push and all lanes as they were', async () => {
        const first = fresh({ pushId: 'same', priority: 'low', notBefore: now() + 5000 });
        await stores.pushes.accept(first, HELLO, 'first');
        const second = fresh({ pushId: 'same', priority: 'high', terminals: [PHONE, PC] });
        const other = Buffer.from('other');
        expect(await stores.pushes.accept(second, other, 'second')).toEqual({ kind: 'duplicate' });
        expect((await stores.pushes.story(first.uid))?.push).toEqual(first);
        expect(await stores.lanes.view(PHONE)).toMatchObject({ held: 0, deferred: 1 });
        expect(await held(PC)).toEqual([]);
      });

      it('of one push-id by many at once is done for exactly one of them', async () => {
        const outcomes = await Promise.all(
          Array.from({ length: 30 }, (_, index) => {
            const push = fresh({ pushId: 'same', terminals: index % 2 === 0 ? [PHONE] : [PC] });
            return stores.pushes.accept(push, HELLO, `nonce-${index}`);
          }),
        );
        expect(outcomes.filter(({ kind }) => kind === 'accepted')).toHaveLength(1);
        expect((await held(PHONE)).length + (await held(PC)).length).toBe(1);
      });

      it('of the same push-id by two initiators are two pushes', async () => {
        const a = await accepted({ initiator: 'a', pushId: 'same' });
        const b = await accepted({ initiator: 'b', pushId: 'same' });
        expect((await held()).sort()).toEqual([a.uid, b.uid].sort());
      });

      it('places a push for very many terminals in every lane', async () => {
        const terminals = Array.from({ length: 150 }, (_, index) => `T${index}` as TerminalId);
        const push = fresh({ terminals });
        const acceptance = await stores.pushes.accept(push, HELLO, 'once');
        expect(acceptance).toEqual({
          kind: 'accepted',
          placed: terminals.map((terminal) => ({ terminal, kick: true })),
        });
        expect(await held(terminals[149])).toEqual([push.uid]);
      });

      it('takes a push of which no address has a terminal', async () => {
        const push = await accepted({
          ...NOTIFY,
          recipients: [
            { address: 'x', terminals: [], refused: { code: 'addressNotFound', detail: 'nobody' } },
          ],
        });
        expect((await stores.pushes.story(push.uid))?.deliveries).toEqual([]);
      });
    });

    describe('an attempt', () => {
      const contents: Record<string, Uint8Array> = {
        'every octet': Buffer.from(Array.from({ length: 256 }, (_, octet) => octet)),
        'no octet': Buffer.alloc(0),
        'as many octets as are kept in Redis': Buffer.alloc(INLINE_BYTES, 'a'),
        'more octets than are kept in Redis': Buffer.alloc(INLINE_BYTES + 1, 'b'),
        'many octets': Buffer.alloc(200_000, 'carillon'),
      };
      it.each(Object.keys(contents))('gets content of %s exactly', async (what) => {
        const content = contents[what] ?? HELLO;
        const push = await accepted({}, content);
        const begun = await begin(push, (await lease()).lease.token);
        expect(begun.kind).toBe('begun');
        expect(Buffer.compare(await octetsOf(begun), Buffer.from(content))).toBe(0);
      });

      it('gets the push without its recipients', async () => {
        const push = await accepted({ priority: 'high' });
        const begun = await begin(push, (await lease()).lease.token);
        const { recipients: _, ...head } = push;
        expect(begun.kind === 'begun' && begun.push).toEqual(head);
      });

      it('is counted, with its moment and bearer', async () => {
        const push = await accepted();
        const { token } = (await lease()).lease;
        await begin(push, token);
        await stores.clock.advance(5);
        await begin(push, token);
        expect(await delivery(push)).toMatchObject({
          attempts: 2,
          lastAttemptAt: now(),
          bearer: 'msrp',
          state: 'held',
        });
      });

      it('of a push that nobody knows is missing', async () => {
        expect(await begin(fresh(), (await lease()).lease.token)).toEqual({ kind: 'missing' });
      });

      it('for a terminal that the push is not for is settled', async () => {
        const push = await accepted({ terminals: [PC] });
        expect(await begin(push, (await lease()).lease.token)).toEqual({ kind: 'settled' });
      });

      it('after the delivery was settled is refused and not counted', async () => {
        const push = await accepted();
        const { token } = (await lease()).lease;
        await settle(push, 'cancel');
        expect(await begin(push, token)).toEqual({ kind: 'settled' });
        expect((await delivery(push))?.attempts).toBe(0);
      });

      it('under an older lease is fenced off when the newer one has begun', async () => {
        const push = await accepted();
        const older = await lease();
        await stores.clock.advance(LEASE_MS);
        const newer = await lease();
        await begin(push, newer.lease.token);
        expect(await begin(push, older.lease.token)).toEqual({ kind: 'fenced' });
      });

      it('under an older lease is fenced off also when the newer one has not come to this push yet', async () => {
        const push = await accepted();
        const older = await lease();
        await stores.clock.advance(LEASE_MS);
        await lease();
        expect(await begin(push, older.lease.token)).toEqual({ kind: 'fenced' });
      });

      it('for one terminal does not fence another', async () => {
        const push = await accepted({ terminals: [PHONE, PC] });
        for (let round = 0; round < 3; round += 1) {
          await lease(PHONE);
          await stores.clock.advance(LEASE_MS);
        }
        await begin(push, (await lease(PHONE)).lease.token, PHONE);
        const other = await begin(push, (await lease(PC)).lease.token, PC);
        expect(other.kind).toBe('begun');
      });
    });

    describe('settling', () => {
      const events: readonly (readonly [SettlingEvent, DeliveryState])[] = [
        ['deliver', 'delivered'],
        ['expire', 'expired'],
        ['cancel', 'cancelled'],
        ['fail', 'undeliverable'],
        ['abort', 'aborted'],
      ];
      it.each(events)('by %s leaves the delivery %s', async (event, state) => {
        const push = await accepted();
        expect(await settle(push, event, PHONE, { code: 2006, reason: 'why' })).toEqual({
          moved: true,
          state,
          takenBack: [],
          owed: [],
        });
        expect(await delivery(push)).toMatchObject({ state, at: now(), code: 2006, reason: 'why' });
      });

      it('a second time changes nothing', async () => {
        const push = await accepted();
        await settle(push, 'deliver');
        await stores.clock.advance(10);
        expect(await settle(push, 'expire', PHONE, { reason: 'late' })).toEqual({
          moved: false,
          state: 'delivered',
          takenBack: [],
          owed: [],
        });
        expect(await delivery(push)).toMatchObject({ state: 'delivered', at: now() - 10 });
      });

      it('shows for one address what the whole story shows of it', async () => {
        const push = await accepted({ ...NOTIFY, terminals: [PHONE, PC] });
        await settle(push, 'deliver', PHONE, { code: 1000 });
        await settle(push, 'fail', PC, { code: 2006, reason: 'why' });
        const story = await stores.pushes.story(push.uid);
        const [recipient] = story?.push.recipients ?? [];
        for (let repetition = 0; repetition < 2; repetition += 1) {
          const shown = await stores.pushes.recipientStory(push.uid, 0);
          expect(shown).toMatchObject({ recipient, result: story?.results[0] });
          expect(shown?.deliveries).toEqual(story?.deliveries);
          expect(shown?.push.pushId).toBe(push.pushId);
        }
        expect(await stores.pushes.recipientStory(push.uid, 1)).toBeUndefined();
        expect(await stores.pushes.recipientStory('ab'.repeat(16) as PushUid, 0)).toBeUndefined();
      });

      it('by many at once is done by exactly one of them', async () => {
        const push = await accepted(NOTIFY);
        const outcomes = await Promise.all(
          events.flatMap(([event]) => [event, event]).map((event) => settle(push, event)),
        );
        expect(outcomes.filter(({ moved }) => moved)).toHaveLength(1);
        expect(outcomes.flatMap(({ owed }) => owed)).toEqual([0]);
      });

      it('of a push that nobody knows, or for a terminal it is not for, changes nothing', async () => {
        expect(await settle(fresh(), 'deliver')).toEqual({ moved: false, takenBack: [], owed: [] });
        const push = await accepted({ terminals: [PC] });
        expect(await settle(push, 'deliver', PHONE)).toEqual({ moved: false, takenBack: [], owed: [] });
        expect(await delivery(push, PC)).toMatchObject({ state: 'held' });
      });

      it('the last delivery ends the push: its content is no longer to be had', async () => {
        const push = await accepted({ terminals: [PHONE, PC] });
        await settle(push, 'deliver', PHONE);
        const begun = await begin(push, (await lease(PC)).lease.token, PC);
        expect(begun.kind).toBe('begun');
        await settle(push, 'deliver', PC);
        expect(await begin(push, 99, PC)).toEqual({ kind: 'settled' });
      });
    });

    describe('a push of which the first terminal is enough', () => {
      const forAny = (starts: Partial<Record<TerminalId, number>> = {}): Recipient => ({
        address: 'WAPPUSH=alice/TYPE=USER@ppg.test',
        terminals: [PHONE, PC, PDA],
        decision: {
          user: ALICE,
          multi: true,
          policy: 'all-subscribed',
          completion: 'any',
          terminals: [PHONE, PC, PDA].map((terminal) => {
            const startsAt = starts[terminal];
            return {
              terminal,
              name: '',
              selected: true,
              reasons: [],
              ...(startsAt === undefined ? {} : { startsAt }),
            };
          }),
        },
      });
      const states = async (push: Push) =>
        (await stores.pushes.story(push.uid))?.deliveries.map(({ state }) => state);

      it('is taken back from the others with the first delivery, and the address is finished', async () => {
        const push = await accepted({ ...NOTIFY, recipients: [forAny()] });
        const settled = await settle(push, 'deliver', PC);
        expect({ ...settled, takenBack: [...settled.takenBack].sort() }).toEqual({
          moved: true,
          state: 'delivered',
          takenBack: [PHONE, PDA].sort(),
          owed: [0],
        });
        expect(await states(push)).toEqual(['cancelled', 'delivered', 'cancelled']);
        expect(await delivery(push, PHONE)).toMatchObject({ reason: 'another terminal of the user has it' });
        expect((await stores.pushes.totals()).held).toBe(0);
        expect((await begin(push, (await lease()).lease.token)).kind).toBe('settled');
      });

      it('stays with the others when the first one fails', async () => {
        const push = await accepted({ recipients: [forAny()] });
        expect((await settle(push, 'fail', PC)).takenBack).toEqual([]);
        expect(await states(push)).toEqual(['held', 'undeliverable', 'held']);
      });

      it('stays with a terminal to whom a network is bringing it, and with one that another address names', async () => {
        const named: Recipient = { address: 'sip:phone', terminals: [PHONE] };
        const push = await accepted({ ...NOTIFY, recipients: [forAny(), named] });
        await stores.pushes.handOver(push.uid, PDA, { bearer: 'sms', at: now() });
        expect((await settle(push, 'deliver', PC)).takenBack).toEqual([]);
        expect(await states(push)).toEqual(['held', 'delivered', 'handed']);
        expect((await settle(push, 'deliver', PHONE)).owed).toEqual([1]);
        expect((await settle(push, 'deliver', PDA)).owed).toEqual([0]);
      });

      it('starts for each terminal at its own time', async () => {
        const later = now() + 5000;
        const push = fresh({ recipients: [forAny({ [PC]: later })] });
        const { placed } = (await stores.pushes.accept(push, HELLO, 'once')) as {
          placed: readonly Placement[];
        };
        expect(placed).toEqual([
          { terminal: PHONE, kick: true },
          { terminal: PC, kick: false, alarmAt: later },
          { terminal: PDA, kick: true },
        ]);
        expect(await stores.lanes.view(PC)).toMatchObject({ held: 0, deferred: 1 });
        await stores.clock.advance(5000);
        expect((await lease(PC)).lane.entries.map(({ id }) => id)).toEqual([push.uid]);
      });

      it('starts no earlier than the push itself', async () => {
        const push = await accepted({ recipients: [forAny({ [PC]: now() + 10 })], notBefore: now() + 5000 });
        await stores.clock.advance(10);
        expect((await lease(PC)).lane.entries).toEqual([]);
        expect((await stores.pushes.story(push.uid))?.push.notBefore).toBe(now() + 4990);
      });
    });

    describe('what a network was handed', () => {
      const handOver = (push: Push, bearer = 'sms') =>
        stores.pushes.handOver(push.uid, PHONE, { bearer, at: now() });
      const giveUp = (push: Push, bearer = 'sms') =>
        stores.pushes.giveUp(push.uid, PHONE, { bearer, at: now() });

      it('is handed over, once or repeatedly, and is not begun again', async () => {
        const push = await accepted();
        const { lease: held } = await lease();
        await begin(push, held.token);
        await stores.clock.advance(5);
        expect(await handOver(push)).toBe('handed');
        const at = now();
        await stores.clock.advance(5);
        expect(await handOver(push)).toBe('handed'); // the answer to the first was lost
        expect(await delivery(push)).toMatchObject({ state: 'handed', at });
        expect(await begin(push, held.token)).toEqual({ kind: 'handed' });
        expect((await stores.pushes.totals()).held).toBe(1);
      });

      it('keeps its content and owes no report until it is settled', async () => {
        const push = await accepted(NOTIFY);
        await handOver(push);
        expect((await stores.pushes.story(push.uid))?.results).toEqual([]);
        expect(await settle(push, 'deliver')).toEqual({
          moved: true,
          state: 'delivered',
          takenBack: [],
          owed: [0],
        });
        expect((await stores.pushes.totals()).held).toBe(0);
      });

      it.each([
        ['deliver', 'delivered'],
        ['expire', 'timedOut'],
        ['fail', 'undeliverable'],
        ['abort', 'aborted'],
      ] as const)('on %s becomes %s', async (event, state) => {
        const push = await accepted();
        await handOver(push);
        expect(await settle(push, event)).toEqual({ moved: true, state, takenBack: [], owed: [] });
        expect(await delivery(push)).toMatchObject({ state });
      });

      it('cannot be cancelled any more', async () => {
        const push = await accepted();
        await handOver(push);
        expect(await settle(push, 'cancel')).toEqual({
          moved: false,
          state: 'handed',
          takenBack: [],
          owed: [],
        });
      });

      it('is not handed when its receipt came first', async () => {
        const push = await accepted();
        await settle(push, 'deliver');
        expect(await handOver(push)).toBe('ended');
        expect(await giveUp(push)).toBe('delivered');
        expect(await delivery(push)).toMatchObject({ state: 'delivered' });
      });

      it('comes back once, and remembers every bearer that gave it up', async () => {
        const push = await accepted();
        for (const bearer of ['sms', 'wsp']) {
          await handOver(push, bearer);
          expect(await giveUp(push, bearer)).toBe('held');
          expect(await giveUp(push, bearer)).toBe('held');
        }
        expect(await delivery(push)).toMatchObject({ state: 'held', failedBearers: ['sms', 'wsp'] });
        const begun = await begin(push, (await lease()).lease.token);
        expect(begun).toMatchObject({ kind: 'begun', failedBearers: ['sms', 'wsp'] });
      });

      it('is not handed to a bearer that has given it up before, and to others it is', async () => {
        const push = await accepted();
        expect(await giveUp(push)).toBe('held');
        expect(await handOver(push)).toBe('givenUp');
        expect(await delivery(push)).toMatchObject({ state: 'held', failedBearers: ['sms'] });
        expect(await handOver(push, 'wsp')).toBe('handed');
      });

      it('stays with the bearer that has it when another one gives it up', async () => {
        const push = await accepted();
        const { lease: held } = await lease();
        await stores.pushes.begin(push.uid, PHONE, { token: held.token, bearer: 'wsp', at: now() });
        await handOver(push, 'wsp');
        expect(await giveUp(push, 'sms')).toBe('handed');
        expect(await delivery(push)).toMatchObject({ state: 'handed', failedBearers: ['sms'] });
      });

      it('that nobody confirmed says so', async () => {
        const push = await accepted();
        await settle(push, 'deliver', PHONE, { isUnconfirmed: true });
        expect(await delivery(push)).toMatchObject({ state: 'delivered', isUnconfirmed: true });
      });

      it('of a push that nobody knows is nothing', async () => {
        expect(await handOver(fresh())).toBe('ended');
        expect(await giveUp(fresh())).toBeUndefined();
      });
    });

    describe('reports', () => {
      const [A, B] = ['a', 'b'].map((address) => ({ address, terminals: [PHONE, PC] }));
      const owed = (at = now()) => stores.pushes.owedResults(at, 100);

      it('are not owed when nobody asked', async () => {
        const push = await accepted();
        expect(await settle(push, 'deliver')).toEqual({
          moved: true,
          state: 'delivered',
          takenBack: [],
          owed: [],
        });
        expect(await owed()).toEqual([]);
      });

      it('of an address become due with the last of its terminals', async () => {
        const push = await accepted({ ...NOTIFY, terminals: [PHONE, PC] });
        expect((await settle(push, 'deliver', PHONE)).owed).toEqual([]);
        expect(await owed()).toEqual([]);
        expect((await settle(push, 'expire', PC)).owed).toEqual([0]);
        expect(await owed()).toEqual([{ uid: push.uid, recipient: 0 }]);
        expect((await stores.pushes.story(push.uid))?.results).toEqual([
          { recipient: 0, state: 'owed', attempts: 0, at: 0 },
        ]);
      });

      it('of several addresses that share their terminals become due together', async () => {
        if (!A || !B) throw new Error('two addresses');
        const push = await accepted({ ...NOTIFY, recipients: [A, B] });
        await settle(push, 'deliver', PHONE);
        expect((await settle(push, 'deliver', PC)).owed).toEqual([0, 1]);
      });

      it('of addresses with terminals of their own become due one by one', async () => {
        const push = await accepted({
          ...NOTIFY,
          recipients: [
            { address: 'a', terminals: [PHONE] },
            { address: 'b', terminals: [PC] },
          ],
        });
        expect((await settle(push, 'deliver', PC)).owed).toEqual([1]);
        expect((await settle(push, 'deliver', PHONE)).owed).toEqual([0]);
      });

      it('of a refused address are due from the start', async () => {
        const push = await accepted({
          ...NOTIFY,
          recipients: [
            { address: 'a', terminals: [PHONE] },
            { address: 'x', terminals: [], refused: { code: 'addressNotFound', detail: 'nobody' } },
          ],
        });
        expect(await owed()).toEqual([{ uid: push.uid, recipient: 1 }]);
      });

      it('wait for the moment that was named', async () => {
        const push = await accepted(NOTIFY);
        await settle(push, 'deliver', PHONE, { notifyAt: now() + 500 });
        expect(await owed(now() + 499)).toEqual([]);
        expect(await owed(now() + 500)).toHaveLength(1);
      });

      it('are found the longest due first, some at a time', async () => {
        const pushes: Push[] = [];
        for (let count = 0; count < 5; count += 1) {
          const push = await accepted(NOTIFY);
          await settle(push, 'deliver', PHONE, { notifyAt: now() + 100 - count });
          pushes.unshift(push);
        }
        const found = await stores.pushes.owedResults(now() + 1000, 3);
        expect(found.map(({ uid }) => uid)).toEqual(pushes.slice(0, 3).map(({ uid }) => uid));
      });

      it('keep their record and are found again at the next attempt', async () => {
        const push = await accepted(NOTIFY);
        await settle(push, 'deliver');
        const record = {
          recipient: 0,
          state: 'owed',
          attempts: 1,
          at: now(),
          lastError: 'no answer',
        } as const;
        await stores.pushes.recordResult(push.uid, record, now() + 1000);
        expect(await owed(now() + 999)).toEqual([]);
        expect(await owed(now() + 1000)).toHaveLength(1);
        expect((await stores.pushes.story(push.uid))?.results).toEqual([record]);
      });

      it('that have ended are no longer owed', async () => {
        const push = await accepted(NOTIFY);
        await settle(push, 'deliver');
        const sent = { recipient: 0, state: 'sent', attempts: 1, at: now() } as const;
        await stores.pushes.recordResult(push.uid, sent);
        expect(await owed(now() + HOUR)).toEqual([]);
      });

      it('that have ended stay so, whatever an attempt that overlapped says', async () => {
        const push = await accepted(NOTIFY);
        await settle(push, 'deliver');
        const sent = { recipient: 0, state: 'sent', attempts: 1, at: now() } as const;
        await stores.pushes.recordResult(push.uid, sent);
        const late = { recipient: 0, state: 'owed', attempts: 2, at: now(), lastError: 'late' } as const;
        await stores.pushes.recordResult(push.uid, late, now() + 1000);
        expect((await stores.pushes.story(push.uid))?.results).toEqual([sent]);
        expect(await owed(now() + HOUR)).toEqual([]);
      });

      it('can be forgotten', async () => {
        const push = await accepted(NOTIFY);
        await settle(push, 'deliver');
        await stores.pushes.forgetResult(push.uid, 0);
        expect(await owed()).toEqual([]);
      });
    });

    describe('the list', () => {
      async function walk(options: PushFilter & { limit: number }) {
        const found: string[] = [];
        let cursor: string | undefined;
        let pages = 0;
        do {
          const page = await stores.pushes.list({ ...options, ...(cursor === undefined ? {} : { cursor }) });
          found.push(...page.stories.map(({ push }) => push.uid));
          cursor = page.cursor;
          pages += 1;
        } while (cursor !== undefined && pages < 1000);
        return found;
      }

      it('is newest first', async () => {
        const pushes: Push[] = [];
        for (let count = 0; count < 5; count += 1) {
          pushes.unshift(await accepted());
          await stores.clock.advance(1);
        }
        expect(await walk({ limit: 100 })).toEqual(pushes.map(({ uid }) => uid));
      });

      it.each([1, 7, 60, 200])('in pages of %i shows each of many of one instant once', async (limit) => {
        const pushes: Push[] = [];
        for (let count = 0; count < 120; count += 1) pushes.push(await accepted());
        const found = await walk({ limit });
        expect(found.slice().sort()).toEqual(pushes.map(({ uid }) => uid as string).sort());
      });

      it('shows what was there before when pushes arrive between two pages', async () => {
        const before: string[] = [];
        for (let count = 0; count < 6; count += 1) before.push((await accepted()).uid);
        const first = await stores.pushes.list({ limit: 3 });
        await stores.clock.advance(1);
        await accepted();
        const second = await stores.pushes.list({ limit: 3, cursor: first.cursor ?? '' });
        const seen = [...first.stories, ...second.stories].map(({ push }) => push.uid as string);
        expect(seen.sort()).toEqual(before.sort());
      });

      it('can be of one initiator', async () => {
        const mine = await accepted({ initiator: 'mine' });
        await accepted({ initiator: 'theirs' });
        expect(await walk({ limit: 1, initiator: 'mine' })).toEqual([mine.uid]);
      });

      it('can be of one state', async () => {
        const pending = await accepted();
        const delivered = await accepted();
        await settle(delivered, 'deliver');
        expect(await walk({ limit: 10, state: 'pending' })).toEqual([pending.uid]);
        expect(await walk({ limit: 10, state: 'delivered' })).toEqual([delivered.uid]);
        expect(await walk({ limit: 10, state: 'expired' })).toEqual([]);
      });

      it('can be of a span of time: its first instant is in it, its last is not', async () => {
        const pushes: Push[] = [];
        for (let count = 0; count < 6; count += 1) {
          pushes.push(await accepted(), await accepted());
          await stores.clock.advance(10);
        }
        const first = pushes[0]?.acceptedAt ?? 0;
        const span = { since: first + 10, until: first + 40 };
        const wanted = pushes.slice(2, 8).map(({ uid }) => uid as string);
        for (const limit of [1, 4, 100]) {
          expect((await walk({ limit, ...span })).sort()).toEqual(wanted.sort());
        }
        expect(await walk({ limit: 10, since: first + 1000 })).toEqual([]);
        expect(await walk({ limit: 10, until: first })).toEqual([]);
      });

      it('can be of one terminal', async () => {
        await accepted({ terminals: [PHONE] });
        const both = await accepted({ terminals: [PHONE, PC] });
        expect(await walk({ limit: 10, terminal: PC })).toEqual([both.uid]);
      });

      it('can be of one user', async () => {
        const decision = (user: string) => ({
          address: 'a',
          terminals: [PHONE],
          decision: { user: user as PublicUserIdentity, multi: false, policy: 'all', terminals: [] },
        });
        const hers = await accepted({ recipients: [decision('sip:alice@x.test')] });
        await accepted({ recipients: [decision('sip:bob@x.test')] });
        expect(await walk({ limit: 10, user: 'sip:alice@x.test' as PublicUserIdentity })).toEqual([hers.uid]);
      });

      it('of nothing is empty', async () => {
        expect(await stores.pushes.list({ limit: 10 })).toEqual({ stories: [] });
      });
    });

    describe('the totals', () => {
      it('of nothing are nothing', async () => {
        expect(await stores.pushes.totals()).toEqual({ held: 0 });
      });

      it('count every delivery that is held, and know since when the oldest is', async () => {
        const first = await accepted({ terminals: [PHONE, PC] });
        await stores.clock.advance(50);
        const second = await accepted();
        expect(await stores.pushes.totals()).toEqual({ held: 3, oldestAt: first.acceptedAt });
        await settle(first, 'deliver');
        await settle(first, 'deliver');
        expect(await stores.pushes.totals()).toEqual({ held: 2, oldestAt: first.acceptedAt });
        await stores.pushes.settle(first.uid, PC, { event: 'expire', at: now(), notifyAt: now() });
        expect(await stores.pushes.totals()).toEqual({ held: 1, oldestAt: second.acceptedAt });
        await settle(second, 'cancel');
        expect(await stores.pushes.totals()).toEqual({ held: 0 });
      });

      it('count a push once, however often it is submitted', async () => {
        const push = aPush({ acceptedAt: now() });
        await stores.pushes.accept(push, HELLO, 'one');
        await stores.pushes.accept(push, HELLO, 'one');
        await stores.pushes.accept(push, HELLO, 'two');
        expect((await stores.pushes.totals()).held).toBe(1);
      });
    });

    describe('retention', () => {
      it('keeps a push for its time after the end, then forgets it', async () => {
        const push = await accepted();
        await settle(push, 'deliver');
        await stores.clock.advance(RETENTION_MS - 1);
        expect(await stores.pushes.removeEnded(now(), 10)).toBe(0);
        expect(await stores.pushes.story(push.uid)).toBeDefined();
        await stores.clock.advance(1);
        expect(await stores.pushes.removeEnded(now(), 10)).toBe(1);
        expect(await stores.pushes.story(push.uid)).toBeUndefined();
        expect(await stores.pushes.list({ limit: 10 })).toEqual({ stories: [] });
      });

      it('never forgets a push that is still held for somebody', async () => {
        const push = await accepted({ terminals: [PHONE, PC] });
        await settle(push, 'deliver', PHONE);
        await stores.clock.advance(100 * RETENTION_MS);
        expect(await stores.pushes.removeEnded(now(), 10)).toBe(0);
        expect(await delivery(push, PC)).toMatchObject({ state: 'held' });
      });

      it('frees the push-id', async () => {
        const push = await accepted();
        await settle(push, 'deliver');
        await stores.clock.advance(RETENTION_MS);
        await stores.pushes.removeEnded(now(), 10);
        expect(await stores.pushes.accept(push, HELLO, 'again')).toMatchObject({ kind: 'accepted' });
        expect(await delivery(push)).toMatchObject({ state: 'held', attempts: 0 });
      });

      it('does not forget a push before its initiator has been told, or given up', async () => {
        const push = await accepted(NOTIFY);
        await settle(push, 'deliver');
        await stores.clock.advance(RETENTION_MS);
        expect(await stores.pushes.removeEnded(now(), 10)).toBe(0);
        await stores.clock.advance(60_000);
        expect(await stores.pushes.removeEnded(now(), 10)).toBe(0);
        const over = { recipient: 0, state: 'abandoned', attempts: 1, at: now() } as const;
        await stores.pushes.recordResult(push.uid, over);
        await stores.clock.advance(60_000);
        expect(await stores.pushes.removeEnded(now(), 10)).toBe(1);
      });

      it('a report of a forgotten push brings nothing back', async () => {
        const push = await accepted(NOTIFY);
        await settle(push, 'deliver');
        const sent = { recipient: 0, state: 'sent', attempts: 1, at: now() } as const;
        await stores.pushes.recordResult(push.uid, sent);
        await stores.clock.advance(RETENTION_MS);
        expect(await stores.pushes.removeEnded(now(), 10)).toBe(1);
        const late = { recipient: 0, state: 'sent', attempts: 1, at: now() } as const;
        await stores.pushes.recordResult(push.uid, late);
        await stores.pushes.accept(push, HELLO, 'again');
        expect((await stores.pushes.story(push.uid))?.results).toEqual([]);
      });
    });

    it('there is nothing to repair after acceptances that went through', async () => {
      await accepted({ terminals: [PHONE, PC] });
      await accepted({ notBefore: now() + 10 });
      await accepted({ terminals: Array.from({ length: 100 }, (_, index) => `T${index}` as TerminalId) });
      expect(await stores.pushes.unplaced(now() + HOUR, 100)).toEqual([]);
    });
  });
}

/** All octets, whatever way they are kept. */
export async function octetsOf(begun: Begun): Promise<Buffer> {
  const content = begun.kind === 'begun' ? await begun.content() : undefined;
  if (content === undefined) throw new Error('there is no content');
  if (content instanceof Uint8Array) return Buffer.from(content);
  const pieces: Uint8Array[] = [];
  for (let offset = 0; offset < content.size; offset += 65_536) {
    pieces.push(await content.read(offset, 65_536));
  }
  return Buffer.concat(pieces);
}
