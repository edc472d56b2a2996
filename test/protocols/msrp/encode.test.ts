import { describe, expect, it } from 'vitest';
import { InvariantError, RefusedError } from '../../../src/kernel/errors.js';
import {
  encodeRequest,
  encodeResponse,
  hasEndLine,
  type MsrpRequest,
  MsrpStreamReader,
} from '../../../src/protocols/msrp/index.js';
import { BINARY_BODY, FROM, SAMPLES, TO } from './samples.js';

const request: MsrpRequest = {
  kind: 'request',
  transactionId: 'abcd',
  method: 'SEND',
  toPath: [TO],
  fromPath: [FROM],
  continuation: '$',
};

describe('encodeRequest and encodeResponse', () => {
  it.each(SAMPLES)('write $name octet for octet', ({ wire, value }) => {
    const encoded = value.kind === 'request' ? encodeRequest(value) : encodeResponse(value);
    // The samples keep the order of fields that we write: Message-ID, reports, Byte-Range, Status, others, Content-Type.
    expect(Buffer.from(encoded).toString('latin1')).toBe(wire.toString('latin1'));
  });

  it('refuse to write a body that holds the end-line', () => {
    const body = Buffer.from('x-------abcdx');
    expect(() => encodeRequest({ ...request, contentType: 'a/b', body })).toThrow(InvariantError);
  });

  it('refuse a body without a Content-Type', () => {
    expect(() => encodeRequest({ ...request, body: BINARY_BODY })).toThrow(InvariantError);
  });

  it.each<[string, Partial<MsrpRequest>]>([
    ['a transaction id that is no ident', { transactionId: 'a b' }],
    ['a method in lower case', { method: 'send' }],
    ['an empty path', { toPath: [] }],
    ['a path URI with a space', { fromPath: ['msrp://a b'] }],
    ['a line break in a path', { fromPath: ['msrp://a\r\nX:'] }],
    ['a Message-ID with a space', { messageId: 'a b' }],
    ['a line break in Content-Type', { contentType: 'a/b\r\nX: y', body: BINARY_BODY }],
    ['a line break in a header value', { headers: [{ name: 'X', value: 'a\nb' }] }],
    ['a header name that is no token', { headers: [{ name: 'X:', value: 'a' }] }],
    ['a second To-Path by the back door', { headers: [{ name: 'to-path', value: TO }] }],
    ['a line break in a status comment', { status: { namespace: '000', code: 200, comment: '\r\n' } }],
  ])('refuse %s', (_, part) => {
    expect(() => encodeRequest({ ...request, ...part })).toThrow(RefusedError);
  });

  it('refuse a response whose status has not three digits', () => {
    const response = {
      kind: 'response',
      transactionId: 'abcd',
      status: 20,
      comment: '',
      toPath: [TO],
      fromPath: [FROM],
    } as const;
    expect(() => encodeResponse(response)).toThrow(RefusedError);
  });

  it('keep text outside ASCII through both directions', () => {
    const headers = [{ name: 'X-Name', value: 'Жолт ✓' }];
    const reader = new MsrpStreamReader();
    reader.push(encodeRequest({ ...request, headers }));
    expect(reader.next()).toMatchObject({ headers });
  });
});

describe('hasEndLine', () => {
  it.each([
    ['', false],
    ['-------', false],
    ['-------abc', false],
    ['------abcd', false],
    ['------- -------abcd', true],
    ['x-------abcd', true],
    ['-------ABCD', false],
  ])('looks for hyphens and id in %j', (text, expected) => {
    expect(hasEndLine(Buffer.from(text), 'abcd')).toBe(expected);
  });
});
