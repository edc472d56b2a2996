/** Multipart bodies, to the octet. */
import { describe, expect, it } from 'vitest';
import { DecodeError, InvariantError } from '../../../src/kernel/errors.js';
import {
  chooseBoundary,
  decodeFirstPart,
  decodeMultipart,
  decodeMultipartRelated,
  encodeMultipart,
  encodeMultipartRelated,
  isBoundary,
  parseContentType,
} from '../../../src/protocols/mime/index.js';
import { mutated } from '../../support/mutations.js';
import { seededRandom } from '../../support/seeded-random.js';

const LIMITS = { maxBytes: 10_000, maxParts: 4, maxHeaderBytes: 500, maxHeaders: 10 };
const bytes = (text: string) => Buffer.from(text, 'latin1');
const decode = (text: string | Uint8Array, boundary = 'b1') =>
  decodeMultipart(typeof text === 'string' ? bytes(text) : text, boundary, LIMITS);
const contents = (text: string, boundary = 'b1') =>
  decode(text, boundary).parts.map((part) => Buffer.from(part.content).toString('latin1'));

describe('decodeMultipart', () => {
  it.each<[string, string, string[]]>([
    ['two parts', '--b1\r\nA: b\r\n\r\none\r\n--b1\r\n\r\ntwo\r\n--b1--\r\n', ['one', 'two']],
    ['no line break after the closing delimiter', '--b1\r\n\r\none\r\n--b1--', ['one']],
    ['a line feed and carriage return after the closing delimiter', '--b1\r\n\r\none\r\n--b1--\n\r', ['one']],
    ['white space after the boundary', '--b1 \t \r\n\r\none\r\n--b1-- \t\r\n', ['one']],
    ['a preamble', 'for old readers\r\n--b1\r\n\r\none\r\n--b1--', ['one']],
    ['an empty line as preamble', '\r\n--b1\r\n\r\none\r\n--b1--', ['one']],
    ['an epilogue that looks like a part', '--b1\r\n\r\none\r\n--b1--\r\n--b1\r\n\r\ntwo\r\n--b1--', ['one']],
    [
      'line feeds alone, from the opening delimiter on',
      '--b1\nA: b\n\none\n--b1\n\ntwo\n\n--b1--\n',
      ['one', 'two\n'],
    ],
    [
      'a line feed alone in front of what looks like a delimiter',
      '--b1\r\n\r\none\n--b1\r\n--b1--',
      ['one\n--b1'],
    ],
    ['an empty content', '--b1\r\n\r\n\r\n--b1--', ['']],
    ['a part of header fields only', '--b1\r\nA: b\r\n\r\n--b1--', ['']],
    ['a part without anything', '--b1\r\n--b1--', ['']],
    ['content that ends in line breaks', '--b1\r\n\r\none\r\n\r\n\r\n--b1--', ['one\r\n\r\n']],
    ['content with bare line feeds', '--b1\r\n\r\none\n\ntwo\n\r\n--b1--', ['one\n\ntwo\n']],
    ['content with NULs', '--b1\r\n\r\n\0\0\r\n--b1--', ['\0\0']],
    ['a boundary in the middle of a line', '--b1\r\n\r\nsee --b1 there\r\n--b1--', ['see --b1 there']],
    ['a longer boundary inside', '--b1\r\n\r\n\r\n--b1x\r\n\r\n--b1--', ['\r\n--b1x\r\n']],
    ['a boundary after a bare line feed', '--b1\r\n\r\none\n--b1\r\n\r\n--b1--', ['one\n--b1\r\n']],
    ['a closing delimiter with more on its line', '--b1\r\n\r\none\r\n--b1--x\r\n--b1--', ['one\r\n--b1--x']],
    ['a shorter boundary inside', '--b1\r\n\r\n\r\n--b\r\n\r\n--b1--', ['\r\n--b\r\n']],
    [
      'a nested multipart whose boundary begins with ours',
      '--b1\r\n\r\n--b11\r\n\r\nx\r\n--b11--\r\n--b1--',
      ['--b11\r\n\r\nx\r\n--b11--'],
    ],
    ['header lines with bare line feeds', '--b1\nA: b\n\none\r\n--b1--', ['one']],
  ])('reads %s', (_, text, expected) => {
    expect(contents(text)).toEqual(expected);
  });

  it('gives preamble and epilogue', () => {
    const { preamble, epilogue } = decode('before\r\n--b1\r\n\r\none\r\n--b1--\r\nafter');
    expect([Buffer.from(preamble).toString(), Buffer.from(epilogue).toString()]).toEqual(['before', 'after']);
  });

  it('gives content as a view of the body', () => {
    const body = bytes('--b1\r\n\r\none\r\n--b1--');
    expect(decode(body).parts[0]?.content.buffer).toBe(body.buffer);
  });

  it('reads a body that is itself a view', () => {
    const whole = bytes('xxx--b1\r\n\r\none\r\n--b1--yyy');
    expect(Buffer.from(decode(whole.subarray(3, -3)).parts[0]?.content ?? []).toString()).toBe('one');
  });

  it('keeps every octet value', () => {
    const content = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const body = Buffer.concat([bytes('--b1\r\n\r\n'), content, bytes('\r\n--b1--')]);
    expect(Buffer.from(decode(body).parts[0]?.content ?? [])).toEqual(content);
  });

  it.each<[string, string]>([
    ['an empty body', ''],
    ['a body without the boundary', 'hello'],
    ['another boundary', '--b2\r\n\r\none\r\n--b2--'],
    ['a missing closing delimiter', '--b1\r\n\r\none\r\n'],
    ['a body cut inside a part', '--b1\r\nA: b\r\n\r\non'],
    ['only a closing delimiter', '--b1--\r\n'],
    ['a broken header block', '--b1\r\nnonsense\r\n\r\none\r\n--b1--'],
  ])('refuses %s', (_, text) => {
    expect(() => decode(text)).toThrow(DecodeError);
  });

  it.each([
    ['empty', ''],
    ['over 70 characters', 'x'.repeat(71)],
    ['ending in a space', 'b1 '],
    ['with a line break', 'b\r\n1'],
    ['with an asterisk', 'b*1'],
  ])('refuses a boundary %s', (_, boundary) => {
    expect(() => decode('--b1\r\n\r\none\r\n--b1--', boundary)).toThrow(DecodeError);
  });

  it('takes every character that a boundary may have', () => {
    const boundary = "0aZ'()+_,-./:=? x";
    expect(contents(`--${boundary}\r\n\r\none\r\n--${boundary}--`, boundary)).toEqual(['one']);
  });

  it('takes a boundary of 70 characters', () => {
    expect(isBoundary('x'.repeat(70))).toBe(true);
  });

  it('refuses more parts than its limit', () => {
    expect(() => decode(`${'--b1\r\n\r\nx\r\n'.repeat(5)}--b1--`)).toThrow(
      expect.objectContaining({ code: 'limitExceeded' }),
    );
  });

  it('refuses a body over its limit', () => {
    expect(() => decode('x'.repeat(10_001))).toThrow(expect.objectContaining({ code: 'limitExceeded' }));
  });

  it('throws nothing but DecodeError for mutated bodies', () => {
    const random = seededRandom(1);
    const valid = bytes(
      'pre\r\n--b1\r\nA: b\r\n\r\none\r\n--b1 \r\nC: d\r\n e\r\n\r\n\r\n--b1x\r\n--b1--\r\nepi',
    );
    for (let round = 0; round < 5000; round += 1) {
      const input = mutated(valid, random);
      try {
        const { parts } = decode(input);
        expect(parts.reduce((sum, part) => sum + part.content.length, 0)).toBeLessThanOrEqual(input.length);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    }
  });
});

describe('decodeFirstPart', () => {
  it('reads the first part of a body that is cut later', () => {
    const part = decodeFirstPart(bytes('--b1\r\n\r\none\r\n--b1\r\n\r\ntw'), 'b1', LIMITS);
    expect(Buffer.from(part?.content ?? []).toString()).toBe('one');
  });

  it.each([
    ['the part is cut itself', '--b1\r\n\r\non', 'b1'],
    ['there is no delimiter', 'nothing', 'b1'],
    ['the boundary is none', '--b1\r\n\r\none\r\n--b1', ''],
    ['the header block is broken', '--b1\r\nnonsense\r\n\r\none\r\n--b1--', 'b1'],
  ])('is undefined when %s', (_, text, boundary) => {
    expect(decodeFirstPart(bytes(text), boundary, LIMITS)).toBeUndefined();
  });
});

describe('encodeMultipart', () => {
  it('writes what is read again, whatever the content', () => {
    const random = seededRandom(2);
    for (let round = 0; round < 200; round += 1) {
      const parts = Array.from({ length: 1 + random.below(4) }, (_, index) => ({
        headers: [{ name: 'Content-ID', value: `<${index}>` }],
        content: Buffer.from(
          Array.from({ length: random.below(40) }, () => '\r\n-b\0x'.charCodeAt(random.below(6))),
        ),
      }));
      const boundary = chooseBoundary(parts);
      const again = decode(encodeMultipart(parts, boundary), boundary).parts;
      expect(again.map((part) => Buffer.from(part.content))).toEqual(parts.map((part) => part.content));
    }
  });

  it('refuses a boundary that occurs in a part', () => {
    expect(() => encodeMultipart([{ headers: [], content: bytes('x--b1') }], 'b1')).toThrow(InvariantError);
  });

  it('refuses to write no part', () => {
    expect(() => encodeMultipart([], 'b1')).toThrow(InvariantError);
  });

  it('chooses a boundary that occurs in no part', () => {
    const parts = [{ headers: [], content: bytes('--carillon-part-1\r\n--carillon-part-2') }];
    expect(chooseBoundary(parts)).toBe('carillon-part-3');
  });
});

describe('decodeMultipartRelated', () => {
  const body = bytes('--b1\r\nContent-ID: <a>\r\n\r\none\r\n--b1\r\nContent-ID: <b>\r\n\r\ntwo\r\n--b1--');
  const read = (type: string) => decodeMultipartRelated(body, parseContentType(type), LIMITS);
  const rootText = (type: string) => Buffer.from(read(type).root.content).toString();

  it('takes the first part for the root', () => {
    expect(rootText('multipart/related; boundary=b1')).toBe('one');
  });

  it.each(['<b>', 'b'])('takes the part that start names as %j', (start) => {
    expect(rootText(`multipart/related; boundary=b1; start="${start}"`)).toBe('two');
  });

  it('gives the other parts in order', () => {
    const related = read('multipart/related; boundary=b1; start="<b>"').related;
    expect(related.map((part) => Buffer.from(part.content).toString())).toEqual(['one']);
  });

  it('reports the type parameter', () => {
    expect(read('multipart/related; boundary=b1; type="text/xml"').type).toBe('text/xml');
  });

  it('refuses a start that no part has', () => {
    expect(() => read('multipart/related; boundary=b1; start="<c>"')).toThrow(DecodeError);
  });

  it('refuses a value without a boundary', () => {
    expect(() => read('multipart/related')).toThrow(DecodeError);
  });

  it('reads what encodeMultipartRelated writes', () => {
    const root = { headers: [{ name: 'Content-Type', value: 'application/xml' }], content: bytes('<a/>') };
    const other = { headers: [{ name: 'Content-Type', value: 'text/plain' }], content: bytes('x\r\n') };
    const encoded = encodeMultipartRelated(root, [other]);
    const again = decodeMultipartRelated(encoded.body, parseContentType(encoded.contentType), LIMITS);
    expect(again.type).toBe('application/xml');
    expect([again.root, ...again.related].map((part) => Buffer.from(part.content).toString())).toEqual([
      '<a/>',
      'x\r\n',
    ]);
  });
});
