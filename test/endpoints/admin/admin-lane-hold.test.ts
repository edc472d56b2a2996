/** Holding and releasing the lane of a terminal through the admin API. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { publicUserIdentity } from '../../../src/registry/public-user-identity.js';
import { terminalId } from '../../../src/registry/terminal-id.js';
import { AdminRig } from '../../support/admin.js';

const ALICE = '/admin/v1/users/sip%3Aalice%40example.test';
const LANE = `${ALICE}/terminals/phone/lane`;
const phone = terminalId(publicUserIdentity('sip:alice@example.test'), 'phone');

let rig: AdminRig;
beforeEach(async () => {
  rig = await AdminRig.start();
  await rig.ask('PUT', ALICE, { body: {} });
  await rig.ask('PUT', `${ALICE}/terminals/phone`, { body: {} });
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

const hold = (body: unknown = { reason: 'a complaint' }) => rig.ask('POST', `${LANE}/hold`, { body });
const audited = () => rig.audit.slice(2).map(({ what, path, result }) => ({ what, path, result }));

describe('a lane that is put on hold', () => {
  it('is shown as such, with the reason and since when', async () => {
    const { status, json } = await hold();
    expect(status).toBe(200);
    expect(json).toMatchObject({
      state: 'onHold',
      isHeld: true,
      hold: { reason: 'a complaint', since: '2026-03-01T08:00:00.000Z' },
    });
    expect((await rig.ask('GET', LANE)).json).toEqual(json);
  });

  it('can be put on hold again, for another reason', async () => {
    await hold();
    const { status, json } = await hold({ reason: 'two complaints' });
    expect(status).toBe(200);
    expect(json['hold']).toMatchObject({ reason: 'two complaints' });
  });

  it('leaves an audit line for each time', async () => {
    await hold();
    await hold();
    await hold({});
    const path = '/admin/v1/users/sip:alice@example.test/terminals/phone/lane/hold';
    expect(audited()).toEqual([
      { what: 'lane.hold', path, result: 'held' },
      { what: 'lane.hold', path, result: 'reason replaced' },
      { what: 'lane.hold', path, result: 'malformed' },
    ]);
  });

  it.each([
    [{}, /^reason: /],
    [{ reason: '' }, /^reason: /],
    [{ reason: 'x'.repeat(257) }, /^reason: /],
    [{ reason: 'a\nb' }, /^reason: control characters/],
    [{ reason: 5 }, /^reason: /],
    [{ reason: 'x', until: 'tomorrow' }, /^body: .*until/],
    [[], /^body: /],
  ])('needs a reason for people, not %j', async (body, detail) => {
    const answer = await hold(body);
    expect(answer.status).toBe(400);
    expect(answer.json['detail']).toMatch(detail);
    expect((await rig.ask('GET', LANE)).json['isHeld']).toBe(false);
  });

  it('has to belong to somebody', async () => {
    const path = `${ALICE}/terminals/pc/lane`;
    expect((await rig.ask('POST', `${path}/hold`, { body: { reason: 'x' } })).status).toBe(404);
    expect((await rig.ask('POST', `${path}/release`)).status).toBe(404);
  });

  it('is not on hold any more for a terminal that comes back under the name of a removed one', async () => {
    await hold();
    await rig.ask('DELETE', `${ALICE}/terminals/phone`);
    expect(rig.lanes.get(phone)?.hold).toBeUndefined();
  });
});

describe('a lane that is released', () => {
  it('is shown without a hold', async () => {
    await hold();
    const { status, json } = await rig.ask('POST', `${LANE}/release`);
    expect(status).toBe(200);
    expect(json['isHeld']).toBe(false);
    expect(json['hold']).toBeUndefined();
  });

  it('leaves an audit line, also when it was not on hold', async () => {
    await hold();
    await rig.ask('POST', `${LANE}/release`);
    await rig.ask('POST', `${LANE}/release`);
    expect(audited().map(({ what, result }) => `${what} ${result}`)).toEqual([
      'lane.hold held',
      'lane.release released',
      'lane.release unchanged',
    ]);
  });
});
