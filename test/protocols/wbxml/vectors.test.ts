/**
 * Published and captured WBXML: every body decodes to what its input says, and our encoding of the input is the very same octets
 * wherever our choice among the legal encodings is that of the source.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import { CO } from '../../../src/protocols/co/index.js';
import { CONNECTIVITY } from '../../../src/protocols/connectivity/index.js';
import { EMN } from '../../../src/protocols/emn/index.js';
import { SI, SI_TABLE } from '../../../src/protocols/si/index.js';
import { SL } from '../../../src/protocols/sl/index.js';
import { decodeWbxml } from '../../../src/protocols/wbxml/index.js';
import { decodePush } from '../../../src/protocols/wsp/index.js';
import { contentValidator as validator } from '../../support/content.js';

interface Vector {
  readonly name: string;
  readonly input: string;
  readonly hex: string;
  readonly layer: string;
}

const VECTORS: readonly Vector[] = JSON.parse(
  readFileSync(new URL('../../vectors/push.json', import.meta.url), 'utf8'),
);
const hexOf = (octets: Uint8Array) => Buffer.from(octets).toString('hex');
const bodyOf = (name: string) => {
  const vector = VECTORS.find((candidate) => candidate.name === name);
  return decodePush(Buffer.from(vector?.hex ?? '', 'hex')).body;
};

const LAYERS: readonly {
  readonly layer: string;
  readonly decode: (octets: Uint8Array) => unknown;
  readonly decodeXml: (octets: Uint8Array) => unknown;
  readonly compile: (octets: Uint8Array) => Uint8Array;
}[] = [
  {
    layer: 'wbxml-si',
    decode: (octets) => SI.decode(octets),
    decodeXml: (octets) => SI.decodeXml(octets, { validator }),
    compile: (octets) => SI.compile(octets, { validator }),
  },
  {
    layer: 'wbxml-sl',
    decode: (octets) => SL.decode(octets),
    decodeXml: (octets) => SL.decodeXml(octets, { validator }),
    compile: (octets) => SL.compile(octets, { validator }),
  },
  {
    layer: 'wbxml-emn',
    decode: (octets) => EMN.decode(octets),
    decodeXml: (octets) => EMN.decodeXml(octets, { validator }),
    compile: (octets) => EMN.compile(octets, { validator }),
  },
  {
    layer: 'wbxml-co',
    decode: (octets) => CO.decode(octets),
    decodeXml: (octets) => CO.decodeXml(octets, { validator }),
    compile: (octets) => CO.compile(octets, { validator }),
  },
];

/** Not documents of their type: `si` without its `indication`. They show the header, and are read as trees. */
const TREES_ONLY = new Set(['moz-si-empty', 'moz-si-empty-pubid-strtbl']);

const EMPTY_INSTANT = 'writes an instant without a value, which we leave out';
const EMN_FORM =
  'is WBXML 1.2 and gives the empty emn element a content; we write 1.3, as handsets get it, and none';

/** Legal encodings of the same document that are not ours, and why. */
const OTHERWISE: Readonly<Record<string, string>> = {
  'moz-sl': 'is WBXML 1.3, we write SL as 1.2',
  'libwbxml-si-017': EMPTY_INSTANT,
  'libwbxml-si-019': EMPTY_INSTANT,
  'libwbxml-sl-003': 'writes the default action, which we leave out',
  ...Object.fromEntries(
    VECTORS.filter(({ layer }) => layer === 'wbxml-emn').map(({ name }) => [name, EMN_FORM] as const),
  ),
};

for (const { layer, decode, decodeXml, compile } of LAYERS) {
  describe(layer, () => {
    const vectors = VECTORS.filter((vector) => vector.layer === layer && !TREES_ONLY.has(vector.name));

    it.each(vectors)('$name is read as its input', ({ hex, input }) => {
      expect(decode(Buffer.from(hex, 'hex'))).toEqual(decodeXml(Buffer.from(input)));
    });

    it.each(vectors.filter(({ name }) => OTHERWISE[name] === undefined))(
      '$name is what we write',
      ({ hex, input }) => {
        expect(hexOf(compile(Buffer.from(input)))).toBe(hex);
      },
    );

    const others = vectors.filter(({ name }) => OTHERWISE[name] !== undefined);
    if (others.length === 0) return;
    it('what we write otherwise is read alike, and is no longer', () => {
      for (const { hex, input } of others) {
        const ours = compile(Buffer.from(input));
        expect(hexOf(ours)).not.toBe(hex);
        expect(ours.length).toBeLessThanOrEqual(hex.length / 2);
        expect(decode(ours)).toEqual(decode(Buffer.from(hex, 'hex')));
      }
    });
  });
}

