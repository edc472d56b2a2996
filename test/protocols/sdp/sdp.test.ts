/** SDP as ordered lines, and MSRP offers and answers. */
import { describe, expect, test } from 'vitest';
import { DecodeError, InvariantError } from '../../../src/kernel/errors.js';
import {
  answerOffer,
  decodeSdp,
  encodeSdp,
  msrpMedia,
  offerMsrp,
  sdpAttribute,
} from '../../../src/protocols/sdp/index.js';
import { mutated } from '../../support/mutations.js';
import { seededRandom } from '../../support/seeded-random.js';

const bytes = (...lines: string[]) => Buffer.from(`${lines.join('\r\n')}\r\n`);
const text = (octets: Uint8Array) => Buffer.from(octets).toString();

const SESSION = [
  'v=0',
  'o=alice 2890844526 2890844527 IN IP4 alice.example',
  's=-',
  'c=IN IP4 192.0.2.7',
  't=0 0',
];
const MSRP = [
  'm=message 7394 TCP/MSRP *',
  'a=accept-types:message/cpim text/plain text/html',
  'a=accept-wrapped-types:*',
  'a=max-size:1048576',
  'a=setup:actpass',
  'a=path:msrp://192.0.2.7:7394/2s93i9ek2a;tcp',
];
const AUDIO = ['m=audio 49170 RTP/AVP 0 8', 'a=rtpmap:0 PCMU/8000'];
const OUR_PATH = 'msrp://198.51.100.1:2855/iau39soe2843z;tcp';

describe('decode and encode', () => {
  test('a description comes out as it went in', () => {
    const octets = bytes(...SESSION, 'a=tool:x', ...AUDIO, ...MSRP, 'x=unknown');
    expect(text(encodeSdp(decodeSdp(octets)))).toBe(text(octets));
  });

  test('bare line feeds are taken and written as CRLF', () => {
    const octets = Buffer.from([...SESSION, ...MSRP].join('\n'));
    expect(text(encodeSdp(decodeSdp(octets)))).toBe(text(bytes(...SESSION, ...MSRP)));
  });

  test.each([
    ['nothing', ''],
    ['no v= in front', 'o=- 1 1 IN IP4 a\r\n'],
    ['another version', 'v=1\r\n'],
    ['a line without =', 'v=0\r\nhello\r\n'],
    ['a media line without a port', 'v=0\r\nm=message TCP/MSRP *\r\n'],
    ['a port out of range', 'v=0\r\nm=message 70000 TCP/MSRP *\r\n'],
    ['a carriage return inside a line', 'v=0\r\ns=a\rb\r\n'],
  ])('%s is refused', (_name, input) => {
    expect(() => decodeSdp(Buffer.from(input))).toThrow(DecodeError);
  });

  test.each([
    ['octets', `v=0\r\ns=${'x'.repeat(40_000)}\r\n`],
    ['lines', `v=0\r\n${'a=x\r\n'.repeat(600)}`],
    ['media', `v=0\r\n${'m=audio 1 RTP/AVP 0\r\n'.repeat(17)}`],
  ])('too many %s are refused as over the limit', (_name, input) => {
    expect(() => decodeSdp(Buffer.from(input))).toThrow(expect.objectContaining({ code: 'limitExceeded' }));
  });

  test('a value with a line break is never written', () => {
    const sdp = { lines: [{ type: 's', value: 'a\r\nm=audio 1 RTP/AVP 0' }], media: [] };
    expect(() => encodeSdp(sdp)).toThrow(InvariantError);
  });

  test('an attribute is found by its whole name only', () => {
    const lines = [
      { type: 'a', value: 'pathology:x' },
      { type: 'a', value: 'path:y' },
    ];
    expect(sdpAttribute(lines, 'path')).toBe('y');
  });
});

