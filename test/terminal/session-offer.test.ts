/** Ways to connect that a SIR offers, and the one that a terminal takes. */
import { describe, expect, it } from 'vitest';
import { ipContactPoint, OTA_HTTP, OTA_SIP, type Sia } from '../../src/protocols/sia/index.js';
import { isAllowedGateway } from '../../src/terminal/gateway-address.js';
import type { SessionWay } from '../../src/terminal/session-offer.js';
import {
  chosenOffer,
  type Offers,
  offerAddress,
  offerKey,
  offersOf,
} from '../../src/terminal/session-offer.js';

const point = (address: string, port: number) => ipContactPoint(address, port) ?? expect.fail(address);
const SIA: Sia = {
  version: 1,
  applicationIds: [],
  wspContactPoints: [point('192.0.2.3', 9201)],
  contactPoints: [point('192.0.2.2', 4035), point('192.0.2.1', 5060)],
  protocolOptions: [OTA_HTTP, OTA_SIP],
  provisioningUrl: '',
  cpiTags: [],
};

const chosen = (offers: Offers, sessionWays: readonly SessionWay[], homeGateway?: string) =>
  chosenOffer(offers, { sessionWays, homeGateway });

describe('a SIR that offers everything', () => {
  const offers = offersOf(SIA, 'sip:ppg@example.test', undefined);

  it.each([
    [['sip'], 'sip:ppg@example.test'],
    [['ota-http', 'sip'], 'http://192.0.2.2:4035'],
    [['wsp', 'sip'], 'wsp://192.0.2.3:9201'],
  ] as const)('is followed by the first way of the terminal: %j', (ways, address) => {
    const offer = chosen(offers, ways);
    expect(offer && offerAddress(offer)).toBe(address);
  });

  it('leads to three places', () => {
    const keys = (['sip', 'ota-http', 'wsp'] as const).map((way) => {
      const offer = chosen(offers, [way]);
      return offer && offerKey(offer);
    });
    expect(new Set(keys).size).toBe(3);
  });
});

it('a SIR of version 0 offers WSP alone, with the port of the standard where it names none', () => {
  const { bearer, address } = point('192.0.2.3', 9201);
  const sia: Sia = {
    ...SIA,
    version: 0,
    wspContactPoints: [{ ...(bearer === undefined ? {} : { bearer }), address }],
    contactPoints: [],
    protocolOptions: [],
  };
  expect(offersOf(sia, undefined, undefined)).toEqual({ wsp: { host: '192.0.2.3', port: 9201 } });
  expect(chosen(offersOf(sia, undefined, undefined), ['sip', 'ota-http'])).toBeUndefined();
});

it('a SIR that offers nothing is for the gateway that the terminal is provisioned with, and no other one is', () => {
  const home = 'sip:home@example.test';
  expect(chosen({}, ['ota-http', 'sip'], home)).toEqual({ way: 'sip', gateway: home });
  expect(chosen({}, ['sip'])).toBeUndefined();
  expect(chosen({ wsp: { host: '192.0.2.3', port: 9201 } }, ['sip'], home)).toBeUndefined();
});

it('a gateway can be allowed by its WSP address, or by its host', () => {
  expect(isAllowedGateway('wsp://192.0.2.3:9201', ['wsp://192.0.2.3:9201'])).toBe(true);
  expect(isAllowedGateway('wsp://192.0.2.3:9201', ['192.0.2.3'])).toBe(true);
  expect(isAllowedGateway('wsp://192.0.2.3:9201', ['wsp://192.0.2.3:9202', '192.0.2.4'])).toBe(false);
});
