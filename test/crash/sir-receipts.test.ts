/** Receipts of SIRs that went out by SMS and USSD before the gateway was killed (SIR-137). */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { E2eGateway } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance } from '../support/e2e-terminal.js';
import { Smsc, type Taken } from '../support/smsc.js';

const USER = 'sip:receipts@example.test';
const NUMBER = '436648000001';
const PHONE = instance(80_001);

let smsc: Smsc;
let gateway: E2eGateway;

beforeAll(async () => {
  smsc = await Smsc.start();
  const link = { host: '127.0.0.1', port: smsc.port, password: 'secret', sender: '+43800123' };
  gateway = await E2eGateway.start({
    CARILLON_SMPP: JSON.stringify([
      { ...link, name: 'a', systemId: 'link-a', reconnectSeconds: [1] },
      { ...link, name: 'u', systemId: 'link-u', carries: ['ussd'], reconnectSeconds: [1] },
    ]),
  });
  await smsc.when(() => smsc.boundCount === 2);
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await smsc?.[Symbol.asyncDispose]();
});

async function takenBy(link: string): Promise<Taken> {
  await smsc.when(() => smsc.taken.some(({ systemId }) => systemId === link));
  return smsc.taken.find(({ systemId }) => systemId === link) ?? expect.fail('nothing was taken');
}

async function afterCrash(wakes: number): Promise<void> {
  await gateway.laneWhen(USER, 'phone', (lane) => lane.wakes.length === wakes);
  await gateway.crashAndRestart();
  await smsc.when(() => smsc.boundCount === 2);
}

it('one that did not arrive gives way to the next method at once, and one that did is told', async () => {
  const identities = [{ kind: 'uuid', value: PHONE }];
  const address = `+${NUMBER}`;
  const activation = [
    { bearer: 'sms', address, carries: 'sir' },
    { bearer: 'ussd', address },
  ];
  await gateway.addUser(USER);
  await gateway.addTerminal(USER, 'phone', { identities, activation });
  await new Initiator(gateway).push({ pushId: 'lost-sir@pi', to: addressOf(USER, PHONE) });

  const message = await takenBy('link-a');
  expect(message.registered).toBe(1);
  await afterCrash(1);
  expect(await smsc.receipt(message, { stat: 'UNDELIV' })).toBe(0);

  const notification = await takenBy('link-u');
  expect(notification.registered).toBe(1);
  await afterCrash(2);
  expect(await smsc.receipt(notification)).toBe(0);

  const lane = await gateway.laneWhen(USER, 'phone', ({ wakes }) =>
    wakes.some(({ receipt }) => receipt?.outcome === 'delivered'),
  );
  expect(lane.wakes).toMatchObject([
    { bearer: 'ussd', outcome: 'handed', receipt: { outcome: 'delivered' } },
    { bearer: 'sms', outcome: 'handed', receipt: { outcome: 'failed' } },
  ]);
  expect((await gateway.push('lost-sir@pi')).recipients[0]).toMatchObject({
    state: 'pending',
    deliveries: [{ state: 'held', wakes: [{ receipt: { outcome: 'delivered' } }, {}] }],
  });
});
