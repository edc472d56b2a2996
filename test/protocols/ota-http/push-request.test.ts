/** The push request of OTA-HTTP: the maker's own sample, what we write, what else is read, and what is refused. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import { encodeHttpMessage } from '../../../src/protocols/http/index.js';
import {
  decodePushRequest,
  decodePushRequestOctets,
  encodePushRequest,
  OTA_HTTP_LIMITS,
  type PushRequest,
} from '../../../src/protocols/ota-http/index.js';
import { mutated } from '../../support/mutations.js';
import { seededRandom } from '../../support/seeded-random.js';

interface Vector {
  readonly name: string;
  readonly hex: string;
}

const VECTORS = JSON.parse(
  readFileSync(new URL('../../vectors/push.json', import.meta.url), 'utf8'),
) as readonly Vector[];
const vector = (name: string) => Buffer.from(VECTORS.find((one) => one.name === name)?.hex ?? '', 'hex');

const PUSH: PushRequest = {
  id: '0123456789abcdef0123456789abcdef',
  cpiTag: 'AQIDBA==',
  contentType: 'text/plain; charset=utf-8',
  headers: [
    { name: 'X-Wap-Application-Id', value: 'x-wap-application:wml.ua' },
    { name: 'Push-Flag', value: '4' },
  ],
  content: Buffer.from([0, 1, 13, 10, 13, 10, 255]),
};
const AT = Date.UTC(2026, 6, 30, 10, 0, 0);

/** The whole POST. */
function octets(push: PushRequest): Uint8Array {
  const { headers, body } = encodePushRequest(push, AT);
  return encodeHttpMessage({ kind: 'request', method: 'POST', target: '/wappush', headers }, body);
}

/** What is read again has the Date of the message inside no more: that is not a push header. */
const again = (push: PushRequest) => decodePushRequestOctets(octets(push));

describe('the sample of a maker', () => {
  const read = decodePushRequestOctets(vector('symbian-ota-http-req'));

  it('is read although both of its lengths are wrong, with all of its content', () => {
    const text = Buffer.from(read.content).toString('latin1');
    expect(read.content).toHaveLength(270);
    expect(text.startsWith('<?xml version="1.0"?>')).toBe(true);
    expect(text.endsWith('</si>')).toBe(true);
  });

  it('has its push headers in the message inside', () => {
    expect(read).toMatchObject({
      contentType: 'text/vnd.wap.si',
      headers: [
        { name: 'Last-modified', value: 'Tue, 31 Jul 2001 10:13:00 GMT' },
        { name: 'Content-Language', value: 'en' },
        { name: 'X-Wap-Application-Id', value: 'x-wap-application:wml.ua' },
      ],
    });
  });
});

describe('a request of ours', () => {
  it('is a response inside a request', () => {
    expect(Buffer.from(octets({ ...PUSH, content: Buffer.from('hi') })).toString('latin1')).toBe(
      [
        'POST /wappush HTTP/1.1',
        'Content-Type: application/http',
        'X-Wap-Push-OTA-Version: 1.0',
        'X-Wap-CPITag: AQIDBA==',
        'X-Push-Id: 0123456789abcdef0123456789abcdef',
        'Content-Length: 180',
        '',
        'HTTP/1.1 200 OK',
        'Date: Thu, 30 Jul 2026 10:00:00 GMT',
        'Content-Type: text/plain; charset=utf-8',
        'X-Wap-Application-Id: x-wap-application:wml.ua',
        'Push-Flag: 4',
        'Content-Length: 2',
        '',
        'hi',
      ].join('\r\n'),
    );
  });

  it('is read as it was meant, octet for octet', () => {
    expect(again(PUSH)).toEqual(PUSH);
  });

  it('says nothing of an id or a tag that there is none of', () => {
    const { id, cpiTag, ...bare } = PUSH;
    expect([id, cpiTag]).toBeDefined();
    expect(again(bare)).toEqual(bare);
  });

  it('puts a value that the initiator folded on one line, and lets none begin a field of its own', () => {
    const headers = [{ name: 'X-Long', value: 'one\r\n two\nContent-Length: 7' }];
    expect(again({ ...PUSH, headers }).headers).toEqual([
      { name: 'X-Long', value: 'one two Content-Length: 7' },
    ]);
  });

  it('has no fields of the message among its push headers', () => {
    const headers = ['Content-Length', 'transfer-encoding', 'Connection', 'Content-Type'].map((name) => ({
      name,
      value: '7',
    }));
    expect(again({ ...PUSH, headers }).headers).toEqual([]);
  });
});

describe('content that is sent as it is', () => {
  it('has its push headers in the request', () => {
    const headers = [
      { name: 'Host', value: 'a' },
      { name: 'Content-Type', value: 'application/vnd.wap.sia' },
      { name: 'X-Wap-Push-OTA-Version', value: '1.0' },
      { name: 'X-Wap-Application-Id', value: 'x-wap-application:push.sia' },
    ];
    expect(decodePushRequest({ headers, body: Buffer.from('x') })).toEqual({
      contentType: 'application/vnd.wap.sia',
      headers: [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:push.sia' }],
      content: Buffer.from('x'),
    });
  });
});

describe('a request', () => {
  const wrapped = (inner: string) => () =>
    decodePushRequest({
      headers: [{ name: 'content-type', value: 'Application/HTTP; msgtype=response' }],
      body: Buffer.from(inner, 'latin1'),
    });

  it.each([
    'POST / HTTP/1.1\r\n\r\nx',
    'HTTP/1.1 404 Not Found\r\n\r\nx',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'nothing of the kind',
    '',
  ])('with %j inside is refused', (inner) => {
    expect(wrapped(inner)).toThrow(DecodeError);
  });

  it('with more content than is taken is refused', () => {
    const { headers, body } = encodePushRequest({ ...PUSH, content: Buffer.alloc(100) }, AT);
    expect(() => decodePushRequest({ headers, body }, { ...OTA_HTTP_LIMITS, maxContentBytes: 99 })).toThrow(
      expect.objectContaining({ code: 'limitExceeded' }),
    );
  });

  it('that is no POST is refused', () => {
    expect(() => decodePushRequestOctets(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).toThrow(DecodeError);
  });

  it('cut off anywhere before its content is refused or shorter, never longer', () => {
    const whole = octets(PUSH);
    for (let length = 0; length < whole.length; length += 1) {
      try {
        expect(decodePushRequestOctets(whole.subarray(0, length)).content.length).toBeLessThanOrEqual(7);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
      }
    }
  });

  it('of a hostile sender is read or refused', () => {
    const random = seededRandom(4035);
    const inputs = [octets(PUSH), vector('symbian-ota-http-req')];
    for (let run = 0; run < 5000; run += 1) {
      try {
        decodePushRequestOctets(mutated(inputs[run % 2] ?? new Uint8Array(), random));
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
      }
    }
  });
});
