/** Client addresses: every form in, exact text kept, strict form out (SIR-164). */
import { describe, expect, it } from 'vitest';
import { DecodeError, InvariantError } from '../../../src/kernel/errors.js';
import {
  decodePushAddress,
  encodePushAddress,
  PUSH_ADDRESS_TYPES,
  type PushAddress,
} from '../../../src/protocols/push-address/index.js';
import { mutated } from '../../support/mutations.js';
import { type SeededRandom, seededRandom } from '../../support/seeded-random.js';

type Expected = Omit<PushAddress, 'text' | 'form'> & { readonly form?: 'uri' };

const READ: readonly [string, Expected][] = [
  [
    'WAPPUSH=+15550100/TYPE=PLMN@ppg.example.net',
    { type: 'PLMN', value: '+15550100', recipient: 'tel:+15550100', ppg: 'ppg.example.net' },
  ],
  ['WAPPUSH=+15550100/TYPE=PLMN', { type: 'PLMN', value: '+15550100', recipient: 'tel:+15550100' }],
  [
    '/WAPPUSH=+15550100/TYPE=PLMN@ppg',
    { type: 'PLMN', value: '+15550100', recipient: 'tel:+15550100', ppg: 'ppg' },
  ],
  [
    'wappush=+1-555.0100/type=plmn@PPG.Example.NET',
    { type: 'PLMN', value: '+15550100', recipient: 'tel:+15550100', ppg: 'ppg.example.net' },
  ],
  [
    'WapPush=%2B15550100/Type=Plmn@p',
    { type: 'PLMN', value: '+15550100', recipient: 'tel:+15550100', ppg: 'p' },
  ],
  ['WAPPUSH=192.0.2.7/TYPE=IPv4@p', { type: 'IPv4', value: '192.0.2.7', ppg: 'p' }],
  ['WAPPUSH=192.000.002.007/TYPE=IPV4@p', { type: 'IPv4', value: '192.0.2.7', ppg: 'p' }],
  ['WAPPUSH=2001:DB8:0:0:0:0:0:1/TYPE=IPv6@p', { type: 'IPv6', value: '2001:db8::1', ppg: 'p' }],
  ['WAPPUSH=2001:db8::1/TYPE=IPV6@p', { type: 'IPv6', value: '2001:db8::1', ppg: 'p' }],
  ['WAPPUSH=::/TYPE=IPv6@p', { type: 'IPv6', value: '::', ppg: 'p' }],
  ['WAPPUSH=::ffff:192.0.2.7/TYPE=IPv6@p', { type: 'IPv6', value: '::ffff:c000:207', ppg: 'p' }],
  ['WAPPUSH=1:0:0:2:0:0:0:3/TYPE=IPv6@p', { type: 'IPv6', value: '1:0:0:2::3', ppg: 'p' }],
  ['WAPPUSH=1:0:2:3:4:5:6:7/TYPE=IPv6@p', { type: 'IPv6', value: '1:0:2:3:4:5:6:7', ppg: 'p' }],
  ['WAPPUSH=alice/TYPE=USER@p', { type: 'USER', value: 'alice', ppg: 'p' }],
  [
    'WAPPUSH=sip%3Aalice%40Example.TEST/TYPE=USER@p',
    { type: 'USER', value: 'sip:alice@Example.TEST', recipient: 'sip:alice@example.test', ppg: 'p' },
  ],
  [
    'WAPPUSH=SIP:Alice@example.test;transport=tcp/TYPE=USER@p',
    {
      type: 'USER',
      value: 'SIP:Alice@example.test;transport=tcp',
      recipient: 'sip:Alice@example.test',
      ppg: 'p',
    },
  ],
  [
    'WAPPUSH=sips%3Aalice%40example.test%3A5061/TYPE=USER@p',
    {
      type: 'USER',
      value: 'sips:alice@example.test:5061',
      recipient: 'sips:alice@example.test:5061',
      ppg: 'p',
    },
  ],
  [
    'WAPPUSH=tel%3A%2B4366412345/TYPE=USER@p',
    { type: 'USER', value: 'tel:+4366412345', recipient: 'tel:+4366412345', ppg: 'p' },
  ],
  [
    'WAPPUSH=+4366412345/TYPE=USER@p',
    { type: 'USER', value: '+4366412345', recipient: 'tel:+4366412345', ppg: 'p' },
  ],
  [
    'WAPPUSH=alice%40example.test/TYPE=USER@p',
    { type: 'USER', value: 'alice@example.test', recipient: 'mailto:alice@example.test', ppg: 'p' },
  ],
  [
    'WAPPUSH=mailto%3Aalice%40Example.test/TYPE=USER@p',
    { type: 'USER', value: 'mailto:alice@Example.test', recipient: 'mailto:alice@example.test', ppg: 'p' },
  ],
  [
    'WAPPUSH=2100000A%3A7874/TYPE=USER@rim.net',
    { type: 'USER', value: '2100000A', port: 7874, ppg: 'rim.net' },
  ],
  [
    'WAPPUSH=alice%40example.test%3A7874/TYPE=USER@rim.net',
    {
      type: 'USER',
      value: 'alice@example.test',
      recipient: 'mailto:alice@example.test',
      port: 7874,
      ppg: 'rim.net',
    },
  ],
  [
    'WAPPUSH=sip%3Aalice%40example.test/device=urn%3Auuid%3Af81d4fae-7dec-11d0-a765-00a0c91e6bf6/TYPE=USER@p',
    {
      type: 'USER',
      value: 'sip:alice@example.test',
      recipient: 'sip:alice@example.test',
      device: 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
      ppg: 'p',
    },
  ],
  [
    'WAPPUSH=+15550100/x-note=hi/DEVICE=urn%3Agsma%3Aimei%3A90420156-025763-0/TYPE=PLMN@p',
    {
      type: 'PLMN',
      value: '+15550100',
      recipient: 'tel:+15550100',
      device: 'urn:gsma:imei:90420156-025763-0',
      ppg: 'p',
    },
  ],
  [
    'WAPPUSH=sip%3Aalice%40example.test%3Bgr%3Durn%3Auuid%3Af81d4fae-7dec-11d0-a765-00a0c91e6bf6/TYPE=USER@p',
    {
      type: 'USER',
      value: 'sip:alice@example.test;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
      recipient: 'sip:alice@example.test',
      device: 'sip:alice@example.test;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
      ppg: 'p',
    },
  ],
  [
    'WAPPUSH=sip:a@e.test;gr=x/device=urn%3Ax/TYPE=USER@p',
    { type: 'USER', value: 'sip:a@e.test;gr=x', recipient: 'sip:a@e.test', device: 'urn:x', ppg: 'p' },
  ],
  [
    'WAPPUSH=+4712345/TYPE=GSM_MSISDN@p',
    { type: 'GSM_MSISDN', value: '+4712345', recipient: 'tel:+4712345', ppg: 'p' },
  ],
  ['WAPPUSH=100/type=gsm_service_code@p', { type: 'GSM_Service_Code', value: '100', ppg: 'p' }],
  ['WAPPUSH=12/TYPE=iden_msisdn@p', { type: 'iDEN_MSISDN', value: '12', ppg: 'p' }],
  [
    'sip:alice@example.test',
    { form: 'uri', type: 'USER', value: 'sip:alice@example.test', recipient: 'sip:alice@example.test' },
  ],
  [
    'SIP:alice:secret@Example.test:5070;lr?Subject=x',
    {
      form: 'uri',
      type: 'USER',
      value: 'SIP:alice:secret@Example.test:5070;lr?Subject=x',
      recipient: 'sip:alice@example.test:5070',
    },
  ],
  [
    'sip:alice@[2001:DB8::1]',
    { form: 'uri', type: 'USER', value: 'sip:alice@[2001:DB8::1]', recipient: 'sip:alice@[2001:db8::1]' },
  ],
  [
    'sip:a@e.test;gr=urn:uuid:1',
    {
      form: 'uri',
      type: 'USER',
      value: 'sip:a@e.test;gr=urn:uuid:1',
      recipient: 'sip:a@e.test',
      device: 'sip:a@e.test;gr=urn:uuid:1',
    },
  ],
  [
    'sip:tgruu.7hs@e.test;gr',
    {
      form: 'uri',
      type: 'USER',
      value: 'sip:tgruu.7hs@e.test;gr',
      recipient: 'sip:tgruu.7hs@e.test',
      device: 'sip:tgruu.7hs@e.test;gr',
    },
  ],
  [
    'tel:+43-664-12345',
    { form: 'uri', type: 'PLMN', value: 'tel:+43-664-12345', recipient: 'tel:+4366412345' },
  ],
  [
    'tel:12345;phone-context=Example.TEST',
    {
      form: 'uri',
      type: 'PLMN',
      value: 'tel:12345;phone-context=Example.TEST',
      recipient: 'tel:12345;phone-context=example.test',
    },
  ],
];

