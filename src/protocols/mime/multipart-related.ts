/**
 * multipart/related (RFC 2387): one root and the parts that belong to it. The `start` parameter names the root by its
 * Content-ID; without it the first part is the root. `type` should equal the root's media type: initiators write it wrongly
 * (`text/xml` for `application/xml`) or not at all, so it is reported and not enforced.
 */
import { DecodeError } from '../../kernel/errors.js';
import { type ContentType, formatContentType } from './content-type.js';
import { headerValue } from './header-field.js';
import {
  chooseBoundary,
  decodeMultipart,
  encodeMultipart,
  type MimePart,
  type MultipartLimits,
} from './multipart.js';

export interface MultipartRelated {
  readonly root: MimePart;
  /** Every other part, in order. */
  readonly related: readonly MimePart[];
  /** The `type` parameter as written. */
  readonly type?: string;
}

/** Reads a multipart/related body. `contentType` is the parsed Content-Type of the entity that holds it. */
export function decodeMultipartRelated(
  bytes: Uint8Array,
  contentType: ContentType,
  limits: MultipartLimits,
): MultipartRelated {
  const boundary = contentType.parameters.get('boundary');
  if (boundary === undefined) throw new DecodeError('no boundary parameter', { clause: 'RFC 2046 §5.1.1' });
  const { parts } = decodeMultipart(bytes, boundary, limits);
  const root = findRoot(parts, contentType.parameters.get('start'));
  const type = contentType.parameters.get('type');
  return { root, related: parts.filter((part) => part !== root), ...(type === undefined ? {} : { type }) };
}

function findRoot(parts: readonly MimePart[], start: string | undefined): MimePart {
  const wanted = start === undefined ? undefined : contentId(start);
  const root =
    wanted === undefined
      ? parts[0]
      : parts.find((part) => contentId(headerValue(part.headers, 'content-id')) === wanted);
  if (root === undefined)
    throw new DecodeError('no part has the Content-ID of start', { clause: 'RFC 2387 §3.2' });
  return root;
}

/** Content-IDs compare without their angle brackets: clients forget them in `start`. */
function contentId(text: string | undefined): string | undefined {
  return text?.trim().replace(/^<(.*)>$/, '$1');
}

export interface EncodedMultipartRelated {
  /** The Content-Type value that goes with the body. */
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** Writes a body whose first part is the root; picks a boundary that no part contains. */
export function encodeMultipartRelated(
  root: MimePart,
  related: readonly MimePart[],
): EncodedMultipartRelated {
  const parts = [root, ...related];
  const boundary = chooseBoundary(parts);
  const rootType = headerValue(root.headers, 'content-type')?.split(';', 1)[0]?.trim() ?? 'text/plain';
  return {
    contentType: formatContentType('multipart/related', [
      ['type', rootType],
      ['boundary', boundary],
    ]),
    body: encodeMultipart(parts, boundary),
  };
}
