/** What the XML reader of the document formats does by itself; encodings and prologues are tested through PAP, which uses them all. */
import { describe, expect, it } from 'vitest';
import { DecodeError, InvariantError } from '../../../src/kernel/errors.js';
import {
  createXmlValidator,
  formatXmlElement,
  parseXmlElement,
  readPrologue,
  readXmlDocument,
} from '../../../src/protocols/xml/index.js';

const NOTE_DTD = '<!ELEMENT note (#PCDATA)><!ATTLIST note kind (a | b) "a"><!ELEMENT notes (note+)>' as const;

describe('elements', () => {
  it('have their character data in one piece', () => {
    const { text, children } = parseXmlElement('<a>1<b/>&lt;<!-- no -->2<![CDATA[&lt;]]>&#51;</a>');
    expect(text).toBe('1<2&lt;3');
    expect(children.map(({ name }) => name)).toEqual(['b']);
  });

  it('come back from their text', () => {
    const element = {
      name: 'a',
      attributes: new Map([['b', '"<&>\'\n\t']]),
      children: [{ name: 'c', attributes: new Map(), children: [], text: ']]> & <' }],
      text: '',
    };
    expect(parseXmlElement(formatXmlElement(element))).toEqual(element);
  });

  it('with a reference to nothing are refused', () => {
    expect(() => parseXmlElement('<a>&nbsp;</a>')).toThrow(DecodeError);
    expect(() => parseXmlElement('<a>&#xD800;</a>')).toThrow(DecodeError);
  });
});

describe('prologues', () => {
  it('give their instructions in order', () => {
    const { instructions } = readPrologue('<?xml version="1.0"?><!DOCTYPE a [<?b c?>]><?d?><a/>', 'a');
    expect(instructions).toEqual(['xml version="1.0"', 'b c', 'd']);
  });

  it('name the root that is expected', () => {
    expect(() => readPrologue('<!DOCTYPE b><a/>', 'a')).toThrow(/the document type is not a/);
  });
});

describe('whole documents', () => {
  const validator = createXmlValidator({ note: NOTE_DTD });
  const read = (text: string, maxBytes = 1000) =>
    readXmlDocument(Buffer.from(text), { validator, grammar: 'note', rootName: 'notes', maxBytes });

  it('give their root', () => {
    const { name, children } = read('<?xml version="1.0"?><!DOCTYPE notes><notes><note>1</note></notes>');
    expect([name, children[0]?.text]).toEqual(['notes', '1']);
  });

  it.each<[string, string]>([
    ['another root that the DTD knows', '<note/>'],
    ['what the DTD refuses', '<notes><note kind="c"/></notes>'],
    ['what is not well-formed', '<notes><note></notes>'],
    ['a declaration', '<!DOCTYPE notes [<!ENTITY a "b">]><notes><note>&a;</note></notes>'],
  ])('refuse %s', (_, text) => {
    expect(() => read(text)).toThrow(DecodeError);
  });

  it('over their limit are refused as such', () => {
    expect(() => read('<notes><note/></notes>', 21)).toThrow(
      expect.objectContaining({ code: 'limitExceeded' }),
    );
  });
});

describe('validators', () => {
  it('cannot be made of a broken DTD', () => {
    expect(() => createXmlValidator({ note: '<!ELEMENT' })).toThrow();
  });

  it('are of no use after they were freed', () => {
    const validator = createXmlValidator({ note: NOTE_DTD });
    validator[Symbol.dispose]();
    expect(() => validator.check('<note/>', 'note')).toThrow(InvariantError);
  });
});