const REFUSED: readonly [string, string][] = [
  ['nothing', ''],
  ['a word', 'nonsense'],
  ['a BlackBerry PIN alone', '2100000A'],
  ['a bare mail URI', 'mailto:alice@example.test'],
  ['an unknown scheme', 'http://example.test/'],
  ['no value', 'WAPPUSH=/TYPE=PLMN@p'],
  ['no type', 'WAPPUSH=+15550100'],
  ['an empty type', 'WAPPUSH=+15550100/TYPE=@p'],
  ['an unknown type', 'WAPPUSH=+15550100/TYPE=FAX@p'],
  ['an empty gateway', 'WAPPUSH=+15550100/TYPE=PLMN@'],
  ['a gateway that is no domain name', 'WAPPUSH=+15550100/TYPE=PLMN@a b'],
  ['a gateway with a letter whose lower case is ASCII', 'WAPPUSH=+15550100/TYPE=PLMN@\u212a.example'],
  ['a host with such a letter', 'sip:alice@\u212a.example'],
  ['two gateways', 'WAPPUSH=+15550100/TYPE=PLMN@a@b'],
  ['a number without +', 'WAPPUSH=15550100/TYPE=PLMN@p'],
  ['a number with letters', 'WAPPUSH=+1555abc/TYPE=PLMN@p'],
  ['only a plus sign', 'WAPPUSH=+/TYPE=PLMN@p'],
  ['an IPv4 group over 255', 'WAPPUSH=192.0.2.256/TYPE=IPv4@p'],
  ['three IPv4 groups', 'WAPPUSH=192.0.2/TYPE=IPv4@p'],
  ['an IPv6 address with two gaps', 'WAPPUSH=1::2::3/TYPE=IPv6@p'],
  ['nine IPv6 groups', 'WAPPUSH=1:2:3:4:5:6:7:8:9/TYPE=IPv6@p'],
  ['a gap that stands for nothing', 'WAPPUSH=1:2:3:4:5:6:7::8/TYPE=IPv6@p'],
  ['a broken escape', 'WAPPUSH=a%4/TYPE=USER@p'],
  ['an escape that is not hexadecimal', 'WAPPUSH=a%zz/TYPE=USER@p'],
  ['escaped octets that are not UTF-8', 'WAPPUSH=a%ff/TYPE=USER@p'],
  ['an escaped line break', 'WAPPUSH=a%0d%0aX/TYPE=USER@p'],
  ['an escaped NUL', 'WAPPUSH=a%00/TYPE=USER@p'],
  ['a plain line break', 'WAPPUSH=a\r\nX/TYPE=USER@p'],
  ['a qualifier without a value', 'WAPPUSH=a/x/TYPE=USER@p'],
  ['two devices', 'WAPPUSH=a/device=b/device=c/TYPE=USER@p'],
  ['a port out of range', 'WAPPUSH=a%3A70000/TYPE=USER@p'],
  ['a SIP URI without a user', 'sip:example.test'],
  ['a SIP URI without a host', 'sip:alice@'],
  ['a SIP URI with a space', 'sip:al ice@example.test'],
  ['a local number without context', 'tel:12345'],
  ['a telephone URI without a number', 'tel:'],
];

