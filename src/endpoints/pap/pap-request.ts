/**
 * HTTP entity to PAP operation with its content: which part is the control entity, which the content, which the capabilities
 * (PAP §8). Pure over octets. What can be recognised is refused as that operation (`PapOperationError`), even when a later part
 * is broken or the body was cut at a limit, so that the initiator learns which push was refused.
 */
import { DecodeError } from '../../kernel/errors.js';
import {
  type ContentType,
  decodeFirstPart,
  decodeMultipartRelated,
  headerValue,
  type MimePart,
  type MultipartLimits,
  parseContentType,
} from '../../protocols/mime/index.js';
import {
  decodePap,
  type PapDocument,
  type PapLimits,
  PapOperationError,
  type PapValidator,
} from '../../protocols/pap/index.js';
import type { PushEntity } from './pap-application.js';

export interface PapRequestLimits extends PapLimits {
  /** Octets of the content entity. */
  readonly maxContentBytes: number;
  /** Octets of the capabilities entity. */
  readonly maxCapabilitiesBytes: number;
}

export interface PapRequest {
  readonly document: PapDocument;
  /** Present when the operation is a push-message. */
  readonly entity?: PushEntity;
}

export interface PapRequestReader {
  readonly validator: PapValidator;
  readonly limits: PapRequestLimits;
}

const MAX_PARTS = 8;
const HEADER_LIMITS = { maxHeaderBytes: 16_384, maxHeaders: 100 };

/** Octets that a request can need at most: its three entities and what multipart puts around them. */
export function maxRequestBytes(limits: PapRequestLimits): number {
  return (
    limits.maxBytes + limits.maxContentBytes + limits.maxCapabilitiesBytes + 4 * HEADER_LIMITS.maxHeaderBytes
  );
}

/** Reads a whole request. Throws DecodeError, or its kind PapOperationError. */
export function decodePapRequest(
  reader: PapRequestReader,
  contentTypeValue: string | undefined,
  body: Uint8Array,
): PapRequest {
  const contentType = readContentType(contentTypeValue ?? '', 0);
  if (isXml(contentType)) return withoutContent(decodeControl(reader, body, contentType));
  const boundary = boundaryOf(contentType);
  let parts: { readonly root: MimePart; readonly related: readonly MimePart[] };
  try {
    parts = decodeMultipartRelated(body, contentType, multipartLimits(reader.limits));
  } catch (error) {
    throw error instanceof DecodeError ? asRefusal(reader, body, boundary, error.detail, 2000, error) : error;
  }
  const document = decodeControlPart(reader, parts.root, body);
  if (document.operation.kind !== 'push-message') return { document };
  return { document, entity: pushEntity(document, parts.related, reader.limits) };
}

