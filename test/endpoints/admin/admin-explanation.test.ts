/** Why a push would go where: the answer of the admin API, from the functions that decide for real pushes. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bearer } from '../../../src/push/ports.js';
import { type PushStory, pushUid } from '../../../src/push/push-message.js';
import { publicUserIdentity } from '../../../src/registry/public-user-identity.js';
import { terminalId } from '../../../src/registry/terminal-id.js';
import { AdminRig, emptyLane, NOW } from '../../support/admin.js';
import { initiatorWith } from '../../support/memory-initiators.js';

const alice = publicUserIdentity('sip:alice@example.test');
const phone = terminalId(alice, 'phone');
const IMEI = 'urn:gsma:imei:35209900-176148-1';
const PATH = `/admin/v1/users/${encodeURIComponent(alice)}/explanation`;
const bearer = (more: Partial<Bearer> = {}): Bearer => ({
  wake: async () => ({ kind: 'handed', detail: '' }),
  ...more,
});

let rig: AdminRig;
beforeEach(async () => {
  rig = await AdminRig.start();
  rig.bearers.set('sip', bearer({ presence: async () => 'hidden' }));
  rig.bearers.set('sms', bearer({ carry: async () => ({ kind: 'confirmed' }) }));
  const base = `/admin/v1/users/${encodeURIComponent(alice)}`;
  await rig.ask('PUT', base, { body: {} });
  const body = {
    identities: [{ kind: 'imei', value: IMEI }],
    activation: [
      { bearer: 'sip' },
      { bearer: 'sms', address: '+436641234567' },
      { bearer: 'ussd', address: '+436641234567' },
    ],
    subscriptions: ['x-wap-application:mms.ua'],
  };
  await rig.ask('PUT', `${base}/terminals/phone`, { body });
  await rig.ask('PUT', `${base}/terminals/pc`, { body: {} });
});
afterEach(() => rig[Symbol.asyncDispose]());

const terminalsOf = (json: Readonly<Record<string, unknown>>) =>
  Object.fromEntries((json['terminals'] as { terminal: string }[]).map((one) => [one.terminal, one]));

describe('the explanation', () => {
  it('tells every terminal, its ways in order, and how a SIR would find it', async () => {
    const { json } = await rig.ask('GET', `${PATH}?application=x-wap-application:mms.ua`);
    expect(json).toMatchObject({
      user: alice,
      multi: true,
      policy: 'all-subscribed',
      settings: [{ setting: 'target', value: 'all-subscribed', from: 'the default (push.defaultPolicy)' }],
    });
    expect(terminalsOf(json)['phone']).toMatchObject({
      id: phone,
      selected: true,
      reasons: ['subscribed to x-wap-application:mms.ua'],
      connection: 'none',
      ways: [
        {
          bearer: 'sip',
          carries: 'sir',
          reasons: ['number 1 of the activation methods'],
          sir: {
            mode: 'filtered',
            audience: 'user',
            device: IMEI,
            identityIn: ['header', 'body'],
            reasons: ['filtered (B): no way leads to the terminal alone, and its identity tells it apart'],
          },
        },
        { bearer: 'sms', address: '+436641234567', sir: { mode: 'routed', audience: 'terminal' } },
        {
          bearer: 'ussd',
          reasons: ['this gateway has no ussd bearer', 'number 3 of the activation methods'],
        },
      ],
      leftOut: [],
    });
    expect(terminalsOf(json)['pc']).toMatchObject({ ways: [{ sir: { mode: 'open' } }] });
  });

  it('tells why a terminal is left out, and why the push would be refused', async () => {
    const { json } = await rig.ask('GET', PATH);
    expect(terminalsOf(json)['phone']).toMatchObject({
      selected: false,
      reasons: ['not subscribed to x-wap-application:wml.ua'],
      ways: [],
    });
    const { json: unknown } = await rig.ask('GET', `${PATH}?device=urn:foo:bar`);
    expect(unknown['refusal']).toBe('the user has no such terminal');
  });

  it('names the rule behind each setting, and the bearers that it leaves out', async () => {
    await rig.ask('PUT', `/admin/v1/users/${encodeURIComponent(alice)}`, {
      body: { policy: { rules: [{ when: { applications: ['mms.ua'] }, bearers: ['sms'], mode: 'plain' }] } },
    });
    const { json } = await rig.ask('GET', `${PATH}?application=x-wap-application:mms.ua`);
    expect(json['settings']).toEqual(
      expect.arrayContaining([
        { setting: 'mode', value: 'plain', from: "the user's rule 1" },
        { setting: 'bearers', value: ['sms'], from: "the user's rule 1" },
      ]),
    );
    expect(terminalsOf(json)['phone']).toMatchObject({
      ways: [{ bearer: 'sms', sir: { mode: 'plain' } }],
      leftOut: [
        { bearer: 'sip', reason: "the user's rule 1 allows sms" },
        { bearer: 'ussd', reason: "the user's rule 1 allows sms" },
      ],
    });
  });

  it('tells that a terminal is connected, on hold, or does not want to be woken', async () => {
    const lane = emptyLane(phone);
    rig.lanes.set(phone, {
      ...lane,
      connections: { session: { id: 's', node: 'n' } },
      hold: { reason: 'lost', since: NOW },
    });
    const quietHours = { from: '07:00', to: '10:00', timeZone: 'UTC' };
    await rig.registry.changeTerminal(alice, phone, (before) => {
      if (!before) throw new Error('there is no phone');
      return { ...before, preferences: { quietHours } };
    });
    const { json } = await rig.ask('GET', `${PATH}?application=x-wap-application:mms.ua`);
    expect(terminalsOf(json)['phone']).toMatchObject({
      connection: 'session',
      hold: 'lost',
      quietUntil: '2026-03-01T10:00:00.000Z',
    });
  });

  it('can be asked for a push that was submitted', async () => {
    await rig.stored.put(await initiatorWith('pi', 'x'));
    const story: PushStory = {
      push: {
        uid: pushUid('pi', 'mms@pi'),
        initiator: 'pi',
        pushId: 'mms@pi',
        acceptedAt: NOW,
        expiresAt: NOW + 1000,
        content: {
          contentType: 'image/png',
          headers: [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:mms.ua' }],
          size: 1,
        },
        papVersion: '2.0',
        progressNotes: false,
        quality: {
          priority: 'medium',
          deliveryMethod: 'notspecified',
          networkRequired: false,
          bearer: 'sms',
          bearerRequired: true,
        },
        recipients: [{ address: 'WAPPUSH=alice/TYPE=USER@x', terminals: [phone] }],
      },
      deliveries: [{ terminal: phone, state: 'held', at: NOW, attempts: 0 }],
      results: [],
    };
    rig.pushes.add(story);
    const { json } = await rig.ask('GET', `${PATH}?pushId=mms%40pi`);
    expect(terminalsOf(json)['phone']).toMatchObject({
      ways: [{ bearer: 'sms', reasons: ['the push wishes sms', 'number 2 of the activation methods'] }],
      leftOut: [
        { bearer: 'sip', reason: 'the push requires another bearer' },
        { bearer: 'ussd', reason: 'the push requires another bearer' },
      ],
    });
    expect((await rig.ask('GET', `${PATH}?pushId=none`)).status).toBe(404);
  });

  it.each(['?scope=some', '?device=%20', '?pushId=x&application=y'])('refuses %s', async (parameters) => {
    expect((await rig.ask('GET', `${PATH}${parameters}`)).status).toBe(400);
  });

  it('is for users that exist', async () => {
    expect((await rig.ask('GET', '/admin/v1/users/sip:eve@example.test/explanation')).status).toBe(404);
  });
});
