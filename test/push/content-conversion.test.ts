/** Content for one terminal: what is compiled, what passes untouched, what is refused. */
import { describe, expect, it } from 'vitest';
import { RefusedError } from '../../src/kernel/errors.js';
import { PAP_CODE } from '../../src/protocols/pap/index.js';
import { SI } from '../../src/protocols/si/index.js';
import { convertForTerminal, type TerminalContent } from '../../src/push/content-conversion.js';
import { contentValidator as validator } from '../support/content.js';

const SI_XML = '<si><indication href="http://www.xyz.com/">grüß</indication></si>';
const SI_OCTETS = SI.encode({ href: 'http://www.xyz.com/', action: 'signal-medium', text: 'grüß', info: [] });

const content = (
  contentType: string,
  octets: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): TerminalContent => ({
  contentType,
  headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
  octets: typeof octets === 'string' ? Buffer.from(octets) : octets,
});
const convert = (given: TerminalContent, wantsBinary = true) =>
  convertForTerminal(given, { wantsBinary, validator });
const hexOf = ({ octets }: TerminalContent) => Buffer.from(octets).toString('hex');

describe('compiles', () => {
  it.each([
    ['text/vnd.wap.si', 'application/vnd.wap.sic', '<si><indication/></si>', '02056a00450601'],
    ['text/vnd.wap.sl', 'application/vnd.wap.slc', '<sl href="http://a"/>', '02066a00850903610001'],
    [
      'text/vnd.wap.co',
      'application/vnd.wap.coc',
      '<co><invalidate-object uri="a"/></co>',
      '02076a004586050361000101',
    ],
    [
      'text/vnd.wap.emn+xml',
      'application/vnd.wap.emn+wbxml',
      '<emn mailbox="mailat:a"/>',
      '030d6a00850703610001',
    ],
    [
      'text/vnd.wap.connectivity-xml',
      'application/vnd.wap.connectivity-wbxml',
      '<wap-provisioningdoc><characteristic type="NAPDEF"/></wap-provisioningdoc>',
      '030b6a004586550101',
    ],
  ])('%s to %s', (from, to, xml, octets) => {
    const converted = convert(content(from, xml));
    expect(converted.contentType).toBe(to);
    expect(hexOf(converted)).toBe(octets);
  });

  it('whatever the case of the media type', () => {
    expect(convert(content('Text/vnd.WAP.si', SI_XML)).contentType).toBe('application/vnd.wap.sic');
  });

  it.each<[string, string, Uint8Array]>([
    ['UTF-8 where nothing is said', 'text/vnd.wap.si', Buffer.from(SI_XML)],
    ['UTF-8', 'text/vnd.wap.si; charset=utf-8', Buffer.from(SI_XML)],
    ['ISO-8859-1', 'text/vnd.wap.si; charset="ISO-8859-1"', Buffer.from(SI_XML, 'latin1')],
    ['UTF-16', 'text/vnd.wap.si; charset=utf-16', Buffer.from(`\ufeff${SI_XML}`, 'utf16le')],
    ['UTF-16BE', 'text/vnd.wap.si; charset=utf-16be', Buffer.from(SI_XML, 'utf16le').swap16()],
    ['US-ASCII', 'text/vnd.wap.si; charset=us-ascii', Buffer.from(SI_XML.replace('üß', '&#252;&#223;'))],
    [
      'ISO-8859-1 that the document declares',
      'text/vnd.wap.si',
      Buffer.from(`<?xml version="1.0" encoding="iso-8859-1"?>${SI_XML}`, 'latin1'),
    ],
  ])('text in %s', (_, contentType, octets) => {
    expect(hexOf(convert(content(contentType, octets)))).toBe(Buffer.from(SI_OCTETS).toString('hex'));
  });

  it('keeps the headers but those that describe the octets', () => {
    const { headers } = convert(
      content('text/vnd.wap.si', SI_XML, {
        'X-Wap-Application-Id': 'x-wap-application:wml.ua',
        'Content-Length': '70',
        'content-md5': 'x',
        ETag: '"1"',
        'Cache-Control': 'max-age=60',
        'Content-Encoding': 'identity',
      }),
    );
    expect(headers.map(({ name }) => name)).toEqual([
      'X-Wap-Application-Id',
      'Cache-Control',
      'Content-Encoding',
    ]);
  });
});

describe('leaves alone', () => {
  it.each<[string, TerminalContent]>([
    ['another media type', content('text/plain', SI_XML)],
    ['WML', content('text/vnd.wap.wml', '<wml/>')],
    ['what is compiled already', content('application/vnd.wap.sic', SI_OCTETS)],
    ['XML of no stated kind', content('text/xml', SI_XML)],
    ['a content type that cannot be read', content('si', SI_XML)],
    ['what must not be transformed', content('text/vnd.wap.si', SI_XML, { 'Cache-Control': 'no-transform' })],
    [
      'what must not be transformed, among other directives',
      content('text/vnd.wap.si', SI_XML, { 'cache-control': 'max-age=3, No-Transform' }),
    ],
    ['what has a content coding', content('text/vnd.wap.si', SI_XML, { 'Content-Encoding': 'gzip' })],
    [
      'a broken document that must not be transformed',
      content('text/vnd.wap.si', '<', { 'Cache-Control': 'no-transform' }),
    ],
  ])('%s', (_, given) => {
    expect(convert(given)).toBe(given);
  });

  it('everything for a terminal that wants text', () => {
    const given = content('text/vnd.wap.si', SI_XML);
    expect(convert(given, false)).toBe(given);
  });
});

describe('refuses', () => {
  it.each<[string, string, string | Uint8Array]>([
    ['nothing', 'text/vnd.wap.si', ''],
    ['something that is not XML', 'text/vnd.wap.si', '<si>'],
    ['a document of another type', 'text/vnd.wap.sl', SI_XML],
    ['an unknown element', 'text/vnd.wap.si', '<si><indication/><blink/></si>'],
    ['an instant that is none', 'text/vnd.wap.si', '<si><indication created="now"/></si>'],
    ['an entity', 'text/vnd.wap.si', '<!DOCTYPE si [<!ENTITY a "b">]><si><indication>&a;</indication></si>'],
    [
      'a document type that declares elements',
      'text/vnd.wap.si',
      '<!DOCTYPE si [<!ELEMENT si ANY>]><si>a</si>',
    ],
    [
      'octets that are not what the charset says',
      'text/vnd.wap.si; charset=utf-8',
      Buffer.from(SI_XML, 'latin1'),
    ],
    ['a charset that we do not read', 'text/vnd.wap.si; charset=koi8-r', SI_XML],
    [
      'settings nested without end',
      'text/vnd.wap.connectivity-xml',
      `<wap-provisioningdoc>${'<characteristic type="A">'.repeat(100)}${'</characteristic>'.repeat(100)}</wap-provisioningdoc>`,
    ],
  ])('%s', (_, contentType, octets) => {
    expect(() => convert(content(contentType, octets))).toThrow(
      expect.objectContaining({ name: 'RefusedError', code: 'transformationFailed', retry: 'never' }),
    );
  });

  it('with the reason', () => {
    const given = content('text/vnd.wap.si', '<si><indication created="now"/></si>');
    expect(() => convert(given)).toThrow(
      /text\/vnd\.wap\.si: created is not of the form YYYY-MM-DDThh:mm:ssZ/,
    );
  });

  it('with transformation failure over PAP', () => {
    expect(PAP_CODE[new RefusedError('transformationFailed', '').code]).toBe(3006);
  });
});
