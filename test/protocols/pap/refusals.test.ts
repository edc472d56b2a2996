/** What is refused, and how: unreadable documents, recognised operations, hostile input. */
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import {
  badMessageFragment,
  decodePap,
  MAX_FRAGMENT_LENGTH,
  PapOperationError,
  type PapVersion,
} from '../../../src/protocols/pap/index.js';
import { escapeXml } from '../../../src/protocols/xml/xml-writer.js';
import { mutated } from '../../support/mutations.js';
import { ADDRESS, papBytes, papText, papValidator, pushXml } from '../../support/pap.js';
import { seededRandom } from '../../support/seeded-random.js';

const decode = (bytes: Uint8Array) => decodePap(bytes, { validator: papValidator });
const thrownBy = (bytes: Uint8Array): unknown => {
  try {
    return decode(bytes);
  } catch (error) {
    return error;
  }
};

const address = `<address address-value="${ADDRESS}"/>`;

describe('recognised operations', () => {
  it.each<[string, string, number]>([
    ['a bad deliver-before-timestamp', pushXml('push-id="7" deliver-before-timestamp="tomorrow"'), 2000],
    [
      'a day that does not exist',
      pushXml('push-id="7" deliver-after-timestamp="2026-02-30T00:00:00Z"'),
      2000,
    ],
    ['fractions of a second', pushXml('push-id="7" deliver-after-timestamp="2026-02-03T00:00:00.5Z"'), 2000],
    ['a time zone', pushXml('push-id="7" deliver-after-timestamp="2026-02-03T00:00:00+01:00"'), 2000],
    [
      'an unknown priority',
      `<push-message push-id="7">${address}<quality-of-service priority="urgent"/></push-message>`,
      2000,
    ],
    ['an unknown attribute', pushXml('push-id="7" colour="blue"'), 2000],
    ['an unknown child', `<push-message push-id="7">${address}<colour/></push-message>`, 2000],
    [
      'children in the wrong order',
      `<push-message push-id="7"><quality-of-service/>${address}</push-message>`,
      2000,
    ],
    ['text between elements', `<push-message push-id="7">${address}hello</push-message>`, 2000],
    ['no address', '<push-message push-id="7"/>', 2000],
    ['an empty address', pushXml('push-id="7"', ' '), 2002],
    ['an address that is too long', pushXml('push-id="7"', 'x'.repeat(1025)), 2002],
    ['an address element without a value', '<push-message push-id="7"><address/></push-message>', 2000],
    [
      'a notify address that is no URL',
      pushXml('push-id="7" ppg-notify-requested-to="pi.example.org"'),
      2000,
    ],
    [
      'a notify address of another scheme',
      pushXml('push-id="7" ppg-notify-requested-to="file:///etc/passwd"'),
      2000,
    ],
    ['a flag that is none', pushXml('push-id="7" progress-notes-requested="yes"'), 2000],
    ['a long source-reference', pushXml(`push-id="7" source-reference="${'x'.repeat(3000)}"`), 2000],
    ['an empty replace-push-id', pushXml('push-id="7" replace-push-id=""'), 2000],
    ['too many addresses', `<push-message push-id="7">${address.repeat(101)}</push-message>`, 3005],
    ['two operations', `${pushXml('push-id="7"')}<cancel-message push-id="8"/>`, 2000],
    [
      'a status query with an attribute of a push',
      '<statusquery-message push-id="7" source-reference="x"/>',
      2000,
    ],
    ['a code of five digits', '<resultnotification-response push-id="7" code="21000"/>', 2000],
    ['a code that is no number', '<resultnotification-response push-id="7" code="x"/>', 2000],
    [
      'an unknown message-state',
      `<resultnotification-message push-id="7" message-state="lost" code="1000">${address}</resultnotification-message>`,
      2000,
    ],
  ])('are refused with their push-id for %s', (_, inner, papCode) => {
    const error = thrownBy(papBytes(inner));
    expect(error).toBeInstanceOf(PapOperationError);
    expect(error).toMatchObject({ refused: { pushId: '7', papCode, version: '2.0' } });
  });

  it('are refused without an id when they have none', () => {
    const error = thrownBy(papBytes(`<push-message>${address}</push-message>`));
    expect(error).toMatchObject({ refused: { kind: 'push-message', papCode: 2000 } });
    expect(error).not.toHaveProperty('refused.pushId');
  });

  it.each(['', '   '])('are refused for the empty push-id %j', (id) => {
    expect(thrownBy(papBytes(pushXml(`push-id="${id}"`)))).not.toHaveProperty('refused.pushId');
  });

  it('are refused for a push-id over 255 characters, which is cut when it is echoed', () => {
    const error = thrownBy(papBytes(pushXml(`push-id="${'x'.repeat(256)}"`)));
    expect(error).toMatchObject({ refused: { papCode: 2000, pushId: 'x'.repeat(255) } });
  });

  it('take a push-id of 255 characters', () => {
    expect(decode(papBytes(pushXml(`push-id="${'x'.repeat(255)}"`))).operation).toMatchObject({
      pushId: 'x'.repeat(255),
    });
  });

  it('take as many addresses as the limit says', () => {
    const { operation } = decode(papBytes(`<push-message push-id="7">${address.repeat(100)}</push-message>`));
    expect(operation.kind === 'push-message' && operation.addresses).toHaveLength(100);
  });

  it.each<[PapVersion, boolean]>([
    ['1.0', false],
    ['2.0', true],
    ['2.1', true],
    ['2.2', true],
  ])('of PAP %s may replace an earlier push: %s', (version, isAllowed) => {
    const outcome = thrownBy(papBytes(pushXml('push-id="7" replace-push-id="6"'), version));
    expect(outcome instanceof PapOperationError).toBe(!isAllowed);
  });

  it('keep the query-id and the address of a capabilities query', () => {
    const error = thrownBy(papBytes(`<ccq-message query-id="q1" x="y">${address}</ccq-message>`));
    expect(error).toMatchObject({ refused: { kind: 'ccq-message', queryId: 'q1', addresses: [ADDRESS] } });
  });
});

