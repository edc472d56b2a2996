/** tshark as the referee of PAP on the wire: submissions and answers are HTTP with multipart/related and XML, nothing malformed. */
import { expect, it } from 'vitest';
import { chooseBoundary, encodeMultipartRelated } from '../../src/protocols/mime/index.js';
import { encodePap, type PapOperation } from '../../src/protocols/pap/index.js';
import { dissect, dissectFields } from '../support/tshark.js';

const PUSH: PapOperation = {
  kind: 'push-message',
  pushId: '7@pi.example.org',
  replaceMethod: 'all',
  deliverBeforeTimestamp: Date.UTC(2026, 7, 2),
  progressNotesRequested: true,
  addresses: [
    'WAPPUSH=+15550100/TYPE=PLMN@ppg.example.net',
    'WAPPUSH=sip%3Aalice%40example.test/TYPE=USER@ppg.example.net',
  ],
};

function httpPost(contentType: string, body: Uint8Array) {
  const head = `POST /pap HTTP/1.1\r\nHost: ppg.example.net\r\nContent-Type: ${contentType}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return {
    protocol: 'tcp' as const,
    sourcePort: 40_000,
    destinationPort: 80,
    payload: Buffer.concat([Buffer.from(head), body]),
  };
}

function submission() {
  const control = {
    headers: [{ name: 'Content-Type', value: 'application/xml' }],
    content: encodePap(PUSH, { version: '2.0', productName: 'demo & co' }),
  };
  const content = {
    headers: [{ name: 'Content-Type', value: 'text/plain' }],
    content: Buffer.from(`Neu: 1 Nachricht\r\n--${chooseBoundary([])}x\r\n`),
  };
  const { contentType, body } = encodeMultipartRelated(control, [content]);
  return httpPost(contentType, body);
}

it('a submission is multipart/related with an XML and a text part', async () => {
  const [frame] = await dissectFields(
    [submission()],
    ['frame.protocols', 'mime_multipart.header.content-type'],
  );
  expect(frame?.get('frame.protocols')?.[0]).toMatch(/http:mime_multipart:xml:data-text-lines$/);
  expect(frame?.get('mime_multipart.header.content-type')).toEqual(['application/xml', 'text/plain']);
});

it('a submission carries the addresses in their attributes', async () => {
  const [frame] = await dissectFields([submission()], ['xml.attribute']);
  expect(frame?.get('xml.attribute')?.filter((attribute) => attribute.startsWith('address-value='))).toEqual(
    PUSH.kind === 'push-message' ? PUSH.addresses.map((address) => `address-value="${address}"`) : [],
  );
});

it('a bare operation is XML', async () => {
  const body = encodePap({ kind: 'cancel-message', pushId: '<7>', addresses: [] }, { version: '2.1' });
  const [frame] = await dissectFields([httpPost('application/xml', body)], ['frame.protocols', 'xml.tag']);
  expect(frame?.get('frame.protocols')?.[0]).toMatch(/http:xml$/);
  expect(frame?.get('xml.tag')?.join()).toContain('<cancel-message push-id="&lt;7&gt;"');
});

it('nothing is malformed', async () => {
  const text = await dissect([submission()], ['-V']);
  expect(text).toContain('MIME Multipart Media Encapsulation, Type: multipart/related');
  expect(text).not.toMatch(/malformed|unreassembled|dissector bug|Expert Info \((?:Warning|Error)/i);
});
