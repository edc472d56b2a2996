/** A push that its SMSC refuses for good: what follows from that is lost by no kill, whether the gateway has read the answer yet or just now. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { E2eGateway, when } from '../support/e2e-gateway.js';
import { Initiator } from '../support/e2e-initiator.js';
import { instance } from '../support/e2e-terminal.js';
import { Smsc } from '../support/smsc.js';

const UNKNOWN_NUMBER = 0x0b;
const DEADLINE_MS = 86_400_000;

let smsc: Smsc;
let gateway: E2eGateway;
let initiator: Initiator;

beforeAll(async () => {
  smsc = await Smsc.start({ behave: () => ({ status: UNKNOWN_NUMBER }) });
  const link = { host: '127.0.0.1', port: smsc.port, systemId: 'c', password: 'secret', sender: '+43800123' };
  gateway = await E2eGateway.start({
    CARILLON_SMPP: JSON.stringify([{ ...link, name: 'a', reconnectSeconds: [1] }]),
  });
  initiator = new Initiator(gateway);
  await smsc.when(() => smsc.boundCount === 1);
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await smsc?.[Symbol.asyncDispose]();
});

/** Pushes to a new terminal; the gateway is killed as soon as the SMSC has said no, or as soon as it has told its log. */
async function pushAndKill(
  count: number,
  behind: 'answer' | 'log',
  more: readonly object[] = [],
): Promise<string> {
  const [user, number] = [`sip:refused${count}@example.test`, `+43664900000${count}`];
  await gateway.addUser(user, {}, { aliases: [`tel:${number}`] });
  const identities = [{ kind: 'uuid', value: instance(70_000 + count) }];
  const activation = [{ bearer: 'sms', address: number, carries: 'content' }, ...more];
  await gateway.addTerminal(user, 'phone', { identities, activation });
  const pushId = `refused-${count}@pi`;
  const before = smsc.count;
  await initiator.push({
    pushId,
    to: `WAPPUSH=${number}/TYPE=PLMN@ppg.carillon.test`,
    deliverBefore: Date.now() + DEADLINE_MS,
  });
  await smsc.when(() => smsc.count > before);
  if (behind === 'log') {
    const { uid } = await gateway.push(pushId);
    await when(
      () => gateway.log.some(({ msg, push }) => msg === 'delivery attempted' && push === uid),
      Boolean,
      'the log',
    );
  }
  await gateway.crashAndRestart();
  return pushId;
}

it.each([
  [1, 'answer'],
  [2, 'log'],
] as const)(
  'is undeliverable at once after the restart, not at its deadline (%i: behind the %s)',
  async (count, behind) => {
    const push = await gateway.pushBecomes(await pushAndKill(count, behind), 'undeliverable');
    expect(push.recipients[0]?.deliveries[0]?.reason).toMatch(/ESME_RINVDSTADR/);
  },
);

it.each([
  [3, 'answer'],
  [4, 'log'],
] as const)('or goes on by the next bearer (%i: behind the %s)', async (count, behind) => {
  const pushId = await pushAndKill(count, behind, [{ bearer: 'sip' }]);
  const push = await gateway.pushWhen(pushId, ({ recipients }) =>
    (recipients[0]?.deliveries[0]?.wakes ?? []).some(({ bearer }) => bearer === 'sip'),
  );
  expect(push.recipients[0]).toMatchObject({ state: 'pending', deliveries: [{ state: 'held' }] });
});
