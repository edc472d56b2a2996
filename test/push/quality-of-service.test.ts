/** Which terminals can have a push with the quality that its initiator requires. */
import { describe, expect, it } from 'vitest';
import type { QualityOfService } from '../../src/protocols/pap/index.js';
import { unmetQuality, usedQuality } from '../../src/push/quality-of-service.js';
import { BEARER_NAMES, type BearerName } from '../../src/registry/bearer-name.js';

const EVERY_BEARER: ReadonlySet<BearerName> = new Set(BEARER_NAMES);

const quality = (more: Partial<QualityOfService> = {}): QualityOfService => ({
  priority: 'medium',
  deliveryMethod: 'notspecified',
  networkRequired: false,
  bearerRequired: false,
  ...more,
});
const woken = (...bearers: BearerName[]) => ({ activation: bearers.map((bearer) => ({ bearer })) });

describe('a terminal', () => {
  it.each([
    ['without any wish', woken('sip'), undefined],
    ['with a bearer wished for only', woken('sip'), quality({ bearer: 'SMS' })],
    ['with a network wished for only', woken('sip'), quality({ network: 'TETRA' })],
    ['by any bearer required', woken('sip'), quality({ bearer: 'Any', bearerRequired: true })],
    [
      'when nothing is named that is required',
      woken(),
      quality({ bearerRequired: true, networkRequired: true }),
    ],
    ['by SMS, whatever its case', woken('sip', 'sms'), quality({ bearer: 'sms', bearerRequired: true })],
    ['by USSD', woken('ussd'), quality({ bearer: 'USSD', bearerRequired: true })],
    ['by GPRS over SIP', woken('sip'), quality({ bearer: 'GPRS', bearerRequired: true })],
    ['by packet data over HTTP', woken('ota-http'), quality({ bearer: 'Packet Data', bearerRequired: true })],
    ['over GSM', woken('sms'), quality({ network: 'GSM', networkRequired: true })],
    ['confirmed', woken('sip'), quality({ deliveryMethod: 'confirmed' })],
  ])('gets a push %s', (_, terminal, asked) => {
    expect(unmetQuality(terminal, asked, EVERY_BEARER)).toBeUndefined();
  });

  it.each([
    ['without SMS', woken('sip'), quality({ bearer: 'SMS', bearerRequired: true }), 'bearerNotAvailable'],
    [
      'by a bearer that we do not know',
      woken('sms'),
      quality({ bearer: 'FLEX', bearerRequired: true }),
      'bearerNotAvailable',
    ],
    [
      'over another network',
      woken('sip'),
      quality({ network: 'TETRA', networkRequired: true }),
      'networkNotAvailable',
    ],
  ])('%s does not when that is required', (_, terminal, asked, code) => {
    expect(unmetQuality(terminal, asked, EVERY_BEARER)).toMatchObject({ code });
  });

  it('is not reached by a bearer that the gateway does not have', () => {
    const asked = quality({ bearer: 'SMS', bearerRequired: true });
    expect(unmetQuality(woken('sms'), asked, new Set(['sip']))).toMatchObject({ code: 'bearerNotAvailable' });
  });
});

describe('the quality of a result', () => {
  it('names the method that was used for what arrived', () => {
    const asked = quality({ deliveryMethod: 'preferconfirmed', bearer: 'SMS' });
    expect(usedQuality(asked, [{ state: 'delivered' }])).toEqual({ ...asked, deliveryMethod: 'confirmed' });
  });

  it('is the one that was asked for while nothing arrived', () => {
    const asked = quality({ deliveryMethod: 'unconfirmed' });
    expect(usedQuality(asked, [{ state: 'expired' }])).toEqual(asked);
  });
});
