/** What a network says later of content that it was handed, and what that does to the delivery and the lane. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Way } from '../../src/push/bearer-choice.js';
import type { PushUid } from '../../src/push/push-message.js';
import { type Receipt, type ReceiptPorts, takeReceipt } from '../../src/push/receipt.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import { BOB, PushStage, TO_BOB } from '../support/push-stage.js';

const BOBS = terminalId(BOB, 'phone');
const SMS: Way = { bearer: 'sms', address: '+436641234567', carries: 'content' };
const WSP: Way = { bearer: 'wsp', address: '192.0.2.7:2948', carries: 'content' };

let stage: PushStage;
let uid: PushUid;
let ways: readonly Way[];
let ports: ReceiptPorts;
beforeEach(async () => {
  stage = new PushStage();
  ({ uid } = await stage.submit({ addresses: [TO_BOB], notifyTo: 'http://pi.test/' }));
  ways = [SMS];
  stage.kicked.length = 0;
  const { store, clock, alarms } = stage;
  ports = {
    store,
    clock,
    alarms,
    observe: (fact) => stage.facts.push(fact),
    kick: (terminal) => stage.kicked.push(terminal),
    ways: async () => ways,
  };
});

/** The network has taken the content. */
async function handedOver(bearer = 'sms'): Promise<void> {
  await stage.store.handOver(uid, BOBS, { bearer, at: stage.clock.now() });
}

const receipt = (outcome: Receipt['outcome'], more: Partial<Receipt> = {}) =>
  takeReceipt({ uid, terminal: BOBS, bearer: 'sms', outcome, detail: 'said so', ...more }, ports);
const record = async () => (await stage.store.story(uid))?.deliveries[0];

it('that the content arrived ends the delivery and empties the lane', async () => {
  await handedOver();
  await stage.clock.advance(250);
  await receipt('delivered');
  expect(await record()).toMatchObject({ state: 'delivered' });
  expect(await stage.held(BOBS)).toEqual([]);
  expect(stage.alarms.results).toHaveLength(1);
  expect(stage.facts).toMatchObject([{ kind: 'settled', state: 'delivered', ageMs: 250 }]);
});

it('that comes before the answer of the network ends it just as well', async () => {
  await receipt('delivered');
  expect(await record()).toMatchObject({ state: 'delivered' });
  expect(await stage.held(BOBS)).toEqual([]);
});

it('that comes twice, or contradicts the first, changes nothing', async () => {
  await handedOver();
  await receipt('delivered');
  await receipt('delivered');
  await receipt('failed');
  expect(await record()).toMatchObject({ state: 'delivered' });
  expect(stage.alarms.results).toHaveLength(1);
});

it('for a push that is no longer kept is nothing', async () => {
  uid = 'forgotten' as PushUid;
  await receipt('delivered');
  expect(stage.facts).toEqual([]);
});

it('that the terminal refused aborts it, with the code that was given', async () => {
  ways = [SMS, WSP];
  await handedOver();
  await receipt('aborted', { code: 5028 });
  expect(await record()).toMatchObject({ state: 'aborted', code: 5028, reason: 'said so' });
});

describe('that the network gave it up', () => {
  it('ends it when there is no other way', async () => {
    await handedOver();
    await receipt('failed');
    expect(await record()).toMatchObject({ state: 'undeliverable', reason: 'said so' });
    expect(await stage.held(BOBS)).toEqual([]);
  });

  it('puts it back in line when there is one, and kicks the lane', async () => {
    ways = [SMS, WSP];
    await handedOver();
    await receipt('failed');
    expect(await record()).toMatchObject({ state: 'held', failedBearers: ['sms'] });
    expect(await stage.lanes.view(BOBS)).toMatchObject({ held: 1, parked: 0 });
    expect(stage.kicked).toEqual([BOBS]);
  });

  it('twice puts it back once', async () => {
    ways = [SMS, WSP];
    await handedOver();
    await receipt('failed');
    await receipt('failed');
    expect(await record()).toMatchObject({ state: 'held', failedBearers: ['sms'] });
  });

  it('before it was noted that the network had it keeps it for the next bearer', async () => {
    ways = [SMS, WSP];
    await receipt('failed');
    expect(await record()).toMatchObject({ state: 'held', failedBearers: ['sms'] });
    expect(await stage.store.handOver(uid, BOBS, { bearer: 'sms', at: 1 })).toBe('givenUp');
    expect(stage.kicked).toEqual([BOBS]);
  });

  it('is told again after a crash came in between, and puts it back in line then', async () => {
    ways = [SMS, WSP];
    await handedOver();
    await stage.store.giveUp(uid, BOBS, { bearer: 'sms', at: 1 });
    await receipt('failed');
    expect(await stage.lanes.view(BOBS)).toMatchObject({ held: 1, parked: 0 });
    expect(stage.kicked).toEqual([BOBS]);
  });

  it('by one bearer while another has it leaves it there', async () => {
    ways = [SMS, WSP];
    await stage.store.begin(uid, BOBS, { token: await stage.token(BOBS), bearer: 'wsp', at: 1 });
    await handedOver('wsp');
    await receipt('failed');
    expect(await record()).toMatchObject({ state: 'handed', failedBearers: ['sms'] });
    expect(await stage.lanes.view(BOBS)).toMatchObject({ held: 0, parked: 1 });
  });

  it('by one bearer after the other ends it with the last', async () => {
    ways = [SMS, WSP];
    await handedOver();
    await receipt('failed');
    await handedOver('wsp');
    await receipt('failed', { bearer: 'wsp' });
    expect(await record()).toMatchObject({ state: 'undeliverable' });
  });

  it('and is told again when another bearer has it changes nothing', async () => {
    ways = [SMS, WSP];
    await handedOver();
    await receipt('failed');
    await handedOver('wsp');
    await receipt('failed');
    expect(await record()).toMatchObject({ state: 'handed', failedBearers: ['sms'] });
  });

  it('ends it when the terminal is gone', async () => {
    ways = [SMS, WSP];
    await handedOver();
    ways = [];
    await receipt('failed');
    expect(await record()).toMatchObject({ state: 'undeliverable' });
  });
});
