/** Capabilities of terminals through the admin API. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { publicUserIdentity } from '../../../src/registry/public-user-identity.js';
import { terminalId } from '../../../src/registry/terminal-id.js';
import { AdminRig, NOW } from '../../support/admin.js';

const ALICE = publicUserIdentity('sip:alice@example.test');
const PHONE = '/admin/v1/users/sip%3Aalice%40example.test/terminals/phone';

let rig: AdminRig;
beforeEach(async () => {
  rig = await AdminRig.start();
  await rig.registry.putUser({ id: ALICE, aliases: [], policy: { target: 'all-subscribed' } });
});
afterEach(() => rig[Symbol.asyncDispose]());

const put = (capabilities: unknown) => rig.ask('PUT', PHONE, { body: { capabilities } });

it('are shown as they were provisioned, unknown keys too', async () => {
  const capabilities = { accept: ['text/plain'], maxMessageSize: 1400, hologram: { depth: 3 } };
  expect((await put(capabilities)).json['capabilities']).toEqual(capabilities);
});

it('given as RDF are shown as the attributes that were read', async () => {
  const uaProf =
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:prf="http://www.wapforum.org/profiles/UAPROF/ccppschema-20010430#"><prf:HardwarePlatform><prf:Model>N1</prf:Model></prf:HardwarePlatform></rdf:RDF>';
  expect((await put({ uaProf })).json['capabilities']).toEqual({ uaProf: { Model: 'N1' } });
});

it('that cannot be read are refused with their path', async () => {
  const answer = await put({ uaProf: '<rdf:RDF/>' });
  expect([answer.status, answer.json['detail']]).toEqual([
    400,
    expect.stringContaining('capabilities.uaProf'),
  ]);
});

it('that the terminal reported are shown beside them, and outlive a replacement', async () => {
  await rig.registry.putTerminal({
    id: terminalId(ALICE, 'phone'),
    user: ALICE,
    name: 'phone',
    identities: [],
    activation: [],
    preferences: {},
    capabilities: {},
    reported: { cpi: { at: NOW, maxMessageSize: 1400, tag: '1a2b' } },
    origin: 'registered',
  });
  await put({ accept: ['text/plain'] });
  expect((await rig.ask('GET', PHONE)).json['reported']).toEqual({
    cpi: { at: new Date(NOW).toISOString(), maxMessageSize: 1400, tag: '1a2b' },
  });
});
