/** User agent profiles: the shapes in which they are written, what is kept of them, and what is refused. */
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import {
  decodeUaProf,
  encodeUaProf,
  UAPROF_LIMITS,
  type UaProfile,
} from '../../../src/protocols/uaprof/index.js';
import { mutated } from '../../support/mutations.js';
import { seededRandom } from '../../support/seeded-random.js';

const RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"';
const PRF = 'xmlns:prf="http://www.openmobilealliance.org/tech/profiles/UAPROF/ccppschema-20021212#"';

const rdf = (content: string, declarations = `${RDF} ${PRF}`) =>
  Buffer.from(`<?xml version="1.0"?><rdf:RDF ${declarations}>${content}</rdf:RDF>`);
const profile = (component: string) =>
  rdf(`<rdf:Description rdf:ID="P"><prf:component>${component}</prf:component></rdf:Description>`);

function only(octets: Uint8Array): Record<string, unknown> {
  const profiles = decodeUaProf(octets);
  expect(profiles).toHaveLength(1);
  return Object.fromEntries(profiles[0]?.attributes ?? []);
}

/** Laid out like the profile that a handset maker publishes. */
const HANDSET = rdf(`
  <rdf:Description rdf:ID="Profile">
    <prf:component>
      <rdf:Description rdf:ID="HardwarePlatform">
        <rdf:type rdf:resource="http://www.openmobilealliance.org/tech/profiles/UAPROF/ccppschema-20021212#HardwarePlatform"/>
        <prf:ScreenSize>240x320</prf:ScreenSize>
        <prf:ColorCapable>Yes</prf:ColorCapable>
        <prf:Model>N1 &amp; N2</prf:Model>
      </rdf:Description>
    </prf:component>
    <prf:component>
      <rdf:Description rdf:ID="PushCharacteristics">
        <prf:Push-Accept><rdf:Bag><rdf:li>application/vnd.wap.sic</rdf:li><rdf:li>text/plain</rdf:li></rdf:Bag></prf:Push-Accept>
        <prf:Push-Accept-Language><rdf:Seq><rdf:li>de</rdf:li><rdf:li>en</rdf:li></rdf:Seq></prf:Push-Accept-Language>
        <prf:Push-MsgSize>1400</prf:Push-MsgSize>
      </rdf:Description>
    </prf:component>
  </rdf:Description>`);

describe('a profile is read', () => {
  it('with its components as described nodes', () => {
    expect(only(HANDSET)).toEqual({
      ScreenSize: '240x320',
      ColorCapable: 'Yes',
      Model: 'N1 & N2',
      'Push-Accept': ['application/vnd.wap.sic', 'text/plain'],
      'Push-Accept-Language': ['de', 'en'],
      'Push-MsgSize': '1400',
    });
  });

  it.each([
    ['as typed nodes', '<prf:HardwarePlatform><prf:Model>N1</prf:Model></prf:HardwarePlatform>'],
    ['as property attributes', '<rdf:Description prf:Model="N1"/>'],
  ])('with its components %s', (_, component) => {
    expect(only(profile(component))).toEqual({ Model: 'N1' });
  });

  it('with a component in place of its node', () => {
    const octets = rdf(
      '<rdf:Description><prf:component rdf:parseType="Resource"><prf:Model>N1</prf:Model></prf:component></rdf:Description>',
    );
    expect(only(octets)).toEqual({ Model: 'N1' });
  });

  it.each([
    ['rdf:ID', 'rdf:resource="#hw"', 'rdf:ID="hw"'],
    ['rdf:about', 'rdf:resource="http://maker.test/p#hw"', 'rdf:about="http://maker.test/p#hw"'],
    ['rdf:nodeID', 'rdf:nodeID="hw"', 'rdf:nodeID="hw"'],
  ])('with a component elsewhere in the document, by %s', (_, reference, name) => {
    const octets = rdf(
      `<rdf:Description><prf:component ${reference}/></rdf:Description><rdf:Description ${name}><prf:Model>N1</prf:Model></rdf:Description>`,
    );
    expect(only(octets)).toEqual({ Model: 'N1' });
  });

  it('with bare components for a profile', () => {
    const octets = rdf('<prf:HardwarePlatform><prf:Model>N1</prf:Model></prf:HardwarePlatform>');
    expect(only(octets)).toEqual({ Model: 'N1' });
  });

  it('with defaults that its own values override', () => {
    const octets = profile(
      '<rdf:Description><prf:Defaults><rdf:Description><prf:Model>old</prf:Model><prf:Vendor>V</prf:Vendor></rdf:Description></prf:Defaults><prf:Model>new</prf:Model></rdf:Description>',
    );
    expect(only(octets)).toEqual({ Model: 'new', Vendor: 'V' });
  });

  it('with defaults that are published elsewhere left alone', () => {
    const octets = profile(
      '<rdf:Description><prf:Defaults rdf:resource="http://maker.test/d"/><prf:Model>N1</prf:Model></rdf:Description>',
    );
    expect(only(octets)).toEqual({ Model: 'N1' });
  });

  it('with a list of which only one member is there', () => {
    const octets = profile('<rdf:Description><prf:CcppAccept>text/plain</prf:CcppAccept></rdf:Description>');
    expect(only(octets)).toEqual({ CcppAccept: ['text/plain'] });
  });

  it.each([
    'http://www.wapforum.org/UAPROF/ccppschema-20000405#',
    'http://www.wapforum.org/profiles/UAPROF/ccppschema-20010430#',
    'http://www.openmobilealliance.org/tech/profiles/UAPROF/ccppschema-20070511#',
  ])('in the vocabulary %s', (namespace) => {
    const octets = rdf(
      '<rdf:Description><p:component><rdf:Description><p:Model>N1</p:Model></rdf:Description></p:component></rdf:Description>',
      `${RDF} xmlns:p="${namespace}"`,
    );
    expect(only(octets)).toEqual({ Model: 'N1' });
  });

  it('without what other vocabularies say', () => {
    const octets = profile('<rdf:Description xmlns:x="urn:x"><x:Model>N1</x:Model></rdf:Description>');
    expect(only(octets)).toEqual({});
  });

  it('with an attribute that no version of the vocabulary has', () => {
    const octets = profile(
      '<rdf:Description><prf:HologramCapable>Yes</prf:HologramCapable></rdf:Description>',
    );
    expect(only(octets)).toEqual({ HologramCapable: 'Yes' });
  });

  it('with names that mean something to JavaScript', () => {
    const octets = profile(
      '<rdf:Description><prf:constructor>x</prf:constructor><prf:toString>y</prf:toString></rdf:Description>',
    );
    expect(only(octets)).toEqual({ constructor: 'x', toString: 'y' });
  });
});

