/**
 * The validity gate: libxml2 checks that a document is well-formed and obeys one of our DTDs. The only file that knows the
 * library. Documents come without their prologue, so there is nothing that could be expanded or fetched, and whatever is
 * allocated is freed before `check` returns.
 */
import { DtdValidator, ParseOption, XmlDocument, XmlDtd, XmlError, XmlLibError } from 'libxml2-wasm';
import { InvariantError } from '../../kernel/errors.js';

/** `Grammar` names the DTDs that it holds. */
export interface XmlValidator<Grammar extends string> extends Disposable {
  /** What is wrong with a root element and what follows it; undefined when nothing is. */
  check(document: string, grammar: Grammar): XmlProblem | undefined;
}

export interface XmlProblem {
  /** `malformed`: not XML. `invalid`: XML that the DTD refuses. */
  readonly kind: 'malformed' | 'invalid';
  /** The first complaint, one line. */
  readonly detail: string;
  /** Counted from 1; column 0 when it is not known. */
  readonly line: number;
  readonly column: number;
}

/** `dtds` holds the text of each DTD, the files of `schemas/`. Free the result when it is needed no more. */
export function createXmlValidator<Grammar extends string>(
  dtds: Readonly<Record<Grammar, string>>,
): XmlValidator<Grammar> {
  const validators = new Map<string, DtdValidator>();
  const dispose = () => {
    for (const validator of validators.values()) validator.dispose();
    validators.clear();
  };
  try {
    for (const [grammar, dtd] of Object.entries<string>(dtds)) {
      validators.set(grammar, new DtdValidator(XmlDtd.fromString(dtd)));
    }
  } catch (error) {
    dispose();
    throw error;
  }
  return {
    check: (document, grammar) => checkDocument(document, validators.get(grammar)),
    [Symbol.dispose]: dispose,
  };
}

const MAX_DETAIL_LENGTH = 300;

const OPTION =
  ParseOption.XML_PARSE_NO_XXE | ParseOption.XML_PARSE_NONET | ParseOption.XML_PARSE_NO_SYS_CATALOG;

/** What is wrong with a root element and what follows it, as XML alone; undefined when nothing is. For formats without a DTD. */
export function checkWellFormed(document: string): XmlProblem | undefined {
  try {
    XmlDocument.fromString(document, { option: OPTION }).dispose();
    return undefined;
  } catch (error) {
    return problemOf('malformed', error);
  }
}

function checkDocument(text: string, validator: DtdValidator | undefined): XmlProblem | undefined {
  if (validator === undefined) throw new InvariantError('the validator has been disposed of');
  let document: XmlDocument;
  try {
    document = XmlDocument.fromString(text, { option: OPTION });
  } catch (error) {
    return problemOf('malformed', error);
  }
  try {
    validator.validate(document);
    return undefined;
  } catch (error) {
    return problemOf('invalid', error);
  } finally {
    document.dispose();
  }
}

function problemOf(kind: XmlProblem['kind'], error: unknown): XmlProblem {
  if (error instanceof XmlLibError) {
    const first = error.details[0];
    return {
      kind,
      // Names of the document's own making stand in it, so it is cut: it goes into answers and logs.
      detail: (first?.message ?? error.message).trim().split('\n', 1)[0]?.slice(0, MAX_DETAIL_LENGTH) ?? '',
      line: first?.line ?? 1,
      column: first?.col ?? 0,
    };
  }
  if (error instanceof XmlError) return { kind, detail: error.message, line: 1, column: 0 };
  throw error;
}
