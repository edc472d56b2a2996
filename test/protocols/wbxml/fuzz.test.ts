/**
 * Random documents of every type through both forms, and hostile variations of them into every reader: whatever comes in, a reader
 * returns a value that it can write again, or throws DecodeError.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import { CO, CO_TABLE } from '../../../src/protocols/co/index.js';
import { CONNECTIVITY, CONNECTIVITY_TABLE } from '../../../src/protocols/connectivity/index.js';
import { EMN, EMN_TABLE } from '../../../src/protocols/emn/index.js';
import { SI, SI_TABLE } from '../../../src/protocols/si/index.js';
import { SL, SL_TABLE } from '../../../src/protocols/sl/index.js';
import {
  type DocumentType,
  decodeWbxml,
  encodeWbxml,
  type TokenTable,
} from '../../../src/protocols/wbxml/index.js';
import type { ContentGrammar } from '../../../src/push/content-conversion.js';
import {
  randomCo,
  randomEmn,
  randomProvisioning,
  randomSi,
  randomSl,
  contentValidator as validator,
} from '../../support/content.js';
import { mutated } from '../../support/mutations.js';
import { type SeededRandom, seededRandom } from '../../support/seeded-random.js';

const VECTORS: readonly { readonly hex: string; readonly layer: string }[] = JSON.parse(
  readFileSync(new URL('../../vectors/push.json', import.meta.url), 'utf8'),
);
const ROUNDS = 2000;

function suite<Value>(
  type: DocumentType<Value, ContentGrammar>,
  table: TokenTable,
  randomValue: (random: SeededRandom) => Value,
): void {
  describe(type.grammar, () => {
    it(`${ROUNDS} random documents come back from WBXML`, () => {
      const random = seededRandom(0x6a);
      for (let round = 0; round < ROUNDS; round += 1) {
        const value = randomValue(random);
        expect(type.decode(type.encode(value))).toEqual(value);
      }
    });

    it('random documents come back from XML, and compile to the same octets', () => {
      const random = seededRandom(0x3c);
      for (let round = 0; round < ROUNDS / 5; round += 1) {
        const value = randomValue(random);
        const xml = type.encodeXml(value);
        expect(type.decodeXml(xml, { validator })).toEqual(value);
        expect(type.compile(xml, { validator })).toEqual(type.encode(value));
      }
    });

    it('variations of WBXML are read and written again, or refused', () => {
      const random = seededRandom(0xc3);
      const captured = VECTORS.filter(({ layer }) => layer === `wbxml-${type.grammar}`);
      const seeds = [
        ...captured.map(({ hex }) => Buffer.from(hex, 'hex')),
        ...Array.from({ length: 20 }, () => type.encode(randomValue(random))),
      ];
      let read = 0;
      for (let round = 0; round < ROUNDS * 2; round += 1) {
        const octets = mutated(seeds[round % seeds.length] ?? Buffer.alloc(0), random);
        const value = valueOrRefusal(() => type.decode(octets));
        valueOrRefusal(() => decodeWbxml(octets, table));
        if (value === undefined) continue;
        read += 1;
        expect(type.decode(type.encode(value))).toEqual(value);
      }
      expect(read).toBeGreaterThan(50);
    });

    it('trees that came from WBXML are the same after writing, where their names have tokens', () => {
      const random = seededRandom(0x45);
      for (let round = 0; round < ROUNDS / 5; round += 1) {
        const { root } = decodeWbxml(type.encode(randomValue(random)), table);
        expect(decodeWbxml(encodeWbxml(root, table), table).root).toEqual(root);
      }
    });

    it('variations of XML are read, or refused', () => {
      const random = seededRandom(0x21);
      const seeds = Array.from({ length: 20 }, () => type.encodeXml(randomValue(random)));
      let read = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        const octets = mutated(seeds[round % seeds.length] ?? Buffer.alloc(0), random);
        if (valueOrRefusal(() => type.decodeXml(octets, { validator })) !== undefined) read += 1;
      }
      expect(read).toBeGreaterThan(20);
    });
  });
}

/** Anything but a DecodeError fails the test. */
function valueOrRefusal<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

suite(SI, SI_TABLE, randomSi);
suite(SL, SL_TABLE, randomSl);
suite(CO, CO_TABLE, randomCo);
suite(EMN, EMN_TABLE, randomEmn);
suite(CONNECTIVITY, CONNECTIVITY_TABLE, randomProvisioning);
