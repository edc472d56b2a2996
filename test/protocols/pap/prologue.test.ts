/** Prologue, version negotiation and character encodings. */
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import { decodePap } from '../../../src/protocols/pap/index.js';
import { papValidator } from '../../support/pap.js';

const ROOT = '<pap><cancel-message push-id="7"/></pap>';
const decode = (document: string | Uint8Array, charset?: string) =>
  decodePap(typeof document === 'string' ? Buffer.from(document) : document, {
    validator: papValidator,
    ...(charset === undefined ? {} : { charset }),
  });

describe('version', () => {
  it.each([
    ['1.0', '<!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 1.0//EN" "http://www.wapforum.org/DTD/pap_1.0.dtd">'],
    ['1.0', '<!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP//EN" "http://www.wapforum.org/DTD/pap_1.0.dtd">'],
    ['2.0', '<!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.0//EN" "http://www.wapforum.org/DTD/pap_2.0.dtd">'],
    [
      '2.0',
      "<!DOCTYPE pap PUBLIC '-//WAPFORUM//DTD PAP 2.0//EN' 'http://www.wapforum.org/DTD/pap_2.0.dtd' [<?wap-pap-ver supported-versions=\"2.0,1.*\"?>]>",
    ],
    [
      '2.1',
      '<!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.1//EN" "http://www.openmobilealliance.org/tech/DTD/pap_2.1.dtd">',
    ],
    [
      '2.1',
      '<!DOCTYPE pap PUBLIC "-//OMA//DTD PAP 2.1//EN" "http://www.openmobilealliance.org/tech/DTD/pap_2.1.dtd">',
    ],
    [
      '2.2',
      '<!DOCTYPE pap PUBLIC "-//OMA//DTD PAP 2.2//EN" "http://www.openmobilealliance.org/tech/DTD/pap_2.2.dtd">',
    ],
    ['2.1', '<!DOCTYPE pap PUBLIC "-//OMA//DTD PAP 2.1//EN">'],
    ['2.1', '<!DOCTYPE pap SYSTEM "pap_2.1.dtd">'],
    ['1.0', '<!DOCTYPE pap PUBLIC "-//ACME//PAP//EN" "http://acme.example/pap_1.0.dtd">'],
    ['2.0', ''],
    ['2.0', '<!DOCTYPE pap>'],
    ['1.0', '<!DOCTYPE pap [<?wap-pap-ver supported-versions="1.*"?>]>'],
    ['2.2', '<?wap-pap-ver supported-versions="3.0, 2.*"?>'],
    ['2.0', '<?wap-pap-ver supported-versions="3.0"?>'],
    [
      '2.0',
      '<!-- a --><!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.0//EN"\n  "x"\n [ <!-- ] > --> <?other x?> ] ><!-- b --><?c?>',
    ],
  ])('is %s for %s', (version, prologue) => {
    expect(decode(`<?xml version="1.0"?>\n${prologue}\n${ROOT}`).version).toBe(version);
  });

  it('gives the versions that the initiator supports', () => {
    expect(
      decode(`<!DOCTYPE pap [<?wap-pap-ver supported-versions="2.0, 1.*"?>]>${ROOT}`).supportedVersions,
    ).toEqual(['2.0', '1.*']);
  });

  it.each([
    '<!DOCTYPE pap PUBLIC "-//OMA//DTD PAP 3.0//EN" "http://www.openmobilealliance.org/tech/DTD/pap_3.0.dtd">',
    '<!DOCTYPE pap SYSTEM "pap_1.9.dtd">',
    '<!DOCTYPE pap PUBLIC "-//W3C//DTD XHTML 1.0//EN" "xhtml.dtd">',
  ])('is not supported for %s', (prologue) => {
    expect(() => decode(`${prologue}${ROOT}`)).toThrow(
      expect.objectContaining({ code: 'versionNotSupported' }),
    );
  });
});

