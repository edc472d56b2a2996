/** The header grammars: lists, addresses, URIs, Via, CSeq, Reason, feature parameters. */
import { describe, expect, test } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import {
  bareHost,
  branchOf,
  contactsOf,
  escapeUser,
  featureParameters,
  formatNameAddr,
  formatReason,
  formatUri,
  formatVia,
  headerValues,
  instanceOf,
  parameter,
  parseContactPredicate,
  parseCSeq,
  parseNameAddr,
  parseReason,
  parseUri,
  parseVia,
  splitHeaderList,
  tagOf,
  unescapeUriPart,
  urisEqual,
  withSource,
} from '../../../src/protocols/sip/index.js';

describe('lists', () => {
  test.each([
    ['a, b,c', ['a', 'b', 'c']],
    ['"a, b" <sip:x@y>, <sip:z@y?a=b,c>', ['"a, b" <sip:x@y>', '<sip:z@y?a=b,c>']],
    ['"a \\", b" <sip:x@y>,c', ['"a \\", b" <sip:x@y>', 'c']],
    [' , a,, ', ['a']],
    ['', []],
  ])('%j has the elements %j', (value, elements) => {
    expect(splitHeaderList(value)).toEqual(elements);
  });

  test('values of several lines come in order', () => {
    const headers = [
      { name: 'Route', value: '<sip:a;lr>, <sip:b;lr>' },
      { name: 'X', value: 'y' },
      { name: 'ROUTE', value: '<sip:c;lr>' },
    ];
    expect(headerValues({ headers }, 'route')).toEqual(['<sip:a;lr>', '<sip:b;lr>', '<sip:c;lr>']);
  });
});

describe('URIs', () => {
  test.each([
    'sip:alice@atlanta.example',
    'sip:alice:secret@atlanta.example:5070;transport=tcp?to=alice%40atlanta.example&priority=urgent',
    'sips:+1-212-555-1212:1234@gateway.example;user=phone',
    'sip:+1555;phone-context=example.com@host.example;user=phone',
    'sip:[2001:db8::10]:5070',
    'sip:user@[::1];transport=udp;lr',
    'sip:atlanta.example;method=REGISTER?to=alice%40atlanta.example',
    'sip:+43-8323546@mobilkom.example;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
    'sip:%61lice@atlanta.example;maddr=239.255.255.1;ttl=15',
    'sip:user;par=u%40example.net@example.com',
    'tel:+43-664-123;phone-context=+43',
    'tel:863-1234;phone-context=+1-914-555',
    'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
    'mailto:a@b.example',
  ])('%s is written as it was read', (text) => {
    expect(formatUri(parseUri(text))).toBe(text);
  });

  test.each([
    'alice@atlanta.example',
    'sip:',
    'sip:@host',
    'sip:a@',
    'sip:a@b@c',
    'sip:a@ho st',
    'sip:a@host:',
    'sip:a@host:99999',
    'sip:a@[2001:db8::1',
    'sip:a%zz@host',
    'sip:a"b@host',
    'sip:a@-host',
    'sip:a@host;=x',
    'tel:',
    'tel:+',
    'tel:+1 2',
    'tel:hello',
    '1sip:a@b',
  ])('%j is refused', (text) => {
    expect(() => parseUri(text)).toThrow(DecodeError);
  });

  test('parts are told apart', () => {
    expect(parseUri('SIP:a:p@Host.Example:5070;Lr;x=y?h=v')).toEqual({
      kind: 'sip',
      scheme: 'sip',
      user: 'a',
      password: 'p',
      host: 'Host.Example',
      port: 5070,
      parameters: [
        { name: 'Lr', value: undefined },
        { name: 'x', value: 'y' },
      ],
      headers: 'h=v',
    });
    expect(bareHost('[2001:DB8::1]')).toBe('2001:db8::1');
  });

  test('a user part is escaped and unescaped', () => {
    expect(escapeUser('a@b c/ü+1;x=y')).toBe('a%40b%20c/%C3%BC+1;x=y');
    expect(unescapeUriPart(escapeUser('a@b c/ü+1;x=y'))).toBe('a@b c/ü+1;x=y');
    expect(unescapeUriPart('%ff')).toBe('%ff');
  });

  // The pairs of RFC 3261 §19.1.4.
  test.each([
    ['sip:%61lice@atlanta.example;transport=TCP', 'sip:alice@AtLanTa.Example;Transport=tcp'],
    ['sip:carol@chicago.example', 'sip:carol@chicago.example;newparam=5'],
    ['sip:carol@chicago.example', 'sip:carol@chicago.example;security=on'],
    [
      'sip:biloxi.example;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.example',
      'sip:biloxi.example;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.example',
    ],
    [
      'sip:alice@atlanta.example?subject=project%20x&priority=urgent',
      'sip:alice@atlanta.example?priority=urgent&subject=project%20x',
    ],
    ['tel:+43-664-123', 'tel:+43664123'],
    ['tel:863-1234;phone-context=+1', 'tel:8631234;phone-context=+1'],
  ])('%s equals %s', (left, right) => {
    expect(urisEqual(parseUri(left), parseUri(right))).toBe(true);
    expect(urisEqual(parseUri(right), parseUri(left))).toBe(true);
  });

  test.each([
    ['SIP:ALICE@AtLanTa.Example;Transport=udp', 'sip:alice@AtLanTa.Example;Transport=UDP'],
    ['sip:bob@biloxi.example', 'sip:bob@biloxi.example:5060'],
    ['sip:bob@biloxi.example', 'sip:bob@biloxi.example;transport=udp'],
    ['sip:bob@biloxi.example', 'sip:bob@biloxi.example:6000;transport=tcp'],
    ['sip:carol@chicago.example', 'sip:carol@chicago.example?Subject=next%20meeting'],
    ['sip:bob@phone21.boxesbybob.example', 'sip:bob@192.0.2.4'],
    ['sip:carol@chicago.example;security=on', 'sip:carol@chicago.example;security=off'],
    ['sip:a@b', 'sips:a@b'],
    ['sip:a@b', 'sip:b'],
    ['sip:a@b', 'tel:+1'],
    ['tel:+1', 'tel:+2'],
    ['tel:1;phone-context=a', 'tel:1'],
  ])('%s differs from %s', (left, right) => {
    expect(urisEqual(parseUri(left), parseUri(right))).toBe(false);
  });
});