describe('several profiles', () => {
  const two: readonly UaProfile[] = [
    {
      url: 'http://maker.test/n1.xml',
      attributes: new Map<string, string | string[]>([
        ['Model', 'N1 <"&>'],
        ['CcppAccept', ['text/plain', 'image/*']],
        ['CcppAccept-Language', ['de', 'en']],
        ['Push-MsgSize', '1400'],
      ]),
    },
    { attributes: new Map([['HologramCapable', 'Yes']]) },
  ];

  it('are read as they were written', () => {
    expect(decodeUaProf(encodeUaProf(two))).toEqual(two);
  });

  it('are written with names that occur once in the document', () => {
    const ids = [
      ...Buffer.from(encodeUaProf(two))
        .toString()
        .matchAll(/rdf:ID="([^"]+)"/g),
    ].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('a document is refused', () => {
  const values = (count: number) => '<rdf:li>x</rdf:li>'.repeat(count);

  it.each([
    ['that is no RDF', Buffer.from('<r/>')],
    ['whose root only looks like RDF', Buffer.from('<rdf:RDF xmlns:rdf="urn:x"/>')],
    ['with an entity', Buffer.from(`<!DOCTYPE rdf:RDF [<!ENTITY n "http://x">]><rdf:RDF ${RDF}/>`)],
    ['over the size', rdf(' '.repeat(UAPROF_LIMITS.maxBytes))],
    [
      'with too many values',
      profile(
        `<rdf:Description><prf:CcppAccept><rdf:Bag>${values(300)}</rdf:Bag></prf:CcppAccept></rdf:Description>`,
      ),
    ],
    [
      'with a value that is too long',
      profile(`<rdf:Description><prf:Model>${'x'.repeat(1025)}</prf:Model></rdf:Description>`),
    ],
    [
      'with too many attributes',
      profile(
        `<rdf:Description>${Array.from({ length: 257 }, (_, index) => `<prf:A${index}>x</prf:A${index}>`).join('')}</rdf:Description>`,
      ),
    ],
    ['with too many profiles', rdf('<rdf:Description><prf:component/></rdf:Description>'.repeat(65))],
  ])('%s', (_, octets) => {
    expect(() => decodeUaProf(octets)).toThrow(DecodeError);
  });

  it('or read, whatever becomes of it on the way', () => {
    const random = seededRandom(1906);
    let refused = 0;
    for (let round = 0; round < 1500; round += 1) {
      try {
        for (const { attributes } of decodeUaProf(mutated(HANDSET, random))) {
          expect(attributes.size).toBeLessThanOrEqual(UAPROF_LIMITS.maxAttributes);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(100);
  });
});
