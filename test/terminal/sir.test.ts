/** What a terminal reads out of a SIR, wherever it stands (SIR-49 … SIR-61, SIR-67 … SIR-70, SIR-82 … SIR-85). */
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../src/kernel/errors.js';
import { encodeSia, type SiaExtension } from '../../src/protocols/sia/index.js';
import type { SipHeader, SipRequest } from '../../src/protocols/sip/index.js';
import { sirOfBody, sirOfRequest } from '../../src/terminal/sir.js';
import { mutated } from '../support/mutations.js';
import { fullSia } from '../support/scripted-gateway.js';
import { seededRandom } from '../support/seeded-random.js';

const PHONE = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
const PEER = { address: '10.0.0.5', port: 5060 };
const EMPTY: SiaExtension = { identities: [], return: [], send: [], unknown: [] };

function message(headers: Record<string, string>, extension?: Partial<SiaExtension>): SipRequest {
  const all: Record<string, string> = {
    From: '<sip:ppg@operator.example>;tag=1',
    To: '<sip:+43-8323546@mobilkom.example>',
    'Call-ID': 'call-1',
    ...headers,
  };
  return {
    kind: 'request',
    method: 'MESSAGE',
    uri: 'sip:+43-8323546@mobilkom.example',
    headers: Object.entries(all).map(([name, value]): SipHeader => ({ name, value })),
    body:
      extension === undefined
        ? new Uint8Array()
        : encodeSia(fullSia({ extension: { ...EMPTY, ...extension } })),
  };
}

const devices = (request: SipRequest) =>
  sirOfRequest(request, PEER).devices.map(({ canonical }) => canonical);

describe('the device identity', () => {
  it('is read from To (Table 1, SIR-68)', () => {
    const sir = sirOfRequest(message({ To: `<sip:+43-8323546@mobilkom.example;gr=${PHONE}>` }), PEER);
    expect(sir.devices).toHaveLength(1);
    expect(sir.devices[0]).toMatchObject({ kind: 'gruu' });
    expect(sir.user).toBe('sip:+43-8323546@mobilkom.example');
  });

  it('is read from the Request-URI', () => {
    const request = { ...message({}), uri: `sip:+43-8323546@mobilkom.example;gr=${PHONE}` };
    expect(sirOfRequest(request, PEER).devices[0]).toMatchObject({ kind: 'gruu' });
  });

  it('is read from the body (Table 2, SIR-69)', () => {
    expect(devices(message({}, { identities: [PHONE] }))).toEqual([PHONE]);
  });

  it('is read from Accept-Contact and from X-Push-Device-Identity (SIR-50)', () => {
    const value = `*;+g.oma.pusheventapp="push.sia", *;+sip.instance="<${PHONE}>";require;explicit`;
    expect(devices(message({ 'Accept-Contact': value }))).toEqual([PHONE]);
    expect(devices(message({ 'X-Push-Device-Identity': PHONE }))).toEqual([PHONE]);
  });

  it('is collected from all places (SIR-52)', () => {
    const request = message(
      { To: `<sip:a@b.test;gr=${PHONE}>`, 'X-Push-Device-Identity': 'urn:gsma:imei:90420156-025763-0' },
      { identities: [PHONE] },
    );
    expect(sirOfRequest(request, PEER).devices.map(({ kind }) => kind)).toEqual(['gruu', 'imei', 'uuid']);
  });

  it('counts as there when it cannot be read', () => {
    const sir = sirOfRequest(message({ 'X-Push-Device-Identity': '???' }), PEER);
    expect(sir).toMatchObject({ devices: [], hasUnreadableDevice: true });
  });
});

describe('the address to connect to', () => {
  it('is that of the body, else the asserted sender, else From (SIR-58, SIR-59)', () => {
    const asserted = { 'P-Asserted-Identity': '<tel:+431>, <sip:asserted@operator.example>' };
    const gatewayOf = (request: SipRequest) => sirOfRequest(request, PEER).gateway;
    expect(gatewayOf(message(asserted, { ppg: 'sip:ppg2@operator.example' }))).toBe(
      'sip:ppg2@operator.example',
    );
    expect(gatewayOf(message(asserted))).toBe('sip:asserted@operator.example');
    expect(gatewayOf(message({}))).toBe('sip:ppg@operator.example');
  });

  it('is nothing that SIP cannot reach', () => {
    const sir = sirOfRequest(message({}, { ppg: 'http://operator.example/' }), PEER);
    expect(sir.gateway).toBe('sip:ppg@operator.example');
  });
});

describe('the id', () => {
  it('is the line of the body, else the Call-ID, else a digest of the body', () => {
    expect(sirOfRequest(message({}, { id: 't1.abc' }), PEER)).toMatchObject({
      id: 't1.abc',
      citableId: 't1.abc',
    });
    expect(sirOfRequest(message({}), PEER)).toMatchObject({ id: 'call-1' });
    expect(sirOfBody(encodeSia(fullSia({})), 'wsp').id).toMatch(/^[\w-]{43}$/);
  });

  it('is not cited when it would not fit into In-Reply-To', () => {
    expect(sirOfRequest(message({}, { id: 'a b' }), PEER)).not.toHaveProperty('citableId');
  });
});

it('the expiry is read in seconds and kept in milliseconds', () => {
  expect(sirOfRequest(message({}, { expiresAtSeconds: 1_800_000_000 }), PEER).expiresAt).toBe(
    1_800_000_000_000,
  );
});

it('the application and the flags are read', () => {
  const extension = {
    application: { id: 'dcd.ua', name: 'DCD' },
    return: ['rejection'],
    send: ['capability'],
  } as const;
  expect(sirOfRequest(message({}, extension), PEER)).toMatchObject(extension);
});

it('mutated bodies give a SIR or a DecodeError', () => {
  const extension = {
    ...EMPTY,
    identities: [PHONE],
    id: 't1.a',
    ppg: 'sip:p@o.test',
    application: { id: 'a', name: 'b' },
  };
  const valid = encodeSia(fullSia({ applicationIds: ['x-wap-application:mms.ua'], extension }));
  let refused = 0;
  const random = seededRandom(115);
  for (let round = 0; round < 2000; round += 1) {
    try {
      sirOfRequest({ ...message({}), body: mutated(valid, random) }, PEER);
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError);
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(0);
});
