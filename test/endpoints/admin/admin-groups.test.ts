/** Groups through the admin API. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { publicUserIdentity } from '../../../src/registry/public-user-identity.js';
import { AdminRig } from '../../support/admin.js';

const GROUPS = '/admin/v1/groups';
const FAMILY = `${GROUPS}/sip%3Afamily%40example.test`;
const ALICE = '/admin/v1/users/sip%3Aalice%40example.test';
const family = { group: 'sip:family@example.test', members: ['sip:alice@example.test', 'tel:+43664'] };

let rig: AdminRig;
beforeEach(async () => {
  rig = await AdminRig.start();
});
afterEach(() => rig[Symbol.asyncDispose]());

const put = (members: unknown, path = FAMILY) => rig.ask('PUT', path, { body: { members } });

it('are created with 201 and replaced with 200', async () => {
  const created = await put(['sip:alice@EXAMPLE.test', 'tel:+43-664']);
  expect([created.status, created.json]).toEqual([201, family]);
  expect((await put(['sip:bob@example.test'])).status).toBe(200);
  expect((await rig.ask('GET', FAMILY)).json['members']).toEqual(['sip:bob@example.test']);
});

it('are listed in pages', async () => {
  for (const name of ['b', 'a', 'c']) await put(['tel:+431'], `${GROUPS}/sip%3A${name}%40example.test`);
  const first = await rig.ask('GET', `${GROUPS}?limit=2`);
  expect(first.json['groups']).toHaveLength(2);
  const second = await rig.ask('GET', `${GROUPS}?limit=2&cursor=${String(first.json['cursor'])}`);
  expect(second.json).toEqual({ groups: [{ group: 'sip:c@example.test', members: ['tel:+431'] }] });
});

it('are removed with 204, and are then unknown', async () => {
  await put(family.members);
  expect((await rig.ask('DELETE', FAMILY)).status).toBe(204);
  expect((await rig.ask('DELETE', FAMILY)).status).toBe(404);
  expect((await rig.ask('GET', FAMILY)).status).toBe(404);
});

it.each([
  ['an address of another kind', `${GROUPS}/family`, ['tel:+431'], 'group: '],
  ['no members', FAMILY, [], 'members: '],
  ['a member that is no address', FAMILY, ['tel:+431', 'bob'], 'members[1]: '],
])('are refused with %s', async (_, path, members, detail) => {
  const answer = await put(members, path);
  expect([answer.status, answer.json['detail']]).toEqual([400, expect.stringContaining(detail)]);
});

it('cannot have the address or an alias of a user', async () => {
  const id = publicUserIdentity('sip:alice@example.test');
  await rig.registry.putUser({ id, aliases: [family.group], policy: { target: 'all-subscribed' } });
  expect((await put(['tel:+431'])).status).toBe(409);
});

it('keep their address from users, as identity and as alias', async () => {
  await put(family.members);
  expect((await rig.ask('PUT', ALICE, { body: { aliases: [family.group] } })).status).toBe(409);
  const path = '/admin/v1/users/sip%3Afamily%40example.test';
  expect((await rig.ask('PUT', path, { body: {} })).status).toBe(409);
});
