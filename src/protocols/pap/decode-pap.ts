/**
 * Octets to a PAP document (PAP §7 – §9): character encoding, prologue, version, validity, then values.
 *
 * Three kinds of failure, each with its own answer: `DecodeError` (cannot be recognised: badmessage 2000),
 * `DecodeError` with `versionNotSupported` (badmessage 3002), and `PapOperationError` (recognised, refused: the response of
 * the operation itself). BlackBerry's `bpds` documents are not PAP and fall under the first.
 */
import { DecodeError } from '../../kernel/errors.js';
import {
  decodeXmlText,
  parseXmlElement,
  type XmlElement,
  type XmlProblem,
  type XmlText,
} from '../xml/index.js';
import { BadAttribute, MAX_ID_LENGTH } from './attribute-reader.js';
import type { PapDocument, PapOperationKind, PapVersion } from './document.js';
import { PapOperationError, type RefusedOperation } from './pap-operation-error.js';
import type { PapValidator } from './pap-validator.js';
import { negotiateVersion } from './pap-version.js';
import { type Prologue, readPrologue } from './prologue.js';
import { operationKind, readOperation } from './read-operation.js';

export interface PapLimits {
  /** Octets of one document. */
  readonly maxBytes: number;
  /** `address` elements of one operation. */
  readonly maxAddresses: number;
}

export const DEFAULT_PAP_LIMITS: PapLimits = { maxBytes: 65_536, maxAddresses: 100 };

export interface DecodePapOptions {
  readonly validator: PapValidator;
  readonly limits?: PapLimits;
  /** The `charset` parameter of the entity's Content-Type. */
  readonly charset?: string;
}

/** Reads one document. Error offsets count octets of `bytes`. */
export function decodePap(bytes: Uint8Array, options: DecodePapOptions): PapDocument {
  const limits = options.limits ?? DEFAULT_PAP_LIMITS;
  if (bytes.length > limits.maxBytes) {
    throw new DecodeError(`control entity over ${limits.maxBytes} octets`, {
      code: 'limitExceeded',
      offset: 0,
    });
  }
  const source = decodeXmlText(bytes, options.charset);
  const prologue = withOctetOffsets(source, () => readPrologue(source.text));
  const version = negotiateVersion(prologue);
  const body = source.text.slice(prologue.rootIndex);

  const problem = options.validator.check(body, version);
  if (problem?.kind === 'malformed') {
    throw new DecodeError(problem.detail, {
      offset: octetOf(problem, source, prologue),
      clause: 'XML 1.0 §2.1',
    });
  }
  const root = parseXmlElement(body);
  const [element] = root.children;
  const kind = element === undefined ? undefined : operationKind(element.name);
  if (root.name !== 'pap' || element === undefined || kind === undefined) {
    throw new DecodeError('not a PAP operation', {
      offset: source.octetOffset(prologue.rootIndex),
      clause: 'PAP §9',
    });
  }
  if (problem !== undefined) throw refusal(problem.detail, kind, element, version);
  const productName = root.attributes.get('product-name');
  return {
    version,
    ...(prologue.supportedVersions === undefined ? {} : { supportedVersions: prologue.supportedVersions }),
    ...(productName === undefined ? {} : { productName }),
    operation: readWithin(limits, kind, element, version),
  };
}

function readWithin(limits: PapLimits, kind: PapOperationKind, element: XmlElement, version: PapVersion) {
  if (countAddresses(element) > limits.maxAddresses) {
    // 3005 and not 2000: the document is right, and an initiator that sends one push for each address will succeed.
    const detail = `more than ${limits.maxAddresses} addresses`;
    throw refusal(detail, kind, element, version, { papCode: 3005, code: 'limitExceeded' });
  }
  try {
    return readOperation(kind, element);
  } catch (error) {
    if (!(error instanceof BadAttribute)) throw error;
    throw refusal(error.message, kind, element, version, { papCode: error.papCode, cause: error });
  }
}

function countAddresses(element: XmlElement): number {
  let count = 0;
  for (const child of element.children) {
    if (child.name === 'address') count += 1;
    else for (const grandchild of child.children) if (grandchild.name === 'address') count += 1;
  }
  return count;
}

function refusal(
  detail: string,
  kind: PapOperationKind,
  element: XmlElement,
  version: PapVersion,
  options: { papCode?: number; code?: 'malformed' | 'limitExceeded'; cause?: unknown } = {},
): PapOperationError {
  const { papCode = 2000, ...errorOptions } = options;
  const refused: RefusedOperation = {
    kind,
    version,
    papCode,
    ...echo('pushId', element.attributes.get('push-id')),
    ...echo('queryId', element.attributes.get('query-id')),
    addresses:
      kind === 'ccq-message'
        ? element.children.flatMap((child) => child.attributes.get('address-value') ?? [])
        : [],
  };
  return new PapOperationError(detail, refused, errorOptions);
}

/** An id is given back as it came, unless it is so long that it can be no id. */
function echo<Name extends string>(name: Name, value: string | undefined): { [N in Name]?: string } {
  if (value === undefined || value.trim() === '') return {};
  return { [name]: value.slice(0, MAX_ID_LENGTH) } as { [N in Name]?: string };
}

function withOctetOffsets<T>(source: XmlText, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DecodeError) || error.offset === undefined || error.code === 'internal')
      throw error;
    throw new DecodeError(error.detail, {
      offset: source.octetOffset(error.offset),
      code: error.code === 'limitExceeded' ? 'limitExceeded' : 'malformed',
      ...(error.clause === undefined ? {} : { clause: error.clause }),
    });
  }
}

/** The validator counts lines and columns of the document without its prologue. */
function octetOf(problem: XmlProblem, source: XmlText, prologue: Prologue): number {
  let index = prologue.rootIndex;
  for (let line = 1; line < problem.line; line += 1) {
    const lineEnd = source.text.indexOf('\n', index);
    if (lineEnd < 0) break;
    index = lineEnd + 1;
  }
  return source.octetOffset(Math.min(source.text.length, index + Math.max(0, problem.column - 1)));
}
