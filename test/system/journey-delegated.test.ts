/** Mode D: one gateway hands the push to another one, which wakes and delivers; the initiator hears of it from the first (SIR-78, SIR-124). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { E2eGateway, INITIATOR } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { ResultServer } from '../support/e2e-result-server.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';
import { freePort } from '../support/ports.js';

const ALICE = 'sip:alice@example.test';
const [PHONE, PC] = [instance(1), instance(2)];
const PRIVATE = { CARILLON_NOTIFY_ALLOW_PRIVATE_ADDRESSES: 'true' };

let near: E2eGateway;
let first: E2eGateway;
let results: ResultServer;
beforeAll(async () => {
  near = await E2eGateway.start(PRIVATE);
  const httpPort = await freePort();
  first = await E2eGateway.start({
    ...PRIVATE,
    CARILLON_HTTP_PORT: String(httpPort),
    CARILLON_DELEGATES: JSON.stringify([
      {
        name: 'near',
        url: `http://127.0.0.1:${near.ports.http}/pap`,
        initiator: INITIATOR.id,
        password: INITIATOR.password,
        notifyUrl: `http://127.0.0.1:${httpPort}`,
      },
    ]),
    CARILLON_TARGETING_RULES: JSON.stringify([{ mode: 'delegated', delegate: 'near' }]),
  });
  for (const gateway of [near, first]) await gateway.addUser(ALICE, { phone: PHONE, pc: PC });
  results = await ResultServer.start();
});
afterAll(async () => {
  await results?.[Symbol.asyncDispose]();
  await first?.[Symbol.asyncDispose]();
  await near?.[Symbol.asyncDispose]();
});

describe('a push that is handed to another gateway', () => {
  it('is delivered there, and the result reaches the initiator through the first', async () => {
    await using phone = await TerminalGuest.start(near, { user: ALICE, instance: PHONE });
    await using pc = await TerminalGuest.start(near, { user: ALICE, instance: PC });
    await new Initiator(first).push({
      pushId: 'delegated@pi',
      to: addressOf(ALICE, PHONE),
      content: 'by way of another',
      notifyTo: results.url,
    });
    const [told] = await results.about('delegated@pi');
    expect([told?.state, told?.code]).toEqual(['delivered', 1000]);
    expect([phone.texts, pc.texts, pc.all('sir')]).toEqual([['by way of another'], [], []]);
    const { recipients } = await first.push('delegated@pi');
    expect(recipients[0]?.deliveries[0]).toMatchObject({ bearer: 'delegate', state: 'delivered', wakes: [] });
  });

  it('that its terminal refuses there ends here too, with the reason', async () => {
    await near.addUser(ALICE, {}, { policy: { rules: [{ return: ['rejection'] }] } });
    await using phone = await TerminalGuest.start(near, {
      user: ALICE,
      instance: PHONE,
      policy: { askUser: async () => 'reject' },
    });
    await new Initiator(first).push({
      pushId: 'declined@pi',
      to: addressOf(ALICE, PHONE),
      notifyTo: results.url,
    });
    const [told] = await results.about('declined@pi');
    expect([told?.state, told?.code]).toEqual(['aborted', 5000]);
    expect(phone.texts).toEqual([]);
  });

  it('goes once, though the first gateway crashes before it knows', async () => {
    await using phone = await TerminalGuest.start(near, { user: ALICE, instance: PHONE });
    await near.addUser(ALICE);
    await near.whileFrozen(async () => {
      await new Initiator(first).push({
        pushId: 'crash@pi',
        to: addressOf(ALICE, PHONE),
        content: 'once',
        notifyTo: results.url,
      });
      await first.crashAndRestart();
    });
    expect((await results.about('crash@pi'))[0]?.state).toBe('delivered');
    expect(phone.texts).toEqual(['once']);
  });

  it('waits when the other gateway is not there', async () => {
    const rules = [{ mode: 'delegated', delegate: 'nobody' }];
    await first.addUser('sip:bob@example.test', { phone: instance(9) }, { policy: { rules } });
    await new Initiator(first).push({ pushId: 'nobody@pi', to: addressOf('sip:bob@example.test') });
    const push = await first.pushWhen(
      'nobody@pi',
      ({ recipients }) => (recipients[0]?.deliveries[0]?.wakes.length ?? 0) > 0,
    );
    expect(push.recipients[0]?.deliveries[0]?.wakes[0]).toMatchObject({
      bearer: 'delegate',
      outcome: 'failed',
    });
  });
});
