/** Responses out of the octets of a connection: whole, octet by octet, several at once, and those that could be read in two ways. */
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import { HTTP_LIMITS, type HttpResponse, HttpResponseReader } from '../../../src/protocols/http/index.js';
import { mutated } from '../../support/mutations.js';
import { seededRandom } from '../../support/seeded-random.js';

const octets = (text: string) => Buffer.from(text, 'latin1');
const shown = ({ status, body, isLast }: HttpResponse) => [
  status,
  Buffer.from(body).toString('latin1'),
  isLast,
];

function readAll(text: string, step = text.length, ends = true) {
  const reader = new HttpResponseReader();
  const found: unknown[] = [];
  const take = () => {
    for (let one = reader.next(); one; one = reader.next()) found.push(shown(one));
  };
  for (let at = 0; at < text.length; at += step) {
    reader.push(octets(text.slice(at, at + step)));
    take();
  }
  if (ends) reader.end();
  take();
  return found;
}

const SAMPLES: readonly (readonly [text: string, expected: readonly unknown[]])[] = [
  ['HTTP/1.1 204 No Content\r\nX-Wap-Push-Status: 400 Accepted\r\n\r\n', [[204, '', false]]],
  ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi', [[200, 'hi', false]]],
  ['HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nhi', [[200, 'hi', false]]],
  ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n', [[200, '', true]]],
  ['HTTP/1.1 200 OK\r\n\r\nto the end', [[200, 'to the end', true]]],
  [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n3;x=y\r\n!!!\r\n0\r\n\r\n',
    [[200, 'hi!!!', false]],
  ],
  [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: 1\r\n\r\nHTTP/1.1 204 \r\n\r\n',
    [
      [200, '', false],
      [204, '', false],
    ],
  ],
  [
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx',
    [
      [204, '', false],
      [200, 'x', false],
    ],
  ],
  [
    'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nHTTP/1.1 304 \n\n',
    [
      [204, '', false],
      [304, '', false],
    ],
  ],
];

describe('responses', () => {
  it.each(SAMPLES)('%j are read whole', (text, expected) => {
    expect(readAll(text)).toEqual(expected);
  });

  it.each(SAMPLES)('%j are read octet by octet', (text, expected) => {
    expect(readAll(text, 1)).toEqual(expected);
  });

  it('are not read before they are whole', () => {
    const text = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';
    for (let length = 0; length < text.length; length += 1)
      expect(readAll(text.slice(0, length), length || 1, false)).toEqual([]);
  });

  it('that end with the connection in the middle are refused', () => {
    const text = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';
    for (let length = 1; length < text.length; length += 1)
      expect(() => readAll(text.slice(0, length))).toThrow(DecodeError);
  });

  it.each([
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!'],
    [
      'a length beside chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi'],
    ['a chunk size that is no number', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n'],
    ['a chunk without its end', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n'],
    ['a request', 'GET / HTTP/1.1\r\n\r\n'],
    ['noise', '\x16\x03\x01\x02\x00\x01\r\n\r\n'],
  ])('with %s are refused', (_, text) => {
    expect(() => readAll(text)).toThrow(expect.objectContaining({ code: 'malformed' }));
  });

  it.each([
    ['a head', `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(20_000)}`],
    ['a stated body', 'HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n'],
    ['a body without a length', `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(70_000)}`],
    ['a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n'],
    ['a chunk line', `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(20_000)}`],
    ['a trailer', `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ${'x'.repeat(20_000)}`],
    ['a number of fields', `HTTP/1.1 200 OK\r\n${'a:\r\n'.repeat(200)}\r\n`],
  ])('with %s over its limit are refused', (_, text) => {
    expect(() => readAll(text, text.length, false)).toThrow(
      expect.objectContaining({ code: 'limitExceeded' }),
    );
  });

  it('of hostile peers are read or refused, and nothing is kept beyond the limits', () => {
    const random = seededRandom(9112);
    const texts = SAMPLES.map(([text]) => octets(text));
    for (let run = 0; run < 5000; run += 1) {
      const input = mutated(texts[random.below(texts.length)] ?? octets(''), random);
      const reader = new HttpResponseReader(HTTP_LIMITS);
      try {
        reader.push(input);
        while (reader.next());
        reader.end();
        while (reader.next());
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
      }
    }
  });
});
