/** The end of the gateway while a terminal owes it an answer: in time, in order, and with nothing lost. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { E2eGateway } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance } from '../support/e2e-terminal.js';
import { MuteTerminal } from '../support/mute-terminal.js';

const USER = 'sip:mute@example.test';
const PHONE = instance(21_001);

let gateway: E2eGateway;

beforeAll(async () => {
  gateway = await E2eGateway.start({ CARILLON_SHUTDOWN_DEADLINE_SECONDS: '4' });
  await gateway.addUser(USER, { phone: PHONE });
});
afterAll(() => gateway[Symbol.asyncDispose]());

it('does not wait for an answer that may take longer than the deadline, and delivers after the next start', async () => {
  using mute = await MuteTerminal.start(gateway, { user: USER, instance: PHONE });
  const asked = mute.nextMessage();
  await new Initiator(gateway).push({
    pushId: 'unanswered@pi',
    to: addressOf(USER, PHONE),
    content: 'once',
  });
  const first = await asked;
  expect(await gateway.stop()).toBe(0);

  const askedAgain = mute.nextMessage();
  await gateway.startAgain();
  const second = await askedAgain;
  expect([first.text, second.text]).toEqual(['once', 'once']);
  expect(second.callId).toBe(first.callId); // a repetition
  second.answer('200 OK');
  const push = await gateway.pushBecomes('unanswered@pi', 'delivered');
  expect(push.recipients[0]?.deliveries[0]).toMatchObject({ bearer: 'sip-message', attempts: 2 });
});