describe('addresses', () => {
  test.each([
    ['sip:a@b;tag=1', undefined, 'sip:a@b', '1'],
    ['<sip:a@b;transport=tcp>;tag=1', undefined, 'sip:a@b;transport=tcp', '1'],
    ['"A. \\"G\\" Bell" <sip:a@b>;tag=a48s', 'A. "G" Bell', 'sip:a@b', 'a48s'],
    [
      'Anonymous <sip:c8oqz84zk7z@privacy.example>;tag=hyh8',
      'Anonymous',
      'sip:c8oqz84zk7z@privacy.example',
      'hyh8',
    ],
    ['"<sip:fake@x>;tag=no" <sip:a@b> ; tag = 2', '<sip:fake@x>;tag=no', 'sip:a@b', '2'],
    ['""<tel:+1>', '', 'tel:+1', undefined],
    ['Müller, Jan  <sip:a@b>', 'Müller, Jan', 'sip:a@b', undefined],
  ])('%s', (text, displayName, uri, tag) => {
    const address = parseNameAddr(text);
    expect(address).toMatchObject({ displayName, uri });
    expect(parameter(address.parameters, 'tag')).toBe(tag);
    expect(tagOf(text)).toBe(tag);
  });

  test('is written in angle brackets with its name quoted', () => {
    const address = parseNameAddr('A "x" <sip:a@b>'.replace('A "x"', '"A \\"x\\""'));
    expect(formatNameAddr({ ...address, parameters: [{ name: 'lr', value: undefined }] })).toBe(
      '"A \\"x\\"" <sip:a@b>;lr',
    );
  });

  test.each([
    '',
    '<>',
    '<sip:a@b',
    '"a <sip:a@b>',
    'sip:a@b?x=y',
    'a"b <sip:a@b>',
    '<sip:a@b>x',
    '"a" sip:a@b',
    '*',
  ])('%j is refused', (text) => {
    expect(() => parseNameAddr(text)).toThrow(DecodeError);
  });

  const contacts = (...values: string[]) => ({ headers: values.map((value) => ({ name: 'm', value })) });

  test('Contact may be a star, alone', () => {
    expect(contactsOf(contacts('*'))).toBe('*');
    expect(() => contactsOf(contacts('*, <sip:a@b>'))).toThrow(DecodeError);
    expect(() => contactsOf(contacts('*', '*'))).toThrow(DecodeError);
  });

  test('Contact may hold several addresses with their parameters', () => {
    const value =
      '"Mr. Watson, Jr" <sip:w@a.example?x=1,2>;q=0.7; expires=3600, "W" <mailto:w@b.example> ;q=0.1';
    const addresses = contactsOf(contacts(value));
    expect(addresses).toMatchObject([{ uri: 'sip:w@a.example?x=1,2' }, { uri: 'mailto:w@b.example' }]);
  });

  test('instance and features of a Contact keep their quotes', () => {
    const { parameters } = parseNameAddr(
      '<sip:a@b>;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>";reg-id=1;audio;+g.oma.pusheventapp="push.sia,mms.ua"',
    );
    expect(instanceOf(parameters)).toBe('urn:uuid:00000000-0000-1000-8000-000A95A0E128');
    expect(featureParameters(parameters)).toEqual([
      { name: '+sip.instance', value: '"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>"' },
      { name: 'audio', value: undefined },
      { name: '+g.oma.pusheventapp', value: '"push.sia,mms.ua"' },
    ]);
  });
});

