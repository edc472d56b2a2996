/** The pushes of the admin API: the list, the whole story of one, and taking one back. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DeliveryRecord, type Push, type PushStory, pushUid } from '../../../src/push/push-message.js';
import { publicUserIdentity } from '../../../src/registry/public-user-identity.js';
import { terminalId } from '../../../src/registry/terminal-id.js';
import { AdminRig, emptyLane, NOW } from '../../support/admin.js';
import { initiatorWith } from '../../support/memory-initiators.js';

let rig: AdminRig;
beforeEach(async () => {
  rig = await AdminRig.start();
  for (const id of ['weather', 'news']) await rig.stored.put(await initiatorWith(id, 'x'));
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

const PUSHES = '/admin/v1/pushes';
const alice = publicUserIdentity('sip:alice@example.test');
const [phone, pc] = [terminalId(alice, 'phone'), terminalId(alice, 'pc')];
const ADDRESS = 'WAPPUSH=sip%3Aalice%40example.test/TYPE=USER@ppg.example.test';

/** A push of `weather` to two terminals of alice, one of them chosen; and an address that was refused. */
function story(changes: Partial<Push> = {}, delivery: Partial<DeliveryRecord> = {}): PushStory {
  const { initiator = 'weather', pushId = 'p1@weather.example.test' } = changes;
  const push: Push = {
    uid: pushUid(initiator, pushId),
    initiator,
    pushId,
    acceptedAt: NOW,
    expiresAt: NOW + 86_400_000,
    content: { contentType: 'text/vnd.wap.si', headers: [], size: 212 },
    papVersion: '2.0',
    progressNotes: false,
    recipients: [
      {
        address: ADDRESS,
        terminals: [phone],
        decision: {
          user: alice,
          multi: true,
          policy: 'all-subscribed',
          terminals: [
            { terminal: phone, name: 'phone', selected: true, reasons: ['subscribed'] },
            { terminal: pc, name: 'pc', selected: false, reasons: ['not subscribed'] },
          ],
          sources: [
            { source: 'registry', state: 'used', detail: '2 terminals', ageMs: 0 },
            { source: 'presence', state: 'missing', detail: 'timeout: no answer within 300 ms' },
          ],
        },
      },
      {
        address: 'WAPPUSH=nobody/TYPE=USER@ppg.example.test',
        terminals: [],
        refused: { code: 'addressNotFound', detail: 'nobody has this address' },
      },
    ],
    ...changes,
  };
  return {
    push,
    deliveries: [{ terminal: phone, state: 'held', at: NOW, attempts: 0, ...delivery }],
    results: [],
  };
}

const pathOf = (pushId: string) => `${PUSHES}/${encodeURIComponent(pushId)}`;
const recipientsOf = (json: Readonly<Record<string, unknown>>) =>
  json['recipients'] as Record<string, unknown>[];

