/**
 * A whole XML document to its root element: character encoding, prologue, validity by one of our DTDs, then the tree. For formats
 * that answer any failure alike; PAP, which does not, takes the same steps one by one.
 */
import { DecodeError } from '../../kernel/errors.js';
import { decodeXmlText } from './charset.js';
import { readPrologue } from './prologue.js';
import { parseXmlElement, type XmlElement } from './xml-element.js';
import type { XmlValidator } from './xml-validator.js';

export interface ReadXmlOptions<Grammar extends string> {
  readonly validator: XmlValidator<Grammar>;
  readonly grammar: Grammar;
  readonly rootName: string;
  /** The `charset` parameter of the entity's Content-Type. */
  readonly charset?: string;
  readonly maxBytes: number;
}

/** Throws DecodeError with a detail fit for whoever wrote the document. */
export function readXmlDocument<Grammar extends string>(
  octets: Uint8Array,
  options: ReadXmlOptions<Grammar>,
): XmlElement {
  if (octets.length > options.maxBytes) {
    throw new DecodeError(`document over ${options.maxBytes} octets`, { code: 'limitExceeded' });
  }
  const { text } = decodeXmlText(octets, options.charset);
  const body = text.slice(readPrologue(text, options.rootName).rootIndex);
  const problem = options.validator.check(body, options.grammar);
  if (problem !== undefined) {
    throw new DecodeError(problem.detail, {
      clause: problem.kind === 'malformed' ? 'XML 1.0 §2.1' : 'XML 1.0 §2.8',
    });
  }
  const root = parseXmlElement(body);
  // [XML 1.0 §2.8] A DTD says what may be in an element, not which one is the root.
  if (root.name !== options.rootName) throw new DecodeError(`the root element is not ${options.rootName}`);
  return root;
}
