/** Random SIA bodies from a seed, for the round trip and for the dissector. */
import { RETURN_FLAGS, SEND_FLAGS, type Sia, type SiaExtension } from '../../../src/protocols/sia/index.js';
import { APPLICATION_ID_CODES } from '../../../src/protocols/wsp/index.js';

export type Random = (below: number) => number;

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const IDS = [
  ...APPLICATION_ID_CODES.keys(),
  'x-acme:meter',
  'urn:acme:app',
  'x-number:32769',
  'x-number:127',
];
const URNS = [
  'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
  'urn:gsma:imei:90420156-025763-0',
  'URN:foo:a',
];
const OTHERS = [
  'sip:alice@example.test;gr=urn:foo:a',
  '80AB12CD',
  'x-vin:WDB906=657',
  'ni:///sha-256;ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0',
];
const TEXTS = ['DCD', 'Grüße, "Welt" \\ 你好', '', 'a;b=c'];

export function randomSia(random: Random): Sia {
  const pick = <T>(list: readonly [T, ...T[]] | readonly T[]): T => list[random(list.length)] as T;
  const some = <T>(most: number, make: () => T): T[] => Array.from({ length: random(most + 1) }, make);
  const octets = (size: number) => Uint8Array.from({ length: size }, () => random(256));
  const contactPoint = () => ({
    ...(random(2) === 0 ? {} : { bearer: random(256) }),
    ...(random(2) === 0 ? {} : { port: random(65_536) }),
    address: octets(pick([0, 4, 4, 16, random(64)])),
  });
  const extension = (): SiaExtension => ({
    identities: [...some(2, () => pick(URNS)), ...some(2, () => pick(OTHERS))],
    ...(random(2) === 0 ? {} : { publicUserIdentity: 'sip:+43-8323546@mobilkom.example' }),
    ...(random(2) === 0
      ? {}
      : {
          application: {
            id: pick(['x-oma-application:dcd.ua', 'x-acme:a;b']),
            ...(random(2) === 0 ? {} : { name: pick(TEXTS) }),
          },
        }),
    return: RETURN_FLAGS.filter(() => random(2) === 0),
    send: SEND_FLAGS.filter(() => random(2) === 0),
    ...(random(2) === 0
      ? {}
      : {
          content: {
            contentType: pick(['image/jpeg', 'application/vnd.wap.mms-message']),
            size: random(1_000_000),
            priority: pick(['high', 'medium', 'low'] as const),
          },
        }),
    ...(random(2) === 0 ? {} : { ppg: 'sip:ppg2.operator.example;transport=tcp' }),
    ...(random(2) === 0 ? {} : { id: `sir-${random(1_000_000)}` }),
    ...(random(2) === 0 ? {} : { expiresAtSeconds: random(2_000_000_000) }),
    unknown: some(2, () => ({ name: pick(['later', 'x-y', 'GR']), value: pick(TEXTS) })),
    ...(random(2) === 0 ? {} : { signature: 'c2ln=' }),
  });
  const version = random(4) === 0 ? 0 : 1;
  const base = { applicationIds: some(4, () => pick(IDS)), wspContactPoints: some(3, contactPoint) };
  if (version === 0) {
    return { version, ...base, contactPoints: [], protocolOptions: [], provisioningUrl: '', cpiTags: [] };
  }
  return {
    version,
    ...base,
    contactPoints: some(3, contactPoint),
    protocolOptions: some(4, () => pick([0, 1, 256, random(16_384)])),
    provisioningUrl: pick(['', 'http://prov.example/context?a=b']),
    cpiTags: some(3, () => octets(4)),
    ...(random(2) === 0 ? {} : { extension: extension() }),
  };
}