describe('headers', () => {
  it.each([...TREES_ONLY])('%s is an empty si', (name) => {
    const octets = Buffer.from(VECTORS.find((vector) => vector.name === name)?.hex ?? '', 'hex');
    expect(decodeWbxml(octets, SI_TABLE).root).toEqual({
      kind: 'element',
      name: 'si',
      attributes: [],
      content: [],
    });
    expect(() => SI.decode(octets)).toThrow(DecodeError);
  });

  it('gives the public identifier that the string table spells out', () => {
    const hex = VECTORS.find(({ name }) => name === 'moz-si-empty-pubid-strtbl')?.hex ?? '';
    expect(decodeWbxml(Buffer.from(hex, 'hex'), SI_TABLE).publicId).toBe('-//WAPFORUM//DTD SI 1.0//EN');
  });
});

describe('captures', () => {
  it('an SI of a network operator, with a string table', () => {
    expect(SI.decode(bodyOf('pym-si-vodafone-wsp'))).toEqual({
      href: 'http://wap.meincallya.de/',
      action: 'signal-high',
      text: 'Zum kostenlosen Portal "Mein Vodafone" - einfach auf den folgenden Link klicken oder die Seite direkt aufrufen. Ihr Vodafone Team',
      info: [],
    });
  });

  const CLIENT_PROVISIONING = {
    characteristics: [
      {
        type: 'APPLICATION',
        parameters: [
          { name: 'APPID', value: 'w2' },
          { name: 'TO-NAPID', value: 'INTERNET' },
        ],
        characteristics: [
          {
            type: 'RESOURCE',
            parameters: [{ name: 'URI', value: 'http://userpin1234' }, { name: 'STARTPAGE' }],
            characteristics: [],
          },
        ],
      },
    ],
  };

  it('settings of a network operator', () => {
    expect(CONNECTIVITY.decode(bodyOf('mmsd-cp-push'))).toMatchObject(CLIENT_PROVISIONING);
  });

  it('settings of a network operator are what we write', () => {
    const body = bodyOf('mmsd-cp-push');
    expect(hexOf(CONNECTIVITY.encode(CONNECTIVITY.decode(body)))).toBe(hexOf(body));
  });

  it('a mail notification that handsets take is what we write (PM-116)', () => {
    const notification = {
      mailbox: 'mailat:yh1224@mopera.net',
      timestamp: Date.UTC(2011, 0, 23, 1, 23, 45),
    };
    const mailbox = `${hexOf(Buffer.from('yh1224@mopera'))}00`;
    const expected = `030d6a00850703${mailbox}8705c3072011012301234501`;
    expect(hexOf(EMN.encode(notification))).toBe(expected);
    expect(EMN.decode(Buffer.from(expected, 'hex'))).toEqual(notification);
  });

  it('an SI that spells out what we leave out is read, and written shorter', () => {
    const given =
      '02056a0045c60c036d2e6578616d706c652e6f72672f6e2f370011036e37406578616d706c652e6f7267000710c3042026080101034e65753a2031204e6163687269636874000101';
    const si = SI.decode(Buffer.from(given, 'hex'));
    expect(si).toEqual({
      href: 'http://m.example.org/n/7',
      siId: 'n7@example.org',
      expiresAt: Date.UTC(2026, 7, 1),
      action: 'signal-medium',
      text: 'Neu: 1 Nachricht',
      info: [],
    });
    expect(SI.decode(SI.encode(si))).toEqual(si);
    expect(SI.encode(si).length).toBeLessThan(given.length / 2);
  });

  it('a cache operation with two parts is what we write', () => {
    const hex =
      '02076a00458607036578616d706c650085036e6577732f746f6461792e776d6c00018708036d2e6578616d706c6500880101';
    expect(
      hexOf(
        CO.encode({
          invalidations: [
            { kind: 'object', uri: 'http://www.example.com/news/today.wml' },
            { kind: 'service', uri: 'https://m.example.org/' },
          ],
        }),
      ),
    ).toBe(hex);
  });
});
