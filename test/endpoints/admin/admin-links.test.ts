/** Links to message centres through the admin API. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DeliveryError } from '../../../src/kernel/errors.js';
import type { LinkView } from '../../../src/transports/smpp/link-options.js';
import { AdminRig, NOW } from '../../support/admin.js';

const LINK: LinkView = {
  name: 'a',
  host: 'smsc.example.test',
  port: 2775,
  bind: 'transceiver',
  state: 'bound',
  since: NOW,
  mode: 'running',
  window: 10,
  underWay: 2,
  queued: 3,
  queueAgeMs: 40,
  breaker: 'closed',
};

let rig: AdminRig;
beforeEach(async () => {
  rig = await AdminRig.start();
  rig.links.push(LINK, {
    ...LINK,
    name: 'b',
    state: 'waiting',
    reason: 'ECONNREFUSED',
    throttledUntil: NOW + 1000,
    segmentsPerSecond: 12.5,
  });
});
afterEach(() => rig[Symbol.asyncDispose]());

it('are listed with their state, window and queue', async () => {
  const { json } = await rig.ask('GET', '/admin/v1/links');
  expect(json['links']).toMatchObject([
    { name: 'a', state: 'bound', window: 10, underWay: 2, queued: 3, queueAgeMs: 40 },
    { name: 'b', state: 'waiting', reason: 'ECONNREFUSED', throttledUntil: '2026-03-01T08:00:01.000Z' },
  ]);
});

it('are shown one by one', async () => {
  expect((await rig.ask('GET', '/admin/v1/links/a')).json).toMatchObject({ name: 'a', mode: 'running' });
  expect((await rig.ask('GET', '/admin/v1/links/c')).status).toBe(404);
});

it.each(['paused', 'draining', 'running'])('are told to be %s, which is audited', async (mode) => {
  const answer = await rig.ask('PATCH', '/admin/v1/links/a', { body: { mode } });
  expect([answer.status, answer.json['mode']]).toEqual([200, mode]);
  expect(rig.audit).toMatchObject([{ what: 'link.change', result: mode === 'running' ? 'unchanged' : mode }]);
});

it('show why they are paused and since when, until they run again', async () => {
  const paused = { mode: 'paused', reason: 'the SMSC is being moved' };
  const { json } = await rig.ask('PATCH', '/admin/v1/links/a', { body: paused });
  expect(json).toMatchObject({
    mode: 'paused',
    hold: { reason: 'the SMSC is being moved', since: '2026-03-01T08:00:00.000Z' },
  });
  expect((await rig.ask('GET', '/admin/v1/links/a')).json).toEqual(json);
  const running = await rig.ask('PATCH', '/admin/v1/links/a', { body: { mode: 'running' } });
  expect(running.json).not.toHaveProperty('hold');
});

it('are as they were when what they are told cannot be kept, and that is audited', async () => {
  rig.orderFailure = new DeliveryError('busy', 'Redis is away');
  const answer = await rig.ask('PATCH', '/admin/v1/links/a', { body: { mode: 'paused' } });
  expect(answer.status).toBe(503);
  expect(rig.audit).toMatchObject([{ what: 'link.change', result: 'busy' }]);
});

it.each([
  ['a mode that there is not', { mode: 'off' }],
  ['something else besides', { mode: 'paused', window: 3 }],
  ['no mode', {}],
  ['why to run', { mode: 'running', reason: 'enough' }],
  ['a reason with a line break', { mode: 'paused', reason: 'a\nb' }],
])('are not told %s', async (_, body) => {
  expect((await rig.ask('PATCH', '/admin/v1/links/a', { body })).status).toBe(400);
});