describe('the MSRP media', () => {
  test('is read with all that the session needs', () => {
    expect(msrpMedia(decodeSdp(bytes(...SESSION, ...AUDIO, ...MSRP)))).toMatchObject({
      index: 1,
      isSecure: false,
      address: '192.0.2.7',
      port: 7394,
      path: ['msrp://192.0.2.7:7394/2s93i9ek2a;tcp'],
      acceptTypes: ['message/cpim', 'text/plain', 'text/html'],
      acceptWrappedTypes: ['*'],
      setup: 'actpass',
      maxSize: 1_048_576,
      direction: 'sendrecv',
    });
  });

  test('has the connection address of its own section, IPv6 too', () => {
    const sdp = decodeSdp(bytes(...SESSION, ...MSRP, 'c=IN IP6 2001:db8::7'));
    expect(msrpMedia(sdp)?.address).toBe('2001:db8::7');
  });

  test('is none when the only one is declined', () => {
    expect(msrpMedia(decodeSdp(bytes(...SESSION, 'm=message 0 TCP/MSRP *')))).toBeUndefined();
  });

  test('has a path of several relays in order', () => {
    const relay = 'msrps://relay.example:9000/jui787s2f;tcp';
    const sdp = decodeSdp(bytes(...SESSION, 'm=message 9 TCP/TLS/MSRP *', `a=path:${relay} ${OUR_PATH}`));
    expect(msrpMedia(sdp)).toMatchObject({ isSecure: true, path: [relay, OUR_PATH] });
  });

  test.each<[string, readonly string[], readonly string[], unknown]>([
    ['none', [], [], undefined],
    ['the one of its section', [], ['SHA-256 0a:0B'], [{ hash: 'sha-256', value: '0A:0B' }]],
    ['that of the session when it has none', ['sha-512 01'], [], [{ hash: 'sha-512', value: '01' }]],
    [
      'its own before that of the session',
      ['sha-512 01'],
      ['sha-256 02'],
      [{ hash: 'sha-256', value: '02' }],
    ],
    ['none of weak or unknown hash functions', [], ['sha-1 02', 'md5 03', 'sha-3 04'], []],
    ['none that is malformed', [], ['sha-256 2', 'sha-256', 'sha-256 0g'], []],
  ])('describes the certificate of the peer: %s', (_, ofSession, ofMedia, expected) => {
    const lines = (values: readonly string[]) => values.map((value) => `a=fingerprint:${value}`);
    const sdp = decodeSdp(bytes(...SESSION, ...lines(ofSession), ...MSRP, ...lines(ofMedia)));
    expect(msrpMedia(sdp)?.fingerprints).toEqual(expected);
  });

  test('states its direction', () => {
    expect(msrpMedia(decodeSdp(bytes(...SESSION, ...MSRP, 'a=recvonly')))?.direction).toBe('recvonly');
  });
});

describe('offer and answer', () => {
  const options = { host: '198.51.100.1', path: [OUR_PATH], acceptTypes: ['*'] };

  test('an offer over TLS says so and describes our certificate', () => {
    const fingerprint = { hash: 'sha-256', value: 'AB:CD' } as const;
    const offer = text(offerMsrp({ ...options, isSecure: true, fingerprint }));
    expect(offer).toContain('m=message 2855 TCP/TLS/MSRP *\r\n');
    expect(offer).toContain('a=fingerprint:sha-256 AB:CD\r\n');
  });

  test('an offer is one MSRP media whose port is that of the path', () => {
    const offer = text(offerMsrp({ ...options, setup: 'active', direction: 'sendonly', maxSize: 5 }));
    expect(offer.replace(/o=- \d+ \d+ /, 'o=- N N ')).toBe(
      text(
        bytes(
          'v=0',
          'o=- N N IN IP4 198.51.100.1',
          's=-',
          'c=IN IP4 198.51.100.1',
          't=0 0',
          'm=message 2855 TCP/MSRP *',
          'a=accept-types:*',
          'a=max-size:5',
          'a=sendonly',
          'a=setup:active',
          `a=path:${OUR_PATH}`,
        ),
      ),
    );
  });

  test('an IPv6 host is written as such', () => {
    const path = ['msrp://[2001:db8::1]:2855/x;tcp'];
    expect(text(offerMsrp({ ...options, host: '[2001:db8::1]', path }))).toContain(
      'c=IN IP6 2001:db8::1\r\n',
    );
  });

  test('an answer takes the first MSRP media and declines the rest in order', () => {
    const offer = decodeSdp(bytes(...SESSION, ...AUDIO, ...MSRP, 'm=message 9999 TCP/MSRP *'));
    const answer = decodeSdp(answerOffer(offer, { ...options, setup: 'passive' }));
    expect(answer.media.map(({ media, port, protocol }) => [media, port, protocol])).toEqual([
      ['audio', 0, 'RTP/AVP'],
      ['message', 2855, 'TCP/MSRP'],
      ['message', 0, 'TCP/MSRP'],
    ]);
  });

  test('an answer repeats the timing of the offer', () => {
    const offer = decodeSdp(bytes('v=0', 'o=- 1 1 IN IP4 a.example', 's=-', 't=2873397496 0', ...MSRP));
    expect(text(answerOffer(offer, options))).toContain('t=2873397496 0\r\n');
  });

  test('our answer is read back as it was meant', () => {
    const answer = decodeSdp(
      answerOffer(decodeSdp(bytes(...SESSION, ...MSRP)), { ...options, setup: 'passive' }),
    );
    expect(msrpMedia(answer)).toMatchObject({
      path: [OUR_PATH],
      setup: 'passive',
      acceptTypes: ['*'],
      port: 2855,
    });
  });

  test('an offer without MSRP media cannot be answered', () => {
    expect(() => answerOffer(decodeSdp(bytes(...SESSION, ...AUDIO)), options)).toThrow(InvariantError);
  });
});

test('mutated descriptions are read or refused, never anything else', () => {
  const random = seededRandom(20_261_120);
  const valid = bytes(...SESSION, ...AUDIO, ...MSRP);
  for (let round = 0; round < 3000; round += 1) {
    try {
      const sdp = decodeSdp(mutated(valid, random));
      msrpMedia(sdp);
      encodeSdp(sdp);
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError);
    }
  }
});