describe('prologue', () => {
  it.each([
    ['another document type', '<!DOCTYPE html>'],
    ['two document types', '<!DOCTYPE pap><!DOCTYPE pap>'],
    ['a document type without its end', '<!DOCTYPE pap'],
    ['an internal subset without its end', '<!DOCTYPE pap [ '],
    ['an unfinished identifier', '<!DOCTYPE pap PUBLIC "x'],
    ['an identifier without quotes', '<!DOCTYPE pap PUBLIC x>'],
    ['an unfinished comment', '<!-- a'],
    ['an unfinished instruction', '<?a'],
    ['text', 'hello'],
    ['an entity', '<!DOCTYPE pap [<!ENTITY a "b">]>'],
    ['an external entity', '<!DOCTYPE pap [<!ENTITY a SYSTEM "file:///etc/passwd">]>'],
    ['a parameter entity', '<!DOCTYPE pap [<!ENTITY % a "b"> %a;]>'],
    ['a reference to a parameter entity', '<!DOCTYPE pap [%a;]>'],
    ['an element declaration', '<!DOCTYPE pap [<!ELEMENT pap ANY>]>'],
    ['an attribute-list declaration', '<!DOCTYPE pap [<!ATTLIST pap x CDATA "y">]>'],
    ['a notation', '<!DOCTYPE pap [<!NOTATION a SYSTEM "b">]>'],
    ['a conditional section', '<!DOCTYPE pap [<![INCLUDE[]]>]>'],
  ])('refuses %s', (_, prologue) => {
    expect(() => decode(`${prologue}${ROOT}`)).toThrow(DecodeError);
  });

  it('refuses more comments than its limit', () => {
    expect(() => decode(`${'<!---->'.repeat(100)}${ROOT}`)).toThrow(
      expect.objectContaining({ code: 'limitExceeded' }),
    );
  });

  it('says at which octet it stopped', () => {
    expect(() => decode('<!-- ä --><!DOCTYPE pap [<!ENTITY a "b">]>')).toThrow(
      expect.objectContaining({ offset: 26 }),
    );
  });
});

describe('character encoding', () => {
  const document = (declared: string) =>
    `<?xml version="1.0"${declared}?><pap><cancel-message push-id="grüß"/></pap>`;
  const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16();

  it.each<[string, Uint8Array, string?]>([
    ['UTF-8', Buffer.from(document(''))],
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${document('')}`)],
    ['UTF-8, declared', Buffer.from(document(' encoding="utf-8"'))],
    [
      'UTF-8, said by the entity against the declaration',
      Buffer.from(document(' encoding="ISO-8859-1"')),
      'UTF-8',
    ],
    ['ISO-8859-1, declared', Buffer.from(document(" encoding='ISO-8859-1'"), 'latin1')],
    ['ISO-8859-1, said by the entity', Buffer.from(document(''), 'latin1'), 'iso-8859-1'],
    ['UTF-16 little-endian with a mark', Buffer.from(`\ufeff${document(' encoding="UTF-16"')}`, 'utf16le')],
    ['UTF-16 big-endian with a mark', utf16be(`\ufeff${document('')}`)],
    ['UTF-16 little-endian without a mark', Buffer.from(document(''), 'utf16le')],
    ['UTF-16 big-endian without a mark', utf16be(document(''))],
  ])('reads %s', (_, bytes, charset) => {
    expect(decode(bytes, charset).operation).toMatchObject({ pushId: 'grüß' });
  });

  it('reads US-ASCII', () => {
    expect(decode(`<?xml version="1.0" encoding="US-ASCII"?>${ROOT}`).operation).toMatchObject({
      pushId: '7',
    });
  });

  it.each<[string, Uint8Array]>([
    ['an octet over 7F in US-ASCII', Buffer.from(document(' encoding="US-ASCII"'))],
    ['octets that are not UTF-8', Buffer.from(document(''), 'latin1')],
    [
      'an overlong UTF-8 form',
      Buffer.concat([Buffer.from('<pap>'), Buffer.from([0xc0, 0xbc]), Buffer.from('</pap>')]),
    ],
    ['an encoding that we do not read', Buffer.from(document(' encoding="EBCDIC-CP-US"'))],
    ['UTF-7', Buffer.from(document(' encoding="UTF-7"'))],
    ['eight-bit text that declares UTF-16', Buffer.from(document(' encoding="UTF-16"'))],
    ['half a UTF-16 unit', Buffer.from(`\ufeff${document('')}`, 'utf16le').subarray(0, -1)],
    ['nothing at all', Buffer.alloc(0)],
  ])('refuses %s', (_, bytes) => {
    expect(() => decode(bytes)).toThrow(DecodeError);
  });
});
