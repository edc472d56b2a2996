/** A terminal that will not connect: what its lane holds for the application ends, and nothing else does (SIR-136). */
import { beforeEach, expect, it } from 'vitest';
import type { PushUid } from '../../src/push/push-message.js';
import { takeRefusal } from '../../src/push/refusal.js';
import { PushStage, TO_ALICE } from '../support/push-stage.js';
import { PC, PHONE } from '../support/pushes.js';

const MMS = 'x-wap-application:mms.ua';
let stage: PushStage;
let mms: PushUid;
let other: PushUid;
beforeEach(async () => {
  stage = new PushStage();
  const headers = [{ name: 'X-Wap-Application-Id', value: MMS }];
  mms = (
    await stage.submit({ pushId: 'mms@pi', addresses: [TO_ALICE], headers, notifyTo: 'http://pi.test/' })
  ).uid;
  other = (await stage.submit({ pushId: 'other@pi', addresses: [TO_ALICE] })).uid;
});

const refuse = () =>
  takeRefusal(
    PHONE,
    {
      entries: [mms, other].map((id) => ({ id, rank: 1 })),
      applicationId: MMS,
      detail: '603 Decline',
    },
    {
      store: stage.store,
      clock: stage.clock,
      alarms: stage.alarms,
      observe: (fact) => stage.facts.push(fact),
    },
  );

it('the terminal gets nothing more for that application; other applications and other terminals do', async () => {
  expect(await refuse()).toBe(1);
  expect(await stage.state(mms, PHONE)).toBe('aborted');
  expect(await stage.held(PHONE)).toEqual([other]);
  expect(await stage.state(mms, PC)).toBe('held');
});

it('may be told twice', async () => {
  await refuse();
  expect(await refuse()).toBe(0);
  expect(await stage.held(PHONE)).toEqual([other]);
});

it('is told to the operator with the reason', async () => {
  await refuse();
  expect(stage.facts).toContainEqual(
    expect.objectContaining({
      terminal: PHONE,
      state: 'aborted',
      reason: 'the terminal refused: 603 Decline',
    }),
  );
});
