/**
 * Profile S1: the terminal opens a session by INVITE and gets its content by MSRP. What goes through, in which order, how often it
 * is woken, and who is not let in.
 */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { E2eGateway, PPG_URI } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';

let gateway: E2eGateway;
let initiator: Initiator;
let users = 0;

beforeAll(async () => {
  gateway = await E2eGateway.start({ CARILLON_PUSH_SESSION_IDLE_SECONDS: '3' });
  initiator = new Initiator(gateway);
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** A user of its own for each story, with a phone and a PC that both exist but are not there yet. */
async function newUser() {
  users += 1;
  const user = `sip:user${users}@example.test`;
  const [phone, pc] = [instance(users * 10 + 1), instance(users * 10 + 2)];
  await gateway.addUser(user, { phone, pc });
  return { user, phone, pc, toPhone: addressOf(user, phone), toPc: addressOf(user, pc) };
}

describe('content (SIR-9, SIR-158)', () => {
  it.each([1, 1300, 65_537, 1_048_576])('of %i octets arrives octet for octet, once', async (size) => {
    const { user, phone, toPhone } = await newUser();
    await using guest = await TerminalGuest.start(gateway, { user, instance: phone });
    const content = randomBytes(size);
    const pushId = `size${size}@pi`;
    const contentType = 'application/vnd.wap.mms-message';
    const headers = ['X-Wap-Application-Id: x-wap-application:mms.ua'];
    await initiator.push({ pushId, to: toPhone, content, contentType, headers });
    const push = await gateway.pushBecomes(pushId, 'delivered');
    const [arrived] = guest.all('content');
    expect(guest.all('content')).toHaveLength(1);
    expect(arrived?.content).toMatchObject({ via: 'msrp', id: push.uid, contentType, size });
    expect(arrived?.content.sha256).toBe(createHash('sha256').update(content).digest('hex'));
    expect(arrived?.content.headers).toContainEqual({
      name: 'X-Wap-Application-Id',
      value: 'x-wap-application:mms.ua',
    });
    expect(push.recipients[0]?.deliveries[0]).toMatchObject({ bearer: 'msrp', attempts: 1 });
  });

  it('that holds what looks like the end of an MSRP chunk arrives as it is', async () => {
    const { user, phone, toPhone } = await newUser();
    await using guest = await TerminalGuest.start(gateway, { user, instance: phone });
    const content = '\r\n-------abcdefgh$\r\n--b2--\r\n\0\r\n-------';
    await initiator.push({ pushId: 'endline@pi', to: toPhone, content });
    await gateway.pushBecomes('endline@pi', 'delivered');
    expect(guest.texts).toEqual([content]);
  });

  it('that the terminal cannot keep stays with the gateway and comes again', async () => {
    const { user, phone, toPhone } = await newUser();
    let refusals = 1;
    const take = async () => {
      refusals -= 1;
      if (refusals >= 0) throw new Error('disk full');
    };
    await using guest = await TerminalGuest.start(gateway, { user, instance: phone, take });
    await initiator.push({ pushId: 'again@pi', to: toPhone, content: 'again' });
    await gateway.pushWhen('again@pi', ({ recipients }) => recipients[0]?.deliveries[0]?.attempts === 1);
    await guest.terminal.connect(PPG_URI);
    const push = await gateway.pushBecomes('again@pi', 'delivered');
    expect(guest.texts).toEqual(['again']);
    expect(push.recipients[0]?.deliveries[0]?.attempts).toBeGreaterThan(1);
  });
});

describe('waking', () => {
  it('a second push in the same session needs no second SIR (SIR-161)', async () => {
    const { user, phone, toPhone } = await newUser();
    await using guest = await TerminalGuest.start(gateway, { user, instance: phone });
    await initiator.push({ pushId: 'reuse1@pi', to: toPhone, content: 'one' });
    await gateway.pushBecomes('reuse1@pi', 'delivered');
    await initiator.push({ pushId: 'reuse2@pi', to: toPhone, content: 'two' });
    const second = await gateway.pushBecomes('reuse2@pi', 'delivered');
    expect(guest.texts).toEqual(['one', 'two']);
    expect(guest.all('sir')).toHaveLength(1);
    expect(guest.all('connected')).toHaveLength(1);
    expect(second.recipients[0]?.deliveries[0]?.wakes).toEqual([]);
  });

  it('one SIR wakes for everything that is held until the session is there, delivered by priority and then by arrival (SIR-38)', async () => {
    const { user, phone, toPhone } = await newUser();
    await using guest = await TerminalGuest.start(gateway, {
      user,
      instance: phone,
      policy: { connect: 'manually' },
    });
    const order = [
      ['low1', 'low'],
      ['medium1', 'medium'],
      ['high1', 'high'],
      ['low2', 'low'],
      ['high2', 'high'],
      ['medium2', undefined],
    ] as const;
    for (const [content, priority] of order) {
      const pushId = `${content}@pi`;
      await initiator.push({ pushId, to: toPhone, content, ...(priority === undefined ? {} : { priority }) });
    }
    await guest.after('sir');
    const lane = await gateway.lane(user, 'phone');
    expect(lane).toMatchObject({ held: order.length, wake: { sent: 1 } });
    await guest.terminal.connect();
    for (const [content] of order) await gateway.pushBecomes(`${content}@pi`, 'delivered');
    expect(guest.texts).toEqual(['high1', 'high2', 'medium1', 'medium2', 'low1', 'low2']);
    expect(guest.all('sir')).toHaveLength(1);
  });

  it('a terminal that connects is served at once, although its next look is due much later', async () => {
    const { user, phone, toPhone } = await newUser();
    await initiator.push({ pushId: 'promoted@pi', to: toPhone, content: 'promoted' });
    const isMuchLater = (dueAt = '') => Date.parse(dueAt) > Date.now() + 10_000;
    const waiting = await gateway.laneWhen(user, 'phone', ({ dueAt }) => isMuchLater(dueAt));
    await using guest = await TerminalGuest.start(gateway, {
      user,
      instance: phone,
      policy: { connect: 'manually' },
    });
    await guest.terminal.connect(PPG_URI);
    await guest.after('content');
    expect(guest.texts).toEqual(['promoted']);
    expect(Date.parse(waiting.dueAt ?? '')).toBeGreaterThan(Date.now());
  });

  it('a terminal that registers while something is held for it is woken at once', async () => {
    const { user, phone, toPhone } = await newUser();
    await initiator.push({ pushId: 'returned@pi', to: toPhone, content: 'returned' });
    await gateway.laneWhen(user, 'phone', ({ wakes }) => wakes.length > 0);
    await using guest = await TerminalGuest.start(gateway, { user, instance: phone });
    await gateway.pushBecomes('returned@pi', 'delivered');
    expect(guest.texts).toEqual(['returned']);
    expect(guest.all('sir')).toHaveLength(1);
  });

  it('what was on its way when the gateway crashed is delivered once after it is back (SIR-167)', async () => {
    const { user, phone, toPhone } = await newUser();
    await using guest = await TerminalGuest.start(gateway, {
      user,
      instance: phone,
      policy: { connect: 'manually' },
    });
    await initiator.push({ pushId: 'crash@pi', to: toPhone, content: 'after the crash' });
    const [sir] = await guest.after('sir');
    await gateway.laneWhen(user, 'phone', ({ wake }) => wake.sent === 1);
    await gateway.crashAndRestart();
    await guest.terminal.connect();
    await gateway.pushBecomes('crash@pi', 'delivered');
    expect(guest.texts).toEqual(['after the crash']);
    expect(guest.all('sir').map((event) => event.sir.id)).toEqual([sir?.sir.id]);
  });
});

describe('who is let in (SIR-162)', () => {
  it('the phone cannot fetch what is held for the PC', async () => {
    const { user, phone, toPc } = await newUser();
    await initiator.push({ pushId: 'private@pi', to: toPc, content: 'for the PC' });
    await using guest = await TerminalGuest.start(gateway, { user, instance: phone });
    await guest.terminal.connect(PPG_URI);
    await guest.after('connected');
    expect((await gateway.push('private@pi')).recipients[0]?.state).toBe('pending');
    expect(guest.texts).toEqual([]);
  });

  it('a terminal that was removed from its user is refused, although it is registered', async () => {
    const { user, phone } = await newUser();
    await using guest = await TerminalGuest.start(gateway, { user, instance: phone });
    await gateway.admin('DELETE', `/users/${encodeURIComponent(user)}/terminals/phone`);
    await expect(guest.terminal.connect(PPG_URI)).rejects.toThrow(/403/);
  });
});

describe('the end of a session', () => {
  it('that nothing goes through comes by BYE of the gateway (SIR-161)', async () => {
    const { user, phone, toPhone } = await newUser();
    await using guest = await TerminalGuest.start(gateway, { user, instance: phone });
    await initiator.push({ pushId: 'idle1@pi', to: toPhone, content: 'one' });
    const [closed] = await guest.after('closed');
    expect(closed?.reason).toBe('the peer ended the session');
    await gateway.laneWhen(user, 'phone', ({ connections }) => connections.session === undefined);
    await initiator.push({ pushId: 'idle2@pi', to: toPhone, content: 'two' });
    await gateway.pushBecomes('idle2@pi', 'delivered');
    expect(guest.all('sir')).toHaveLength(2);
    expect(guest.texts).toEqual(['one', 'two']);
  });

  it('a newer session of the same terminal takes the place of the older', async () => {
    const { user, phone, toPhone } = await newUser();
    const options = { user, instance: phone, policy: { connect: 'manually' } } as const;
    await using first = await TerminalGuest.start(gateway, options);
    await first.terminal.connect(PPG_URI);
    await first.after('connected');
    await using second = await TerminalGuest.start(gateway, options);
    await second.terminal.connect(PPG_URI);
    await first.after('closed');
    await initiator.push({ pushId: 'newest@pi', to: toPhone, content: 'newest' });
    await gateway.pushBecomes('newest@pi', 'delivered');
    expect([first.texts, second.texts]).toEqual([[], ['newest']]);
  });
});
