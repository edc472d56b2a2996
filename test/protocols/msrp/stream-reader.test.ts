import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import {
  type MsrpEvent,
  type MsrpReaderLimits,
  MsrpStreamReader,
} from '../../../src/protocols/msrp/index.js';
import { FROM, SAMPLES, TO } from './samples.js';

const PATHS = `To-Path: ${TO}\r\nFrom-Path: ${FROM}\r\n`;
const STREAM = Buffer.concat(SAMPLES.map((sample) => sample.wire));

/** Fills in what the value leaves open, so that it can be compared with an event. */
function expectedEvent(value: (typeof SAMPLES)[number]['value']): unknown {
  if (value.kind === 'response') return { headers: [], problem: undefined, ...value };
  return {
    messageId: undefined,
    byteRange: undefined,
    successReport: false,
    failureReport: 'yes',
    status: undefined,
    headers: [],
    contentType: undefined,
    problem: undefined,
    isOversize: false,
    ...value,
    body: value.body === undefined ? undefined : Buffer.from(value.body),
  };
}

function readAll(pieces: Iterable<Uint8Array>, limits?: Partial<MsrpReaderLimits>): MsrpEvent[] {
  const reader = new MsrpStreamReader(limits);
  const events: MsrpEvent[] = [];
  for (const piece of pieces) {
    reader.push(piece);
    for (let event = reader.next(); event !== undefined; event = reader.next()) events.push(event);
  }
  reader.end();
  return events;
}

function readText(text: string, limits?: Partial<MsrpReaderLimits>): MsrpEvent[] {
  return readAll([Buffer.from(text, 'latin1')], limits);
}

/** The only event of `text`, as a request. */
function requestIn(
  text: string,
  limits?: Partial<MsrpReaderLimits>,
): Extract<MsrpEvent, { kind: 'request' }> {
  const [event, ...more] = readText(text, limits);
  if (event?.kind !== 'request' || more.length > 0) throw new Error('expected one request');
  return event;
}

function* inPieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size));
}

