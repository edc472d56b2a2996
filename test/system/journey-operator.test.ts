/** What an operator sees and does while pushes pass: the metrics, the live events, and holding the lane of a terminal. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { E2eGateway, when } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';

let gateway: E2eGateway;
let initiator: Initiator;
let users = 0;

beforeAll(async () => {
  gateway = await E2eGateway.start({ CARILLON_PUSH_SESSION_IDLE_SECONDS: '1' });
  initiator = new Initiator(gateway);
});
afterAll(() => gateway[Symbol.asyncDispose]());

async function newUser() {
  users += 1;
  const user = `sip:operated${users}@example.test`;
  const phone = instance(500 + users);
  await gateway.addUser(user, { phone });
  return { user, phone, toPhone: addressOf(user, phone) };
}

/** The figures of a scrape, by name with labels. */
async function scrape(): Promise<ReadonlyMap<string, number>> {
  const answer = await fetch(`http://127.0.0.1:${gateway.ports.admin}/metrics`);
  const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

const laneOf = (user: string) => `/users/${encodeURIComponent(user)}/terminals/phone/lane`;
const hold = (user: string) => gateway.admin('POST', `${laneOf(user)}/hold`, { reason: 'a complaint' });
const release = (user: string) => gateway.admin('POST', `${laneOf(user)}/release`);

describe('the metrics', () => {
  it('tell what was accepted, refused, held, woken and delivered, and how long it took', async () => {
    const before = await scrape();
    const since = async (name: string) => ((await scrape()).get(name) ?? 0) - (before.get(name) ?? 0);
    const { user, phone, toPhone } = await newUser();
    await initiator.push({ pushId: 'counted@pi', to: toPhone });
    expect((await initiator.submit({ pushId: 'counted@pi', to: toPhone })).code).toBe(2007);
    expect(await since('carillon_pushes_accepted_total')).toBe(1);
    expect(await since('carillon_pushes_refused_total{code="2007"}')).toBe(1);
    expect(await since('carillon_push_accept_seconds_count')).toBe(1);
    expect(await since('carillon_deliveries_held')).toBe(1);
    expect(await since('carillon_lanes_waiting')).toBe(1);
    expect((await scrape()).get('carillon_oldest_held_seconds')).toBeGreaterThan(0);

    await using guest = await TerminalGuest.start(gateway, { user, instance: phone });
    await gateway.pushBecomes('counted@pi', 'delivered');
    await guest.after('content');
    expect(await since('carillon_wake_ups_total{bearer="sip",outcome="handed"}')).toBe(1);
    expect(await since('carillon_push_sessions_opened_total')).toBe(1);
    expect(await since('carillon_deliveries_settled_total{state="delivered"}')).toBe(1);
    expect(await since('carillon_delivery_seconds_count')).toBe(1);
    expect(await since('carillon_deliveries_held')).toBe(0);
    expect((await scrape()).get('carillon_oldest_held_seconds')).toBe(0);
  });

  it('include those of the process', async () => {
    const names = [...(await scrape()).keys()];
    expect(names).toContain('nodejs_eventloop_lag_p99_seconds');
    expect(names).toContain('process_resident_memory_bytes');
    expect((await scrape()).get('carillon_redis_ready')).toBe(1);
  });
});

describe('the log', () => {
  it('has one record for each SIR and each delivery, which name nobody (SIR-170)', async () => {
    const { user, phone, toPhone } = await newUser();
    await using guest = await TerminalGuest.start(gateway, { user, instance: phone });
    await initiator.push({ pushId: 'recorded@pi', to: toPhone, content: 'twelve bytes' });
    const { uid, recipients } = await gateway.pushBecomes('recorded@pi', 'delivered');
    await guest.after('content');
    const terminal = recipients[0]?.deliveries[0]?.id ?? '';
    await gateway.logged((line) => line['terminal'] === terminal && line.msg === 'delivery settled');
    const records = gateway.log.filter((line) => line['terminal'] === terminal);
    const woken = records.filter(({ msg }) => msg === 'session initiation request');
    expect(woken).toMatchObject([{ bearer: 'sip', mode: 'routed', outcome: 'handed' }]);
    const attempted = records.filter(({ msg }) => msg === 'delivery attempted');
    expect(attempted).toMatchObject([
      { push: uid, bearer: 'msrp', outcome: { kind: 'confirmed' }, bytes: 12 },
    ]);
    for (const record of [...woken, ...attempted]) {
      expect(record['latencyMs']).toBeGreaterThanOrEqual(0);
      expect(JSON.stringify(record)).not.toContain(user);
      expect(JSON.stringify(record)).not.toContain(phone);
    }
  });
});

describe('the live events', () => {
  it('tell the story of a push from its acceptance to its delivery', async () => {
    const leaving = new AbortController();
    const response = await fetch(`http://127.0.0.1:${gateway.ports.admin}/admin/v1/events`, {
      headers: { authorization: 'Bearer for-tests-only' },
      signal: leaving.signal,
    });
    const { user, phone, toPhone } = await newUser();
    await using _guest = await TerminalGuest.start(gateway, { user, instance: phone });
    await initiator.push({ pushId: 'told@pi', to: toPhone });
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.includes('event: session.closed')) break;
    }
    leaving.abort();
    const types = [...text.matchAll(/^event: (.+)$/gm)].map(([, type]) => type);
    for (const type of ['admin.change', 'push.accepted', 'terminal.woken', 'session.opened']) {
      expect(types).toContain(type);
    }
    expect(types.indexOf('session.opened')).toBeLessThan(types.indexOf('delivery.settled'));
    expect(text).toMatch(/"initiator":"pi","pushId":"told@pi"/);
  });
});

