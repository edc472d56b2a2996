/** Heads of HTTP/1.1 messages: what is read, what is refused, and what is written. */
import { describe, expect, it } from 'vitest';
import { decodeHttpHead, encodeHttpMessage } from '../../../src/protocols/http/index.js';

const octets = (text: string) => Buffer.from(text, 'latin1');

describe('a head', () => {
  it('of a response is read with its fields, and its body begins behind the empty line', () => {
    const { head, end } = decodeHttpHead(octets('HTTP/1.1 200 Very OK\r\nA: 1\r\nb:2\r\n\r\nbody'));
    expect(head).toEqual({
      kind: 'response',
      status: 200,
      reason: 'Very OK',
      headers: [
        { name: 'A', value: '1' },
        { name: 'b', value: '2' },
      ],
    });
    expect(end).toBe(35);
  });

  it.each([
    ['HTTP/1.1 204 \r\n\r\n', { kind: 'response', status: 204, reason: '' }],
    ['HTTP/1.0 404\r\n\r\n', { kind: 'response', status: 404, reason: '' }],
    ['POST /wappush HTTP/1.1\r\n\r\n', { kind: 'request', method: 'POST', target: '/wappush' }],
  ])('%j is read', (text, expected) => {
    expect(decodeHttpHead(octets(text)).head).toMatchObject(expected);
  });

  it.each([
    '',
    '\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/1.1 2000 OK\r\n\r\n',
    'HTTP/2 200 OK\r\n\r\n',
    'http/1.1 200 OK\r\n\r\n',
    'GET  / HTTP/1.1\r\n\r\n',
    'GET / HTTP/1.1 \r\n\r\n',
    'G@T / HTTP/1.1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nno colon\r\n\r\n',
    'HTTP/1.1 200 O\0K\r\n\r\n',
  ])('%j is refused', (text) => {
    expect(() => decodeHttpHead(octets(text))).toThrow(expect.objectContaining({ code: 'malformed' }));
  });

  it('over a limit is refused as that', () => {
    const long = octets(`HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(200)}\r\n`);
    const limits = { maxHeadBytes: 4096, maxHeaders: 50, maxBodyBytes: 0 };
    const limitExceeded = expect.objectContaining({ code: 'limitExceeded' });
    expect(() => decodeHttpHead(long, 0, limits)).toThrow(limitExceeded);
    expect(() => decodeHttpHead(long, 0, { ...limits, maxHeaders: 1000, maxHeadBytes: 512 })).toThrow(
      limitExceeded,
    );
    expect(() => decodeHttpHead(octets('x'.repeat(600)), 0, { ...limits, maxHeadBytes: 512 })).toThrow(
      limitExceeded,
    );
  });
});

describe('a message', () => {
  it('is written with its length', () => {
    const headers = [{ name: 'Host', value: 'a' }];
    const message = encodeHttpMessage(
      { kind: 'request', method: 'POST', target: '/', headers },
      octets('hi'),
    );
    expect(Buffer.from(message).toString('latin1')).toBe(
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi',
    );
  });

  it('of a status without a body has no length', () => {
    const message = encodeHttpMessage({ kind: 'response', status: 204, reason: 'No Content', headers: [] });
    expect(Buffer.from(message).toString('latin1')).toBe('HTTP/1.1 204 No Content\r\n\r\n');
  });

  it.each([
    { kind: 'response', status: 200, reason: 'O\nK', headers: [] },
    { kind: 'request', method: 'GET', target: '/\r\nX: y', headers: [] },
    { kind: 'response', status: 200, reason: '', headers: [{ name: 'A', value: 'b\r\nc: d' }] },
    { kind: 'response', status: 200, reason: '', headers: [{ name: 'Content-Length', value: '7' }] },
    { kind: 'response', status: 200, reason: '', headers: [{ name: 'Transfer-Encoding', value: 'chunked' }] },
  ] as const)('that would become another one is a defect: %j', (head) => {
    expect(() => encodeHttpMessage(head)).toThrow(expect.objectContaining({ code: 'internal' }));
  });
});