describe('the list of pushes', () => {
  it('shows each in short, with the state of every address', async () => {
    rig.pushes.add(story());
    const { json } = await rig.ask('GET', PUSHES);
    expect(json['pushes']).toEqual([
      {
        pushId: 'p1@weather.example.test',
        initiator: 'weather',
        acceptedAt: '2026-03-01T08:00:00.000Z',
        expiresAt: '2026-03-02T08:00:00.000Z',
        content: { contentType: 'text/vnd.wap.si', size: 212 },
        recipients: [
          { address: ADDRESS, state: 'pending', code: 1001, at: '2026-03-01T08:00:00.000Z' },
          expect.objectContaining({ state: 'rejected', code: 2003, reason: 'nobody has this address' }),
        ],
      },
    ]);
  });

  it('can be narrowed to an initiator', async () => {
    rig.pushes.add(story(), story({ initiator: 'news' }));
    const { json } = await rig.ask('GET', `${PUSHES}?initiator=news`);
    expect(json['pushes']).toEqual([expect.objectContaining({ initiator: 'news' })]);
  });

  it('can be narrowed to a state', async () => {
    rig.pushes.add(story({ pushId: 'a' }), story({ pushId: 'b' }, { state: 'delivered' }));
    const { json } = await rig.ask('GET', `${PUSHES}?state=delivered`);
    expect(json['pushes']).toEqual([expect.objectContaining({ pushId: 'b' })]);
  });

  it('can be narrowed to a user, by any of its names, also when it is gone', async () => {
    const body = { aliases: ['tel:+436641234567'] };
    await rig.ask('PUT', '/admin/v1/users/sip%3Aalice%40example.test', { body });
    rig.pushes.add(story());
    const found = async (user: string) =>
      ((await rig.ask('GET', `${PUSHES}?user=${encodeURIComponent(user)}`)).json['pushes'] as []).length;
    expect(await found('tel:+436641234567')).toBe(1);
    expect(await found('sip:bob@example.test')).toBe(0);
    await rig.ask('DELETE', '/admin/v1/users/sip%3Aalice%40example.test');
    expect(await found('sip:alice@example.test')).toBe(1);
  });

  it('can be narrowed to a terminal, by its name within a user or by its id', async () => {
    rig.pushes.add(story());
    const found = async (filter: string) =>
      ((await rig.ask('GET', `${PUSHES}?${filter}`)).json['pushes'] as []).length;
    expect(await found('user=sip:alice@example.test&terminal=phone')).toBe(1);
    expect(await found('user=sip:alice@example.test&terminal=pc')).toBe(0);
    expect(await found(`terminal=${phone}`)).toBe(1);
    expect((await rig.ask('GET', `${PUSHES}?terminal=phone`)).json['detail']).toMatch(
      /^query parameter "terminal": /,
    );
  });

  it('can be narrowed to a time: from an instant on, and before another', async () => {
    rig.pushes.add(story({ pushId: 'a' }), story({ pushId: 'b', acceptedAt: NOW + 1000 }));
    const found = async (filter: string) =>
      ((await rig.ask('GET', `${PUSHES}?${filter}`)).json['pushes'] as { pushId: string }[]).map(
        ({ pushId }) => pushId,
      );
    expect(await found('since=2026-03-01T08:00:01Z')).toEqual(['b']);
    expect(await found('until=2026-03-01T09:00:01%2B01:00')).toEqual(['a']);
    expect(await found('since=2026-03-01T08:00:00.001Z&until=2026-03-01T08:00:01Z')).toEqual([]);
  });

  it.each(['yesterday', '2026-03-01', '2026-03-01T08:00:00', '2026-13-01T08:00:00Z', '1772352000'])(
    'is not narrowed to the instant %j',
    async (text) => {
      const answer = await rig.ask('GET', `${PUSHES}?since=${text}`);
      expect(answer.status).toBe(400);
      expect(answer.json['detail']).toMatch(/^query parameter "since": has to be an instant/);
    },
  );

  it('knows no other states than PAP does', async () => {
    const answer = await rig.ask('GET', `${PUSHES}?state=held`);
    expect(answer.status).toBe(400);
    expect(answer.json['detail']).toMatch(/^query parameter "state": has to be one of rejected, pending/);
  });

  it('comes in pages', async () => {
    rig.pushes.add(...['a', 'b', 'c'].map((pushId) => story({ pushId })));
    const first = await rig.ask('GET', `${PUSHES}?limit=2`);
    const second = await rig.ask('GET', `${PUSHES}?limit=2&cursor=${String(first.json['cursor'])}`);
    expect(second.json['pushes']).toEqual([expect.objectContaining({ pushId: 'c' })]);
    expect(second.json['cursor']).toBeUndefined();
  });
});

