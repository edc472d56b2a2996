/** Random SIRs from a seed: every mode, identity, placement and wish. */
import { RETURN_FLAGS, SEND_FLAGS } from '../../src/protocols/sia/index.js';
import type { Sir } from '../../src/push/sir.js';
import { type DeviceIdentity, deviceIdentity } from '../../src/registry/device-identity.js';
import type { PublicUserIdentity } from '../../src/registry/public-user-identity.js';
import { IDENTITY_PLACES, SIR_MODES } from '../../src/registry/targeting-rule.js';

const USERS = ['sip:alice@example.test', 'sip:+43664123@ims.example.test', 'tel:+43664123'];
const DEVICES: readonly DeviceIdentity[] = [
  deviceIdentity('uuid', 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6'),
  deviceIdentity('imei', '35209900-176148-1'),
  deviceIdentity('gruu', 'sip:alice@example.test;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6'),
  deviceIdentity('esn', '80AB12CD'),
  deviceIdentity('mac', '00-1B-63-84-45-E6'),
  deviceIdentity('other', 'x-vin:WDB906657'),
];
const APPLICATIONS = ['x-wap-application:mms.ua', 'x-oma-application:dcd.ua', 'x-acme:meter'];
const NAMES = ['DCD', 'Grüße, "Welt" \\ 你好', 'a;b=c'];
const MODES = SIR_MODES.filter((mode) => mode !== 'delegated');

/** `random` gives a whole number below its argument. */
export function randomSir(random: (below: number) => number): Sir {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  const maybe = <T extends object>(make: () => T): Partial<T> => (random(2) === 0 ? make() : {});
  const applicationId = pick(APPLICATIONS);
  return {
    id: `e-G-upT6iMBu2lFJ7qDqYw.${random(2 ** 31).toString(36)}`,
    user: pick(USERS) as PublicUserIdentity,
    mode: pick(MODES),
    audience: pick(['terminal', 'user']),
    ...maybe(() => ({ device: pick(DEVICES) })),
    identityIn: IDENTITY_PLACES.filter(() => random(2) === 0),
    applicationId,
    ...maybe(() => ({ activate: { id: pick(APPLICATIONS), ...maybe(() => ({ name: pick(NAMES) })) } })),
    return: RETURN_FLAGS.filter(() => random(2) === 0),
    send: SEND_FLAGS.filter(() => random(2) === 0),
    ...maybe(() => ({ ppg: 'sip:ppg2.operator.example;transport=tcp' })),
    ...maybe(() => ({
      describes: {
        contentType: pick(['image/jpeg', 'text/plain; charset=utf-8']),
        size: random(1_000_000),
        priority: pick(['high', 'medium', 'low'] as const),
      },
    })),
    createdAt: 1_700_000_000_000,
    expiresAt: 1_700_000_000_000 + 1000 * random(100_000),
    ...maybe(() => ({ signingKey: 'the key that phone and gateway share' })),
  };
}
