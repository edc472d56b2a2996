/** What speaks against sending a push to a terminal, of what is known of it; and what does not. */
import { describe, expect, it } from 'vitest';
import { RefusedError } from '../../src/kernel/errors.js';
import type { UaProfValue } from '../../src/protocols/uaprof/index.js';
import { assumedProfiles, type CapabilityDemand, unmetCapability } from '../../src/push/capability-check.js';
import { terminalCapabilities } from '../../src/registry/capabilities.js';
import { PHONE } from '../support/pushes.js';

const against = (known: Readonly<Record<string, unknown>>, demand: Partial<CapabilityDemand>) =>
  unmetCapability(terminalCapabilities({ id: PHONE, capabilities: known }, []), {
    contentType: 'text/plain',
    size: 100,
    ...demand,
  });

const assuming = (
  known: Readonly<Record<string, UaProfValue>>,
  assumed: Readonly<Record<string, UaProfValue>>,
) => against({ uaProf: known }, { assumed: [{ attributes: new Map(Object.entries(assumed)) }] })?.code;

describe('content', () => {
  it.each([
    ['of any type', {}, 'image/png'],
    ['of a type that is accepted', { accept: ['text/plain'] }, 'Text/Plain; charset=utf-8'],
    ['of a type that is accepted with parameters', { accept: ['text/plain; level=1'] }, 'text/plain'],
    ['of a type in an accepted range', { accept: ['text/html', 'image/*'] }, 'image/png'],
    ['when everything is accepted', { accept: ['*/*'] }, 'image/png'],
    ['of which the binary form is accepted', { accept: ['application/vnd.wap.sic'] }, 'text/vnd.wap.si'],
    ['whose type cannot be read', { accept: ['text/plain'] }, '???'],
  ])('may go to a terminal that takes it: %s', (_, known, contentType) => {
    expect(against(known, { contentType })).toBeUndefined();
  });

  it('of a type that is not accepted may not', () => {
    expect(against({ accept: ['text/plain'] }, { contentType: 'image/png' })).toEqual({
      code: 'capabilitiesExceeded',
      reason: 'does not accept image/png',
    });
  });

  it('as large as the largest message may go', () => {
    expect(against({ maxMessageSize: 100 }, {})).toBeUndefined();
  });

  it('larger than the largest message may not', () => {
    expect(against({ maxMessageSize: 99 }, {})).toEqual({
      code: 'capabilitiesExceeded',
      reason: 'content of 100 octets, takes 99',
    });
  });
});

describe('what is assumed', () => {
  it.each<[string, Record<string, UaProfValue>, Record<string, UaProfValue>]>([
    ['that is not known', {}, { ScreenSize: '240x320' }],
    ['that is the same', { Model: 'N1' }, { Model: 'n1' }],
    ['of a screen that is larger', { ScreenSize: '480x640' }, { ScreenSize: '240x320' }],
    ['of a number that is larger', { BitsPerPixel: '24' }, { BitsPerPixel: '16' }],
    ['not to be there, and is', { ColorCapable: 'Yes' }, { ColorCapable: 'No' }],
    ['of a list that has more', { CcppAccept: ['text/plain', 'image/*'] }, { CcppAccept: ['image/png'] }],
    [
      'of pages, and is known of pushes',
      { 'Push-Accept': ['text/plain', 'image/png'] },
      { CcppAccept: ['image/png'] },
    ],
    [
      'of a language that has variants',
      { 'CcppAccept-Language': ['en-GB'] },
      { 'CcppAccept-Language': ['en'] },
    ],
    [
      'of an application by its full name',
      { 'Push-Accept-AppID': ['mms.ua'] },
      { 'Push-Accept-AppID': ['x-wap-application:mms.ua'] },
    ],
  ])('%s is no contradiction', (_, known, assumed) => {
    expect(assuming(known, assumed)).toBeUndefined();
  });

  it.each<[string, Record<string, UaProfValue>, Record<string, UaProfValue>]>([
    ['of the model', { Model: 'N1' }, { Model: 'N2' }],
    ['of a screen that is smaller on one side', { ScreenSize: '480x300' }, { ScreenSize: '240x320' }],
    ['of a number that is smaller', { 'Push-MsgSize': '999' }, { 'Push-MsgSize': '1000' }],
    ['of a number that is none', { BitsPerPixel: 'many' }, { BitsPerPixel: '16' }],
    ['to be there, and is not', { ColorCapable: 'No' }, { ColorCapable: 'Yes' }],
    [
      'of a list in which one is missing',
      { CcppAccept: ['text/plain'] },
      { CcppAccept: ['text/plain', 'image/png'] },
    ],
    ['of an attribute that the vocabulary does not have', { Hologram: 'flat' }, { Hologram: 'deep' }],
    ['of a pixel that has another shape', { PixelAspectRatio: '2x2' }, { PixelAspectRatio: '1x1' }],
  ])('%s contradicts', (_, known, assumed) => {
    expect(assuming(known, assumed)).toBe('capabilitiesMismatch');
  });

  it('names the attribute that contradicts', () => {
    const demand = { assumed: [{ attributes: new Map([['ScreenSize', '240x320']]) }] };
    expect(against({ uaProf: { ScreenSize: '96x64' } }, demand)?.reason).toBe(
      'ScreenSize: assumed 240x320, has 96x64',
    );
  });

  it('is met by a terminal that is like one of several profiles', () => {
    const assumed = ['N1', 'N2'].map((model) => ({ attributes: new Map([['Model', model]]) }));
    expect(against({ uaProf: { Model: 'N2' } }, { assumed })).toBeUndefined();
  });

  it('counts before what the content needs', () => {
    const demand = { size: 2000, assumed: [{ attributes: new Map([['Push-MsgSize', '2000']]) }] };
    expect(against({ maxMessageSize: 1000 }, demand)?.code).toBe('capabilitiesMismatch');
  });
});

describe('the capabilities part of a submission', () => {
  const RDF = Buffer.from('<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>');

  it.each(['application/xml', 'text/xml; charset=utf-8', 'application/rdf+xml'])(
    'is read as %s',
    (contentType) => {
      expect(assumedProfiles({ contentType, content: RDF })).toHaveLength(1);
    },
  );

  it.each([
    ['of another type', 'application/vnd.wap.uaprof', RDF],
    ['that is no RDF', 'application/xml', Buffer.from('<pap/>')],
    ['that is nothing', 'application/xml', Buffer.alloc(0)],
  ])('%s cannot be compared', (_, contentType, content) => {
    let refused: unknown;
    try {
      assumedProfiles({ contentType, content });
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(RefusedError);
    expect(refused).toMatchObject({ code: 'capabilitiesUnreadable' });
  });
});