describe('unreadable documents', () => {
  it.each([
    ['an unclosed tag', '<pap><push-message push-id="7">'],
    ['two roots', '<pap/><pap/>'],
    ['another root', '<bpds><push-message push-id="7"/></bpds>'],
    ['an empty root', '<pap/>'],
    ['an unknown operation', '<pap><papp/></pap>'],
    ['an operation named like a property of every object', '<pap><constructor/></pap>'],
    ['one attribute twice', '<pap><cancel-message push-id="7" push-id="8"/></pap>'],
    ['an undeclared entity', '<pap><cancel-message push-id="&x;"/></pap>'],
    ['a reference to NUL', '<pap><cancel-message push-id="&#0;"/></pap>'],
    ['a reference to a surrogate', '<pap><cancel-message push-id="&#xD800;"/></pap>'],
    ['a NUL', '<pap><cancel-message push-id="7\0"/></pap>'],
    ['a NUL after the root', '<pap><cancel-message push-id="7"/></pap>\0'],
    ['a document type after the root', '<pap><cancel-message push-id="7"/></pap><!DOCTYPE pap>'],
    ['"<" in an attribute', '<pap><cancel-message push-id="<"/></pap>'],
    ['an undeclared prefix', '<x:pap><cancel-message push-id="7"/></x:pap>'],
    ['only a prologue', '<?xml version="1.0"?>'],
    ['only white space', '  \r\n'],
  ])('are refused as such for %s', (_, text) => {
    const error = thrownBy(Buffer.from(text));
    expect(error).toBeInstanceOf(DecodeError);
    expect(error).not.toBeInstanceOf(PapOperationError);
  });

  it('are refused over the size limit', () => {
    const bytes = Buffer.alloc(65_537, 0x20);
    expect(() => decode(bytes)).toThrow(
      expect.objectContaining({ code: 'limitExceeded', detail: 'control entity over 65536 octets' }),
    );
  });

  it('say behind which octet XML ended', () => {
    const text = papText('<push-message push-id="&x;"/>');
    expect(thrownBy(Buffer.from(text))).toMatchObject({ offset: text.indexOf('&x;') + 3 });
  });
});

