/** libwbxml as the referee of the WBXML documents: it reads what we write as we meant it, and writes the same octets. */
import { describe, expect, it } from 'vitest';
import { CO } from '../../src/protocols/co/index.js';
import {
  CONNECTIVITY,
  CONNECTIVITY_TABLE,
  type ProvisioningDocument,
} from '../../src/protocols/connectivity/index.js';
import { EMN } from '../../src/protocols/emn/index.js';
import { SI } from '../../src/protocols/si/index.js';
import { SL } from '../../src/protocols/sl/index.js';
import type { DocumentType } from '../../src/protocols/wbxml/index.js';
import type { ContentGrammar } from '../../src/push/content-conversion.js';
import {
  randomCo,
  randomEmn,
  randomProvisioning,
  randomSi,
  randomSl,
  contentValidator as validator,
} from '../support/content.js';
import { wbxml2xml, xml2wbxml } from '../support/libwbxml.js';
import { type SeededRandom, seededRandom } from '../support/seeded-random.js';

const SAMPLES = 40;
const hexOf = (octets: Uint8Array) => Buffer.from(octets).toString('hex');

/** libwbxml misspells the two bearers of TETRA. */
const corrected = (xml: Uint8Array) => Buffer.from(Buffer.from(xml).toString().replaceAll('TRETRA', 'TETRA'));

function readsAsMeant<Value>(
  type: DocumentType<Value, ContentGrammar>,
  randomValue: (random: SeededRandom) => Value,
): void {
  it(`reads ${SAMPLES} random documents as we meant them`, async () => {
    const random = seededRandom(0x5d);
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      const value = randomValue(random);
      const xml = await wbxml2xml(type.encode(value));
      expect(type.decodeXml(xml, { validator })).toEqual(value);
    }
  });
}

function writesTheSame<Value>(
  type: DocumentType<Value, ContentGrammar>,
  randomValue: (random: SeededRandom) => Value,
  version: '1.2' | '1.3',
): void {
  it(`writes the same octets for ${SAMPLES} random documents`, async () => {
    const random = seededRandom(0x5e);
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      const value = randomValue(random);
      const theirs = await xml2wbxml(type.encodeXml(value), version);
      expect(hexOf(type.encode(value))).toBe(hexOf(theirs));
    }
  });
}

describe('SI', () => {
  readsAsMeant(SI, randomSi);
  writesTheSame(SI, randomSi, '1.2');
});

describe('SL', () => {
  readsAsMeant(SL, randomSl);
  writesTheSame(SL, randomSl, '1.2');
});

describe('CO', () => {
  readsAsMeant(CO, randomCo);
  writesTheSame(CO, randomCo, '1.2');
});

describe('EMN', () => {
  readsAsMeant(EMN, randomEmn);
  writesTheSame(EMN, randomEmn, '1.3');
});

describe('connectivity', () => {
  readsAsMeant(CONNECTIVITY, randomProvisioning);

  /** Every name, type and value that has a token on these pages. */
  const everything = (pages: readonly number[]): ProvisioningDocument => {
    const on = ({ page }: { readonly page: number }) => pages.includes(page);
    const wholes = (name: string) =>
      CONNECTIVITY_TABLE.attributes
        .filter((token) => on(token) && token.name === name)
        .flatMap(({ whole }) => whole ?? []);
    const values = CONNECTIVITY_TABLE.values.filter(on).map(({ text }) => text);
    return {
      version: '1.0',
      characteristics: [
        ...wholes('type').map((type) => ({ type, parameters: [], characteristics: [] })),
        {
          type: 'VENDORCONFIG',
          parameters: [
            ...wholes('name').map((name) => ({ name })),
            ...values.map((value) => ({ name: 'X-OWN', value })),
          ],
          characteristics: [],
        },
      ],
    };
  };

  it.each([[[0]], [[1]], [[0, 1]]])('has our meaning for every token of the code pages %j', async (pages) => {
    const document = everything(pages);
    const xml = corrected(await wbxml2xml(CONNECTIVITY.encode(document)));
    expect(CONNECTIVITY.decodeXml(xml, { validator })).toEqual(document);
  });

  it('writes the same octets for every token of code page 0', async () => {
    // On page 1 it goes back to page 0 for each value, where we stay, as networks do.
    const document = everything([0]);
    const known = {
      ...document,
      characteristics: document.characteristics.map((characteristic) => ({
        ...characteristic,
        parameters: characteristic.parameters.filter(({ value }) => !value?.startsWith('TETRA-')),
      })),
    };
    const theirs = await xml2wbxml(CONNECTIVITY.encodeXml(known), '1.3');
    expect(hexOf(CONNECTIVITY.encode(known))).toBe(hexOf(theirs));
  });

  it('reads its own octets of both code pages as we do', async () => {
    const random = seededRandom(0x5f);
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      // It takes a version that only begins like one with a token for that token and a rest.
      const { version, ...document } = randomProvisioning(random);
      const theirs = await xml2wbxml(CONNECTIVITY.encodeXml(document), '1.3');
      expect(CONNECTIVITY.decode(theirs)).toEqual(document);
    }
  });
});
