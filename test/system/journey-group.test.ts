/** A group through the public doors: provisioned, pushed to, and told of as one address. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { E2eGateway } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance } from '../support/e2e-terminal.js';

const [ALICE, BOB, FAMILY] = ['alice', 'bob', 'family'].map((name) => `sip:${name}@example.test`) as [
  string,
  string,
  string,
];

let gateway: E2eGateway;
let initiator: Initiator;
beforeAll(async () => {
  gateway = await E2eGateway.start();
  await gateway.addUser(ALICE, { phone: instance(1) });
  await gateway.addUser(BOB, { phone: instance(2), pc: instance(3) });
  await gateway.admin('PUT', `/groups/${encodeURIComponent(FAMILY)}`, {
    members: [ALICE, BOB, 'sip:nobody@example.test'],
  });
  initiator = new Initiator(gateway);
});
afterAll(() => gateway[Symbol.asyncDispose]());

it('a push to it waits in the lane of every terminal, as one address with one state', async () => {
  await initiator.push({ pushId: 'family@pi', to: addressOf(FAMILY) });
  const { recipients } = await gateway.push('family@pi');
  expect(recipients).toHaveLength(1);
  expect(recipients[0]).toMatchObject({
    state: 'pending',
    group: {
      group: FAMILY,
      decisions: [{ user: ALICE }, { user: BOB }],
      left: [{ member: 'sip:nobody@example.test', reason: 'nobody is known by this address' }],
    },
    deliveries: [
      { user: ALICE, terminal: 'phone' },
      { user: BOB, terminal: 'pc' },
      { user: BOB, terminal: 'phone' },
    ],
  });
});