describe('hostile documents', () => {
  const nested = (depth: number) => `${'<a>'.repeat(depth)}${'</a>'.repeat(depth)}`;

  it.each<[string, string]>([
    [
      'an entity bomb',
      `<!DOCTYPE pap [<!ENTITY a "aaaaaaaaaa">${Array.from({ length: 9 }, (_, index) => `<!ENTITY a${index} "${'&a;'.repeat(10)}">`).join('')}]><pap><cancel-message push-id="&a8;"/></pap>`,
    ],
    [
      'an external entity',
      '<!DOCTYPE pap [<!ENTITY x SYSTEM "file:///etc/passwd">]><pap><cancel-message push-id="&x;"/></pap>',
    ],
    [
      'an external entity in content',
      '<!DOCTYPE pap [<!ENTITY x SYSTEM "file:///etc/passwd">]><pap>&x;</pap>',
    ],
    ['nesting 9,000 deep', `<pap>${nested(9000)}</pap>`],
    [
      '10,000 attributes',
      `<pap><push-message ${Array.from({ length: 10_000 }, (_, index) => `a${index}=""`)
        .join(' ')
        .slice(0, 65_000)}/></pap>`,
    ],
    ['60,000 opening brackets', '<'.repeat(60_000)],
    ['60,000 characters of unfinished document type', `<!DOCTYPE pap PUBLIC "${'x'.repeat(60_000)}`],
    ['a comment of 60,000 dashes', `<!--${'-'.repeat(60_000)}`],
    [
      'XInclude',
      '<pap xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd" parse="text"/></pap>',
    ],
  ])('are refused: %s', (_, text) => {
    expect(thrownBy(Buffer.from(text))).toBeInstanceOf(DecodeError);
  });

  it('never make it fetch the external DTD', () => {
    const document = `<!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.0//EN" "http://127.0.0.1:1/pap_2.0.dtd"><pap><cancel-message push-id="7"/></pap>`;
    expect(decode(Buffer.from(document)).operation).toMatchObject({ pushId: '7' });
  });

  it('throw nothing but DecodeError when they are mutations of a good one', () => {
    const random = seededRandom(5);
    const valid = Buffer.from(
      papText(
        `<push-message push-id="7&amp;8" deliver-before-timestamp="2026-08-02T00:00:00Z" ppg-notify-requested-to="https://pi.example.org/r">${address}${address}<quality-of-service priority="low" network="GSM"/></push-message>`,
      ).replace('>\n<pap>', ' [<?wap-pap-ver supported-versions="2.0,1.*"?>]>\n<!-- c --><pap>'),
    );
    for (let round = 0; round < 4000; round += 1) {
      const outcome = thrownBy(mutated(valid, random));
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(DecodeError);
    }
  });
});

describe('badMessageFragment', () => {
  it('shows the place of the error', () => {
    const text = `${'x'.repeat(500)}<papp>${'y'.repeat(500)}`;
    expect(badMessageFragment(Buffer.from(text), 500)).toContain('<papp>');
  });

  it('stays within its limit once it is escaped', () => {
    expect(escapeXml(badMessageFragment(Buffer.from('"'.repeat(1000)))).length).toBeLessThanOrEqual(
      MAX_FRAGMENT_LENGTH,
    );
  });

  it.each<[string, Uint8Array, number]>([
    ['nothing', Buffer.alloc(0), 0],
    ['an offset behind the end', Buffer.from('<pap'), 4000],
    ['octets that are no text', Buffer.from([0xff, 0x00, 0xc3, 0x80, 0x01]), 2],
  ])('is text for %s', (_, bytes, offset) => {
    expect(badMessageFragment(bytes, offset)).toBeTypeOf('string');
  });
});
