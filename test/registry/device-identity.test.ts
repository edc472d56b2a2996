/** Device identities: canonical forms, equality, recognition, masking (SIR-12 … SIR-23). */
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../src/kernel/errors.js';
import {
  type DeviceIdentity,
  type DeviceIdentityKind,
  deviceIdentity,
  identityKeys,
  instanceIdentity,
  isPseudoEsn,
  matchesAny,
  parseDeviceIdentity,
} from '../../src/registry/device-identity.js';
import { maskHardwareUrns, maskIdentity } from '../../src/registry/identity-masking.js';

const UUID = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
const IMEI = 'urn:gsma:imei:90420156-025763-0';
const MAC = 'urn:dev:mac:0024befffe804ff1';
const DIGEST = 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0';

/** kind, spellings that mean one device, its canonical form */
const SPELLINGS: readonly (readonly [DeviceIdentityKind, readonly string[], string])[] = [
  [
    'uuid',
    [
      UUID,
      UUID.toUpperCase(),
      'f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
      '{F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6}',
      'f81d4fae7dec11d0a76500a0c91e6bf6',
    ],
    UUID,
  ],
  [
    'imei',
    [
      IMEI,
      'URN:GSMA:IMEI:90420156-025763-7',
      'urn:gsma:imei:90420156-025763-0;vers=0;svn=12',
      'urn:gsma:imei:904201560257630',
      '904201560257630',
      '904201560257637',
      '90420156025763',
      '90-420156-025763-0',
      '90 420156 025763 0',
      '90420156/025763/0',
      '9042015602576378',
      '90420156-025763-78',
    ],
    IMEI,
  ],
  [
    'mac',
    [
      MAC,
      '00:24:BE:80:4F:F1',
      '00-24-be-80-4f-f1',
      '0024.be80.4ff1',
      '0024BE804FF1',
      'urn:dev:mac:0024be804ff1',
      '00:24:be:ff:fe:80:4f:f1',
      '0024.beff.fe80.4ff1',
    ],
    MAC,
  ],
  ['esn', ['80AB12CD', '80ab12cd', '0x80AB12CD', '12811211469'], '80AB12CD'],
  [
    'gruu',
    [
      `sip:+43-8323546@mobilkom.example;gr=${UUID}`,
      `SIP:+43-8323546@MOBILKOM.example:5060;transport=tcp;gr=${UUID.toUpperCase()}`,
      `sips:%2B43-8323546@mobilkom.example;gr=${UUID}`,
      `sip:+43-8323546@mobilkom.example;gr=urn%3auuid%3Af81d4fae-7dec-11d0-a765-00a0c91e6bf6`,
    ],
    `sip:+43-8323546@mobilkom.example;gr=${UUID}`,
  ],
  [
    'gruu',
    [
      'sip:tgruu.7hs==jd7vnzga5w7fajsc7-ajd6fabz0f8g5@example.com;gr',
      'sip:tgruu.7hs==jd7vnzga5w7fajsc7-ajd6fabz0f8g5@EXAMPLE.com;gr',
    ],
    'sip:tgruu.7hs==jd7vnzga5w7fajsc7-ajd6fabz0f8g5@example.com;gr',
  ],
  [
    'gruu',
    ['sip:a@b.example;gr=kjh29x97us97d', 'sip:a@b.example;gr=KJH29x97us97d'],
    'sip:a@b.example;gr=kjh29x97us97d',
  ],
  [
    'uri',
    ['sip:device7@edge.example;transport=tcp;ob', 'sip:device7@EDGE.example;ob;transport=TCP'],
    'sip:device7@edge.example;transport=tcp',
  ],
  ['uri', ['tel:+43-664-123', 'tel:+43664123'], 'tel:+43664123'],
  ['uri', ['HTTPS://Device.example/Path', 'https://device.example/Path'], 'https://device.example/Path'],
  ['urn', ['URN:foo:a', 'urn:foo:a', 'urn:FOO:a', 'urn:foo:%61', 'urn:foo:a?+r', 'urn:foo:a#f'], 'urn:foo:a'],
  [
    'rfid',
    ['urn:epc:id:sgtin:0614141.112345.400', 'URN:EPC:id:sgtin:0614141.112345.400'],
    'urn:epc:id:sgtin:0614141.112345.400',
  ],
  [
    'rfid',
    ['3034257bf400b7800004cb2f', '3034257BF400B7800004CB2F', 'urn:epc:raw:96.x3034257BF400B7800004CB2F'],
    'urn:epc:raw:96.x3034257BF400B7800004CB2F',
  ],
  [
    'fingerprint',
    [
      `ni:///sha-256;${DIGEST}`,
      `ni://example.com/sha-256;${DIGEST}?ct=application/pkix-cert`,
      `NI:///SHA-256;${DIGEST}`,
      'SHA-256 BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD',
    ],
    `ni:///sha-256;${DIGEST}`,
  ],
  ['other', ['x-vin:WDB9066571S123456'], 'x-vin:WDB9066571S123456'],
];