describe('Via', () => {
  test.each([
    'SIP/2.0/UDP first.example.com:4000;ttl=16;maddr=224.2.0.1;branch=z9hG4bKa7c6a8dlze.1',
    'SIP/2.0/TCP [2001:db8::9:1]:5060;branch=z9hG4bK87a;rport;received=192.0.2.1',
    'SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bK56sdasks',
  ])('%s is written as it was read', (text) => {
    expect(formatVia(parseVia(text))).toBe(text);
  });

  test('blanks may stand around every mark', () => {
    const via = parseVia('SIP  / 2.0\t/ UDP  192.0.2.2 : 5060 ;branch = 390skdjuw ; x');
    expect(via).toMatchObject({ transport: 'UDP', host: '192.0.2.2', port: 5060 });
    expect(branchOf(via)).toBe('390skdjuw');
  });

  test.each(['', 'SIP/2.0/UDP', 'SIP/3.0/UDP a', 'SIP/2.0/UDP a:b', 'SIP/2.0/UDP a b', 'UDP a'])(
    '%j is refused',
    (text) => {
      expect(() => parseVia(text)).toThrow(DecodeError);
    },
  );

  test('received is added when the source differs, rport when it is asked for', () => {
    const source = { address: '192.0.2.1', port: 40_000 };
    const noted = (text: string) => formatVia(withSource(parseVia(text), source));
    expect(noted('SIP/2.0/UDP 192.0.2.1:5060;branch=b')).toBe('SIP/2.0/UDP 192.0.2.1:5060;branch=b');
    expect(noted('SIP/2.0/UDP 10.1.1.1;branch=b')).toBe('SIP/2.0/UDP 10.1.1.1;branch=b;received=192.0.2.1');
    expect(noted('SIP/2.0/UDP 192.0.2.1;rport;branch=b')).toBe(
      'SIP/2.0/UDP 192.0.2.1;rport=40000;branch=b;received=192.0.2.1',
    );
    expect(noted('SIP/2.0/UDP 192.0.2.1;received=6.6.6.6')).toBe('SIP/2.0/UDP 192.0.2.1;received=192.0.2.1');
  });
});

test.each([
  ['314159 INVITE', { number: 314_159, method: 'INVITE' }],
  ['0009  \t INVITE', { number: 9, method: 'INVITE' }],
])('CSeq %j', (value, expected) => {
  expect(parseCSeq(value)).toEqual(expected);
});

test.each([
  '',
  '1',
  'INVITE',
  '1 IN VITE',
  '4294967296 INVITE',
  '2147483648 INVITE',
  '-1 INVITE',
  '36893488147419103232 A',
])('CSeq %j is refused', (value) => {
  expect(() => parseCSeq(value)).toThrow(DecodeError);
});

test('Reason is read and written', () => {
  const reason = { protocol: 'SIP', cause: 600, text: 'Busy "Everywhere"' };
  expect(parseReason(formatReason(reason))).toEqual(reason);
  expect(parseReason('Q.850 ;cause=16')).toEqual({ protocol: 'Q.850', cause: 16, text: undefined });
});

test('a contact predicate is read', () => {
  expect(parseContactPredicate('*;+sip.instance="<urn:uuid:1>";audio;require;explicit')).toEqual({
    features: [
      { name: '+sip.instance', value: '"<urn:uuid:1>"' },
      { name: 'audio', value: undefined },
    ],
    require: true,
    explicit: true,
  });
  expect(() => parseContactPredicate('audio')).toThrow(DecodeError);
});