describe('decodePushAddress', () => {
  it.each(READ)('reads %s', (text, expected) => {
    expect(decodePushAddress(text)).toEqual({ form: 'wappush', ...expected, text });
  });

  it.each(REFUSED)('refuses %s', (_, text) => {
    expect(() => decodePushAddress(text)).toThrow(DecodeError);
  });

  it('knows every type by its own spelling', () => {
    const values: Record<string, string> = { PLMN: '+1', IPv4: '1.2.3.4', IPv6: '::1' };
    const types = PUSH_ADDRESS_TYPES.map(
      (type) => decodePushAddress(`WAPPUSH=${values[type] ?? '1'}/TYPE=${type}`).type,
    );
    expect(types).toEqual(PUSH_ADDRESS_TYPES);
  });

  it('refuses an address longer than its limit', () => {
    expect(() => decodePushAddress(`WAPPUSH=${'a'.repeat(2000)}/TYPE=USER`)).toThrow(
      expect.objectContaining({ code: 'limitExceeded' }),
    );
  });

  it('refuses more qualifiers than its limit', () => {
    expect(() => decodePushAddress(`WAPPUSH=a${'/x=y'.repeat(20)}/TYPE=USER`)).toThrow(
      expect.objectContaining({ code: 'limitExceeded' }),
    );
  });

  it('throws nothing but DecodeError for mutated addresses', () => {
    const random = seededRandom(3);
    for (let round = 0; round < 10_000; round += 1) {
      const [text = ''] = READ[random.below(READ.length)] ?? [];
      const hostile = mutated(Buffer.from(text), random).toString('latin1');
      try {
        expect(decodePushAddress(hostile).text).toBe(hostile);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    }
  });
});

describe('decodePushAddress outside ASCII', () => {
  it('finds the type behind characters that grow in upper case', () => {
    expect(decodePushAddress('WAPPUSH=ßßßŉ/type=user@p')).toMatchObject({
      value: 'ßßßŉ',
      type: 'USER',
      ppg: 'p',
    });
  });
});

describe('encodePushAddress', () => {
  it('escapes what is unsafe', () => {
    expect(
      encodePushAddress({ type: 'USER', value: 'sip:ä/b@e.test', device: 'urn:a=b', ppg: 'p.example' }),
    ).toBe('WAPPUSH=sip%3A%C3%A4%2Fb%40e.test/device=urn%3Aa%3Db/TYPE=USER@p.example');
  });

  it('writes a port behind a user name', () => {
    expect(encodePushAddress({ type: 'USER', value: '2100000A', port: 7874 })).toBe(
      'WAPPUSH=2100000A%3A7874/TYPE=USER',
    );
  });

  it('refuses an empty value', () => {
    expect(() => encodePushAddress({ type: 'USER', value: '' })).toThrow(InvariantError);
  });

  it('writes what is read again with the same parts', () => {
    const random = seededRandom(4);
    for (let round = 0; round < 5000; round += 1) {
      const parts = randomParts(random);
      const {
        text: _text,
        form: _form,
        recipient: _recipient,
        ...again
      } = decodePushAddress(encodePushAddress(parts));
      expect(again).toEqual(parts);
    }
  });

  it.each(READ.filter(([, { form }]) => form === undefined))(
    'writes %s so that it means the same',
    (text) => {
      const { text: _text, ...first } = decodePushAddress(text);
      const { text: _again, ...second } = decodePushAddress(encodePushAddress(first));
      expect(second).toEqual(first);
    },
  );
});

function randomParts(random: SeededRandom) {
  const value = [
    () => ({ type: 'PLMN' as const, value: `+${digits(random, 1 + random.below(15))}` }),
    () => ({ type: 'USER' as const, value: `n${randomText(random)}` }),
    () => ({ type: 'MAN' as const, value: `n${randomText(random)}` }),
    () => ({ type: 'IPv4' as const, value: Array.from({ length: 4 }, () => random.below(256)).join('.') }),
    () => ({ type: 'USER' as const, value: `sip:${digits(random, 4)}@e${random.below(9)}.test` }),
  ][random.below(5)];
  return {
    ...(value?.() ?? { type: 'USER' as const, value: 'x' }),
    ...(random.below(2) === 0 ? { device: `d${randomText(random)}` } : {}),
    ...(random.below(2) === 0 ? { ppg: `p${random.below(100)}.example.net` } : {}),
  };
}

/** Anything printable but "@" and ":", which give a USER value a meaning of their own. */
function randomText(random: SeededRandom): string {
  const alphabet = 'abcXYZ019+-._~!$&\'()*,;=/?#[]%{}<> "\\äß€𝄞';
  const characters = [...alphabet];
  return Array.from({ length: random.below(12) }, () => characters[random.below(characters.length)]).join('');
}

function digits(random: SeededRandom, count: number): string {
  return Array.from({ length: count }, () => random.below(10)).join('');
}