describe('a reader of the live events', () => {
  it('does not keep the gateway from stopping', async () => {
    const own = await E2eGateway.start();
    const response = await fetch(`http://127.0.0.1:${own.ports.admin}/admin/v1/events`, {
      headers: { authorization: 'Bearer for-tests-only' },
    });
    const [text] = await Promise.all([response.text(), own[Symbol.asyncDispose]()]);
    expect(text).toMatch(/: the gateway is stopping\n\n$/);
  });
});

describe('a lane on hold', () => {
  it('gets nothing out and wakes nobody, and everything goes once it is released', async () => {
    const { user, phone, toPhone } = await newUser();
    await using guest = await TerminalGuest.start(gateway, { user, instance: phone });
    await hold(user);
    await initiator.push({ pushId: 'held@pi', to: toPhone });
    const push = await gateway.push('held@pi');
    expect(push.recipients[0]?.deliveries[0]).toMatchObject({
      state: 'held',
      lane: 'onHold',
      hold: { reason: 'a complaint' },
      wakes: [],
    });
    await release(user);
    await gateway.pushBecomes('held@pi', 'delivered');
    expect(guest.texts).toEqual(['Hello']);
  });

  it('lets pushes expire on time', async () => {
    const { user, toPhone } = await newUser();
    await hold(user);
    await initiator.push({ pushId: 'short@pi', to: toPhone, deliverBefore: Date.now() + 2000 });
    const push = await gateway.pushBecomes('short@pi', 'expired');
    expect(push.recipients[0]?.deliveries[0]?.wakes).toEqual([]);
  });

  it('stays on hold through a crash', async () => {
    const { user, phone, toPhone } = await newUser();
    await hold(user);
    await initiator.push({ pushId: 'crash@pi', to: toPhone });
    await gateway.crashAndRestart();
    await using guest = await TerminalGuest.start(gateway, { user, instance: phone });
    await gateway.laneWhen(user, 'phone', ({ state, held }) => state === 'onHold' && held === 1);
    expect(guest.all('content')).toEqual([]);
    await release(user);
    await gateway.pushBecomes('crash@pi', 'delivered');
  });

  it('leaves an audit line for each change', async () => {
    const { user } = await newUser();
    await hold(user);
    await release(user);
    const lines = () =>
      gateway.log.filter(({ msg, path }) => msg === 'admin change' && String(path).includes(user));
    await when(lines, (found) => found.length === 4, 'the audit trail');
    expect(lines().map(({ what, result }) => `${String(what)} ${String(result)}`)).toEqual([
      'user.put created',
      'terminal.put created',
      'lane.hold held',
      'lane.release released',
    ]);
  });
});
