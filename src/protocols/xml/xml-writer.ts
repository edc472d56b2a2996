/**
 * XML text of elements. Everything is escaped here; characters that XML 1.0 cannot carry at all become U+FFFD, because what we
 * echo may hold them (lone surrogates do so when the text is written as UTF-8).
 */
import type { XmlElement } from './xml-element.js';

/** Attribute names to values; undefined ones are left out. */
export type XmlAttributes = Readonly<Record<string, string | undefined>>;

/** `content` is XML already. */
export function xmlElement(name: string, attributes: XmlAttributes, content = ''): string {
  let text = `<${name}`;
  for (const attribute of Object.keys(attributes)) {
    const value = attributes[attribute];
    if (value !== undefined) text += ` ${attribute}="${escapeXml(value)}"`;
  }
  return content === '' ? `${text}/>` : `${text}>${content}</${name}>`;
}

/** The text of a whole element. */
export function formatXmlElement({ name, attributes, children, text }: XmlElement): string {
  const content = escapeXml(text) + children.map(formatXmlElement).join('');
  return xmlElement(name, Object.fromEntries(attributes), content);
}

const NEEDS_ESCAPE = /[&<>"\u0000-\u001f\u007f-\u009f\ufffe\uffff]/g;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // As references these three survive attribute-value normalisation.
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** An attribute value between double quotes, or character data. */
export function escapeXml(value: string): string {
  return value.replace(NEEDS_ESCAPE, (character) => {
    const escaped = ESCAPES[character];
    if (escaped !== undefined) return escaped;
    const code = character.charCodeAt(0);
    return code >= 0x7f && code <= 0x9f ? `&#${code};` : '\ufffd';
  });
}
