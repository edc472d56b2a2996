/** Every operation out and in again, in every version; the wire text as initiators see it (SIR-163). */
import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../../src/kernel/errors.js';
import { decodePap, encodePap, PAP_VERSIONS, type PapOperation } from '../../../src/protocols/pap/index.js';
import { ADDRESS, papBytes, papValidator } from '../../support/pap.js';
import { OPERATIONS } from './operations.js';

const decode = (bytes: Uint8Array) => decodePap(bytes, { validator: papValidator });
const decodeOperation = (inner: string) => decode(papBytes(inner)).operation;

describe('round trip', () => {
  for (const version of ['2.0', '2.1', '2.2'] as const) {
    it.each(OPERATIONS)(`keeps %s in PAP ${version}`, (_, operation) => {
      expect(decode(encodePap(operation, { version, productName: 'demo & co' }))).toEqual({
        version,
        productName: 'demo & co',
        operation,
      });
    });
  }

  const sayable = OPERATIONS.filter(
    ([, operation]) =>
      !('replacePushId' in operation) &&
      !(operation.kind === 'resultnotification-message' && operation.addresses.length > 1),
  );
  it.each(sayable)('keeps %s in PAP 1.0', (_, operation) => {
    expect(decode(encodePap(operation, { version: '1.0' }))).toEqual({ version: '1.0', operation });
  });
});

describe('encodePap', () => {
  it('writes prologue, product and operation', () => {
    const operation: PapOperation = {
      kind: 'push-response',
      pushId: '7@pi.example.org',
      senderName: 'demo-ppg',
      replyTime: Date.UTC(2026, 6, 30, 10, 0, 0, 999),
      progressNotes: [],
      code: 1001,
      desc: 'Accepted',
    };
    expect(Buffer.from(encodePap(operation, { version: '2.0', productName: 'Carillon' })).toString()).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
        '<!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.0//EN" "http://www.wapforum.org/DTD/pap_2.0.dtd">\n' +
        '<pap product-name="Carillon"><push-response push-id="7@pi.example.org" sender-name="demo-ppg" ' +
        'reply-time="2026-07-30T10:00:00Z"><response-result code="1001" desc="Accepted"/></push-response></pap>\n',
    );
  });

  it('lists the versions that the receiver may use', () => {
    const bytes = encodePap(
      { kind: 'badmessage-response', code: 3002 },
      { version: '2.0', supportedVersions: PAP_VERSIONS },
    );
    expect(decode(bytes).supportedVersions).toEqual(PAP_VERSIONS);
  });

  it('replaces characters that XML cannot carry', () => {
    const bytes = encodePap(
      { kind: 'badmessage-response', code: 2000, desc: 'a\0\x01\ud800\ufffeb\x85' },
      { version: '2.0' },
    );
    expect(decode(bytes).operation).toMatchObject({ desc: 'a\ufffd\ufffd\ufffd\ufffdb\x85' });
  });

  it.each<[string, PapOperation]>([
    [
      'a push without an address',
      {
        kind: 'push-message',
        pushId: '7',
        replaceMethod: 'all',
        progressNotesRequested: false,
        addresses: [],
      },
    ],
    ['a status without a result', { kind: 'statusquery-response', pushId: '7', results: [] }],
    ['a cancellation without a result', { kind: 'cancel-response', pushId: '7', results: [] }],
    ['a code that is none', { kind: 'badmessage-response', code: 9999 }],
  ])('refuses to write %s', (_, operation) => {
    expect(() => encodePap(operation, { version: '2.0' })).toThrow(InvariantError);
  });

  it('refuses to write a replacement in PAP 1.0', () => {
    const [, operation] = OPERATIONS[0] ?? [];
    expect(() => operation && encodePap(operation, { version: '1.0' })).toThrow(InvariantError);
  });
});

describe('decodePap', () => {
  it('gives the defaults of absent attributes', () => {
    expect(
      decodeOperation(
        `<push-message push-id="7"><address address-value="${ADDRESS}"/><quality-of-service/></push-message>`,
      ),
    ).toEqual({
      kind: 'push-message',
      pushId: '7',
      replaceMethod: 'all',
      progressNotesRequested: false,
      addresses: [ADDRESS],
      qualityOfService: {
        priority: 'medium',
        deliveryMethod: 'notspecified',
        networkRequired: false,
        bearerRequired: false,
      },
    });
  });

  it('keeps addresses in order and exact', () => {
    const addresses = ['wappush=+1/type=plmn@P', 'push_all', 'WAPPUSH=a%40b%3A7874/TYPE=USER@rim.net'];
    const inner = addresses.map((address) => `<address address-value="${address}"/>`).join('');
    expect(decodeOperation(`<push-message push-id="7">${inner}</push-message>`)).toMatchObject({ addresses });
  });

  it('resolves predefined and numeric references', () => {
    expect(
      decodeOperation('<cancel-message push-id="&lt;&amp;&gt;&quot;&apos;&#65;&#x42;&#x1D11E;"/>'),
    ).toMatchObject({
      pushId: '<&>"\'AB𝄞',
    });
  });

  it('resolves a reference once only', () => {
    expect(decodeOperation('<cancel-message push-id="&amp;lt;&#38;amp;"/>')).toMatchObject({
      pushId: '&lt;&amp;',
    });
  });

  it('makes literal white space in attributes spaces', () => {
    expect(
      decodeOperation(
        '<push-message push-id="7" source-reference="a\tb\r\nc\nd"><address address-value="x"/></push-message>',
      ),
    ).toMatchObject({
      sourceReference: 'a b c d',
    });
  });

  it('reads attributes in single quotes, with ">" inside and line breaks between', () => {
    expect(decodeOperation("<cancel-message\r\n  push-id\n=\n'a>b/>\"c'\n></cancel-message>")).toMatchObject({
      pushId: 'a>b/>"c',
    });
  });

  it('passes over comments, instructions and white space between elements', () => {
    const inner =
      '\r\n<!-- <push-message/> -->\n<?x <y?>\n<cancel-message push-id="7">\n<!--c-->\n<address address-value="a"/>\n</cancel-message>\n';
    expect(decodeOperation(inner)).toEqual({ kind: 'cancel-message', pushId: '7', addresses: ['a'] });
  });

  it('reads numbers in ids as text', () => {
    expect(decodeOperation('<cancel-message push-id="0012e3"/>')).toMatchObject({ pushId: '0012e3' });
  });
});
