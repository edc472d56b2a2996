/** Push initiators, users and terminals through the admin API. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeliveryError } from '../../../src/kernel/errors.js';
import { verifyPassword } from '../../../src/registry/initiator-password.js';
import { publicUserIdentity } from '../../../src/registry/public-user-identity.js';
import { terminalId } from '../../../src/registry/terminal-id.js';
import { AdminRig, emptyLane, NOW } from '../../support/admin.js';
import { initiatorWith } from '../../support/memory-initiators.js';

let rig: AdminRig;
beforeEach(async () => {
  rig = await AdminRig.start();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

const USERS = '/admin/v1/users';
const ALICE = `${USERS}/sip%3Aalice%40example.test`;
const alice = publicUserIdentity('sip:alice@example.test');
const PHONE = { kind: 'imei', value: 'urn:gsma:imei:35209900-176148-1' };
const PC = { kind: 'uuid', value: 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6' };

describe('push initiators', () => {
  const PATH = '/admin/v1/push-initiators';

  it('are created with 201 and shown without their password', async () => {
    const answer = await rig.ask('PUT', `${PATH}/weather`, { body: { password: 's3cret' } });
    expect(answer.status).toBe(201);
    expect(answer.json).toEqual({
      id: 'weather',
      origin: 'stored',
      credentials: { password: true, tokens: [], certificates: [] },
    });
  });

  it('are replaced with 200', async () => {
    await rig.ask('PUT', `${PATH}/weather`, { body: { password: 'one' } });
    expect((await rig.ask('PUT', `${PATH}/weather`, { body: { password: 'two' } })).status).toBe(200);
    const stored = await rig.stored.find('weather');
    expect(await verifyPassword('two', stored?.passwordHash ?? '')).toBe(true);
  });

  it('are listed with those of the configuration', async () => {
    await rig.stored.put(await initiatorWith('weather', 'x'));
    expect((await rig.ask('GET', PATH)).json).toEqual({
      pushInitiators: [
        { id: 'configured', origin: 'configured' },
        { id: 'weather', origin: 'stored' },
      ],
    });
  });

  it('can have any name that HTTP Basic can carry', async () => {
    const path = `${PATH}/${encodeURIComponent('Ärzte & Co/Süd@x')}`;
    expect((await rig.ask('PUT', path, { body: { password: 'x' } })).status).toBe(201);
    expect((await rig.ask('GET', path)).json['id']).toBe('Ärzte & Co/Süd@x');
  });

  it('of the configuration cannot be changed here', async () => {
    expect((await rig.ask('PUT', `${PATH}/configured`, { body: { password: 'x' } })).status).toBe(409);
    expect((await rig.ask('DELETE', `${PATH}/configured`)).status).toBe(409);
  });

  it('are gone after DELETE, and a second DELETE finds nothing', async () => {
    await rig.stored.put(await initiatorWith('weather', 'x'));
    expect((await rig.ask('DELETE', `${PATH}/weather`)).status).toBe(204);
    expect((await rig.ask('GET', `${PATH}/weather`)).status).toBe(404);
    expect((await rig.ask('DELETE', `${PATH}/weather`)).status).toBe(404);
  });

  it.each([
    [{}, /^password: /],
    [{ password: '' }, /^password: has to have 1 to 1024 octets/],
    [{ password: 'a\nb' }, /^password: control characters/],
    [{ password: 5 }, /^password: /],
    [{ password: 'x', admin: true }, /^body: .*admin/],
    [[], /^body: /],
    ['"x"', /^body: /],
  ])('are refused with the body %j', async (body, detail) => {
    const answer = await rig.ask('PUT', `${PATH}/weather`, { body });
    expect(answer.status).toBe(400);
    expect(answer.json['detail']).toMatch(detail);
  });

  it.each(['a%3Ab', 'a%0Ab', `${'x'.repeat(129)}`])('cannot be called %s', async (id) => {
    expect((await rig.ask('PUT', `${PATH}/${id}`, { body: { password: 'x' } })).status).toBe(400);
  });
});

describe('users', () => {
  it('are created with 201 and shown without secrets', async () => {
    const body = {
      aliases: ['tel:+43-664-123-45-67', 'mailto:Alice@Example.test'],
      sip: { username: 'alice', password: 's3cret' },
      policy: { target: 'connected-first' },
    };
    const answer = await rig.ask('PUT', ALICE, { body });
    expect(answer.status).toBe(201);
    expect(answer.json).toEqual({
      user: 'sip:alice@example.test',
      aliases: ['tel:+436641234567', 'mailto:Alice@example.test'],
      sip: { username: 'alice', realm: 'example.test' },
      policy: { target: 'connected-first' },
      terminals: [],
    });
    expect((await rig.ask('GET', ALICE)).json).toEqual(answer.json);
  });

  it.each([
    'sip:alice@example.test',
    'sip%3Aalice%40example.test',
    'SIP:alice@EXAMPLE.test',
    'sip%3aalice%40example.test%3Btransport%3Dtcp',
  ])('are found as %s', async (name) => {
    await rig.ask('PUT', ALICE, { body: {} });
    expect((await rig.ask('GET', `${USERS}/${name}`)).json['user']).toBe('sip:alice@example.test');
  });

  it('can have a slash in their name', async () => {
    const path = `${USERS}/${encodeURIComponent('sip:a/b?c@example.test')}`;
    expect((await rig.ask('PUT', path, { body: {} })).json['user']).toBe('sip:a/b?c@example.test');
    expect((await rig.ask('GET', path)).status).toBe(200);
    expect((await rig.ask('GET', `${path}/terminals`)).status).toBe(200);
  });

  it('are found by an alias', async () => {
    await rig.ask('PUT', ALICE, { body: { aliases: ['tel:+436641234567'] } });
    expect((await rig.ask('GET', `${USERS}/tel:+436641234567`)).json['user']).toBe('sip:alice@example.test');
  });

  it('are not replaced or removed by an alias', async () => {
    await rig.ask('PUT', ALICE, { body: { aliases: ['tel:+436641234567'] } });
    const put = await rig.ask('PUT', `${USERS}/tel:+436641234567`, { body: {} });
    expect(put.status).toBe(409);
    expect(put.json['detail']).toBe('tel:+436641234567 is an alias of sip:alice@example.test');
    expect((await rig.ask('DELETE', `${USERS}/tel:+436641234567`)).status).toBe(409);
  });

  it('cannot take the alias of another user', async () => {
    await rig.ask('PUT', ALICE, { body: { aliases: ['tel:+436641234567'] } });
    const body = { aliases: ['tel:+436641234567'] };
    expect((await rig.ask('PUT', `${USERS}/sip:bob@example.test`, { body })).status).toBe(409);
  });

  it('keep their credentials and terminals when they are replaced without naming them', async () => {
    await rig.ask('PUT', ALICE, { body: { sip: { username: 'alice', password: 's3cret' } } });
    await rig.ask('PUT', `${ALICE}/terminals/phone`, { body: { identities: [PHONE] } });
    const answer = await rig.ask('PUT', ALICE, { body: { policy: { target: 'newest-registered' } } });
    expect(answer.status).toBe(200);
    expect(answer.json['sip']).toEqual({ username: 'alice', realm: 'example.test' });
    expect(answer.json['terminals']).toEqual([expect.objectContaining({ terminal: 'phone' })]);
  });

  it('have the lanes of their terminals looked at when they are replaced', async () => {
    await rig.ask('PUT', ALICE, { body: {} });
    await rig.ask('PUT', `${ALICE}/terminals/phone`, { body: {} });
    rig.kicked.length = 0;
    await rig.ask('PUT', ALICE, { body: {} });
    expect(rig.kicked).toEqual([terminalId(alice, 'phone')]);
  });

  it('are listed page by page', async () => {
    for (const name of ['carol', 'alice', 'bob'])
      await rig.ask('PUT', `${USERS}/sip:${name}@example.test`, { body: {} });
    const names: unknown[] = [];
    let cursor = '';
    do {
      const { json } = await rig.ask('GET', `${USERS}?limit=1${cursor}`);
      names.push(...(json['users'] as { user: string }[]).map(({ user }) => user));
      cursor = json['cursor'] === undefined ? '' : `&cursor=${String(json['cursor'])}`;
    } while (cursor !== '');
    expect(names).toEqual(['sip:alice@example.test', 'sip:bob@example.test', 'sip:carol@example.test']);
  });

  it('take what their lanes hold with them, told to the initiators', async () => {
    await rig.ask('PUT', ALICE, { body: {} });
    for (const name of ['pc', 'phone']) await rig.ask('PUT', `${ALICE}/terminals/${name}`, { body: {} });
    expect((await rig.ask('DELETE', ALICE)).status).toBe(204);
    expect(new Set(rig.abandoned.map(({ terminal }) => terminal))).toEqual(
      new Set([terminalId(alice, 'pc'), terminalId(alice, 'phone')]),
    );
    expect((await rig.ask('GET', ALICE)).status).toBe(404);
  });

  it.each([
    ['sip:example.test', /^user: .*user part/],
    ['http:%2F%2Fx', /^user: /],
    ['sip:a%2500@example.test', /^user: escaped control character/],
    [`sip:${'a'.repeat(600)}@example.test`, /^user: address longer than 512/],
  ])('cannot be called %s', async (name, detail) => {
    const answer = await rig.ask('PUT', `${USERS}/${name}`, { body: {} });
    expect(answer.status).toBe(400);
    expect(answer.json['detail']).toMatch(detail);
  });

  it.each([
    [{ alias: [] }, /alias/],
    [{ aliases: ['nobody'] }, /^aliases\[0\]: /],
    [{ sip: { username: 'a:b', password: 'x' } }, /^sip\.username: /],
    [{ policy: { target: 'best' } }, /^policy\.target: /],
  ])('are refused with the body %j, naming the path', async (body, detail) => {
    const answer = await rig.ask('PUT', ALICE, { body });
    expect(answer.status).toBe(400);
    expect(answer.json['detail']).toMatch(detail);
  });
});

describe('registrations', () => {
  it('are shown with the name of their terminal, newest first', async () => {
    await rig.ask('PUT', ALICE, { body: {} });
    await rig.ask('PUT', `${ALICE}/terminals/phone`, { body: { identities: [PHONE] } });
    const binding = {
      user: alice,
      contact: 'sip:alice@192.0.2.7:5060',
      path: ['<sip:edge.example.test;lr>'],
      callId: 'c1',
      cseq: 1,
      expiresAt: NOW + 60_000,
      features: { '+g.oma.pusheventapp': 'mms' },
      flow: { transport: 'tcp', address: '192.0.2.7', port: 49152, node: 'gw-1', connectionId: 'x' },
    } as const;
    await rig.registry.changeBindings(alice, {
      put: [
        { ...binding, key: 'one', registeredAt: NOW - 2000, terminal: terminalId(alice, 'phone'), q: 0.5 },
        { ...binding, key: 'two', registeredAt: NOW - 1000, instance: PC.value, regId: 1 },
      ],
      remove: [],
    });
    const { json } = await rig.ask('GET', `${ALICE}/bindings`);
    expect(json['bindings']).toEqual([
      expect.objectContaining({ instance: PC.value, regId: 1, registeredAt: '2026-03-01T07:59:59.000Z' }),
      expect.objectContaining({ terminal: 'phone', q: 0.5, expiresAt: '2026-03-01T08:01:00.000Z' }),
    ]);
  });

  it('are an empty list for a user that has none', async () => {
    await rig.ask('PUT', ALICE, { body: {} });
    expect((await rig.ask('GET', `${ALICE}/bindings`)).json).toEqual({ bindings: [] });
  });
});

describe('terminals', () => {
  beforeEach(async () => {
    await rig.ask('PUT', ALICE, { body: { aliases: ['tel:+436641234567'] } });
  });

  it('are created with 201 and shown as they were stored', async () => {
    const body = {
      identities: [PHONE, PC],
      activation: [{ bearer: 'sip' }, { bearer: 'sms', address: '+436641234567' }],
      subscriptions: ['x-wap-application:mms.ua'],
      preferences: { video: 'pc' },
    };
    const answer = await rig.ask('PUT', `${ALICE}/terminals/phone`, { body });
    expect(answer.status).toBe(201);
    expect(answer.json).toEqual({
      user: 'sip:alice@example.test',
      terminal: 'phone',
      id: terminalId(alice, 'phone'),
      ...body,
      capabilities: {},
      origin: 'provisioned',
    });
    expect((await rig.ask('GET', `${ALICE}/terminals/phone`)).json).toEqual(answer.json);
    expect((await rig.ask('GET', `${ALICE}/terminals`)).json).toEqual({ terminals: [answer.json] });
  });

  it('are replaced with 200', async () => {
    await rig.ask('PUT', `${ALICE}/terminals/phone`, { body: { subscriptions: ['a'] } });
    const answer = await rig.ask('PUT', `${ALICE}/terminals/phone`, { body: {} });
    expect(answer.status).toBe(200);
    expect(answer.json['subscriptions']).toBeUndefined();
  });

  it('have their lane looked at as soon as they change', async () => {
    await rig.ask('PUT', `${ALICE}/terminals/phone`, { body: {} });
    expect(rig.kicked).toEqual([terminalId(alice, 'phone')]);
  });

  it('are not kicked by a change that was refused', async () => {
    await rig.ask('PUT', `${ALICE}/terminals/phone`, { body: { identities: 'x' } });
    expect(rig.kicked).toEqual([]);
  });

  it('can be named by an instance URN', async () => {
    const path = `${ALICE}/terminals/${encodeURIComponent(PC.value)}`;
    expect((await rig.ask('PUT', path, { body: { identities: [PC] } })).json['terminal']).toBe(PC.value);
    expect((await rig.ask('GET', `${ALICE}/terminals/${PC.value}`)).status).toBe(200);
  });

  it('belong to the user, whatever alias names it', async () => {
    await rig.ask('PUT', `${USERS}/tel:+436641234567/terminals/phone`, { body: {} });
    const { json } = await rig.ask('GET', `${ALICE}/terminals/phone`);
    expect(json['id']).toBe(terminalId(alice, 'phone'));
  });

  it('cannot share a device identity (SIR-24)', async () => {
    await rig.ask('PUT', `${ALICE}/terminals/phone`, { body: { identities: [PHONE] } });
    const other = { kind: 'imei', value: '35209900 176148 1' };
    const answer = await rig.ask('PUT', `${ALICE}/terminals/pda`, { body: { identities: [other] } });
    expect(answer.status).toBe(409);
  });

  it('may be named by a pseudo-ESN, which raises an alarm, and which no other one of the user can have (SIR-18, SIR-24)', async () => {
    const esn = (value: string) => ({ body: { identities: [{ kind: 'esn', value }] } });
    const alarms = () => rig.log.filter(({ level }) => level === 'warn');
    expect((await rig.ask('PUT', `${ALICE}/terminals/car`, esn('2BAB12CD'))).status).toBe(201);
    expect(alarms()).toEqual([]);
    expect((await rig.ask('PUT', `${ALICE}/terminals/truck`, esn('80AB12CD'))).status).toBe(201);
    expect(alarms()).toMatchObject([
      { message: 'a pseudo-ESN does not tell one device from another', terminal: terminalId(alice, 'truck') },
    ]);
    expect((await rig.ask('PUT', `${ALICE}/terminals/boat`, esn('12811211469'))).status).toBe(409);
  });

  it('need a user', async () => {
    const path = `${USERS}/sip:bob@example.test/terminals/phone`;
    expect((await rig.ask('PUT', path, { body: {} })).status).toBe(404);
  });

  it.each([
    [{ identities: [{ kind: 'imei', value: 'x' }] }, /^identities\[0\]\.value: /],
    [{ activation: [{ bearer: 'sip' }, { bearer: 'pigeon' }] }, /^activation\[1\]\.bearer: /],
    [{ activation: [{ bearer: 'sms', address: 'x' }] }, /^activation\[0\]\.address: /],
    [{ subscription: [] }, /subscription/],
  ])('are refused with the body %j, naming the path', async (body, detail) => {
    const answer = await rig.ask('PUT', `${ALICE}/terminals/phone`, { body });
    expect(answer.status).toBe(400);
    expect(answer.json['detail']).toMatch(detail);
  });

  it('have what their lane holds settled when they are removed, before and after they leave', async () => {
    await rig.ask('PUT', `${ALICE}/terminals/phone`, { body: {} });
    expect((await rig.ask('DELETE', `${ALICE}/terminals/phone`)).status).toBe(204);
    const terminal = terminalId(alice, 'phone');
    expect(rig.abandoned).toEqual([
      { terminal, reason: 'the terminal was removed', known: true },
      { terminal, reason: 'the terminal was removed', known: false },
    ]);
    expect((await rig.ask('DELETE', `${ALICE}/terminals/phone`)).status).toBe(404);
  });

  it('stay while what their lane holds cannot be settled', async () => {
    await rig.ask('PUT', `${ALICE}/terminals/phone`, { body: {} });
    rig.abandonFailure = new DeliveryError('busy', 'Redis is away');
    const answer = await rig.ask('DELETE', `${ALICE}/terminals/phone`);
    expect(answer.status).toBe(503);
    expect(answer.json['detail']).toBeUndefined();
    expect((await rig.ask('DELETE', ALICE)).status).toBe(503);
    expect((await rig.ask('GET', `${ALICE}/terminals/phone`)).status).toBe(200);
  });

  it('that do not exist have no lane', async () => {
    expect((await rig.ask('GET', `${ALICE}/terminals/phone/lane`)).status).toBe(404);
  });

  it('show an empty lane as one', async () => {
    await rig.ask('PUT', `${ALICE}/terminals/phone`, { body: {} });
    const { json } = await rig.ask('GET', `${ALICE}/terminals/phone/lane`);
    expect(json).toMatchObject({
      state: 'empty',
      held: 0,
      wake: { sent: 0, method: 0 },
      wakes: [],
    });
  });

  it('show what is held, the connection and every wake-up', async () => {
    await rig.ask('PUT', `${ALICE}/terminals/phone`, { body: {} });
    const id = terminalId(alice, 'phone');
    rig.lanes.set(id, {
      ...emptyLane(id),
      state: 'connected',
      held: 2,
      deferred: 1,
      parked: 0,
      connections: { session: { id: 's1', node: 'gw-2' }, messageUntil: NOW + 1000 },
      wake: { epoch: 0, sent: 1, method: 1, notBefore: NOW + 30_000, sirId: 'sir1' },
      dueAt: NOW + 30_000,
      wakes: [
        { sirId: 'sir1', at: NOW, bearer: 'sip', address: 'sip:a@x.test', outcome: 'handed', detail: '202' },
      ],
    });
    const { json } = await rig.ask('GET', `${ALICE}/terminals/phone/lane`);
    expect(json).toMatchObject({
      terminal: 'phone',
      state: 'connected',
      held: 2,
      deferred: 1,
      parked: 0,
      connections: { session: { id: 's1', node: 'gw-2' }, messageUntil: '2026-03-01T08:00:01.000Z' },
      wake: { sent: 1, method: 1, notBefore: '2026-03-01T08:00:30.000Z', sirId: 'sir1' },
      dueAt: '2026-03-01T08:00:30.000Z',
      wakes: [{ sirId: 'sir1', at: '2026-03-01T08:00:00.000Z', outcome: 'handed' }],
    });
  });

  it('that nothing can wake show no moment of the next wake-up', async () => {
    await rig.ask('PUT', `${ALICE}/terminals/phone`, { body: { activation: [] } });
    const id = terminalId(alice, 'phone');
    const wake = { epoch: 0, sent: 0, method: 0, notBefore: Number.MAX_SAFE_INTEGER };
    rig.lanes.set(id, { ...emptyLane(id), state: 'waiting', held: 1, wake, dueAt: Number.MAX_SAFE_INTEGER });
    const { json } = await rig.ask('GET', `${ALICE}/terminals/phone/lane`);
    expect(json['wake']).toEqual({ sent: 0, method: 0 });
    expect(json['dueAt']).toBeUndefined();
  });
});
