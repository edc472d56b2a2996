/** A SIR as a SIP MESSAGE: where the device identity stands in each mode (SIR-49 … SIR-52, SIR-67 … SIR-70, SIR-80, SIR-81, SIR-142). */
import { describe, expect, it } from 'vitest';
import { sirRequest } from '../../src/bearers/sip-sir.js';
import { decodeSia } from '../../src/protocols/sia/index.js';
import type { Sir } from '../../src/push/sir.js';
import { type DeviceIdentity, deviceIdentity } from '../../src/registry/device-identity.js';
import type { PublicUserIdentity } from '../../src/registry/public-user-identity.js';

const ALICE = 'sip:alice@example.test' as PublicUserIdentity;
const URN = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
const UUID = deviceIdentity('uuid', URN);
const GRUU = deviceIdentity('gruu', `${ALICE};gr=${URN}`);
const SERIAL = deviceIdentity('esn', '80AB12CD');
const CONTACT = { uri: 'sip:alice@192.0.2.7:5070', address: 'sip:alice@192.0.2.7:5070' };
const TO_ITSELF = { uri: `${ALICE};gr=${URN}`, address: CONTACT.uri };
const PICKED = `*;+sip.instance="<${URN}>";require;explicit`;

const sir: Sir = {
  id: 't1.x',
  user: ALICE,
  mode: 'routed',
  audience: 'terminal',
  device: UUID,
  identityIn: ['header', 'body'],
  applicationId: 'x-wap-application:mms.ua',
  return: [],
  send: [],
  createdAt: 1,
  expiresAt: 2,
};

type Change = Omit<Partial<Sir>, 'device'> & { readonly device?: DeviceIdentity | undefined };

function places(more: Change, target = TO_ITSELF) {
  const { device: _, ...rest } = { ...sir, ...more };
  const device: DeviceIdentity | undefined = 'device' in more ? more.device : UUID;
  const request = sirRequest(device ? { ...rest, device } : rest, target, {
    ppgUri: 'sip:ppg@example.test',
    contactPoint: { address: '192.0.2.1', port: 5060 },
  });
  const header = (name: string) =>
    (request.headers ?? []).filter((one) => one.name === name).map(({ value }) => value);
  return {
    to: request.to,
    value: header('X-Push-Device-Identity'),
    picks: header('Accept-Contact').filter((value) => value.includes('sip.instance')),
    body: decodeSia(request.body ?? new Uint8Array()).extension?.identities,
  };
}

describe('the device identity stands', () => {
  it.each<[string, Change, typeof TO_ITSELF, ReturnType<typeof places>]>([
    [
      'in To and in the body of a routed SIR (Tables 1 and 2)',
      {},
      TO_ITSELF,
      { to: `<${TO_ITSELF.uri}>`, value: [], picks: [], body: [URN] },
    ],
    [
      'as it is when it is a GRUU',
      { device: GRUU },
      { ...TO_ITSELF, uri: GRUU.value },
      { to: `<${GRUU.value}>`, value: [], picks: [], body: [GRUU.value] },
    ],
    [
      'beside To when no SIP address can say it',
      { device: SERIAL },
      CONTACT,
      { to: `<${ALICE}>`, value: [SERIAL.value], picks: [], body: [SERIAL.value] },
    ],
    [
      'where a proxy looks for it',
      { mode: 'proxy-routed', identityIn: ['value', 'body'] },
      CONTACT,
      { to: `<${ALICE}>`, value: [URN], picks: [PICKED], body: [URN] },
    ],
    [
      'as a filter that nothing routes by',
      { mode: 'filtered', audience: 'user', identityIn: ['value', 'body'] },
      CONTACT,
      { to: `<${ALICE}>`, value: [URN], picks: [], body: [URN] },
    ],
    [
      'in the To of a SIR with a filter, as Table 1 has it, though it is routed by the user',
      { mode: 'filtered', audience: 'user' },
      CONTACT,
      { to: `<${ALICE};gr=${URN}>`, value: [], picks: [], body: [URN] },
    ],
    [
      'in the body alone when the rules say so',
      { identityIn: ['body'] },
      CONTACT,
      { to: `<${ALICE}>`, value: [], picks: [], body: [URN] },
    ],
    [
      'nowhere in an open one',
      { mode: 'open', audience: 'user', device: undefined, identityIn: [] },
      CONTACT,
      { to: `<${ALICE}>`, value: [], picks: [], body: [] },
    ],
  ])('%s', (_, more, target, expected) => {
    expect(places(more, target)).toEqual(expected);
  });
});
