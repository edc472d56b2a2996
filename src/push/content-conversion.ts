/**
 * Content for one terminal: the XML of SI, SL, CO, EMN and connectivity documents becomes the binary form that terminals read from a
 * narrow bearer (WAP-249, content transformation). Everything else passes untouched: other media types, content with a content
 * coding, content whose initiator forbids it (`Cache-Control: no-transform`). Transfer encodings have been undone before. WML is not
 * compiled, and nothing is turned back into XML.
 */
import { DecodeError, RefusedError, unlessBroken } from '../kernel/errors.js';
import { CO } from '../protocols/co/index.js';
import { CONNECTIVITY } from '../protocols/connectivity/index.js';
import { EMN } from '../protocols/emn/index.js';
import { type ContentType, headerValue, parseContentType } from '../protocols/mime/index.js';
import { SI } from '../protocols/si/index.js';
import { SL } from '../protocols/sl/index.js';
import type { DecodeXmlOptions } from '../protocols/wbxml/index.js';
import type { XmlValidator } from '../protocols/xml/index.js';
import type { PushHeader } from './push-message.js';

export interface TerminalContent {
  readonly contentType: string;
  readonly headers: readonly PushHeader[];
  readonly octets: Uint8Array;
}

/** The DTDs that the validator has to know, and their files in `schemas/`. */
export const CONTENT_DTDS = {
  si: 'si_1.0.dtd',
  sl: 'sl_1.0.dtd',
  co: 'co_1.0.dtd',
  emn: 'emn_1.0.dtd',
  connectivity: 'connectivity_1.0.dtd',
} as const;
export type ContentGrammar = keyof typeof CONTENT_DTDS;
export type ContentValidator = XmlValidator<ContentGrammar>;

export interface ConversionOptions {
  /** Does the terminal, or the bearer to it, take the binary form rather than the text? */
  readonly wantsBinary: boolean;
  readonly validator: ContentValidator;
}

interface BinaryForm {
  readonly contentType: string;
  compile(octets: Uint8Array, options: DecodeXmlOptions<ContentGrammar>): Uint8Array;
}

const BINARY_FORMS: ReadonlyMap<string, BinaryForm> = new Map([
  ['text/vnd.wap.si', { contentType: 'application/vnd.wap.sic', compile: SI.compile }],
  ['text/vnd.wap.sl', { contentType: 'application/vnd.wap.slc', compile: SL.compile }],
  ['text/vnd.wap.co', { contentType: 'application/vnd.wap.coc', compile: CO.compile }],
  ['text/vnd.wap.emn+xml', { contentType: 'application/vnd.wap.emn+wbxml', compile: EMN.compile }],
  [
    'text/vnd.wap.connectivity-xml',
    { contentType: 'application/vnd.wap.connectivity-wbxml', compile: CONNECTIVITY.compile },
  ],
]);

/** The media type of the binary form that a document of this media type compiles to. */
export function binaryTypeOf(mediaType: string): string | undefined {
  return BINARY_FORMS.get(mediaType)?.contentType;
}

/** Header fields that describe the octets before the conversion, and nothing after it. */
const ABOUT_THE_OCTETS: ReadonlySet<string> = new Set([
  'content-length',
  'content-md5',
  'content-transfer-encoding',
  'etag',
]);

/**
 * The content as the terminal gets it: the very value that was given when nothing has to be done. Throws RefusedError
 * (`transformationFailed`, PAP 3006) with the reason when the document does not compile.
 */
export function convertForTerminal(content: TerminalContent, options: ConversionOptions): TerminalContent {
  if (!options.wantsBinary) return content;
  const type = contentTypeOf(content);
  const form = type === undefined ? undefined : BINARY_FORMS.get(type.mediaType);
  if (type === undefined || form === undefined || !mayBeTransformed(content.headers)) return content;
  return {
    contentType: form.contentType,
    headers: content.headers.filter(({ name }) => !ABOUT_THE_OCTETS.has(name.toLowerCase())),
    octets: compiled(content.octets, type, form, options.validator),
  };
}

/** A value that cannot be read names no type of ours. */
function contentTypeOf({ contentType }: TerminalContent): ContentType | undefined {
  return unlessBroken(() => parseContentType(contentType));
}

function mayBeTransformed(headers: readonly PushHeader[]): boolean {
  const coding = headerValue(headers, 'content-encoding')?.trim().toLowerCase() ?? 'identity';
  return coding === 'identity' && !headers.some(forbidsTransformation);
}

/** [WAP-249; RFC 9111 §5.2.2.6] */
function forbidsTransformation({ name, value }: PushHeader): boolean {
  if (name.toLowerCase() !== 'cache-control') return false;
  return value.split(',').some((directive) => directive.trim().toLowerCase() === 'no-transform');
}

function compiled(
  octets: Uint8Array,
  { mediaType, parameters }: ContentType,
  form: BinaryForm,
  validator: ContentValidator,
): Uint8Array {
  const charset = parameters.get('charset');
  try {
    return form.compile(octets, { validator, ...(charset === undefined ? {} : { charset }) });
  } catch (error) {
    if (!(error instanceof DecodeError || error instanceof RefusedError)) throw error;
    throw new RefusedError('transformationFailed', `${mediaType}: ${error.detail}`);
  }
}