describe('MsrpStreamReader', () => {
  it.each(SAMPLES)('reads $name', ({ wire, value }) => {
    expect(readAll([wire])).toEqual([expectedEvent(value)]);
  });

  it.each(SAMPLES)('reads $name octet by octet', ({ wire, value }) => {
    expect(readAll(inPieces(wire, 1))).toEqual([expectedEvent(value)]);
  });

  it.each(SAMPLES)('reads $name however it is cut in two', ({ wire, value }) => {
    const expected = [expectedEvent(value)];
    for (let cut = 1; cut < wire.length; cut += 1) {
      expect(readAll([wire.subarray(0, cut), wire.subarray(cut)])).toEqual(expected);
    }
  });

  it.each([1, 2, 3, 7, 64, 1000])('reads a stream of everything in pieces of %i octets', (size) => {
    expect(readAll(inPieces(STREAM, size))).toEqual(SAMPLES.map((sample) => expectedEvent(sample.value)));
  });

  it.each(SAMPLES)(
    'has nothing to say of $name cut short, and calls that an unfinished chunk',
    ({ wire }) => {
      for (let length = 1; length < wire.length; length += 1) {
        const reader = new MsrpStreamReader();
        reader.push(wire.subarray(0, length));
        expect(reader.next()).toBeUndefined();
        expect(() => reader.end()).toThrow(DecodeError);
      }
    },
  );

  it('leaves earlier bodies as they were when more octets arrive', () => {
    const events = readAll(inPieces(STREAM, 5));
    const bodies = events.map((event) => (event.kind === 'request' ? event.body : undefined));
    expect(bodies).toEqual(
      SAMPLES.map(({ value }) =>
        value.kind === 'request' && value.body !== undefined ? Buffer.from(value.body) : undefined,
      ),
    );
  });

  it('does not write into memory that was pushed', () => {
    const first = Buffer.from(STREAM.subarray(0, 30));
    const before = Buffer.from(first);
    readAll([first, STREAM.subarray(30)]);
    expect(first).toEqual(before);
  });

  it('finds the end-line of an empty body that has no CRLF of its own', () => {
    const text = `MSRP abcd SEND\r\n${PATHS}Message-ID: 1234\r\nContent-Type: a/b\r\n\r\n-------abcd$\r\n`;
    expect(requestIn(text).body).toEqual(Buffer.alloc(0));
  });

  it('takes an end-line without its CRLF behind it for content', () => {
    const text = `MSRP abcd SEND\r\n${PATHS}Content-Type: a/b\r\n\r\nx\r\n-------abcd$ \r\n-------abcd*\r\n-------abcd\r\n-------abcd$\r\n`;
    expect(requestIn(text).body).toEqual(Buffer.from('x\r\n-------abcd$ \r\n-------abcd*\r\n-------abcd'));
  });

  it('does not believe Byte-Range about where the body ends', () => {
    const text = `MSRP abcd SEND\r\n${PATHS}Byte-Range: 1-3/3\r\nContent-Type: a/b\r\n\r\nfive5\r\n-------abcd$\r\n`;
    expect(requestIn(text).body).toEqual(Buffer.from('five5'));
  });

  it('passes over CRLF between chunks', () => {
    expect(readAll([Buffer.from('\r\n\r\n'), STREAM, Buffer.from('\r'), Buffer.from('\n')])).toHaveLength(
      SAMPLES.length,
    );
  });

  it('takes field names without regard to case and any space around values', () => {
    const request = requestIn(
      `MSRP abcd SEND\r\nto-path:${TO}\r\nFROM-PATH:   ${FROM}  \r\nmessage-id:\t12345\r\nbyte-range:1-0/0\r\nSUCCESS-report: YES\r\n-------abcd$\r\n`,
    );
    expect(request).toMatchObject({
      toPath: [TO],
      fromPath: [FROM],
      messageId: '12345',
      successReport: true,
      problem: undefined,
    });
  });

  it('accepts a UUID as Message-ID', () => {
    const id = '0b9bfb1e-9d3c-4a5e-8f6d-3c1b2a190807';
    expect(requestIn(`MSRP abcd SEND\r\n${PATHS}Message-ID: ${id}\r\n-------abcd$\r\n`).messageId).toBe(id);
  });

  it.each([
    ['no To-Path', `From-Path: ${FROM}\r\n`],
    ['no From-Path', `To-Path: ${TO}\r\n`],
    ['two To-Path fields', `To-Path: ${TO}\r\n${PATHS}`],
    ['two Message-ID fields', `${PATHS}Message-ID: 1234\r\nMessage-ID: 1234\r\n`],
    ['an empty path', `To-Path: \r\nFrom-Path: ${FROM}\r\n`],
    ['a path without end', `To-Path:${' msrp://h/s;tcp'.repeat(17)}\r\nFrom-Path: ${FROM}\r\n`],
    ['a Byte-Range from 0', `${PATHS}Byte-Range: 0-5/5\r\n`],
    ['a Byte-Range that ends before it starts', `${PATHS}Byte-Range: 5-2/9\r\n`],
    ['a Byte-Range beyond its total', `${PATHS}Byte-Range: 1-10/9\r\n`],
    ['a Byte-Range beyond counting', `${PATHS}Byte-Range: 1-*/9999999999999999\r\n`],
    ['a Byte-Range in words', `${PATHS}Byte-Range: all\r\n`],
    ['a bad Success-Report', `${PATHS}Success-Report: maybe\r\n`],
    ['a bad Failure-Report', `${PATHS}Failure-Report: \r\n`],
    ['a bad Status', `${PATHS}Status: 200 OK\r\n`],
    ['a bad Message-ID', `${PATHS}Message-ID: a b\r\n`],
    ['a line without a colon', `${PATHS}nonsense\r\n`],
    ['a field name that is no token', `${PATHS}X Y: z\r\n`],
  ])('reports %s as a problem and reads on', (_, fields) => {
    const [bad, good] = readText(
      `MSRP abcd SEND\r\n${fields}-------abcd$\r\nMSRP efgh SEND\r\n${PATHS}-------efgh$\r\n`,
    );
    expect([bad?.problem, good?.problem]).toEqual([expect.any(String), undefined]);
  });

  it('reports a body without Content-Type as a problem', () => {
    expect(requestIn(`MSRP abcd SEND\r\n${PATHS}\r\nbody\r\n-------abcd$\r\n`).problem).toMatch(
      /Content-Type/,
    );
  });

  it.each([
    ['another protocol', 'GET / HTTP/1.1\r\n'],
    ['the first octet of TLS', '\x16'],
    ['a short transaction id', `MSRP abc SEND\r\n${PATHS}-------abc$\r\n`],
    ['a long transaction id', `MSRP ${'a'.repeat(33)} SEND\r\n${PATHS}-------${'a'.repeat(33)}$\r\n`],
    ['no method', `MSRP abcd\r\n${PATHS}-------abcd$\r\n`],
    ['a method in lower case', `MSRP abcd send\r\n${PATHS}-------abcd$\r\n`],
    ['a status of two digits', `MSRP abcd 20 OK\r\n${PATHS}-------abcd$\r\n`],
    ['the end-line of another transaction', `MSRP abcd SEND\r\n${PATHS}-------abce$\r\n`],
    ['an end-line with an unknown flag', `MSRP abcd SEND\r\n${PATHS}-------abcd!\r\n`],
    ['a bare line feed', `MSRP abcd SEND\n${PATHS}-------abcd$\r\n`],
    ['a bare carriage return', `MSRP abcd SEND\r\nX: a\rb\r\n${PATHS}-------abcd$\r\n`],
    ['a NUL in a field', `MSRP abcd SEND\r\nX: a\0b\r\n${PATHS}-------abcd$\r\n`],
    ['a response with a body', `MSRP abcd 200 OK\r\n${PATHS}Content-Type: a/b\r\n\r\nx\r\n-------abcd$\r\n`],
    ['too many fields', `MSRP abcd SEND\r\n${PATHS}${'X: y\r\n'.repeat(65)}-------abcd$\r\n`],
    ['a head without end', `MSRP abcd SEND\r\nX: ${'y'.repeat(9000)}`],
    [
      'a head above the limit that ends',
      `MSRP abcd SEND\r\n${PATHS}X: ${'y'.repeat(9000)}\r\n-------abcd$\r\n`,
    ],
  ])('gives up on %s', (_, text) => {
    expect(() => readText(text)).toThrow(DecodeError);
  });

  it('gives up at the same place octet by octet, after the same events', () => {
    const reader = new MsrpStreamReader();
    const events: MsrpEvent[] = [];
    const feed = (): void => {
      for (const piece of inPieces(Buffer.concat([STREAM, Buffer.from('GARBAGE')]), 1)) {
        reader.push(piece);
        for (let event = reader.next(); event !== undefined; event = reader.next()) events.push(event);
      }
    };
    expect(feed).toThrow(DecodeError);
    expect(events).toHaveLength(SAMPLES.length);
  });

  it('stays broken once it has given up', () => {
    const reader = new MsrpStreamReader();
    reader.push(Buffer.from('nonsense'));
    expect(() => reader.next()).toThrow(DecodeError);
    reader.push(STREAM);
    expect(() => reader.next()).toThrow(DecodeError);
  });

  describe('with a limit on chunks', () => {
    const chunk = (size: number): Buffer =>
      Buffer.from(
        `MSRP abcd SEND\r\n${PATHS}Message-ID: 1234\r\nContent-Type: a/b\r\n\r\n${'z'.repeat(size)}\r\n-------abcd$\r\n`,
      );

    it('reads a body of exactly that size', () => {
      const [event] = readAll([chunk(100)], { maxChunkBytes: 100 });
      expect(event).toMatchObject({ isOversize: false, body: Buffer.alloc(100, 'z') });
    });

    it.each([1, 10, 10_000])(
      'reports a larger one once, without its body, and reads on (pieces of %i)',
      (size) => {
        const stream = Buffer.concat([chunk(5000), STREAM]);
        const [event, ...rest] = readAll(inPieces(stream, size), { maxChunkBytes: 600 });
        expect(event).toMatchObject({
          isOversize: true,
          messageId: '1234',
          body: Buffer.alloc(0),
          continuation: '#',
        });
        expect(rest).toEqual(SAMPLES.map((sample) => expectedEvent(sample.value)));
      },
    );

    it('reports it before its end has arrived', () => {
      const reader = new MsrpStreamReader({ maxChunkBytes: 100 });
      reader.push(chunk(1000).subarray(0, 600));
      expect(reader.next()).toMatchObject({ isOversize: true });
    });
  });

  it('reads a large body in small pieces without looking at octets again and again', () => {
    const body = Buffer.alloc(1_048_576, '\r\n-------abcd');
    const head = Buffer.from(`MSRP abcde SEND\r\n${PATHS}Content-Type: a/b\r\n\r\n`);
    const [event] = readAll(inPieces(Buffer.concat([head, body, Buffer.from('\r\n-------abcde$\r\n')]), 61));
    expect(event?.kind === 'request' && body.equals(event.body ?? Buffer.alloc(0))).toBe(true);
  });
});
