/** Profile S2: the terminal registers and small content comes by SIP MESSAGE; what does not fit goes through a session. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { E2eGateway } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance, TerminalGuest, type TerminalGuestOptions } from '../support/e2e-terminal.js';
import { MuteTerminal } from '../support/mute-terminal.js';

let gateway: E2eGateway;
let initiator: Initiator;
let users = 0;

beforeAll(async () => {
  gateway = await E2eGateway.start();
  initiator = new Initiator(gateway);
});
afterAll(() => gateway[Symbol.asyncDispose]());

const FEATURES = ['+g.oma.pusheventapp="push.sia"'];

async function newUser() {
  users += 1;
  const user = `sip:s2user${users}@example.test`;
  const phone = instance(20_000 + users);
  await gateway.addUser(user, { phone });
  return { user, to: addressOf(user, phone), options: { user, instance: phone, features: FEATURES } };
}

const start = (options: TerminalGuestOptions) => TerminalGuest.start(gateway, options);

describe('content by MESSAGE (SIR-159)', () => {
  it.each(['udp', 'tcp'] as const)('comes over %s without any SIR, octet for octet', async (transport) => {
    const { user, to, options } = await newUser();
    await using guest = await start({ ...options, profile: 'S2', transport });
    const content = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet));
    const pushId = `small-${transport}@pi`;
    await initiator.push({
      pushId,
      to,
      content,
      contentType: 'application/octet-stream',
      headers: ['X-Wap-Application-Id: x-wap-application:emn.ua'],
    });
    const push = await gateway.pushBecomes(pushId, 'delivered');
    const [arrived] = guest.all('content');
    expect(arrived?.content).toMatchObject({
      via: 'message',
      id: push.uid,
      contentType: 'application/octet-stream',
    });
    expect(Buffer.compare(arrived?.content.bytes ?? Buffer.alloc(0), content)).toBe(0);
    expect(arrived?.content.headers).toContainEqual({
      name: 'X-Wap-Application-Id',
      value: 'x-wap-application:emn.ua',
    });
    expect(guest.all('sir')).toEqual([]);
    expect(push.recipients[0]?.deliveries[0]).toMatchObject({ bearer: 'sip-message', attempts: 1 });
    expect((await gateway.lane(user, 'phone')).held).toBe(0);
  });

  it('comes in order when much is held for the terminal', async () => {
    const { to, options } = await newUser();
    const texts = Array.from({ length: 20 }, (_, index) => `number ${index}`);
    for (const [index, content] of texts.entries())
      await initiator.push({ pushId: `held${index}@pi`, to, content });
    await using guest = await start({ ...options, profile: 'S2' });
    await guest.after('content', texts.length);
    expect(guest.texts).toEqual(texts);
    await gateway.pushBecomes('held19@pi', 'delivered');
  });

  it('comes to a terminal that registers because of a SIR, whatever features it announces', async () => {
    const { user, to, options } = await newUser();
    await using guest = await start({ user, instance: options.instance, profile: 'S2' });
    await initiator.push({ pushId: 'followed@pi', to, content: 'after REGISTER' });
    await gateway.pushBecomes('followed@pi', 'delivered');
    expect(guest.texts).toEqual(['after REGISTER']);
    expect(guest.all('sir')).toHaveLength(1);
    expect(guest.all('connected')).toEqual([]);
  });
});

describe('a terminal that registers elsewhere', () => {
  it('gets there what its old contact has not answered, under the same id, long before that one is given up', async () => {
    const { user, to, options } = await newUser();
    using old = await MuteTerminal.start(gateway, { user, instance: options.instance });
    const asked = old.nextMessage();
    await initiator.push({ pushId: 'moved@pi', to, content: 'follows' });
    const { callId } = await asked;
    await using guest = await start({ ...options, profile: 'S2' });
    const push = await gateway.pushBecomes('moved@pi', 'delivered'); // 64*T1 is 32 s: longer than this waits
    expect(guest.texts).toEqual(['follows']);
    expect(callId).toBe(`Call-ID: ${push.uid}`);
    expect(guest.all('content')[0]?.content.id).toBe(push.uid);
    expect(guest.all('sir')).toEqual([]);
    expect(push.recipients[0]?.deliveries[0]).toMatchObject({ bearer: 'sip-message', attempts: 2 });
  });
});

describe('the size rule (SIR-160)', () => {
  it.each(['udp', 'tcp'] as const)(
    'over %s, content of 1,301 octets goes through a session',
    async (transport) => {
      const { to, options } = await newUser();
      await using guest = await start({ ...options, profile: 'both', transport });
      const pushId = `large-${transport}@pi`;
      await initiator.push({ pushId, to, content: Buffer.alloc(1301, 'x') });
      const push = await gateway.pushBecomes(pushId, 'delivered');
      expect(guest.all('content').map(({ content }) => [content.via, content.size])).toEqual([
        ['msrp', 1301],
      ]);
      expect(guest.all('sir')).toHaveLength(1);
      expect(push.recipients[0]?.deliveries[0]?.bearer).toBe('msrp');
    },
  );

  it('over tcp, content of 1,300 octets fits a MESSAGE', async () => {
    const { to, options } = await newUser();
    await using guest = await start({ ...options, profile: 'both', transport: 'tcp' });
    await initiator.push({ pushId: 'fits@pi', to, content: Buffer.alloc(1300, 'x') });
    await gateway.pushBecomes('fits@pi', 'delivered');
    expect(guest.all('content').map(({ content }) => content.via)).toEqual(['message']);
  });

  it('small content passes a large one that waits for its session', async () => {
    const { to, options } = await newUser();
    await using guest = await start({ ...options, profile: 'both', policy: { connect: 'manually' } });
    await initiator.push({ pushId: 'big@pi', to, content: Buffer.alloc(5000, 'x') });
    await guest.after('sir');
    await initiator.push({ pushId: 'small@pi', to, content: 'small' });
    await gateway.pushBecomes('small@pi', 'delivered');
    expect(guest.texts).toEqual(['small']);
    await guest.terminal.connect();
    await gateway.pushBecomes('big@pi', 'delivered');
    expect(guest.all('content').map(({ content }) => [content.via, content.size])).toEqual([
      ['message', 5],
      ['msrp', 5000],
    ]);
  });
});
