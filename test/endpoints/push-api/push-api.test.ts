/** The JSON API of push initiators: submitting, reading, listing and taking back, over real HTTP on the real journey. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeliveryError } from '../../../src/kernel/errors.js';
import { type Push, pushUid } from '../../../src/push/push-message.js';
import { BOB, TO_BOB } from '../../support/push-stage.js';
import { ALICE, PC, PHONE } from '../../support/pushes.js';
import { PushApiServer } from './push-api-server.js';

let api: PushApiServer;
beforeEach(async () => {
  api = await PushApiServer.start();
});
afterEach(() => api[Symbol.asyncDispose]());

const SECRET = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
const order = (changes: object = {}) => ({
  pushId: 'p1',
  to: [ALICE],
  content: { type: 'text/plain', text: 'Grüezi' },
  ...changes,
});

async function stored(pushId = 'p1', initiator = 'pi'): Promise<Push> {
  const story = await api.stage.store.story(pushUid(initiator, pushId));
  if (!story) throw new Error(`${pushId} is not stored`);
  return story.push;
}
const lane = async (terminal = PHONE) => (await api.stage.lanes.entries(terminal, 10)).map(({ id }) => id);
const iso = (at: number) => new Date(at).toISOString();
const recipients = (json: object) => (json as { recipients: Record<string, unknown>[] }).recipients;

describe('submitting', () => {
  it('is answered 202 with the push and where to find it, when it is in every lane', async () => {
    const { status, headers, json } = await api.submit(order());
    const now = api.stage.clock.now();
    expect(status).toBe(202);
    expect(headers.get('location')).toBe('/v1/pushes/p1');
    expect(json).toEqual({
      pushId: 'p1',
      state: 'pending',
      acceptedAt: iso(now),
      expiresAt: expect.any(String),
      content: { type: 'text/plain; charset=utf-8', size: 7 },
      recipients: [{ address: ALICE, state: 'pending', code: 1001, at: iso(now) }],
    });
    expect(await lane(PHONE)).toEqual([pushUid('pi', 'p1')]);
    expect(await lane(PC)).toEqual([pushUid('pi', 'p1')]);
    expect(api.stage.kicked).toContain(PHONE);
  });

  it('counts what is accepted and what is refused', async () => {
    await api.submit(order());
    await api.submit(order());
    await api.submit(order({ to: ['sip:nobody@example.test'], pushId: 'p2' }));
    const text = await api.metrics.registry.metrics();
    expect(text).toMatch(/^carillon_pushes_accepted_total 1$/m);
    expect(text).toMatch(/^carillon_pushes_refused_total\{code="404"\} 1$/m);
  });

  it('takes every form of address, and echoes each', async () => {
    api.stage.has(BOB, ['phone'], ['tel:+15550100']);
    const to = [ALICE, 'tel:+15550100', TO_BOB, { user: 'bob' }];
    const { json } = await api.submit(order({ to }));
    expect(recipients(json).map(({ address }) => address)).toEqual([
      ALICE,
      'tel:+15550100',
      TO_BOB,
      'WAPPUSH=bob/TYPE=USER',
    ]);
    expect(recipients(json).map(({ state }) => state)).toEqual(Array(4).fill('pending'));
  });

  it('names one device of a user', async () => {
    const device = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
    const { status, json } = await api.submit(order({ to: [{ user: ALICE, device }, ALICE] }));
    expect(status).toBe(202);
    expect(recipients(json)).toMatchObject([
      { state: 'rejected', reason: 'the user has no such terminal' },
      { state: 'pending' },
    ]);
    expect(String(recipients(json)[0]?.['address'])).toContain('/device=urn%3Auuid%3A');
  });

  it('stores what was asked for, and nothing that was not', async () => {
    const now = api.stage.clock.now();
    await api.submit(
      order({
        content: {
          type: 'application/x-thing',
          base64: 'AP8B',
          headers: { 'X-Wap-Application-Id': 'mms.ua' },
        },
        deliverAfter: iso(now + 60_000),
        deliverBefore: iso(now + 120_000),
        priority: 'high',
        notify: { url: 'https://u:p@pi.test/results', secret: SECRET },
        sourceReference: 'desk 4',
      }),
    );
    const { uid: _, json, recipients: __, ...push } = await stored();
    expect(push).toEqual({
      initiator: 'pi',
      pushId: 'p1',
      acceptedAt: now,
      notBefore: now + 60_000,
      expiresAt: now + 120_000,
      content: {
        contentType: 'application/x-thing',
        headers: [{ name: 'X-Wap-Application-Id', value: 'mms.ua' }],
        size: 3,
      },
      quality: {
        priority: 'high',
        deliveryMethod: 'notspecified',
        networkRequired: false,
        bearerRequired: false,
      },
      notifyTo: 'https://u:p@pi.test/results',
      sourceReference: 'desk 4',
      progressNotes: false,
    });
    expect(json).toEqual({ fingerprint: expect.any(String), webhookSecret: SECRET });
  });

  it('never shows or logs the secret, nor the credentials in the URL', async () => {
    const notify = { url: 'https://user:pass@pi.test/results', secret: SECRET };
    const first = await api.submit(order({ notify }));
    const again = await api.ask('GET', '/v1/pushes/p1');
    const seen = JSON.stringify([first.json, again.json, api.log]);
    expect(first.json['notify']).toEqual({ url: 'https://pi.test/results' });
    expect(seen).not.toContain(SECRET.slice(6));
    expect(seen).not.toContain('user:pass');
  });

  it('does not repeat a secret that it refuses', async () => {
    const { json } = await api.submit(order({ notify: { url: 'https://pi.test', secret: 'hush hush' } }));
    expect(json['detail']).toMatch(/^notify\.secret: has to be whsec_/);
    expect(JSON.stringify([json, api.log])).not.toContain('hush');
  });

  it('leaves a charset that is given, and puts UTF-8 on text alone', async () => {
    const types = ['text/plain; charset=UTF-8', 'application/json', 'text/vnd.wap.si'];
    for (const [index, type] of types.entries())
      await api.submit(order({ pushId: `t${index}`, content: { type, text: '' } }));
    const sent = await Promise.all(types.map((_, index) => stored(`t${index}`)));
    expect(sent.map(({ content }) => content.contentType)).toEqual([
      'text/plain; charset=UTF-8',
      'application/json',
      'text/vnd.wap.si; charset=utf-8',
    ]);
  });

  it('takes content of the greatest size in base64', async () => {
    const base64 = Buffer.alloc(api.stage.options.maxContentBytes, 1).toString('base64');
    const content = { type: 'image/png', base64 };
    expect((await api.submit(order({ content }))).status).toBe(202);
  });

  it.each([
    ['not JSON', '{', 400, 'body: not JSON in UTF-8'],
    ['another type of JSON', [], 400, 'body: '],
    ['an unknown property', order({ prio: 'high' }), 400, 'body: '],
    ['no addresses', order({ to: [] }), 400, 'to: '],
    ['an address of the wrong type', order({ to: [7] }), 400, 'to[0]: has to be an address'],
    ['an address that is none', order({ to: ['bob'] }), 400, 'neither WAPPUSH='],
    ['a control character in an address', order({ to: ['sip:a\r\nb@example.test'] }), 400, 'to[0]: '],
    ['a lone surrogate', order({ pushId: '\ud800' }), 400, 'pushId: '],
    ['a push-id that is no path segment', order({ pushId: '..' }), 400, 'pushId: '],
    ['a push-id that is too long', order({ pushId: 'x'.repeat(256) }), 400, 'pushId: '],
    ['no content', order({ content: { type: 'text/plain' } }), 400, 'content: has to have either'],
    ['content twice', order({ content: { type: 'a/b', text: '', base64: '' } }), 400, 'content: has to have'],
    ['base64 that is none', order({ content: { type: 'a/b', base64: 'A' } }), 400, 'content.base64: '],
    ['a type that is none', order({ content: { type: 'text', text: '' } }), 400, 'content.type: '],
    [
      'text in Latin-1',
      order({ content: { type: 'text/plain;charset=latin1', text: '' } }),
      400,
      'content.type',
    ],
    ['an hour without a zone', order({ deliverBefore: '2026-03-01T08:00:00' }), 400, 'deliverBefore: '],
    ['a day that is none', order({ deliverBefore: '2099-02-30T08:00:00Z' }), 400, 'deliverBefore: '],
    ['an unknown priority', order({ priority: 'urgent' }), 400, 'priority: '],
    ['a URL of another scheme', order({ notify: { url: 'ftp://x/', secret: SECRET } }), 400, 'notify.url: '],
    ['no secret', order({ notify: { url: 'http://x/' } }), 400, 'notify.secret: '],
    ['nobody', order({ to: ['sip:nobody@example.test'] }), 404, 'nobody is known by this address'],
    ['a deadline that has passed', order({ deliverBefore: '2001-01-01T00:00:00Z' }), 422, ''],
    ['too many addresses', order({ to: Array(6).fill(ALICE) }), 413, 'more than 5 addresses'],
    [
      'content over the limit',
      order({ content: { type: 'a/b', text: 'x'.repeat(1001) } }),
      413,
      'content over 1000',
    ],
    [
      'a replacement of nothing',
      order({ replace: { pushId: 'p0' } }),
      404,
      'the push to be replaced is not known',
    ],
  ])('refuses %s and stores nothing', async (_what, body, status, detail) => {
    const answer = await api.ask('POST', '/v1/pushes', { body });
    expect([answer.status, answer.json['detail']]).toEqual([status, expect.stringContaining(detail)]);
    expect((await api.ask('GET', '/v1/pushes')).json['pushes']).toEqual([]);
  });

  it.each([
    ['Content-Type'],
    ['content-length'],
    ['Content-Transfer-Encoding'],
    ['Authorization'],
    ['X-Bad Name'],
    ['Push-Flag'],
  ])('refuses the content header %s', async (name) => {
    const content = { type: 'a/b', text: '', headers: { [name]: 'x' } };
    const { status, json } = await api.submit(order({ content }));
    expect([status, json['detail']]).toEqual([400, expect.stringContaining(`content.headers.${name}: `)]);
  });

  it('refuses a content header that would make two of one', async () => {
    const content = { type: 'a/b', text: '', headers: { 'X-A': 'b\r\nX-C: d' } };
    expect((await api.submit(order({ content }))).status).toBe(400);
  });

  it('refuses a body that is larger than any push could need', async () => {
    const { status } = await api.submit(order({ sourceReference: 'x'.repeat(20_000) }));
    expect(status).toBe(413);
  });

  it('takes JSON only', async () => {
    const { status } = await api.submit(order(), { headers: { 'content-type': 'text/plain' } });
    expect(status).toBe(415);
  });

  it('keeps an initiator within its rights, and says which', async () => {
    api.known.set('pi', { rights: { addresses: ['tel:+43*'] } });
    const { status, json } = await api.submit(order());
    expect([status, json['detail']]).toEqual([403, `address ${ALICE} is not allowed for this initiator`]);
  });

  it('asks to come again when a rate or a quota of the initiator is used up, and says when', async () => {
    api.known.set('pi', { limits: { pushesPerSecond: 0.1 } });
    await api.submit(order());
    const { status, headers, json } = await api.submit(order({ pushId: 'p2' }));
    expect([status, headers.get('retry-after')]).toEqual([429, '10']);
    expect(json['detail']).toBe('rate limit of 0.1 pushes/s reached, try again in 10 s');
    api.known.set('pi', { limits: { pendingPushes: 1 } });
    await api.submit(order({ pushId: 'p3' }));
    const full = await api.submit(order({ pushId: 'p4' }));
    expect([full.status, full.headers.get('retry-after')]).toEqual([429, '1']);
  });

  it('asks to come again when the store is away', async () => {
    api.storeInstead.accept = async () => {
      throw new DeliveryError('busy', 'redis at 10.0.0.1 is gone');
    };
    const { status, headers, json } = await api.submit(order());
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    expect(JSON.stringify(json)).not.toContain('10.0.0.1');
  });
});

describe('submitting again', () => {
  it('the same is answered 200 with the same push, and nothing is done', async () => {
    const first = await api.submit(order());
    await api.stage.clock.advance(5000);
    const again = await api.submit(order());
    expect(again.status).toBe(200);
    expect(again.json).toEqual(first.json);
    expect(again.headers.get('location')).toBe('/v1/pushes/p1');
    expect(await lane()).toHaveLength(1);
  });

  it('the same written differently is the same', async () => {
    await api.submit(order());
    const { pushId, to } = order();
    const text = JSON.stringify({ content: { text: 'Grüezi', type: 'text/plain' }, to, pushId }, null, 4);
    expect((await api.ask('POST', '/v1/pushes', { body: text })).status).toBe(200);
  });

  it.each([
    ['content', { content: { type: 'text/plain', text: 'Ciao' } }],
    ['addresses', { to: [BOB] }],
    ['a deadline', { deliverBefore: '2099-01-01T00:00:00Z' }],
    ['a place to tell', { notify: { url: 'https://pi.test/', secret: SECRET } }],
  ])('with other %s is refused', async (_what, changes) => {
    await api.submit(order());
    const { status, json } = await api.submit(order(changes));
    expect([status, json['code']]).toEqual([409, 'duplicatePush']);
  });

  it('is answered the same after the reason to accept it has gone', async () => {
    const deliverBefore = iso(api.stage.clock.now() + 1000);
    await api.submit(order({ deliverBefore }));
    await api.stage.clock.advance(2000);
    api.stage.users.clear();
    expect((await api.submit(order({ deliverBefore }))).status).toBe(200);
  });

  it('is no repeat when somebody else does', async () => {
    await api.submit(order());
    expect((await api.submit(order(), { as: 'other' })).status).toBe(202);
  });

  it('what came by PAP is refused', async () => {
    await api.stage.submit({ pushId: 'p1' });
    expect((await api.submit(order())).status).toBe(409);
  });

  it('at the same moment makes one push', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => api.submit(order())));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(7).fill(200), 202]);
    expect(await lane()).toHaveLength(1);
  });
});

describe('replacing', () => {
  const replacing = (changes: object = {}) => order({ pushId: 'p2', replace: { pushId: 'p1', ...changes } });

  it('takes the older push back and puts the newer one in its place', async () => {
    await api.submit(order());
    expect((await api.submit(replacing())).status).toBe(202);
    expect(await lane()).toEqual([pushUid('pi', 'p2')]);
    expect((await api.ask('GET', '/v1/pushes/p1')).json['state']).toBe('cancelled');
  });

  it('again is answered the same', async () => {
    await api.submit(order());
    await api.submit(replacing());
    expect((await api.submit(replacing())).status).toBe(200);
  });

  it('comes too late when only what is pending may be replaced, and nothing is', async () => {
    await api.submit(order());
    await api.ask('DELETE', '/v1/pushes/p1');
    const { status, json } = await api.submit(replacing({ method: 'pending-only' }));
    expect([status, json['code']]).toEqual([409, 'tooLate']);
  });

  it('reaches no push of others', async () => {
    await api.submit(order());
    expect((await api.submit(replacing(), { as: 'other' })).status).toBe(404);
    expect(await lane()).toEqual([pushUid('pi', 'p1')]);
  });
});

describe('Idempotency-Key', () => {
  const { pushId: _, ...unnamed } = order();
  const withKey = (key: string, body: object = unnamed) =>
    api.submit(body, { headers: { 'idempotency-key': key } });

  it('names a push that has no name', async () => {
    expect((await withKey('k-1')).json['pushId']).toBe('k-1');
    expect((await withKey('k-1')).status).toBe(200);
  });

  it('may be quoted', async () => {
    await withKey('k-1');
    expect((await withKey('"k-1"')).status).toBe(200);
  });

  it('used for something else is refused', async () => {
    await withKey('k-1');
    expect((await withKey('k-1', { ...unnamed, to: [BOB] })).status).toBe(409);
  });

  it('does not name a push that has another name', async () => {
    expect((await withKey('k-1', order())).status).toBe(400);
    expect((await withKey('p1', order())).status).toBe(202);
  });

  it.each(['two words', '"open', `${'k'.repeat(256)}`])('cannot be %s', async (key) => {
    expect((await withKey(key)).status).toBe(400);
  });

  it('and push-id both absent: the push gets a name of its own', async () => {
    const [one, two] = [await api.submit(unnamed), await api.submit(unnamed)];
    expect(one.json['pushId']).toMatch(/^[A-Za-z0-9_-]{24}$/);
    expect(two.json['pushId']).not.toBe(one.json['pushId']);
  });
});

describe('reading', () => {
  it('tells what has become of a push', async () => {
    await api.submit(order({ to: [BOB, 'sip:nobody@example.test'] }));
    const { json } = await api.ask('GET', '/v1/pushes/p1');
    expect(json['state']).toBe('pending');
    expect(recipients(json)).toMatchObject([
      { address: BOB, state: 'pending', code: 1001 },
      { state: 'rejected', code: 2003, reason: 'nobody is known by this address' },
    ]);
  });

  it('tells of a push that ended in different ways that it did', async () => {
    await api.submit(order({ to: [BOB, 'sip:nobody@example.test'] }));
    const [terminal = PHONE] = (await stored()).recipients[0]?.terminals ?? [];
    const at = api.stage.clock.now();
    await api.stage.store.settle(pushUid('pi', 'p1'), terminal, { event: 'deliver', at, notifyAt: at });
    expect((await api.ask('GET', '/v1/pushes/p1')).json['state']).toBe('mixed');
  });

  it('names no terminal, no decision and no address of ours', async () => {
    await api.submit(order());
    const text = JSON.stringify((await api.ask('GET', '/v1/pushes/p1')).json);
    for (const internal of [PHONE, PC, 'phone', 'decision', 'uid']) expect(text).not.toContain(internal);
  });

  it('finds a push that came by PAP', async () => {
    await api.stage.submit({ pushId: 'by-pap' });
    const { json } = await api.ask('GET', '/v1/pushes/by-pap');
    expect(json).toMatchObject({ pushId: 'by-pap', state: 'pending' });
  });

  it('finds a push whose name needs escapes', async () => {
    const pushId = 'a/b ü?#%@pi.test';
    const { headers } = await api.submit(order({ pushId }));
    expect((await api.ask('GET', headers.get('location') ?? '')).json['pushId']).toBe(pushId);
  });

  it('finds nothing of others', async () => {
    await api.submit(order());
    const { status, json } = await api.ask('GET', '/v1/pushes/p1', { as: 'other' });
    expect([status, json['code']]).toEqual([404, 'pushNotFound']);
  });

  it('tells how telling the initiator goes, without what went wrong on our side', async () => {
    await api.submit(
      order({ to: [BOB, 'sip:nobody@example.test'], notify: { url: 'http://x/', secret: SECRET } }),
    );
    const [owed] = [
      { recipient: 1, state: 'owed', attempts: 2, at: 1, lastError: 'ECONNREFUSED 10.0.0.9' },
    ] as const;
    await api.stage.store.recordResult(pushUid('pi', 'p1'), owed, 5);
    const { json } = await api.ask('GET', '/v1/pushes/p1');
    expect(recipients(json)[1]?.['notification']).toEqual({ state: 'owed', attempts: 2 });
    expect(JSON.stringify(json)).not.toContain('10.0.0.9');
  });

  it('lists the own pushes in pages', async () => {
    for (const pushId of ['a', 'b', 'c']) {
      await api.submit(order({ pushId }));
      await api.stage.clock.advance(10);
    }
    await api.submit(order(), { as: 'other' });
    const ids = (json: object) =>
      (json as { pushes: { pushId: string }[] }).pushes.map(({ pushId }) => pushId);
    const first = await api.ask('GET', '/v1/pushes?limit=2');
    const second = await api.ask('GET', `/v1/pushes?limit=2&cursor=${String(first.json['cursor'])}`);
    expect([ids(first.json), ids(second.json)]).toEqual([['c', 'b'], ['a']]);
  });

  it('lists pushes in a state', async () => {
    await api.submit(order());
    expect((await api.ask('GET', '/v1/pushes?state=delivered')).json['pushes']).toEqual([]);
    expect((await api.ask('GET', '/v1/pushes?state=pending')).json['pushes']).toHaveLength(1);
  });

  it.each(['state=held', 'limit=0', 'limit=201', 'cursor=%00', 'initiator=other'])(
    'refuses the query %s',
    async (text) => {
      expect((await api.ask('GET', `/v1/pushes?${text}`)).status).toBe(400);
    },
  );
});

describe('taking back', () => {
  it('tells for each address what was taken back', async () => {
    await api.submit(order({ to: [ALICE, BOB] }));
    const [terminal = PHONE] = (await stored()).recipients[1]?.terminals ?? [];
    const at = api.stage.clock.now();
    await api.stage.store.settle(pushUid('pi', 'p1'), terminal, { event: 'deliver', at, notifyAt: at });
    const { status, json } = await api.ask('DELETE', '/v1/pushes/p1');
    expect(status).toBe(200);
    expect(recipients(json)).toMatchObject([
      { state: 'cancelled', outcome: 'cancelled' },
      { state: 'delivered', outcome: 'tooLate' },
    ]);
    expect(await lane()).toEqual([]);
  });

  it('again says the same', async () => {
    await api.submit(order());
    const first = await api.ask('DELETE', '/v1/pushes/p1');
    const again = await api.ask('DELETE', '/v1/pushes/p1');
    expect([again.status, again.json]).toEqual([200, first.json]);
  });

  it('comes too late when nothing is held any more', async () => {
    await api.submit(order({ to: [BOB] }));
    const [terminal = PHONE] = (await stored()).recipients[0]?.terminals ?? [];
    const at = api.stage.clock.now();
    await api.stage.store.settle(pushUid('pi', 'p1'), terminal, { event: 'deliver', at, notifyAt: at });
    const { status, json } = await api.ask('DELETE', '/v1/pushes/p1');
    expect([status, json['code'], json['detail']]).toEqual([
      409,
      'tooLate',
      'nothing of the push is held any more: delivered',
    ]);
  });

  it('finds nothing of others, and leaves it alone', async () => {
    await api.submit(order());
    expect((await api.ask('DELETE', '/v1/pushes/p1', { as: 'other' })).status).toBe(404);
    expect(await lane()).toHaveLength(1);
  });
});

describe('the door', () => {
  it('is closed to whoever is not known, before anything is read', async () => {
    const { status, headers, json } = await api.ask('POST', '/v1/pushes', { as: 'stranger', body: '{' });
    expect([status, json['code']]).toEqual([401, 'unauthenticated']);
    expect(headers.get('www-authenticate')).toBe('Basic realm="carillon"');
  });

  it('serves no other methods, and says which', async () => {
    const { status, headers } = await api.ask('PUT', '/v1/pushes/p1', { isDescribed: false });
    expect([status, headers.get('allow')]).toEqual([405, 'DELETE, GET, HEAD, OPTIONS']);
  });

  it('leaves other paths to others', async () => {
    const { status, json } = await api.ask('GET', '/v1/pushes-of-others', { isDescribed: false });
    expect([status, json]).toEqual([404, {}]);
  });

  it('refuses a broken escape', async () => {
    expect((await api.ask('GET', '/v1/pushes/%ff')).status).toBe(400);
  });
});
