/** Whole SIP messages: octets to values and back, limits, and what is refused. */
import { describe, expect, test } from 'vitest';
import { DecodeError, InvariantError } from '../../../src/kernel/errors.js';
import {
  contactsOf,
  DEFAULT_SIP_DECODE_LIMITS,
  decodeSipMessage,
  encodeSipMessage,
  headerValue,
  headerValues,
  parseCSeq,
  parseNameAddr,
  parseUri,
  parseVia,
  type SipRequest,
  salvageSipRequest,
  sipMessageByteString,
} from '../../../src/protocols/sip/index.js';
import { mutated } from '../../support/mutations.js';
import { seededRandom } from '../../support/seeded-random.js';

const octets = (text: string) => Buffer.from(text, 'latin1');
const decode = (text: string) => decodeSipMessage(octets(text));
const encoded = (text: string) => Buffer.from(encodeSipMessage(decode(text))).toString('latin1');

const HEAD = [
  'MESSAGE sip:bob@biloxi.example SIP/2.0',
  'Via: SIP/2.0/UDP pc33.atlanta.example;branch=z9hG4bK776asdhds',
  'Max-Forwards: 70',
  'To: Bob <sip:bob@biloxi.example>',
  'From: "Alice \\"A\\"" <sip:alice@atlanta.example>;tag=1928301774',
  'Call-ID: a84b4c76e66710',
  'CSeq: 314159 MESSAGE',
  'Content-Type: text/plain',
].join('\r\n');
const MESSAGE = `${HEAD}\r\nContent-Length: 4\r\n\r\nhey!`;

describe('a request', () => {
  test('is read with its headers in order and its body', () => {
    const message = decode(MESSAGE) as SipRequest;
    expect(message).toMatchObject({ kind: 'request', method: 'MESSAGE', uri: 'sip:bob@biloxi.example' });
    expect(message.headers.map(({ name }) => name)).toEqual([
      'Via',
      'Max-Forwards',
      'To',
      'From',
      'Call-ID',
      'CSeq',
      'Content-Type',
      'Content-Length',
    ]);
    expect(Buffer.from(message.body).toString()).toBe('hey!');
  });

  test('is written as it was read', () => {
    expect(encoded(MESSAGE)).toBe(MESSAGE);
  });

  test('keeps a body of any octets', () => {
    const body = String.fromCharCode(...Array.from({ length: 256 }, (_, index) => index));
    expect(encoded(`${HEAD}\r\nContent-Length: 256\r\n\r\n${body}`).endsWith(`\r\n\r\n${body}`)).toBe(true);
  });

  test('keeps UTF-8 in its head as text', () => {
    const text = MESSAGE.replace(
      'Bob <',
      `${octets('').toString()}${Buffer.from('Björn ☎ <').toString('latin1')}`,
    );
    expect(headerValue(decode(text), 'to')).toBe('Björn ☎ <sip:bob@biloxi.example>');
    expect(encoded(text)).toBe(text);
  });

  test('keeps octets of its head that are no UTF-8', () => {
    const text = MESSAGE.replace('Bob <', 'Bj\xf6rn \xc3\xb6 \xff\xed\xa0\x80 <');
    expect(encoded(text)).toBe(text);
  });

  test('may be preceded by empty lines', () => {
    expect(decode(`\r\n\r\n${MESSAGE}`)).toMatchObject({ method: 'MESSAGE' });
  });

  test('without Content-Length has the rest of the datagram as body', () => {
    expect(Buffer.from(decode(`${HEAD}\r\n\r\nrest`).body).toString()).toBe('rest');
  });

  test('loses what stands behind its Content-Length', () => {
    expect(Buffer.from(decode(`${MESSAGE}junk`).body).toString()).toBe('hey!');
  });

  test('may fold its headers, and blanks around a colon do not count', () => {
    const message = decode(`${HEAD}\r\nSubject  :  I know\r\n\t you're there,  \r\n  pick up  \r\n\r\n`);
    expect(headerValue(message, 'subject')).toBe("I know you're there, pick up");
  });

  test('may use compact names', () => {
    const message = decode('OPTIONS sip:a@b SIP/2.0\r\ni: x\r\nV: SIP/2.0/UDP a\r\nl: 0\r\n\r\n');
    expect(headerValue(message, 'Call-ID')).toBe('x');
    expect(headerValue(message, 'via')).toBe('SIP/2.0/UDP a');
    expect(headerValue(message, 'v')).toBe('SIP/2.0/UDP a');
  });
});

describe('a response', () => {
  test('is read and written as it was', () => {
    const text = 'SIP/2.0 480 Temporarily Unavailable\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n';
    expect(decode(text)).toMatchObject({ kind: 'response', status: 480, reason: 'Temporarily Unavailable' });
    expect(encoded(text)).toBe(text);
  });

  test.each(['SIP/2.0 100 \r\n\r\n', 'SIP/2.0 100\r\n\r\n'])('may have no reason: %j', (text) => {
    expect(decode(text)).toMatchObject({ status: 100, reason: '' });
  });
});