describe('canonical forms', () => {
  for (const [kind, spellings, canonical] of SPELLINGS) {
    for (const spelling of spellings) {
      it(`reads the ${kind} ${spelling}`, () => {
        expect(deviceIdentity(kind, spelling)).toEqual({ kind, value: spelling, canonical });
      });
      it(`recognises ${spelling} as ${kind} without being told`, () => {
        expect(parseDeviceIdentity(spelling)).toEqual({ kind, value: spelling, canonical });
      });
    }
    it(`reads its own canonical form ${canonical} back unchanged`, () => {
      expect(parseDeviceIdentity(canonical)).toEqual({ kind, value: canonical, canonical });
    });
  }
});

const REFUSED: readonly (readonly [DeviceIdentityKind, string])[] = [
  ['uuid', 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf'],
  ['uuid', 'urn:uuid:00000000-0000-0000-0000-000000000000'],
  ['uuid', 'urn:uuid:ffffffff-ffff-ffff-ffff-ffffffffffff'],
  ['uuid', IMEI],
  ['imei', '9042015602576'],
  ['imei', '90420156025763012'],
  ['imei', '000000000000000'],
  ['imei', '90420156O257630'],
  ['mac', '00:24:be:80:4f'],
  ['mac', 'ff:ff:ff:ff:ff:ff'],
  ['mac', '00:00:00:00:00:00'],
  ['mac', '01:00:5e:00:00:01'],
  ['esn', '80AB12C'],
  ['esn', '25600000001'],
  ['esn', '12816777216'],
  ['esn', 'FFFFFFFF'],
  ['gruu', 'sip:alice@example.test'],
  ['gruu', 'sip:example.test;gr=urn:foo:a'],
  ['gruu', `sip:alice@example.test;gr=${UUID};gr=${UUID}`],
  ['gruu', 'sip:alice@example.test;gr=%00'],
  ['gruu', 'sip:al%zzice@example.test;gr'],
  ['uri', 'alice'],
  ['uri', '904201560257630'],
  ['urn', 'tel:+43664123'],
  ['urn', 'urn:x:a'],
  ['urn', 'urn:foo:'],
  ['urn', 'urn:foo:a b'],
  ['rfid', '3034257B'],
  ['rfid', 'urn:epc:raw:96.x3034'],
  ['rfid', '000000000000000000000000'],
  ['fingerprint', 'ni:///sha-256;abc'],
  ['fingerprint', 'ni:///md5;ungWv48Bz-pBQUDeXa4iIw'],
  ['other', 'vin:1'],
  ['other', 'x-vin:'],
  ['other', 'x-vin:a b'],
];

describe('values that identify nothing', () => {
  for (const [kind, value] of REFUSED) {
    it(`refuses ${value} as ${kind}`, () => {
      expect(() => deviceIdentity(kind, value)).toThrow(DecodeError);
    });
  }

  it('refuses an identity longer than the limit', () => {
    expect(() => parseDeviceIdentity(`urn:foo:${'a'.repeat(600)}`)).toThrow(/longer than 512/);
  });
});

describe('equality', () => {
  it('never takes a GRUU for its address of record (SIR-12)', () => {
    const gruu = parseDeviceIdentity(`sip:alice@example.test;gr=${UUID}`);
    expect(matchesAny([gruu], [parseDeviceIdentity('sip:alice@example.test')])).toBe(false);
  });

  it('tells two GRUUs of one user apart by gr (SIR-12)', () => {
    const one = parseDeviceIdentity(`sip:alice@example.test;gr=${UUID}`);
    const other = parseDeviceIdentity(`sip:alice@example.test;gr=${UUID.replace('f81d', 'f81e')}`);
    expect(matchesAny([one], [other])).toBe(false);
  });

  it('compares gr as a whole value, not by substring', () => {
    const one = parseDeviceIdentity('sip:alice@example.test;gr=urn:foo:12');
    expect(matchesAny([one], [parseDeviceIdentity('sip:alice@example.test;gr=urn:foo:123')])).toBe(false);
  });

  it('keeps the case of the opaque part of a temporary GRUU', () => {
    const one = parseDeviceIdentity('sip:tgAbc@example.test;gr');
    expect(matchesAny([one], [parseDeviceIdentity('sip:tgabc@example.test;gr')])).toBe(false);
  });

  it('matches a GRUU with the instance that it names', () => {
    const gruu = parseDeviceIdentity(`sip:alice@example.test;gr=${UUID.toUpperCase()}`);
    expect(matchesAny([gruu], [parseDeviceIdentity(UUID)])).toBe(true);
    expect(matchesAny([parseDeviceIdentity(UUID)], [gruu])).toBe(true);
  });

  it('matches a GRUU whose instance is an IMEI with any spelling of that IMEI', () => {
    const gruu = parseDeviceIdentity(`sip:alice@example.test;gr=${IMEI}`);
    expect(matchesAny([gruu], [parseDeviceIdentity('90-420156-025763-4')])).toBe(true);
  });

  it('does not match GRUUs of two users over their common instance', () => {
    const alice = parseDeviceIdentity(`sip:alice@example.test;gr=${UUID}`);
    expect(matchesAny([alice], [parseDeviceIdentity(`sip:bob@example.test;gr=${UUID}`)])).toBe(false);
  });

  it('matches when any carried identity is any of the own ones (SIR-22)', () => {
    const own = [
      parseDeviceIdentity(`sip:alice@example.test;gr=${UUID}`),
      parseDeviceIdentity(IMEI),
      parseDeviceIdentity(MAC),
    ];
    expect(matchesAny([parseDeviceIdentity('00:24:BE:80:4F:F1')], own)).toBe(true);
    expect(matchesAny([parseDeviceIdentity('00:24:BE:80:4F:F2')], own)).toBe(false);
  });

  it('carrying nothing matches nobody', () => {
    expect(matchesAny([], [parseDeviceIdentity(UUID)])).toBe(false);
  });

  it('keeps URNs of unknown namespaces apart by case (SIR-16)', () => {
    expect(matchesAny([parseDeviceIdentity('URN:foo:a')], [parseDeviceIdentity('urn:foo:A')])).toBe(false);
  });

  it('gives a URN of a known namespace its narrower kind, whatever the label', () => {
    expect(deviceIdentity('urn', UUID)).toEqual({ kind: 'uuid', value: UUID, canonical: UUID });
    expect(deviceIdentity('uri', `sip:a@b.example;gr=${UUID}`).kind).toBe('gruu');
  });

  it('lists the instance of a GRUU among its keys', () => {
    expect(identityKeys(parseDeviceIdentity(`sip:a@b.example;gr=${UUID}`))).toEqual([
      `sip:a@b.example;gr=${UUID}`,
      UUID,
    ]);
    expect(identityKeys(parseDeviceIdentity(MAC))).toEqual([MAC]);
  });

  it('reads a MAC address with a component suffix as a URN of its own', () => {
    expect(parseDeviceIdentity('urn:dev:mac:0024befffe804ff1_usb').kind).toBe('urn');
  });
});

describe('+sip.instance', () => {
  it('takes quotes and brackets off and keeps the rest byte-exact', () => {
    const identity = instanceIdentity('"<urn:uuid:F81D4FAE-7dec-11d0-a765-00a0c91e6bf6>"');
    expect(identity).toEqual({
      kind: 'uuid',
      value: 'urn:uuid:F81D4FAE-7dec-11d0-a765-00a0c91e6bf6',
      canonical: UUID,
    });
  });

  it('reads an IMEI instance with a software version', () => {
    expect(instanceIdentity('"<urn:gsma:imei:90420156-025763-0;vers=0>"').canonical).toBe(IMEI);
  });

  it('refuses an empty instance', () => {
    expect(() => instanceIdentity('"<>"')).toThrow(DecodeError);
  });
});

describe('what a kind is good for', () => {
  it('flags a pseudo-ESN and no other (SIR-18)', () => {
    expect(isPseudoEsn(parseDeviceIdentity('80AB12CD'))).toBe(true);
    expect(isPseudoEsn(parseDeviceIdentity('2BAB12CD'))).toBe(false);
    expect(isPseudoEsn(parseDeviceIdentity('80:ab:12:cd:00:01'))).toBe(false);
  });
});

describe('masking (SIR-171)', () => {
  const masked: readonly (readonly [string, string])[] = [
    ['904201560257630', 'urn:gsma:imei:90420156-******-*'],
    ['00:24:BE:80:4F:F1', 'urn:dev:mac:0024be**********'],
    ['2BAB12CD', '2B******'],
    [`sip:a@b.example;gr=${IMEI}`, 'sip:a@b.example;gr=urn:gsma:imei:90420156-******-*'],
    [UUID, UUID],
  ];
  for (const [value, expected] of masked) {
    it(`shows ${value} as ${expected}`, () => {
      expect(maskIdentity(parseDeviceIdentity(value))).toBe(expected);
    });
  }

  it('masks URNs inside any text', () => {
    expect(maskHardwareUrns(`<sip:x@y>;+sip.instance="<URN:gsma:imei:90420156-025763-0>"`)).not.toContain(
      '025763',
    );
  });
});

it('answers any text with an identity or a DecodeError, and its canonical form is stable', () => {
  let seed = 20_240_607;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return seed % below;
  };
  const texts = SPELLINGS.flatMap(([, spellings]) => spellings);
  const noise = [
    ';',
    ':',
    '@',
    '%',
    'gr=',
    'urn:',
    '\u0000',
    'ü',
    '-',
    '<',
    '"',
    '0',
    'f',
    '\ud800',
    '?',
    '#',
    '//',
  ];
  let understood = 0;
  for (let round = 0; round < 20_000; round += 1) {
    let text = texts[random(texts.length)] ?? '';
    for (let change = random(4); change >= 0; change -= 1) {
      const where = random(text.length + 1);
      text = text.slice(0, where) + (noise[random(noise.length)] ?? '') + text.slice(where + random(3));
    }
    let identity: DeviceIdentity;
    try {
      identity = parseDeviceIdentity(text);
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError);
      continue;
    }
    understood += 1;
    expect(parseDeviceIdentity(identity.canonical)).toMatchObject({
      kind: identity.kind,
      canonical: identity.canonical,
    });
  }
  expect(understood).toBeGreaterThan(1_000);
});