describe('the story of a push', () => {
  it('tells which terminals were chosen and why, and who was asked (SIR-28, SIR-35)', async () => {
    rig.pushes.add(story());
    const { json } = await rig.ask('GET', pathOf('p1@weather.example.test'));
    expect(recipientsOf(json)[0]?.['decision']).toEqual({
      user: 'sip:alice@example.test',
      multi: true,
      policy: 'all-subscribed',
      terminals: [
        { terminal: 'phone', id: phone, selected: true, reasons: ['subscribed'] },
        { terminal: 'pc', id: pc, selected: false, reasons: ['not subscribed'] },
      ],
      sources: [
        { source: 'registry', state: 'used', detail: '2 terminals', ageMs: 0 },
        { source: 'presence', state: 'missing', detail: 'timeout: no answer within 300 ms' },
      ],
    });
  });

  it('tells state, time and attempts at each terminal', async () => {
    const delivery = {
      state: 'aborted',
      at: NOW + 2000,
      attempts: 2,
      lastAttemptAt: NOW + 1900,
      code: 5000,
      reason: 'declined',
      bearer: 'msrp',
    } as const;
    rig.pushes.add(story({}, delivery));
    const { json } = await rig.ask('GET', pathOf('p1@weather.example.test'));
    expect(recipientsOf(json)[0]).toMatchObject({
      state: 'aborted',
      code: 5000,
      at: '2026-03-01T08:00:02.000Z',
    });
    expect(recipientsOf(json)[0]?.['deliveries']).toEqual([
      {
        terminal: 'phone',
        id: phone,
        state: 'aborted',
        at: '2026-03-01T08:00:02.000Z',
        attempts: 2,
        lastAttemptAt: '2026-03-01T08:00:01.900Z',
        bearer: 'msrp',
        code: 5000,
        reason: 'declined',
        wakes: [],
      },
    ]);
  });

  it('tells why an address was refused', async () => {
    rig.pushes.add(story());
    const { json } = await rig.ask('GET', pathOf('p1@weather.example.test'));
    expect(recipientsOf(json)[1]).toMatchObject({
      state: 'rejected',
      code: 2003,
      reason: 'nobody has this address',
      deliveries: [],
    });
  });

  const sir = (sirId: string, at: number) =>
    ({ sirId, at, bearer: 'sip', outcome: 'handed', detail: '202' }) as const;

  it('shows the wake-ups sent since it was accepted, and where the lane stands', async () => {
    rig.pushes.add(story());
    const wakes = [sir('after', NOW + 50), sir('before', NOW - 50)];
    rig.lanes.set(phone, { ...emptyLane(phone), state: 'initiated', held: 1, wakes });
    const { json } = await rig.ask('GET', pathOf('p1@weather.example.test'));
    expect(recipientsOf(json)[0]?.['deliveries']).toEqual([
      expect.objectContaining({
        state: 'held',
        lane: 'initiated',
        wakes: [expect.objectContaining({ sirId: 'after' })],
      }),
    ]);
  });

  it('tells that its lane is on hold, and why', async () => {
    rig.pushes.add(story());
    const hold = { reason: 'a complaint', since: NOW + 1000 };
    rig.lanes.set(phone, { ...emptyLane(phone), state: 'onHold', held: 1, hold });
    const { json } = await rig.ask('GET', pathOf('p1@weather.example.test'));
    expect(recipientsOf(json)[0]?.['deliveries']).toEqual([
      expect.objectContaining({
        lane: 'onHold',
        hold: { reason: 'a complaint', since: '2026-03-01T08:00:01.000Z' },
      }),
    ]);
  });

  it('shows no wake-ups from after its end', async () => {
    rig.pushes.add(story({}, { state: 'delivered', at: NOW + 1000 }));
    const wakes = [sir('later', NOW + 5000), sir('its own', NOW + 50)];
    rig.lanes.set(phone, { ...emptyLane(phone), state: 'initiated', held: 1, wakes });
    const { json } = await rig.ask('GET', pathOf('p1@weather.example.test'));
    const [delivery] = (recipientsOf(json)[0]?.['deliveries'] ?? []) as Record<string, unknown>[];
    expect(delivery?.['wakes']).toEqual([expect.objectContaining({ sirId: 'its own' })]);
    expect(delivery?.['lane']).toBeUndefined();
  });

  it('tells whether the initiator knows', async () => {
    const results = [
      { recipient: 0, state: 'owed', attempts: 3, at: NOW + 10, lastError: '503 from the initiator' },
      { recipient: 1, state: 'owed', attempts: 0, at: 0 },
    ] as const;
    rig.pushes.add({ ...story({ notifyTo: 'https://pi.example.test/results' }), results });
    const { json } = await rig.ask('GET', pathOf('p1@weather.example.test'));
    expect(recipientsOf(json).map(({ result }) => result)).toEqual([
      { state: 'owed', attempts: 3, at: '2026-03-01T08:00:00.010Z', lastError: '503 from the initiator' },
      { state: 'owed', attempts: 0 },
    ]);
  });

  it('does not show the credentials that the initiator put into its URL', async () => {
    rig.pushes.add(story({ notifyTo: 'https://me:s3cr%40t@pi.example.test/results?u=a@b' }));
    const answer = await rig.ask('GET', pathOf('p1@weather.example.test'));
    expect(answer.json['notifyTo']).toBe('https://pi.example.test/results?u=a@b');
    expect(answer.text).not.toContain('s3cr');
  });

  it('shows what the initiator asked for', async () => {
    const quality = {
      priority: 'high',
      deliveryMethod: 'confirmed',
      networkRequired: false,
      bearerRequired: false,
    } as const;
    rig.pushes.add(story({ quality, notBefore: NOW + 1000, sourceReference: 'campaign 7' }));
    const { json } = await rig.ask('GET', pathOf('p1@weather.example.test'));
    expect(json).toMatchObject({
      qualityOfService: quality,
      notBefore: '2026-03-01T08:00:01.000Z',
      sourceReference: 'campaign 7',
      papVersion: '2.0',
    });
  });

  it.each(['http://weather.example.test/p/1?x=y', 'a b', 'ümlaut', '100%', 'p1@weather.example.test'])(
    'is found under the push-id %j',
    async (pushId) => {
      rig.pushes.add(story({ pushId }));
      expect((await rig.ask('GET', pathOf(pushId))).json['pushId']).toBe(pushId);
    },
  );

  it('is found under a push-id written without escapes where HTTP allows it', async () => {
    rig.pushes.add(story());
    expect((await rig.ask('GET', `${PUSHES}/p1@weather.example.test`)).status).toBe(200);
  });

  it('is found without the initiator while only one has used the push-id', async () => {
    rig.pushes.add(story({ initiator: 'news', pushId: 'p1' }));
    expect((await rig.ask('GET', `${PUSHES}/p1`)).json['initiator']).toBe('news');
  });

  it('needs the initiator when several have used the push-id', async () => {
    rig.pushes.add(story({ pushId: 'p1' }), story({ initiator: 'news', pushId: 'p1' }));
    const answer = await rig.ask('GET', `${PUSHES}/p1`);
    expect(answer.status).toBe(409);
    expect(answer.json['detail']).toMatch(/"initiator"/);
    expect((await rig.ask('GET', `${PUSHES}/p1?initiator=weather`)).json['initiator']).toBe('weather');
  });

  it('of an initiator that has been removed is found by naming it', async () => {
    rig.pushes.add(story({ initiator: 'gone', pushId: 'p1' }));
    expect((await rig.ask('GET', `${PUSHES}/p1`)).status).toBe(404);
    expect((await rig.ask('GET', `${PUSHES}/p1?initiator=gone`)).status).toBe(200);
  });

  it('is not there for a push-id that nobody has used', async () => {
    const answer = await rig.ask('GET', `${PUSHES}/p1`);
    expect(answer.status).toBe(404);
    expect(answer.json['type']).toBe('urn:carillon:problem:pushNotFound');
  });
});

