/** Push content for tests: the shipped DTDs as a validator, and random documents of each type. */
import { readFileSync } from 'node:fs';
import type { CacheOperation } from '../../src/protocols/co/index.js';
import type { Characteristic, ProvisioningDocument } from '../../src/protocols/connectivity/index.js';
import type { EmailNotification } from '../../src/protocols/emn/index.js';
import { type ServiceIndication, SI_ACTIONS } from '../../src/protocols/si/index.js';
import { type ServiceLoading, SL_ACTIONS } from '../../src/protocols/sl/index.js';
import { createXmlValidator } from '../../src/protocols/xml/index.js';
import {
  CONTENT_DTDS,
  type ContentGrammar,
  type ContentValidator,
} from '../../src/push/content-conversion.js';
import type { SeededRandom } from './seeded-random.js';

const dtds = Object.fromEntries(
  Object.entries(CONTENT_DTDS).map(([grammar, file]) => [
    grammar,
    readFileSync(new URL(`../../schemas/${file}`, import.meta.url), 'utf8'),
  ]),
) as Record<ContentGrammar, string>;

/** One validator for the whole test process; its memory goes with the process. */
export const contentValidator: ContentValidator = createXmlValidator(dtds);

const pick = <Value>(random: SeededRandom, values: readonly [Value, ...Value[]]): Value =>
  values[random.below(values.length)] ?? values[0];
const maybe = <Name extends string, Value>(random: SeededRandom, name: Name, value: () => Value) =>
  random.below(2) === 0 ? {} : ({ [name]: value() } as Record<Name, Value>);

const PIECES = [
  'a',
  'Neu: 1',
  'grüß',
  '<b>',
  '&amp;',
  '"',
  "'",
  '漢字',
  '😀',
  '.com/',
  '.org',
  'www.',
  ' ',
  ']]>',
  '/',
] as const;

/** No white space at the ends, as the readers give it. */
export function randomText(random: SeededRandom): string {
  const pieces = Array.from({ length: random.below(6) }, () => pick(random, PIECES));
  return pieces.join('').trim();
}

export function randomUri(random: SeededRandom): string {
  const scheme = pick(random, [
    'http://',
    'http://www.',
    'https://',
    'https://www.',
    'mailat:',
    'pop://',
    'imap://',
    'ftp://',
    '',
  ]);
  const host = pick(random, [
    'example.com',
    'a.example.net/x',
    'x.org/.com/.edu/',
    'example.edu/',
    'user@mail.example.org',
    '',
  ]);
  return `${scheme}${host}${random.below(2) === 0 ? '' : randomText(random)}`;
}

/** Whole seconds between 1970 and 2100, with zeros at the end more often than chance has them. */
export function randomInstant(random: SeededRandom): number {
  const unit = pick(random, [1, 60, 3600, 86_400]);
  return Math.floor(random.below(4_102_444_800) / unit) * unit * 1000;
}

export function randomSi(random: SeededRandom): ServiceIndication {
  return {
    ...maybe(random, 'href', () => randomUri(random)),
    ...maybe(random, 'siId', () => randomUri(random)),
    ...maybe(random, 'createdAt', () => randomInstant(random)),
    ...maybe(random, 'expiresAt', () => randomInstant(random)),
    action: pick(random, SI_ACTIONS),
    text: randomText(random),
    info: Array.from({ length: random.below(3) }, (_, index) => ({
      class: `c${index}`,
      text: randomText(random),
    })),
  };
}

export function randomSl(random: SeededRandom): ServiceLoading {
  return { href: randomUri(random), action: pick(random, SL_ACTIONS) };
}

export function randomCo(random: SeededRandom): CacheOperation {
  const invalidations = Array.from({ length: 1 + random.below(4) }, () => ({
    kind: pick(random, ['object', 'service'] as const),
    uri: randomUri(random),
  }));
  return { invalidations };
}

export function randomEmn(random: SeededRandom): EmailNotification {
  return { mailbox: randomUri(random), ...maybe(random, 'timestamp', () => randomInstant(random)) };
}

const TYPES = [
  'NAPDEF',
  'APPLICATION',
  'RESOURCE',
  'PORT',
  'PXLOGICAL',
  'CLIENTIDENTITY',
  'VENDOR-X',
] as const;
const NAMES = [
  'NAME',
  'BEARER',
  'INTERNET',
  'AAUTHTYPE',
  'PORTNBR',
  'URI',
  'NAMES',
  'TO-NAPID',
  'X-OWN',
] as const;
const VALUES = ['GSM-GPRS', 'HTTP-BASIC', 'IPV6', 'APN', 'APPSRV', 'PAPER', '', '80'] as const;

export function randomProvisioning(random: SeededRandom): ProvisioningDocument {
  return {
    ...maybe(random, 'version', () => pick(random, ['1.0', '1.1', '1.01'])),
    characteristics: Array.from({ length: 1 + random.below(3) }, () => randomCharacteristic(random, 3)),
  };
}

function randomCharacteristic(random: SeededRandom, depth: number): Characteristic {
  return {
    type: pick(random, TYPES),
    parameters: Array.from({ length: random.below(4) }, () => ({
      name: pick(random, NAMES),
      ...maybe(random, 'value', () => (random.below(3) === 0 ? randomText(random) : pick(random, VALUES))),
    })),
    characteristics: Array.from({ length: depth > 0 ? random.below(3) : 0 }, () =>
      randomCharacteristic(random, depth - 1),
    ),
  };
}