describe('refused', () => {
  test.each([
    ['nothing', ''],
    ['no end of the head', HEAD],
    ['two blanks in the request line', MESSAGE.replace(' sip:', '  sip:')],
    ['a blank in the Request-URI', MESSAGE.replace('sip:bob@', 'sip:b ob@')],
    ['a blank behind the version', MESSAGE.replace('SIP/2.0\r\n', 'SIP/2.0 \r\n')],
    ['no version', MESSAGE.replace(' SIP/2.0\r\n', '\r\n')],
    ['a method that is no token', MESSAGE.replace('MESSAGE sip', 'MES"AGE sip')],
    ['a header without a colon', MESSAGE.replace('Max-Forwards: 70', 'Max-Forwards 70')],
    ['a header without a name', MESSAGE.replace('Max-Forwards: 70', ': 70')],
    ['a header name with a blank inside', MESSAGE.replace('Max-Forwards', 'Max Forwards')],
    ['a fold before the first header', MESSAGE.replace('\r\nVia', '\r\n Via')],
    ['a bare line feed', MESSAGE.replace('70\r\n', '70\n')],
    ['a bare carriage return in a value', MESSAGE.replace('70\r\n', '7\r0\r\n')],
    ['a body that is too short', MESSAGE.replace('Length: 4', 'Length: 5')],
    ['a negative Content-Length', MESSAGE.replace('Length: 4', 'Length: -4')],
    ['a Content-Length with letters', MESSAGE.replace('Length: 4', 'Length: 4x')],
    ['an endless Content-Length', MESSAGE.replace('Length: 4', `Length: ${'9'.repeat(40)}`)],
    ['two Content-Lengths that differ', MESSAGE.replace('Length: 4', 'Length: 4\r\nl: 3')],
    ['a status below 100', 'SIP/2.0 099 No\r\n\r\n'],
    ['a status above 699', 'SIP/2.0 700 No\r\n\r\n'],
    ['a status of four digits', 'SIP/2.0 2000 No\r\n\r\n'],
  ])('%s', (_name, text) => {
    expect(() => decode(text)).toThrow(DecodeError);
  });

  test('another version, by its own code', () => {
    expect(() => decode(MESSAGE.replace('SIP/2.0\r\n', 'SIP/7.0\r\n'))).toThrow(
      expect.objectContaining({ code: 'versionNotSupported' }),
    );
  });

  test.each([
    ['a message over the limit', `${HEAD}\r\n\r\n${'x'.repeat(DEFAULT_SIP_DECODE_LIMITS.maxMessageBytes)}`],
    ['too many headers', `${HEAD}\r\n${'X-A: b\r\n'.repeat(200)}\r\n`],
    ['a header over the limit', `${HEAD}\r\nX-A: ${'b'.repeat(9000)}\r\n\r\n`],
    ['a header over the limit by its folds', `${HEAD}\r\nX-A: b${'\r\n b'.repeat(3000)}\r\n\r\n`],
  ])('%s', (_name, text) => {
    expect(() => decode(text)).toThrow(expect.objectContaining({ code: 'limitExceeded' }));
  });
});

describe('sending is strict', () => {
  const request: SipRequest = {
    kind: 'request',
    method: 'INFO',
    uri: 'sip:a@b',
    headers: [],
    body: new Uint8Array(0),
  };
  test.each([
    ['a line feed in a value', { ...request, headers: [{ name: 'X', value: 'a\nVia: b' }] }],
    ['a carriage return in a value', { ...request, headers: [{ name: 'X', value: 'a\rb' }] }],
    ['a name that is no token', { ...request, headers: [{ name: 'X Y', value: 'a' }] }],
    ['a URI with a blank', { ...request, uri: 'sip:a b@c' }],
    ['no method', { ...request, method: '' }],
  ])('%s throws', (_name, broken) => {
    expect(() => encodeSipMessage(broken)).toThrow(InvariantError);
  });

  test('Content-Length is that of the body whatever the headers say', () => {
    const headers = [{ name: 'l', value: '99' }];
    const written = sipMessageByteString({ ...request, headers, body: Buffer.from('ab') });
    expect(written).toBe('INFO sip:a@b SIP/2.0\r\nContent-Length: 2\r\n\r\nab');
  });
});

describe('salvage', () => {
  test('finds what is needed to answer a broken request', () => {
    const salvaged = salvageSipRequest(octets(MESSAGE.replace('SIP/2.0\r\n', 'SIP/7.0\r\n')));
    expect(salvaged?.method).toBe('MESSAGE');
    expect(headerValue(salvaged ?? { headers: [] }, 'call-id')).toBe('a84b4c76e66710');
  });

  test('leaves broken lines out', () => {
    const salvaged = salvageSipRequest(octets(MESSAGE.replace('Max-Forwards: 70', 'broken')));
    expect(headerValues(salvaged ?? { headers: [] }, 'cseq')).toEqual(['314159 MESSAGE']);
  });

  test.each(['', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'SIP/2.0 200 OK\r\n\r\n', '\x80\x81\x82'])(
    'finds nothing in %j',
    (text) => {
      expect(salvageSipRequest(octets(text))).toBeUndefined();
    },
  );
});

test('mutated messages are read or refused, never anything else', () => {
  const random = seededRandom(3261);
  const contact = `${HEAD}\r\nContact: "a" <sip:a@[2001:db8::1]:5060;transport=tcp>;+sip.instance="<urn:uuid:1>"`;
  const valid = octets(`${contact}\r\nContent-Length: 4\r\n\r\nhey!`);
  for (let round = 0; round < 5000; round += 1) {
    const input = mutated(valid, random);
    try {
      const message = decodeSipMessage(input);
      encodeSipMessage(message);
      parseVia(headerValues(message, 'via')[0] ?? '');
      parseUri(parseNameAddr(headerValue(message, 'from') ?? '').uri);
      parseCSeq(headerValue(message, 'cseq') ?? '');
      contactsOf(message);
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError);
    }
    salvageSipRequest(input);
  }
});