/** What to answer to a request of which only the first `prefix` octets were read. */
export function refuseOversizedRequest(
  reader: PapRequestReader,
  contentTypeValue: string | undefined,
  prefix: Uint8Array,
): DecodeError {
  const { limits } = reader;
  try {
    const contentType = readContentType(contentTypeValue ?? '', 0);
    if (isXml(contentType))
      return new DecodeError(`control entity over ${limits.maxBytes} octets`, { code: 'limitExceeded' });
    return asRefusal(
      reader,
      prefix,
      boundaryOf(contentType),
      `content entity over ${limits.maxContentBytes} octets`,
      2001,
      new DecodeError(`request over ${maxRequestBytes(limits)} octets`, { code: 'limitExceeded' }),
    );
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
}

/**
 * A trouble after the control entity as the refusal of the operation that this entity asks for; when there is no readable
 * control entity, its own error or `otherwise`.
 */
function asRefusal(
  reader: PapRequestReader,
  body: Uint8Array,
  boundary: string,
  detail: string,
  papCode: number,
  otherwise: DecodeError,
): DecodeError {
  const control = decodeFirstPart(body, boundary, HEADER_LIMITS);
  if (control === undefined) return otherwise;
  try {
    return refuse(decodeControlPart(reader, control, body), detail, papCode, otherwise);
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
}

function boundaryOf(contentType: ContentType): string {
  if (contentType.mediaType !== 'multipart/related') {
    throw new DecodeError('Content-Type is neither multipart/related nor application/xml', {
      clause: 'PAP §8',
    });
  }
  const boundary = contentType.parameters.get('boundary');
  if (boundary === undefined)
    throw new DecodeError('Content-Type has no boundary', { clause: 'RFC 2046 §5.1.1' });
  return boundary;
}

function multipartLimits(limits: PapRequestLimits): MultipartLimits {
  return { ...HEADER_LIMITS, maxParts: MAX_PARTS, maxBytes: maxRequestBytes(limits) };
}

/** Leniency: a control part without a Content-Type is taken for what it has to be. Hand-written initiators forget it. */
function decodeControlPart(reader: PapRequestReader, part: MimePart, body: Uint8Array): PapDocument {
  const start = part.content.byteOffset - body.byteOffset;
  const value = headerValue(part.headers, 'content-type');
  const contentType = value === undefined ? undefined : readContentType(value, start);
  if (contentType !== undefined && !isXml(contentType)) {
    throw new DecodeError('the control entity is not application/xml', { offset: start, clause: 'PAP §8' });
  }
  try {
    return decodeControl(reader, part.content, contentType);
  } catch (error) {
    if (!(error instanceof DecodeError) || error instanceof PapOperationError) throw error;
    throw relocated(error, start + (error.offset ?? 0));
  }
}

function decodeControl(
  reader: PapRequestReader,
  bytes: Uint8Array,
  contentType: ContentType | undefined,
): PapDocument {
  const charset = contentType?.parameters.get('charset');
  return decodePap(bytes, {
    validator: reader.validator,
    limits: reader.limits,
    ...(charset === undefined ? {} : { charset }),
  });
}

/** `offset` is where the entity stands that the value belongs to. */
function readContentType(value: string, offset: number): ContentType {
  try {
    return parseContentType(value);
  } catch (error) {
    throw error instanceof DecodeError ? relocated(error, offset) : error;
  }
}

/** The same error at an octet of the whole body. */
function relocated(error: DecodeError, offset: number): DecodeError {
  const { code, clause, cause } = error;
  return new DecodeError(error.detail, {
    offset,
    cause,
    ...(code === 'limitExceeded' || code === 'versionNotSupported' ? { code } : {}),
    ...(clause === undefined ? {} : { clause }),
  });
}

/** Leniency: `text/xml` is taken as well; RFC 7303 made the two types synonyms. */
function isXml({ mediaType }: ContentType): boolean {
  return mediaType === 'application/xml' || mediaType === 'text/xml';
}

function withoutContent(document: PapDocument): PapRequest {
  if (document.operation.kind === 'push-message')
    throw refuse(document, 'the content entity is missing', 2000);
  return { document };
}

function pushEntity(
  document: PapDocument,
  related: readonly MimePart[],
  limits: PapRequestLimits,
): PushEntity {
  const [content, capabilities] = related;
  if (content === undefined) throw refuse(document, 'the content entity is missing', 2000);
  if (related.length > 2) throw refuse(document, 'more than three entities', 2000);
  if (content.content.length > limits.maxContentBytes) {
    throw refuse(document, `content entity over ${limits.maxContentBytes} octets`, 2001);
  }
  if (capabilities !== undefined && capabilities.content.length > limits.maxCapabilitiesBytes) {
    throw refuse(document, `capabilities entity over ${limits.maxCapabilitiesBytes} octets`, 2001);
  }
  const transferEncoding = headerValue(content.headers, 'content-transfer-encoding')?.toLowerCase();
  const isIdentity = transferEncoding === undefined || /^(?:7bit|8bit|binary)$/.test(transferEncoding);
  return {
    headers: content.headers,
    contentType: entityType(document, content, 'text/plain; charset=us-ascii'),
    ...(isIdentity ? {} : { transferEncoding }),
    content: content.content,
    ...(capabilities === undefined
      ? {}
      : {
          capabilities: {
            contentType: entityType(document, capabilities, 'application/xml'),
            content: capabilities.content,
          },
        }),
  };
}

/** The Content-Type as written, or what its absence means (RFC 2045 §5.2). */
function entityType(document: PapDocument, part: MimePart, fallback: string): string {
  const value = headerValue(part.headers, 'content-type');
  if (value === undefined) return fallback;
  try {
    parseContentType(value);
    return value;
  } catch (cause) {
    throw refuse(document, 'the Content-Type of an entity cannot be read', 2000, cause);
  }
}

function refuse(document: PapDocument, detail: string, papCode: number, cause?: unknown): PapOperationError {
  const { operation, version } = document;
  return new PapOperationError(
    detail,
    {
      kind: operation.kind,
      version,
      papCode,
      ...('pushId' in operation ? { pushId: operation.pushId } : {}),
      ...('queryId' in operation && operation.queryId !== undefined ? { queryId: operation.queryId } : {}),
      addresses: operation.kind === 'ccq-message' ? [operation.address] : [],
    },
    { code: papCode === 2001 ? 'limitExceeded' : 'malformed', cause },
  );
}
