/** MSRP chunks as wire text and as values; one table drives decoding, encoding and every cut of the stream. */
import type { MsrpRequest, MsrpResponse } from '../../../src/protocols/msrp/index.js';

export const TO = 'msrp://bob.example.com:8888/9di4eae923wzd;tcp';
export const FROM = 'msrp://alicepc.example.com:7777/iau39soe2843z;tcp';
const PATHS = `To-Path: ${TO}\r\nFrom-Path: ${FROM}\r\n`;
const paths = { toPath: [TO], fromPath: [FROM] };

/** Every octet value, and look-alikes of the end-line of transaction `d93kswow`. */
export const BINARY_BODY = Buffer.concat([
  Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
  Buffer.from(
    '\r\n-------\r\n-------d93ksw\r\n-------D93KSWOW$\r\n\r\n-------d93kswo$\r\n-------a93kswow+\r\n\r\n',
    'latin1',
  ),
]);

export interface Sample {
  readonly name: string;
  readonly wire: Buffer;
  readonly value: MsrpRequest | MsrpResponse;
}

const wire = (text: string): Buffer => Buffer.from(text, 'utf8');

export const SAMPLES: readonly Sample[] = [
  {
    name: 'a whole message in one SEND',
    wire: wire(
      `MSRP a786hjs2 SEND\r\n${PATHS}Message-ID: 87652491\r\nByte-Range: 1-25/25\r\nContent-Type: text/plain\r\n\r\nHey Bob, are you there?..\r\n-------a786hjs2$\r\n`,
    ),
    value: {
      kind: 'request',
      transactionId: 'a786hjs2',
      method: 'SEND',
      ...paths,
      messageId: '87652491',
      byteRange: { start: 1, end: 25, total: 25 },
      contentType: 'text/plain',
      body: Buffer.from('Hey Bob, are you there?..'),
      continuation: '$',
    },
  },
  {
    name: 'an empty SEND without a body',
    wire: wire(
      `MSRP dkei38sd SEND\r\n${PATHS}Message-ID: 4564dpWd\r\nByte-Range: 1-0/0\r\n-------dkei38sd$\r\n`,
    ),
    value: {
      kind: 'request',
      transactionId: 'dkei38sd',
      method: 'SEND',
      ...paths,
      messageId: '4564dpWd',
      byteRange: { start: 1, end: 0, total: 0 },
      continuation: '$',
    },
  },
  {
    name: 'a chunk that is to be continued, with unknown end and total',
    wire: wire(
      `MSRP d93kswow SEND\r\n${PATHS}Message-ID: 12339sdqwer\r\nSuccess-Report: yes\r\nFailure-Report: partial\r\nByte-Range: 1-*/*\r\nContent-Type: text/plain;charset="utf-8"\r\n\r\nGrüß dich\r\n-------d93kswow+\r\n`,
    ),
    value: {
      kind: 'request',
      transactionId: 'd93kswow',
      method: 'SEND',
      ...paths,
      messageId: '12339sdqwer',
      byteRange: { start: 1, end: undefined, total: undefined },
      successReport: true,
      failureReport: 'partial',
      contentType: 'text/plain;charset="utf-8"',
      body: Buffer.from('Grüß dich'),
      continuation: '+',
    },
  },
  {
    name: 'an abandoned message with binary content',
    wire: Buffer.concat([
      wire(
        `MSRP d93kswow SEND\r\n${PATHS}Message-ID: m123\r\nFailure-Report: no\r\nByte-Range: 9-*/4000\r\nContent-Type: application/octet-stream\r\n\r\n`,
      ),
      BINARY_BODY,
      wire('\r\n-------d93kswow#\r\n'),
    ]),
    value: {
      kind: 'request',
      transactionId: 'd93kswow',
      method: 'SEND',
      ...paths,
      messageId: 'm123',
      failureReport: 'no',
      byteRange: { start: 9, end: undefined, total: 4000 },
      contentType: 'application/octet-stream',
      body: BINARY_BODY,
      continuation: '#',
    },
  },
  {
    name: 'an empty body, which is not no body',
    wire: wire(
      `MSRP aaaa SEND\r\n${PATHS}Message-ID: m123\r\nByte-Range: 1-0/0\r\nContent-Type: text/plain\r\n\r\n\r\n-------aaaa$\r\n`,
    ),
    value: {
      kind: 'request',
      transactionId: 'aaaa',
      method: 'SEND',
      ...paths,
      messageId: 'm123',
      byteRange: { start: 1, end: 0, total: 0 },
      contentType: 'text/plain',
      body: Buffer.alloc(0),
      continuation: '$',
    },
  },
  {
    name: 'a REPORT',
    wire: wire(
      `MSRP dkei38ia REPORT\r\n${PATHS}Message-ID: 12339sdqwer\r\nByte-Range: 1-106/106\r\nStatus: 000 200 OK\r\n-------dkei38ia$\r\n`,
    ),
    value: {
      kind: 'request',
      transactionId: 'dkei38ia',
      method: 'REPORT',
      ...paths,
      messageId: '12339sdqwer',
      byteRange: { start: 1, end: 106, total: 106 },
      status: { namespace: '000', code: 200, comment: 'OK' },
      continuation: '$',
    },
  },
  {
    name: 'a method, header fields and MIME fields that nobody knows',
    wire: wire(
      `MSRP nick.1+%= NICKNAME\r\n${PATHS}Use-Nickname: "Älice"\r\nX-Empty: \r\nContent-Disposition: inline; x="a: b"\r\nContent-Type: message/cpim\r\n\r\n-------\r\n-------nick.1+%=$\r\n`,
    ),
    value: {
      kind: 'request',
      transactionId: 'nick.1+%=',
      method: 'NICKNAME',
      ...paths,
      headers: [
        { name: 'Use-Nickname', value: '"Älice"' },
        { name: 'X-Empty', value: '' },
        { name: 'Content-Disposition', value: 'inline; x="a: b"' },
      ],
      contentType: 'message/cpim',
      body: Buffer.from('-------'),
      continuation: '$',
    },
  },
  {
    name: 'a path over relays',
    wire: wire(
      `MSRP 49fi SEND\r\nTo-Path: msrp://a.example.org;tcp msrps://b.example.org:9/x;tcp ${TO}\r\nFrom-Path: ${FROM}\r\n-------49fi$\r\n`,
    ),
    value: {
      kind: 'request',
      transactionId: '49fi',
      method: 'SEND',
      toPath: ['msrp://a.example.org;tcp', 'msrps://b.example.org:9/x;tcp', TO],
      fromPath: [FROM],
      continuation: '$',
    },
  },
  {
    name: 'a response',
    wire: wire(`MSRP a786hjs2 200 OK\r\n${PATHS}-------a786hjs2$\r\n`),
    value: { kind: 'response', transactionId: 'a786hjs2', status: 200, comment: 'OK', ...paths },
  },
  {
    name: 'a response without a comment but with a header field',
    wire: wire(`MSRP a786hjs2 423\r\n${PATHS}Min-Expires: 30\r\n-------a786hjs2$\r\n`),
    value: {
      kind: 'response',
      transactionId: 'a786hjs2',
      status: 423,
      comment: '',
      ...paths,
      headers: [{ name: 'Min-Expires', value: '30' }],
    },
  },
];
