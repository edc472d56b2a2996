/** Status query: one result for each distinct state, naming the addresses that share it. */
import { beforeEach, expect, it } from 'vitest';
import type { PushUid } from '../../src/push/push-message.js';
import { queryStatus } from '../../src/push/status-query.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import { BOB, PushStage, TO_ALICE, TO_BOB, TO_NOBODY } from '../support/push-stage.js';
import { PC, PHONE } from '../support/pushes.js';

const BOBS = terminalId(BOB, 'phone');
const quality = {
  priority: 'high',
  deliveryMethod: 'confirmed',
  networkRequired: false,
  bearerRequired: false,
} as const;

let stage: PushStage;
let uid: PushUid;
beforeEach(async () => {
  stage = new PushStage();
  ({ uid } = await stage.submit({ addresses: [TO_ALICE, TO_BOB, TO_NOBODY], quality }));
});

const query = (addresses: readonly string[] = [], pushId = 'one@pi.test', initiator = 'pi') =>
  queryStatus({ initiator, pushId, addresses }, stage.store);
const settle = (terminal: typeof PHONE) =>
  stage.store.settle(uid, terminal, { event: 'deliver', at: stage.clock.now(), notifyAt: 0 });

it('addresses in the same state stand together, others apart', async () => {
  const at = stage.clock.now();
  expect(await query()).toEqual([
    {
      messageState: 'pending',
      code: 1001,
      eventTime: at,
      addresses: [TO_ALICE, TO_BOB],
      qualityOfService: quality,
    },
    {
      messageState: 'rejected',
      code: 2003,
      eventTime: at,
      addresses: [TO_NOBODY],
      desc: 'nobody is known by this address',
      qualityOfService: quality,
    },
  ]);
});

it('the same state at different moments stands apart', async () => {
  await settle(BOBS);
  await stage.clock.advance(10);
  await settle(PHONE);
  await settle(PC);
  const results = await query();
  expect(results.map(({ messageState, addresses }) => [messageState, addresses])).toEqual([
    ['delivered', [TO_ALICE]],
    ['delivered', [TO_BOB]],
    ['rejected', [TO_NOBODY]],
  ]);
});

it('an address with several terminals is pending while any of them is', async () => {
  await settle(PHONE);
  expect(await query([TO_ALICE])).toMatchObject([{ messageState: 'pending', addresses: [TO_ALICE] }]);
  await settle(PC);
  expect(await query([TO_ALICE])).toMatchObject([{ messageState: 'delivered', addresses: [TO_ALICE] }]);
});

it('only the addresses that are named are answered for', async () => {
  expect(await query([TO_BOB])).toMatchObject([{ addresses: [TO_BOB] }]);
});

it('an address that the push does not have is refused', async () => {
  await expect(query(['WAPPUSH=eve/TYPE=USER@ppg.test'])).rejects.toMatchObject({ code: 'addressNotFound' });
});

it.each([
  ['an unknown push-id', 'unknown', 'pi'],
  ['the push-id of another initiator', 'one@pi.test', 'spy'],
])('%s is refused', async (_what, pushId, initiator) => {
  await expect(query([], pushId, initiator)).rejects.toMatchObject({ code: 'pushNotFound' });
});
