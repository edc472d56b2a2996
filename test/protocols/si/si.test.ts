/** Service Indication: what its XML means, what is refused, what is written. */
import { describe, expect, it } from 'vitest';
import { DecodeError, RefusedError } from '../../../src/kernel/errors.js';
import { type ServiceIndication, SI } from '../../../src/protocols/si/index.js';
import { contentValidator as validator } from '../../support/content.js';

const decodeXml = (xml: string) => SI.decodeXml(Buffer.from(xml), { validator });
const indication = (attributes: string, text = '') =>
  decodeXml(`<si><indication ${attributes}>${text}</indication></si>`);
const NOTHING: ServiceIndication = { action: 'signal-medium', text: '', info: [] };

describe('XML', () => {
  it('gives everything that an indication can say', () => {
    expect(
      decodeXml(
        `<?xml version="1.0"?>
<!DOCTYPE si PUBLIC "-//WAPFORUM//DTD SI 1.0//EN" "http://www.wapforum.org/DTD/si.dtd">
<si>
  <indication href="http://mail.example.org/?a=1&amp;b=2" si-id="1@example.org" action="signal-high"
      created="2026-07-01T08:30:00Z" si-expires="2026-08-01T00:00:00Z">
    Neu: 1 &lt;Nachricht&gt; &#x26; <![CDATA[<mehr>]]>
  </indication>
  <info><item class="a">1</item><item class="b"> 2 </item></info>
</si>`,
      ),
    ).toEqual({
      href: 'http://mail.example.org/?a=1&b=2',
      siId: '1@example.org',
      createdAt: Date.UTC(2026, 6, 1, 8, 30),
      expiresAt: Date.UTC(2026, 7, 1),
      action: 'signal-high',
      text: 'Neu: 1 <Nachricht> & <mehr>',
      info: [
        { class: 'a', text: '1' },
        { class: 'b', text: '2' },
      ],
    });
  });

  it('has a default action', () => {
    expect(indication('')).toEqual(NOTHING);
  });

  it('keeps the lines inside the text', () => {
    expect(indication('', '\n one\r\n two \n').text).toBe('one\n two');
  });

  it('takes an empty instant for none', () => {
    expect(indication('created="" si-expires=""')).toEqual(NOTHING);
  });

  it.each([
    '2026-08-01',
    '2026-08-01T00:00:00',
    '2026-08-01T00:00:00+02:00',
    '2026-02-30T00:00:00Z',
    'tomorrow',
    ' ',
  ])('refuses the instant %j', (instant) => {
    expect(() => indication(`created="${instant}"`)).toThrow(DecodeError);
  });

  it.each([
    ['no indication', '<si/>'],
    ['two indications', '<si><indication/><indication/></si>'],
    ['an info without items', '<si><indication/><info/></si>'],
    ['an item without a class', '<si><indication/><info><item/></info></si>'],
    ['another root', '<indication/>'],
    ['an unknown element', '<si><indication><b/></indication></si>'],
    ['an unknown attribute', '<si><indication own="1"/></si>'],
    ['an unknown action', '<si><indication action="explode"/></si>'],
    ['something that is not XML', '<si><indication></si>'],
    ['another document type', '<!DOCTYPE sl><si><indication/></si>'],
    ['an entity', '<!DOCTYPE si [<!ENTITY a "b">]><si><indication>&a;</indication></si>'],
    [
      'an external entity',
      '<!DOCTYPE si [<!ENTITY a SYSTEM "file:///etc/passwd">]><si><indication>&a;</indication></si>',
    ],
    ['an undeclared entity', '<si><indication>&nbsp;</indication></si>'],
    ['a document over its limit', `<si><indication>${'a'.repeat(70_000)}</indication></si>`],
  ])('refuses %s', (_, xml) => {
    expect(() => decodeXml(xml)).toThrow(DecodeError);
  });

  it('is written with its document type, and escaped', () => {
    const xml = Buffer.from(SI.encodeXml({ ...NOTHING, href: 'http://x/?a&b', text: 'a<b' })).toString();
    expect(xml).toBe(
      '<?xml version="1.0"?>\n' +
        '<!DOCTYPE si PUBLIC "-//WAPFORUM//DTD SI 1.0//EN" "http://www.wapforum.org/DTD/si.dtd">\n' +
        '<si><indication href="http://x/?a&amp;b">a&lt;b</indication></si>\n',
    );
  });
});

describe('WBXML', () => {
  const binary = (body: string) => SI.decode(Buffer.from(`02056a00${body}`, 'hex'));

  it.each([
    ['signal-none', '05'],
    ['signal-low', '06'],
    ['signal-high', '08'],
    ['delete', '09'],
  ] as const)('the action %s is token %s', (action, token) => {
    const octets = Buffer.from(SI.encode({ ...NOTHING, action })).toString('hex');
    expect(octets).toBe(`02056a004586${token}0101`);
    expect(binary(`4586${token}0101`)).toEqual({ ...NOTHING, action });
  });

  it('the default action is not written', () => {
    expect(Buffer.from(SI.encode(NOTHING)).toString('hex')).toBe('02056a00450601');
  });

  it('the default action is read', () => {
    expect(binary('4586070101').action).toBe('signal-medium');
  });

  it('an instant as text is read', () => {
    const instant = Buffer.from('2026-08-01T00:00:00Z').toString('hex');
    expect(binary(`45860a03${instant}000101`).createdAt).toBe(Date.UTC(2026, 7, 1));
  });

  it('attributes and elements that SI does not have are ignored', () => {
    const table = `02056a04${Buffer.from('own\0').toString('hex')}`;
    const octets = Buffer.from(`${table}4586040003610001040001`, 'hex');
    expect(SI.decode(octets)).toEqual(NOTHING);
  });

  it.each([
    ['no indication', '05'],
    ['two indications', '45060601'],
    ['an item as root', '08'],
    ['an instant that is none', '45860ac301990101'],
    ['an instant in words', '45860a0361000101'],
    ['an item without a class', '450647080101'],
  ])('%s is refused', (_, body) => {
    expect(() => binary(body)).toThrow(DecodeError);
  });

  it('text with the character zero is refused', () => {
    expect(() => SI.encode({ ...NOTHING, text: '\0' })).toThrow(RefusedError);
  });
});