describe('cancelling a push', () => {
  it('takes back what is held and shows what has become of it', async () => {
    rig.pushes.add(story({ pushId: 'p1' }));
    const answer = await rig.ask('POST', `${PUSHES}/p1/cancel`);
    expect(answer.status).toBe(200);
    expect(answer.json['cancelled']).toBe(1);
    expect(recipientsOf(answer.json['push'] as Record<string, unknown>)[0]).toMatchObject({
      state: 'cancelled',
      reason: 'cancelled by the operator',
    });
  });

  it('may be repeated', async () => {
    rig.pushes.add(story({ pushId: 'p1' }));
    await rig.ask('POST', `${PUSHES}/p1/cancel?initiator=weather`);
    const again = await rig.ask('POST', `${PUSHES}/p1/cancel?initiator=weather`);
    expect(again.status).toBe(200);
    expect(again.json['cancelled']).toBe(0);
    expect(rig.audit.map(({ result }) => result)).toEqual(['cancelled', 'repeated']);
  });

  it('is too late when everything has ended', async () => {
    rig.pushes.add(story({ pushId: 'p1' }, { state: 'delivered' }));
    const answer = await rig.ask('POST', `${PUSHES}/p1/cancel`);
    expect(answer.status).toBe(409);
    expect(answer.json).toMatchObject({
      type: 'urn:carillon:problem:tooLate',
      detail: 'nothing of the push is held any more: delivered',
    });
  });

  it('needs a push', async () => {
    expect((await rig.ask('POST', `${PUSHES}/p1/cancel?initiator=weather`)).status).toBe(404);
  });
});
