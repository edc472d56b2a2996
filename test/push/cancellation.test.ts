/** Cancellation: what is still held is taken back; what was settled stays as it is. */
import { beforeEach, describe, expect, it } from 'vitest';
import { cancel } from '../../src/push/cancellation.js';
import { type PushUid, pushUid } from '../../src/push/push-message.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import { BOB, PushStage, TO_ALICE, TO_BOB } from '../support/push-stage.js';
import { ALICE, PC, PHONE } from '../support/pushes.js';

const BOBS = terminalId(BOB, 'phone');

let stage: PushStage;
let uid: PushUid;
beforeEach(async () => {
  stage = new PushStage();
  ({ uid } = await stage.submit({ addresses: [TO_ALICE, TO_BOB], notifyTo: 'http://pi.test/' }));
});

const cancelled = (addresses: readonly string[] = []) =>
  cancel(
    uid,
    { addresses, reason: 'by the initiator' },
    { store: stage.store, alarms: stage.alarms, clock: stage.clock },
  );
const deliver = (terminal = PHONE) =>
  stage.store.settle(uid, terminal, { event: 'deliver', at: 1, notifyAt: 1 });
const counts = async (addresses?: readonly string[]) =>
  (await cancelled(addresses)).map(({ recipient, deliveries }) => [recipient.address, deliveries]);

describe('of a whole push', () => {
  it('takes back every delivery and empties the lanes', async () => {
    expect(await counts()).toEqual([
      [TO_ALICE, 2],
      [TO_BOB, 1],
    ]);
    for (const terminal of [PHONE, PC, BOBS]) {
      expect(await stage.state(uid, terminal)).toBe('cancelled');
      expect(await stage.held(terminal)).toEqual([]);
      expect((await stage.lanes.view(terminal)).dueAt).toBeUndefined();
    }
  });

  it('keeps the reason', async () => {
    await cancelled();
    expect((await stage.store.story(uid))?.deliveries[0]?.reason).toBe('by the initiator');
  });

  it('makes the report of every address due', async () => {
    await cancelled();
    expect(stage.alarms.results.map(({ recipient }) => recipient).sort()).toEqual([0, 1]);
  });

  it('a second time comes too late', async () => {
    await cancelled();
    expect(await counts()).toEqual([
      [TO_ALICE, 0],
      [TO_BOB, 0],
    ]);
  });

  it('leaves what was delivered as it is', async () => {
    await deliver(PHONE);
    expect(await counts()).toEqual([
      [TO_ALICE, 1],
      [TO_BOB, 1],
    ]);
    expect(await stage.state(uid, PHONE)).toBe('delivered');
  });

  it('clears the entry that a crash left in the lane of a settled delivery', async () => {
    await deliver(PHONE);
    const { clock } = stage;
    stage.lanes.place(PHONE, { id: uid, rank: 1 }, { now: clock.now(), deadline: clock.now() + 1000 });
    expect(await stage.held(PHONE)).toEqual([uid]);
    await cancelled();
    expect(await stage.held(PHONE)).toEqual([]);
  });
});

describe('of some addresses', () => {
  it('touches no other address', async () => {
    expect(await counts([TO_BOB])).toEqual([[TO_BOB, 1]]);
    expect(await stage.state(uid, PHONE)).toBe('held');
    expect(await stage.held(PHONE)).toEqual([uid]);
  });

  it('of which one is not an address of the push is refused, and nothing is taken back', async () => {
    await expect(cancelled([TO_BOB, 'WAPPUSH=eve/TYPE=USER@ppg.test'])).rejects.toMatchObject({
      code: 'addressNotFound',
    });
    expect(await stage.state(uid, BOBS)).toBe('held');
  });
});

it('of a push that nobody knows is refused', async () => {
  uid = pushUid('pi', 'unknown');
  await expect(cancelled()).rejects.toMatchObject({ code: 'pushNotFound' });
});

it('of two addresses that share a terminal was in time for both', async () => {
  const again = 'WAPPUSH=+43664123456/TYPE=PLMN@ppg.test';
  stage.has(ALICE, ['phone'], ['tel:+43664123456']);
  ({ uid } = await stage.submit({ pushId: 'shared', addresses: [TO_ALICE, again] }));
  expect(await counts()).toEqual([
    [TO_ALICE, 1],
    [again, 1],
  ]);
});
