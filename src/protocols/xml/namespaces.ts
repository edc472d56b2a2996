/**
 * Namespaces in XML 1.0: an element tree whose names are split into namespace and local part. For formats that are written with any
 * prefix and have no DTD, so the whole document is read here: character encoding, prologue, well-formedness, tree, names.
 */
import { DecodeError } from '../../kernel/errors.js';
import { decodeXmlText } from './charset.js';
import { readPrologue } from './prologue.js';
import { parseXmlElement, type XmlElement } from './xml-element.js';
import { checkWellFormed } from './xml-validator.js';

export interface QualifiedName {
  /** Empty for a name in no namespace. */
  readonly namespace: string;
  readonly local: string;
}

export interface QualifiedElement extends QualifiedName {
  /** Without the namespace declarations. */
  readonly attributes: readonly (QualifiedName & { readonly value: string })[];
  readonly children: readonly QualifiedElement[];
  readonly text: string;
}

export interface ReadNamespacedOptions {
  /** The name that a document type declaration may give, prefix included. */
  readonly doctypeName: string;
  /** The `charset` parameter of the entity's Content-Type. */
  readonly charset?: string;
  readonly maxBytes: number;
  readonly maxElements: number;
}

const CLAUSE = 'Namespaces in XML 1.0 §5';
const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';

/** The root of a document that need not have a DTD. Throws DecodeError with a detail fit for whoever wrote the document. */
export function readNamespacedXml(octets: Uint8Array, options: ReadNamespacedOptions): QualifiedElement {
  if (octets.length > options.maxBytes) {
    throw new DecodeError(`document over ${options.maxBytes} octets`, { code: 'limitExceeded' });
  }
  const { text } = decodeXmlText(octets, options.charset);
  const body = text.slice(readPrologue(text, options.doctypeName).rootIndex);
  const problem = checkWellFormed(body);
  if (problem !== undefined) throw new DecodeError(problem.detail, { clause: 'XML 1.0 §2.1' });
  return qualified(parseXmlElement(body), ROOT_SCOPE, { left: options.maxElements });
}

/** Prefix to namespace; the empty prefix is the default namespace. */
type Scope = ReadonlyMap<string, string>;

const ROOT_SCOPE: Scope = new Map([['xml', XML_NAMESPACE]]);

function qualified(element: XmlElement, outer: Scope, budget: { left: number }): QualifiedElement {
  budget.left -= 1;
  if (budget.left < 0) throw new DecodeError('too many elements', { code: 'limitExceeded' });
  const scope = scopeOf(element, outer);
  return {
    ...resolve(element.name, scope, scope.get('') ?? ''),
    attributes: [...element.attributes]
      .filter(([name]) => declaredPrefix(name) === undefined)
      // An attribute without a prefix is in no namespace, whatever the default is.
      .map(([name, value]) => ({ ...resolve(name, scope, ''), value })),
    children: element.children.map((child) => qualified(child, scope, budget)),
    text: element.text,
  };
}

function scopeOf(element: XmlElement, outer: Scope): Scope {
  let scope: Map<string, string> | undefined;
  for (const [name, value] of element.attributes) {
    const prefix = declaredPrefix(name);
    if (prefix === undefined) continue;
    scope ??= new Map(outer);
    scope.set(prefix, value);
  }
  return scope ?? outer;
}

/** The prefix that an attribute declares; empty for the default namespace, undefined for any other attribute. */
function declaredPrefix(name: string): string | undefined {
  if (name === 'xmlns') return '';
  return name.startsWith('xmlns:') ? name.slice('xmlns:'.length) : undefined;
}

function resolve(name: string, scope: Scope, unprefixed: string): QualifiedName {
  const colon = name.indexOf(':');
  if (colon < 0) return { namespace: unprefixed, local: name };
  const namespace = scope.get(name.slice(0, colon));
  if (namespace === undefined) {
    throw new DecodeError('a prefix without a namespace declaration', { clause: CLAUSE });
  }
  return { namespace, local: name.slice(colon + 1) };
}
